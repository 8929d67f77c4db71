"""Subgraphs of a view."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from numpy.typing import ArrayLike

from ._scope import Choice, EdgeTypes, HopTime, SampleArgs, Side, Within, seed_of
from ._times import Times
from ._types import Triple
from ._view_base import ViewBase
from ._view_samples import _sizes
from .subgraph import Subgraph, SubgraphEdges, SubgraphNodes


class ViewSubgraphs(ViewBase):
    """Neighborhoods of many roots, relabelled."""

    @cached_property
    def _types(self) -> tuple[list[str], list[Triple]]:
        """Names of node types and edge types, by their numbers."""
        return self._core.node_types(), self._core.edge_types()

    def subgraph(
        self,
        nodes: ArrayLike,
        times: Times = None,
        *,
        k: int | Sequence[int],
        joint: bool = False,
        choice: Choice = "last",
        side: Side = "both",
        edge_types: EdgeTypes = None,
        weight: str | None = None,
        within: Within = None,
        before: bool = True,
        hop_time: HopTime = "root",
        seed: int = 0,
        first_root: int = 0,
    ) -> Subgraph:
        """The hops around roots as a graph of its own: what [View.sample][timeweft.View.sample] takes with a list of `k`,
        relabelled, so that it goes into a network.

        A node is there once for each root that reaches it and each time as of which it is asked. With `joint` roots share
        what they see: each (node, time) is there once, and what it draws follows from the seed, the hop, the node and the
        time. Its own neighbors are sampled once, where it is first seen. Arrays come from the library without a copy.

        `nodes` is (N,) uint32, and may hold `NO_NODE`; `times` and the other arguments are those of
        [View.sample][timeweft.View.sample]. Raises `SampleError`, also for a node that the graph does not have,
        `UnknownError`, `TimeError`; `TypeError`, `OverflowError` and `ValueError` for arrays that do not fit.

        >>> found = view.subgraph(users, times, k=[10, 5])
        >>> found.nodes["item"].nodes, found.edges[("user", "buys", "item"), "out"].destination
        """
        args: SampleArgs = {
            "sizes": _sizes(k, None, None)[0],
            "choice": choice,
            "quotas": [],
            "weight": weight,
            "hop_time": hop_time,
            "seed": seed_of(seed),
            "first_root": seed_of(first_root, "first_root"),
        }
        roots = self._roots(nodes, times)
        scope = self._scope(side, edge_types, before, within, roots[1])
        of_nodes, of_edges, root_types, places = self._core.subgraph(roots, scope, args, bool(joint))
        node_types, triples = self._types
        return Subgraph(
            {name: SubgraphNodes(*arrays) for name, arrays in zip(node_types, of_nodes, strict=True)},
            {(triples[own[0]], "in" if own[1] else "out"): SubgraphEdges(*own[2:]) for own in of_edges},
            root_types,
            places,
        )
