"""Small graphs for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import timeweft as tw


def node(time: int, type: str, id: Any, action: str = "create", **features: Any) -> dict[str, Any]:
    """An event of a node."""
    source: dict[str, Any] = {"type": type, "id": id}
    if features:
        source["features"] = features
    return {"time": time, "action": action, "entity": "node", "source": source}


def edge(
    time: int,
    source: tuple[str, Any],
    relation: str,
    destination: tuple[str, Any],
    action: str = "create",
    key: str | None = None,
    **features: Any,
) -> dict[str, Any]:
    """An event of an edge."""
    middle: dict[str, Any] = {"type": relation}
    if key is not None:
        middle["key"] = key
    if features:
        middle["features"] = features
    ends = {
        end: {"type": of[0], "id": of[1]} for end, of in [("source", source), ("destination", destination)]
    }
    return {"time": time, "action": action, "entity": "edge", "edge": middle, **ends}


def load(graph: tw.Graph, events: list[dict[str, Any]], name: str = "events.jsonl") -> None:
    """Loads events in order of time."""
    if not hasattr(graph, "load_events"):
        pytest.skip("this build loads nothing")
    path = Path(name).absolute()
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    graph.load_events(path)


def shop(path: str = "shop", unit: Any = "s") -> tw.Graph:
    """Two users and two items; one user leaves, and one purchase is taken back.

    >>> shop().view().n_nodes
    {'user': 1, 'item': 2}
    """
    graph = tw.create(path, unit=unit)
    ann, bo, tea, cup = ("user", "ann"), ("user", "bo"), ("item", 1), ("item", 2)
    load(
        graph,
        [
            node(10, *ann, age=31.0, taste=[1.0, 2.0]),
            node(10, *bo, age=None, taste=[3.0, 4.0]),
            node(10, *tea, name="tea"),
            node(10, *cup, name="cup", doc={"parts": [1, 2]}),
            edge(20, ann, "buys", tea, stars=5.0),
            edge(30, bo, "buys", tea),
            edge(30, bo, "buys", cup, stars=1.0, key="gift"),
            node(40, *ann, action="update", age=32.0),
            edge(50, bo, "buys", cup, action="delete", key="gift"),
            node(60, *bo, action="delete"),
        ],
    )
    return graph


_connections: list[Any] = []


def duckdb_relation(table: Any) -> Any:
    """A relation of DuckDB on a connection of its own. Versions before 1.2 close one that nobody holds."""
    import duckdb

    _connections.append(duckdb.connect())
    return _connections[-1].from_arrow(table)
