"""What is asked of the library about roots, checked and written as it takes it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, TypedDict, cast

import numpy as np
from numpy.typing import NDArray

from ._arrays import is_whole
from ._times import FOREVER, NANOS
from .errors import SampleError

Side: TypeAlias = Literal["out", "in", "both"]
"""Edges that start at a node, that end there, or both."""
Choice: TypeAlias = Literal["last", "uniform", "uniform-distinct", "weighted", "weighted-distinct", "heaviest"]
"""Which edges a sample takes."""
HopTime: TypeAlias = Literal["root", "edge"]
"""As of when further hops see the graph: the time of the root, or of the edge that led there."""
Order: TypeAlias = Literal["any", "not-later", "earlier", "later"]
"""How the times of the edges of a walk respect each other."""
Within: TypeAlias = int | dt.timedelta | np.timedelta64 | None
"""How long before a root's time its edges were created at most, in ticks or as a length of time; `None` is any time."""
EdgeTypes: TypeAlias = str | Sequence[str] | None
"""Relations, or full names such as `user -buys-> item`; `None` are all."""


class Scope(TypedDict):
    """Which edges a question sees."""

    edge_types: list[str] | None
    side: str
    before: bool
    soft: bool
    within: int | None


class SampleArgs(TypedDict):
    """How neighbors are sampled."""

    sizes: list[int]
    choice: str
    quotas: list[tuple[str, int]]
    weight: str | None
    hop_time: str
    seed: int
    first_root: int


class WalkArgs(TypedDict):
    """How walks go."""

    length: int
    order: str
    p: float
    q: float
    weight: str | None
    seed: int
    first_root: int


class Owners(TypedDict):
    """Nodes or edges, a time each, and which state of them is meant."""

    owners: NDArray[np.uint32]
    times: NDArray[np.int64]
    edges: bool
    before: bool
    soft: bool


def names_of(edge_types: EdgeTypes) -> list[str] | None:
    """Names of edge types as a list; `None` are all."""
    if edge_types is None:
        return None
    return [edge_types] if isinstance(edge_types, str) else list(edge_types)


def count_of(number: Any, name: str, least: int = 0, most: int = 2**32 - 1) -> int:
    """A whole number in a range. Raises `TypeError`, `SampleError`."""
    if not is_whole(number):
        raise TypeError(f"{name}: expected a whole number, not {type(number).__name__}")
    if not least <= number <= most:
        raise SampleError(f"{name}: {number} is not in [{least}, {most}]")
    return int(number)


def ticks_within(within: Any, unit: str, times: NDArray[np.int64]) -> int | None:
    """The ticks of a window, `None` if there is none; `times` are those that it lies before.

    A part of a tick is cut off: within so long of a tick lie the same ticks. Raises `SampleError`, `TypeError`.
    """
    if within is None:
        return None
    nanos = _nanos_within(within)
    if nanos is None:
        if not is_whole(within):
            raise TypeError(f"within: expected ticks or a timedelta, not {type(within).__name__}")
        ticks = int(within)
    elif unit == "step":
        raise SampleError("within: the graph counts steps, which have no calendar: give an int")
    else:
        # Longer than all of time is all of time.
        ticks = min(nanos // NANOS[unit], 2**64 - 1)
    if not 0 < ticks < 2**64:
        raise SampleError(f"within: {within} is no window: give at least one tick ({unit}) and less than 2^64")
    if len(times) and int(times.max()) == FOREVER:
        at = int(times.argmax())
        raise SampleError(
            f"within: nothing was created shortly before the end of time, which is that of root {at}: give times, or a view of a time"
        )
    return ticks


def _nanos_within(within: Any) -> int | None:
    """Nanoseconds of a length of time, rounded down; `None` for what is none."""
    if isinstance(within, np.timedelta64):
        length = cast(Any, within)
        unit, step = np.datetime_data(length.dtype)
        if np.isnat(length) or unit not in LENGTHS:
            raise SampleError(f"within: {within!r} has no fixed length: give a timedelta of days, hours, .., or ticks")
        return int(length.astype(np.int64)) * step * LENGTHS[unit] // 10**9
    if isinstance(within, dt.timedelta):
        # One of pandas knows nanoseconds, too.
        return within // dt.timedelta(microseconds=1) * 1_000 + int(getattr(within, "nanoseconds", 0))
    return None


LENGTHS: dict[str, int] = {
    "W": 604_800 * 10**18, "D": 86_400 * 10**18, "h": 3_600 * 10**18, "m": 60 * 10**18,
    "s": 10**18, "ms": 10**15, "us": 10**12, "ns": 10**9, "ps": 10**6, "fs": 10**3, "as": 1,
}  # fmt: skip
"""Units of NumPy with a fixed length, in attoseconds."""


def seed_of(seed: Any, name: str = "seed") -> int:
    """A seed: a whole number in [0, 2^64)."""
    return count_of(seed, name, most=2**64 - 1)
