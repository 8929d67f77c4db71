"""Arrays of numbers of nodes and edges, checked: never a silent wrap."""

from __future__ import annotations

from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

NO_NODE = 2**32 - 1
"""In place of a node where there is none."""
NO_EDGE = 2**32 - 1
"""In place of an edge where there is none."""


def is_whole(value: object) -> TypeGuard[int | np.integer[Any]]:
    """Whether it is a whole number of Python or NumPy; a truth value is none."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def is_array(value: object) -> TypeGuard[NDArray[Any]]:
    """Whether it is an array of NumPy."""
    return isinstance(value, np.ndarray)


def to_uint32(numbers: Any, name: str) -> NDArray[np.uint32]:
    """Dense numbers as a (n,) uint32 array in one piece. One that is so already is taken without a copy.

    Raises `TypeError` for other kinds of numbers, `OverflowError` for one that is not in [0, 2^32); both name the
    argument, and the position where there is one.
    """
    array = np.asarray(numbers)
    if array.ndim != 1:
        raise TypeError(f"{name}: expected an array of one dimension, not of shape {array.shape}")
    if array.dtype == np.uint32:
        return np.require(array, requirements=["C", "A"])
    if array.size == 0 and isinstance(numbers, (list, tuple)):
        return np.empty(0, np.uint32)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name}: expected dense numbers (uint32, as `view.indices` gives them), not {array.dtype}")
    wrong = (array < 0) if array.dtype.kind == "i" else np.zeros(len(array), bool)
    if array.dtype.itemsize > 4:
        wrong |= array > NO_NODE
    if wrong.any():
        at = int(np.argmax(wrong))
        raise OverflowError(f"{name}[{at}] is {array[at]}, which is no dense number: they are in [0, 2**32)")
    return np.require(array, np.uint32, ["C", "A"])


def to_ids(ids: Any, name: str) -> NDArray[np.uint64] | list[str]:
    """Ids of nodes: (n,) uint64 in one piece where all are whole numbers of 64 bits, else texts.

    Raises `TypeError` for what is neither a whole number nor a text, such as NaN; it names the position.
    """
    array = np.asarray(ids)
    if array.ndim != 1:
        raise TypeError(f"{name}: expected an array of one dimension, not of shape {array.shape}")
    if array.size == 0:
        return np.empty(0, np.uint64)
    if array.dtype.kind == "u" or (array.dtype.kind == "i" and int(array.min()) >= 0):
        return np.require(array, np.uint64, ["C", "A"])
    if array.dtype.kind in "iUT":
        # A number below 0 is the text that it is written as.
        return [str(value) for value in array.tolist()]
    if array.dtype.kind != "O":
        raise TypeError(f"{name}: expected whole numbers or texts, not an array of {array.dtype}")
    texts: list[str] = []
    for at, value in enumerate(array.tolist()):
        if not (isinstance(value, str) or is_whole(value)):
            raise TypeError(f"{name}[{at}] is {value!r}: an id is a whole number or a text")
        texts.append(str(value))
    return texts
