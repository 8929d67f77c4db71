"""Neighborhoods as networks take them: messages go from a neighbor to the node that was asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._arrays import NO_NODE
from ._types import Triple, reverse_names
from .errors import SampleError
from .subgraph import SubgraphNodes

if TYPE_CHECKING:
    from .view import View

SCOPE = ("choice", "side", "edge_types", "weight", "within", "hop_time")
"""What of `View.subgraph` is left to the caller of a loader."""

NO_TYPE = 2**16 - 1
"""In place of a type where there is no node."""


class HoodEdges(NamedTuple):
    """Edges of one type that were followed from one side. Entries of one position are of one edge."""

    stored: Triple
    """The type that they are of in the graph."""
    neighbors: NDArray[np.uint32]
    """Places of the neighbors among the nodes of their type."""
    centers: NDArray[np.uint32]
    """Places of the nodes that were asked for their neighbors."""
    edges: NDArray[np.uint32]
    created: NDArray[np.int64]
    ends: NDArray[np.uint32]
    """How many there are up to each hop."""


@dataclass(frozen=True)
class Hood:
    """The neighborhood of some roots."""

    nodes: dict[str, SubgraphNodes]
    edges: dict[Triple, HoodEdges]
    """By (type of the neighbors, name, type of the nodes that were asked)."""
    root_types: NDArray[np.int64]
    """The type of each root, by its place in `nodes`; -1 for `NO_NODE`."""
    root_nodes: NDArray[np.int64]
    """The place of each root among the nodes of its type; -1 for `NO_NODE`."""


class Hops:
    """How neighborhoods are taken. Types are always all that can be reached, and those of roots, empty or not."""

    def __init__(
        self,
        view: View,
        k: int | Sequence[int],
        *,
        joint: bool,
        scope: Mapping[str, Any],
        root_types: Iterable[int] = (),
    ) -> None:
        for name in scope:
            if name not in SCOPE:
                raise TypeError(f"{name}: there is no such argument; of a scope there are {', '.join(SCOPE)}")
        self.view = view
        self.joint = joint
        self._k = k
        self._scope = dict(scope)
        node_types, triples = view._types
        reversed_names = dict(zip(triples, reverse_names(triples), strict=True))
        # Raises for what does not fit, before there is a batch.
        empty = view.subgraph(np.empty(0, np.uint32), k=k, joint=joint, **self._scope)
        self._names = {
            (triple, side): triple if side == "in" else reversed_names[triple] for triple, side in empty.edges
        }
        ends = {end for triple in self._names.values() for end in (triple[0], triple[2])}
        ends.update(node_types[at] for at in root_types)
        self.node_types = [name for name in node_types if name in ends]
        self._place_of_type = np.array(
            [self.node_types.index(name) if name in ends else -1 for name in node_types], np.int64
        )

    def of(self, nodes: NDArray[np.uint32], times: NDArray[np.int64], seed: int, first_root: int) -> Hood:
        """The neighborhood of roots, each strictly before its own time. `first_root` is the position of the first one among
        all, by which it draws.
        """
        found = self.view.subgraph(
            nodes, times, k=self._k, joint=self.joint, seed=seed, first_root=first_root, **self._scope
        )
        edges: dict[Triple, HoodEdges] = {}
        for key, own in found.edges.items():
            at_ends = (own.source, own.destination) if key[1] == "in" else (own.destination, own.source)
            edges[self._names[key]] = HoodEdges(key[0], *at_ends, own.edges, own.created, own.ends)
        places = found.root_places.astype(np.int64)
        missing = found.root_places == NO_NODE
        if missing.any():
            types = np.full(len(places), -1, np.int64)
            types[~missing] = self._place_of_type[found.root_types[~missing]]
            places[missing] = -1
        else:
            types = self._place_of_type[found.root_types]
        return Hood({name: found.nodes[name] for name in self.node_types}, edges, types, places)


def types_of(view: View, nodes: NDArray[np.uint32], name: str) -> NDArray[np.uint16]:
    """The type of each node, whenever it was alive, (n,) uint16; 65535 for `NO_NODE`. Raises `SampleError`, which names the
    argument, for a node that the graph does not have.
    """
    types = view._core.types_of_nodes(nodes)
    unknown = (types == NO_TYPE) & (nodes != NO_NODE)
    if unknown.any():
        at = int(np.argmax(unknown))
        raise SampleError(f"{name}[{at}]: the graph has no node {nodes[at]}: `view.indices` gives the numbers of ids")
    return types
