"""Sampled neighbors and walks: arrays with a row a root."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _core
from ._arrays import is_array

_SLOTS: dict[str, type[np.generic]] = {
    "neighbors": np.uint32,
    "edges": np.uint32,
    "edge_types": np.uint16,
    "created": np.int64,
    "weights": np.float64,
}

_KEPT = 1 << 24
"""Up to so many slots of one array come from the allocator of the library, which keeps what was freed."""


class Samples:
    """`k` slots a root. Slots beyond `counts` hold `NO_NODE`, `NO_EDGE`, 65535, the smallest int64, and 0.

    | array | shape, dtype | holds |
    |---|---|---|
    | `neighbors` | (N, k) uint32 | nodes at the other ends |
    | `edges` | (N, k) uint32 | lives of the edges |
    | `edge_types` | (N, k) uint16 | their types, in the order of the schema |
    | `created` | (N, k) int64 | when they were created, in ticks |
    | `weights` | (N, k) float64 | their weights as of the root's time; 1 where they have none |
    | `counts` | (N,) uint32 | how many slots of each root are filled |
    """

    __slots__ = ("counts", "created", "edge_types", "edges", "neighbors", "weights")

    neighbors: NDArray[np.uint32]
    edges: NDArray[np.uint32]
    edge_types: NDArray[np.uint16]
    created: NDArray[np.int64]
    weights: NDArray[np.float64]
    counts: NDArray[np.uint32]

    def __init__(
        self,
        neighbors: NDArray[np.uint32],
        edges: NDArray[np.uint32],
        edge_types: NDArray[np.uint16],
        created: NDArray[np.int64],
        weights: NDArray[np.float64],
        counts: NDArray[np.uint32],
    ) -> None:
        self.neighbors = neighbors
        self.edges = edges
        self.edge_types = edge_types
        self.created = created
        self.weights = weights
        self.counts = counts

    @classmethod
    def empty(cls, n: int, k: int) -> Samples:
        """Arrays for `n` roots of `k` slots, to be filled by `view.sample(.., out=)` again and again."""
        if n * k <= _KEPT:
            return cls(*_core.empty_samples(n, k))
        # The system hands out cleared pages, and what writes to them first is the sampler.
        slots: dict[str, Any] = {name: np.zeros((n, k), dtype) for name, dtype in _SLOTS.items()}
        return cls(**slots, counts=np.zeros(n, np.uint32))

    def __len__(self) -> int:
        return len(self.counts)

    def __repr__(self) -> str:
        n, k = self.neighbors.shape
        return f"Samples({n} roots, {k} slots each, {int(self.counts.sum())} filled)"

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(N, k) bool: which slots are filled."""
        slots = np.arange(self.neighbors.shape[1], dtype=np.uint32)
        return np.less(slots, self.counts[:, None])


class Walks:
    """Walks of `length` steps. Where a walk ends early, the rest is `NO_NODE`, `NO_EDGE` and the smallest int64.

    | array | shape, dtype | holds |
    |---|---|---|
    | `nodes` | (N, length + 1) uint32 | the root, and the node after each step |
    | `edges` | (N, length) uint32 | lives of the edges that were gone along |
    | `created` | (N, length) int64 | when these were created, in ticks |
    """

    __slots__ = ("created", "edges", "nodes")

    def __init__(self, nodes: NDArray[np.uint32], edges: NDArray[np.uint32], created: NDArray[np.int64]) -> None:
        self.nodes = nodes
        self.edges = edges
        self.created = created

    def __len__(self) -> int:
        return len(self.nodes)

    def __repr__(self) -> str:
        return f"Walks({len(self)} walks, {self.edges.shape[1]} steps each)"


def check_out(array: Any, shape: tuple[int, ...], dtype: Any, name: str) -> None:
    """Whether an array can be written to as it is. Raises `TypeError`, `ValueError`, which name it."""
    if not is_array(array):
        raise TypeError(f"{name}: expected an array of {np.dtype(dtype)}, not {type(array).__name__}")
    given = array
    if given.dtype != np.dtype(dtype):
        raise TypeError(f"{name}: expected an array of {np.dtype(dtype)}, not of {given.dtype}")
    if given.shape != shape:
        raise ValueError(f"{name}: expected shape {shape}, not {given.shape}")
    if not given.flags.c_contiguous:
        raise ValueError(f"{name}: the array does not lie in one piece, row after row: give np.ascontiguousarray(..)")
    if not given.flags.writeable:
        raise ValueError(f"{name}: the array is read-only")


def check_samples(out: Any, n: int, k: int, name: str) -> None:
    """Whether samples can be written to `out`."""
    if not isinstance(out, Samples):
        raise TypeError(f"{name}: expected Samples, as `Samples.empty({n}, {k})`, not {type(out).__name__}")
    for slot, dtype in _SLOTS.items():
        check_out(getattr(out, slot), (n, k), dtype, f"{name}.{slot}")
    check_out(out.counts, (n,), np.uint32, f"{name}.counts")
