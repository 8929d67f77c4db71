"""What is asked of the library about roots, checked and written as it takes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

from ._arrays import is_whole
from .errors import SampleError

Side: TypeAlias = Literal["out", "in", "both"]
"""Edges that start at a node, that end there, or both."""
Choice: TypeAlias = Literal["last", "uniform", "uniform-distinct", "weighted", "weighted-distinct", "heaviest"]
"""Which edges a sample takes."""
HopTime: TypeAlias = Literal["root", "edge"]
"""As of when further hops see the graph: the time of the root, or of the edge that led there."""
Order: TypeAlias = Literal["any", "not-later", "earlier", "later"]
"""How the times of the edges of a walk respect each other."""
EdgeTypes: TypeAlias = str | Sequence[str] | None
"""Relations, or full names such as `user -buys-> item`; `None` are all."""


class Scope(TypedDict):
    """Which edges a question sees."""

    edge_types: list[str] | None
    side: str
    before: bool
    soft: bool


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


def seed_of(seed: Any, name: str = "seed") -> int:
    """A seed: a whole number in [0, 2^64)."""
    return count_of(seed, name, most=2**64 - 1)
