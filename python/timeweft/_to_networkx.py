"""Views as graphs of NetworkX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from ._times import FOREVER

if TYPE_CHECKING:
    from .table import Table
    from .view import View

_OF_NODES = ("node", "type", "id", "created", "removed")
_OF_EDGES = (
    "edge", "source", "destination", "source_type", "source_id", "relation", "destination_type", "destination_id", "key",
    "created", "removed",
)  # fmt: skip


def to_networkx(view: View) -> nx.MultiDiGraph[tuple[str, int | str]]:
    """The graph at the view's time."""
    graph: nx.MultiDiGraph[tuple[str, int | str]] = nx.MultiDiGraph()
    numbers, _, created, removed = view._core.node_columns(view._tick, view._is_soft)
    key_of: dict[int, tuple[str, int | str]] = {}
    for row, life in _rows(view.nodes(features="all"), "node", numbers, created, removed):
        key = (row["type"], row["id"])
        key_of[row["node"]] = key
        graph.add_node(key, **_features(row, _OF_NODES), node=row["node"], **life)
    numbers, _, _, _, created, removed = view._core.edge_columns(view._tick, view._is_soft)
    for row, life in _rows(view.edges(features="all"), "edge", numbers, created, removed):
        relation, key = row["relation"], row["key"]
        graph.add_edge(
            key_of[row["source"]],
            key_of[row["destination"]],
            relation if key is None else (relation, key),
            **{**_features(row, _OF_EDGES), "relation": relation, "edge": row["edge"], **life},
        )
    return graph


def _rows(
    table: Table, number: str, numbers: NDArray[np.uint32], created: NDArray[np.int64], removed: NDArray[np.int64]
) -> Any:
    """Rows, each with its life in ticks."""
    lives = {
        at: {"created": start, "removed": None if end == FOREVER else end}
        for at, start, end in zip(numbers.tolist(), created.tolist(), removed.tolist(), strict=True)
    }
    return ((row, lives[row[number]]) for row in table)


def _features(row: dict[str, Any], known: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in known and value is not None}
