"""Features of many nodes or edges of a view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ._arrays import to_uint32
from ._scope import Owners, count_of
from ._times import Times
from ._view_base import ViewBase
from .errors import FeatureKindError, SampleError
from .samples import check_out
from .table import Table

Of: TypeAlias = Literal["nodes", "edges"]
"""Whether numbers are those of nodes or of edges."""
Widths: TypeAlias = str | Sequence[str] | Mapping[str, int]
"""Features that are one number each, or features with the width of each."""

_DTYPES = {
    "f64": "float64", "f32": "float32", "f16": "float16", "i64": "int64", "i32": "int32", "i16": "int16", "i8": "int8",
    "u64": "uint64", "u32": "uint32", "u16": "uint16", "u8": "uint8",
}  # fmt: skip


class Sparse(NamedTuple):
    """The points of a sparse feature, in the order of the owners."""

    coordinates: NDArray[np.int64]
    """(points, 1 + rank) int64: the owner's row among those asked, then the point's own coordinates."""
    values: NDArray[Any]
    """(points,) values, in the type that they are stored in."""


class ViewFeatures(ViewBase):
    """Features of many nodes or edges, each as of its own time."""

    def features(
        self,
        owners: ArrayLike,
        names: Widths,
        times: Times = None,
        *,
        of: Of = "nodes",
        dtype: DTypeLike = np.float32,
        before: bool = True,
        out: NDArray[Any] | None = None,
    ) -> NDArray[Any]:
        """Dense features, (N, sum of widths) of `dtype`, in the order of `names`; zeros where there is nothing.

        `owners` is (N,) uint32: dense numbers of nodes, or of edges with `of="edges"`. `names` gives each feature its width,
        `{"taste": 16}`: a shorter value has zeros behind it, a longer one is cut. A name alone is a feature of one number.
        Values that are stored in another type of numbers are rounded to a type of floats, and must fit exactly into one of
        whole numbers. As uint8 the bytes of texts are read, too. `out` is an array of that shape and type to write into.

        Raises `UnknownError` for a feature that nothing has, `FeatureKindError` for one of another kind (`texts` and
        `sparse_features` read those), `OverflowError` for a number that does not fit.

        >>> view.features(nodes, {"age": 1, "taste": 16}, times)
        """
        asked, wanted = self._owners(owners, times, of, before), np.dtype(dtype)
        kinds = {name: self._core.kinds_of_feature(asked["edges"], name) for name in _names(names)}
        widths = _widths(names, kinds)
        shape = (len(asked["owners"]), sum(widths.values()))
        if out is None:
            out = np.zeros(shape, wanted)
        else:
            check_out(out, shape, wanted, "out")
        stored = {name: _stored(name, kinds[name], wanted) for name in widths}
        if all(dtype == wanted for dtype in stored.values()):
            self._core.dense_features(asked, list(widths.items()), wanted.name, out)
            return out
        at = 0
        for name, width in widths.items():
            read = np.zeros((shape[0], width), stored[name])
            self._core.dense_features(asked, [(name, width)], stored[name].name, read)
            out[:, at : at + width] = _fitting(read, wanted, name)
            at += width
        return out

    def sparse_features(
        self, owners: ArrayLike, names: str | Sequence[str], times: Times = None, *, of: Of = "nodes", before: bool = True
    ) -> dict[str, Sparse]:
        """Sparse features as coordinates and values: a [Sparse][timeweft.Sparse] of each name.

        `torch.sparse_coo_tensor(found.coordinates.T, found.values)` makes a tensor of it. Raises `UnknownError`,
        `FeatureKindError`.
        """
        asked = self._owners(owners, times, of, before)
        found: dict[str, Sparse] = {}
        for name in _names(names):
            dtypes = {dtype for kind, dtype, _ in self._core.kinds_of_feature(asked["edges"], name) if kind == "sparse"}
            if not dtypes:
                _refuse(name, self._core.kinds_of_feature(asked["edges"], name), "sparse")
            # Where types store it differently the first is asked for, and owners of the others are refused.
            dtype = _DTYPES[str(sorted(map(str, dtypes))[0])]
            found[name] = Sparse(*self._core.sparse_features(asked, name, dtype))
        return found

    def texts(
        self, owners: ArrayLike, names: str | Sequence[str], times: Times = None, *, of: Of = "nodes", before: bool = True
    ) -> Table:
        """Texts, categories, structured values (as JSON) and bytes: a [Table][timeweft.Table] with a column for each of
        `names` and a row for each owner, null where there is nothing. Raises `UnknownError`, `FeatureKindError`.

        >>> view.texts(nodes, "name", times)["name"]
        """
        asked = self._owners(owners, times, of, before)
        for name in _names(names):
            kinds = self._core.kinds_of_feature(asked["edges"], name)
            if any(dtype for _, dtype, _ in kinds):
                _refuse(name, [kind for kind in kinds if kind[1]], "text")
        return Table(self._core.values(asked, _names(names)))

    def _owners(self, owners: Any, times: Any, of: str, before: bool) -> Owners:
        if of not in ("nodes", "edges"):
            raise SampleError(f"of: expected 'nodes' or 'edges', not {of!r}")
        numbers = to_uint32(owners, "owners")
        return {
            "owners": numbers,
            "times": self._ticks(times, len(numbers)),
            "edges": of == "edges",
            "before": before,
            "soft": self._deletes == "soft",
        }


Kinds: TypeAlias = list[tuple[str, str | None, str]]


def _names(names: Widths) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _widths(names: Widths, kinds: Mapping[str, Kinds]) -> dict[str, int]:
    if isinstance(names, Mapping):
        return {name: count_of(width, f"names[{name!r}]") for name, width in names.items()}
    for name, known in kinds.items():
        if any(kind == "dense" for kind, _, _ in known):
            raise SampleError(f"names: feature `{name}` is a list of numbers: give its width, as {{{name!r}: 16}}")
    return dict.fromkeys(kinds, 1)


def _stored(name: str, kinds: Kinds, wanted: np.dtype[Any]) -> np.dtype[Any]:
    """The type that numbers of a feature are read in."""
    dtypes = sorted({_DTYPES[dtype] for kind, dtype, _ in kinds if kind in ("dense", "number") and dtype})
    if not dtypes:
        is_flat = all(kind in ("text", "bytes", "category") for kind, _, _ in kinds)
        if wanted == np.uint8 and is_flat:
            return wanted
        _refuse(name, kinds, "numbers")
    # Where types store it differently the one that is wanted goes first; owners that have it otherwise are refused.
    return wanted if wanted.name in dtypes else np.dtype(dtypes[0])


def _refuse(name: str, kinds: Kinds, wanted: str) -> None:
    ask = {"sparse": "`sparse_features`", "dense": "`features`", "number": "`features`"}
    kind, _, text = kinds[0]
    raise FeatureKindError(f"feature `{name}` is {text}, not {wanted}: ask {ask.get(kind, '`texts`')}")


def _fitting(read: NDArray[Any], wanted: np.dtype[Any], name: str) -> NDArray[Any]:
    """Numbers that can be written as others without a loss, but for the rounding of floats."""
    if wanted.kind == "f":
        return read
    if wanted.kind not in "iu":
        raise SampleError(f"dtype: {wanted} is no type of features")
    limits = np.iinfo(wanted)
    # The end of a type of 64 bits is no float, so what comes behind it is compared.
    wrong = (read < limits.min) | (read >= float(limits.max) + 1.0 if read.dtype.kind == "f" else read > limits.max)
    if read.dtype.kind == "f":
        wrong |= read != np.trunc(read)
    if wrong.any():
        row = int(np.argmax(wrong.any(axis=1)))
        raise OverflowError(f"feature `{name}` of owners[{row}] does not fit into {wanted}: ask for {read.dtype}")
    return read
