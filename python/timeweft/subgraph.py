"""Neighborhoods of roots as graphs of their own."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._types import Triple


class SubgraphNodes(NamedTuple):
    """The nodes of one type, in order of first sight: the roots, then those of the first hop, and so on. Entries of one
    position are of one node.
    """

    nodes: NDArray[np.uint32]
    """(n,) uint32: dense numbers."""
    times: NDArray[np.int64]
    """(n,) int64: as of when each is seen, in ticks."""
    roots: NDArray[np.uint32]
    """(n,) uint32: the position of the root that reached it; of the first one where roots share nodes."""
    ends: NDArray[np.uint32]
    """(hops + 1,) uint32: how many there are up to each hop; the roots come first."""


class SubgraphEdges(NamedTuple):
    """The edges of one type that were followed from one of their sides. Entries of one position are of one edge."""

    source: NDArray[np.uint32]
    """(m,) uint32: where each starts, as a position among the nodes of the source type."""
    destination: NDArray[np.uint32]
    """(m,) uint32: where each ends, as a position among the nodes of the destination type."""
    edges: NDArray[np.uint32]
    """(m,) uint32: lives of the edges."""
    created: NDArray[np.int64]
    """(m,) int64: when each was created, in ticks."""
    roots: NDArray[np.uint32]
    """(m,) uint32: the position of the root that reached it; of the first one where roots share nodes."""
    ends: NDArray[np.uint32]
    """(hops,) uint32: how many there are up to each hop."""


class Subgraph:
    """What was sampled around roots ([View.subgraph][timeweft.View.subgraph]).

    - `nodes`: a [SubgraphNodes][timeweft.SubgraphNodes] of each node type.
    - `edges`: a [SubgraphEdges][timeweft.SubgraphEdges] by (triple, side), for the edge types and sides that were looked at.
      The side is where the edges are at the node that was asked: those of `"out"` were followed from their source, so that
      the destination is the neighbor.
    - `root_types`, (N,) uint16: the type of each root, by its place in `nodes`.
    - `root_places`, (N,) uint32: where each root stands among the nodes of its type.

    A root that is `NO_NODE` keeps its position, with the type 65535 and the place 2**32 - 1, and nothing is there of it.
    """

    __slots__ = ("edges", "nodes", "root_places", "root_types")

    def __init__(
        self,
        nodes: dict[str, SubgraphNodes],
        edges: dict[tuple[Triple, Literal["out", "in"]], SubgraphEdges],
        root_types: NDArray[np.uint16],
        root_places: NDArray[np.uint32],
    ) -> None:
        self.nodes = nodes
        self.edges = edges
        self.root_types = root_types
        self.root_places = root_places

    def __len__(self) -> int:
        """How many roots there are."""
        return len(self.root_places)

    def __repr__(self) -> str:
        n_nodes = sum(len(of.nodes) for of in self.nodes.values())
        n_edges = sum(len(of.edges) for of in self.edges.values())
        return f"Subgraph({len(self):,} roots, {n_nodes:,} nodes, {n_edges:,} edges)"
