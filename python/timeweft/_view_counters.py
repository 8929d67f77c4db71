"""Numbers of nodes, their types, and counters of edges of a view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import to_ids, to_uint32
from ._scope import EdgeTypes, Side, Within
from ._times import Times
from ._view_base import ViewBase
from .table import Table


class ViewCounters(ViewBase):
    """Many nodes or pairs at once, each as of its own time."""

    def indices(self, type: str, ids: ArrayLike) -> NDArray[np.uint32]:
        """Dense numbers of nodes by their ids, (N,) uint32: `NO_NODE` for those that the graph never had.

        `ids` are whole numbers or texts; `42` and `"42"` are the same id. Raises `UnknownError` for a type, `TypeError` for
        ids of another kind (so NaN is none), which names the position.
        """
        checked = to_ids(ids, "ids")
        if isinstance(checked, list):
            return self._core.indices_of_texts(type, checked)
        return self._core.indices_of_numbers(type, checked)

    def ids(self, nodes: ArrayLike) -> Table:
        """Types and ids of nodes by their dense numbers: a [Table][timeweft.Table] with the columns `type` and `id`, in the
        order given. `id` is uint64 if every id that the graph ever had is a whole number, else text; both are null for
        `NO_NODE` and other numbers that the graph does not have.
        """
        return Table(self._core.node_ids(to_uint32(nodes, "nodes")))

    def types(self, nodes: ArrayLike, times: Times = None, *, before: bool = False) -> NDArray[np.int16]:
        """The type of each node as of its time, (N,) int16 in the order of the schema; -1 where it is not alive."""
        return self._core.types(self._roots(nodes, times), before)

    def degrees(
        self,
        nodes: ArrayLike,
        times: Times = None,
        *,
        side: Side = "both",
        edge_types: EdgeTypes = None,
        within: Within = None,
        before: bool = True,
    ) -> NDArray[np.uint32]:
        """How many edges each node has as of its time, (N,) uint32; with `within` those created in the last so long before
        it, as in [View.sample][timeweft.View.sample]. Raises `SampleError`, `UnknownError`, `TimeError`.
        """
        roots = self._roots(nodes, times)
        return self._core.degrees(roots, self._scope(side, edge_types, before, within, roots[1]))

    def recencies(
        self,
        nodes: ArrayLike,
        times: Times = None,
        *,
        side: Side = "both",
        edge_types: EdgeTypes = None,
        within: Within = None,
        before: bool = True,
    ) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """How many edges each node was given by its time, and when the last: (N,) uint32 and (N,) int64, the smallest int64
        where it never was. Deletes do not undo it. With `within` only those count that were created in the last so long
        before its time, as in [View.sample][timeweft.View.sample]. Raises `SampleError`, `UnknownError`, `TimeError`.
        """
        roots = self._roots(nodes, times)
        return self._core.recencies(roots, self._scope(side, edge_types, before, within, roots[1]))

    def pair_recencies(
        self,
        sources: ArrayLike,
        edge_types: str | Sequence[str],
        destinations: ArrayLike,
        times: Times = None,
        *,
        before: bool = True,
    ) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """How often each source was linked to its destination by its time, and when last, as `recencies` says it.

        `edge_types` is one for all, or one a pair. Raises `UnknownError`, `SampleError`, `TimeError`.
        """
        return self._core.pair_recencies(self._links(sources, edge_types, destinations, times), before)

    def edges_between(
        self,
        sources: ArrayLike,
        edge_types: str | Sequence[str],
        destinations: ArrayLike,
        times: Times = None,
        *,
        before: bool = True,
    ) -> NDArray[np.uint32]:
        """The newest edge from each source to its destination that is there as of its time, (N,) uint32: `NO_EDGE` where
        there is none. Raises `UnknownError`, `SampleError`, `TimeError`.
        """
        links = self._links(sources, edge_types, destinations, times)
        return self._core.edges_between(links, before, self._deletes == "soft")

    def _links(self, sources: Any, edge_types: str | Sequence[str], destinations: Any, times: Any) -> Any:
        froms, tos = to_uint32(sources, "sources"), to_uint32(destinations, "destinations")
        n = len(froms)
        if len(tos) != n:
            raise ValueError(f"destinations: expected {n}, one a source, not {len(tos)}")
        if isinstance(edge_types, str):
            return froms, ([edge_types], np.zeros(n, np.uint32)), tos, self._ticks(times, n)
        if len(edge_types) != n:
            raise ValueError(f"edge_types: expected one for all or {n}, one a source, not {len(edge_types)}")
        known = {name: at for at, name in enumerate(dict.fromkeys(edge_types))}
        of = np.fromiter((known[name] for name in edge_types), np.uint32, n)
        return froms, (list(known), of), tos, self._ticks(times, n)
