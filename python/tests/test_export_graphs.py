"""Views as graphs of PyTorch Geometric and NetworkX."""

from __future__ import annotations

import builtins
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graphs import shop
from histories import RELATIONS
from neighborhoods import Numbered

from timeweft.errors import FeatureKindError, UnknownError

HISTORIES = int(os.environ.get("TIMEWEFT_HISTORIES", "12"))


@pytest.fixture
def pyg() -> Any:
    pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'timeweft[pyg]'")
    return pytest.importorskip("torch_geometric", reason="PyTorch Geometric is not installed: pip install 'timeweft[pyg]'")


@pytest.fixture
def networkx() -> Any:
    return pytest.importorskip("networkx", reason="NetworkX is not installed")


@pytest.fixture(params=range(HISTORIES))
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> Numbered:
    return Numbered(request.param, tmp_path)


def ticks(column: Any) -> list[int]:
    """Times of a table of a graph that counts steps; the largest int64 where there is none."""
    return np.ma.filled(column, 2**63 - 1).tolist()


@pytest.mark.parametrize("deletes", ["hard", "soft"])
def test_data_of_pyg_is_what_tables_show(asked: Numbered, pyg: Any, deletes: Any) -> None:
    for at in (asked.history.end // 2, None):
        view = asked.graph.view(at, deletes=deletes)
        of_edges = {"buys": {"count": 1}, ("user", "knows", "user"): {"count": 1}}
        data = view.to_pyg(node_features={"user": {"taste": 3}}, edge_features=of_edges)
        plain = view.to_pyg(relabel=False)
        assert data.node_types == ["user", "item"] and len(data.edge_types) == len(RELATIONS)
        assert data.validate()
        for name in data.node_types:
            table, store = view.nodes(name, features=["taste"]), data[name]
            assert store.num_nodes == len(table)
            assert store.n_id.tolist() == table["node"].tolist() == sorted(table["node"].tolist())
            assert store.created.tolist() == table["created"].tolist()
            assert ("removed" in store) == (deletes == "soft") and ("x" in store) == (name == "user")
            if deletes == "soft":
                assert store.removed.tolist() == ticks(table["removed"])
        tastes = view.nodes("user", features=["taste"])["taste"].astype(np.float32)
        np.testing.assert_array_equal(data["user"].x.numpy(), tastes)
        for triple in data.edge_types:
            table, store = view.edges(triple, features=["count"]), data[triple]
            by_edge = {row["edge"]: row for row in table}
            assert sorted(store.e_id.tolist()) == sorted(by_edge)
            rows = [by_edge[edge] for edge in store.e_id.tolist()]
            assert plain[triple].edge_index.t().tolist() == [[row["source"], row["destination"]] for row in rows]
            sources, destinations = store.edge_index
            assert data[triple[0]].n_id[sources].tolist() == [row["source"] for row in rows]
            assert data[triple[2]].n_id[destinations].tolist() == [row["destination"] for row in rows]
            assert store.time.tolist() == [row["created"] for row in rows]
            counts = [0.0 if row["count"] is None else row["count"] for row in rows]
            assert store.edge_attr[:, 0].tolist() == counts
            if deletes == "soft":
                assert store.removed.tolist() == [row["removed"] or 2**63 - 1 for row in rows]


def test_temporal_data_has_the_events(asked: Numbered, pyg: Any) -> None:
    middle = asked.history.end // 2
    for view, until in ((asked.view, 2**62), (asked.graph.view(middle), middle)):
        for relation in ("buys", "knows", None):
            wanted: list[tuple[int, int, int, int, float]] = []
            for life in asked.history.lives:
                if relation in (None, life.relation) and life.created < life.removed:
                    ends = (asked.numbers[life.source], asked.numbers[life.destination])
                    # What it carries at the end of a tick; nothing of a tick in which it ends.
                    carried = {at: weight if at < life.removed else 0.0 for at, weight in life.weights}
                    wanted.append((life.created, 0, *ends, carried.get(life.created, 0.0)))
                    wanted += [(at, 1, *ends, carried[at]) for at, _ in life.weights if at > life.created]
                    if life.removed < 2**62:
                        wanted.append((life.removed, 2, *ends, 0.0))
            wanted = [event for event in wanted if event[0] <= until]
            data = view.to_temporal_data(relation, msg={"count": 1}, actions="all")
            found = [
                *zip(*(of.tolist() for of in (data.t, data.action, data.src, data.dst, data.msg[:, 0])), strict=True)
            ]
            assert Counter(found) == Counter(wanted)
            assert data.t.tolist() == sorted(data.t.tolist())
            assert ("relation" in data) == (relation is None)
            creates = view.to_temporal_data(relation)
            assert creates.msg.shape == (len(creates.t), 0) and "action" not in creates
            assert Counter(creates.t.tolist()) == Counter(event[0] for event in wanted if event[1] == 0)
            lives = [asked.history.lives[edge] for edge in creates.e_id.tolist()]
            assert [asked.numbers[life.source] for life in lives] == creates.src.tolist()


def test_wrong_arguments_name_what_there_is(pyg: Any) -> None:
    view = shop().view()
    with pytest.raises(UnknownError, match="node_features: the graph has no nodes 'robot'"):
        view.to_pyg(node_features={"robot": {"age": 1}})
    with pytest.raises(UnknownError, match=r"edge_features\['buys'\]: there is no feature 'mass'"):
        view.to_pyg(edge_features={"buys": {"mass": 1}})
    with pytest.raises(FeatureKindError, match=r"node_features\['item'\]: 'name' is text"):
        view.to_pyg(node_features={"item": {"name": 1}})
    with pytest.raises(UnknownError, match="relations: the graph has no edges 'sells'"):
        view.to_temporal_data("sells")
    with pytest.raises(UnknownError, match="msg: there is no feature 'mass'"):
        view.to_temporal_data(msg={"mass": 1})
    with pytest.raises(ValueError, match="actions: expected 'create' or 'all'"):
        view.to_temporal_data(actions="some")  # type: ignore[arg-type]


def test_graphs_of_networkx_are_what_tables_show(asked: Numbered, networkx: Any) -> None:
    for deletes in ("hard", "soft"):
        view = asked.graph.view(deletes=deletes)
        graph = view.to_networkx()
        assert graph.number_of_nodes() == sum(view.n_nodes.values())
        assert graph.number_of_edges() == sum(view.n_edges.values())
        for row in view.nodes(features="all"):
            own = graph.nodes[row["type"], row["id"]]
            assert (own["node"], own["created"], own["removed"]) == (row["node"], row["created"], row["removed"])
            assert own["taste"] == row["taste"] and ("deleted" in own) == (deletes == "soft")
        for row in view.edges(features="all"):
            ends = [(row[f"{end}_type"], row[f"{end}_id"]) for end in ("source", "destination")]
            own = graph.edges[(*ends, (row["relation"], row["key"]))]
            assert (own["edge"], own["created"], own["removed"]) == (row["edge"], row["created"], row["removed"])
            assert own.get("count") == row["count"]


def test_keys_of_edges_are_relations_where_edges_have_no_key(networkx: Any) -> None:
    graph = shop().view(35).to_networkx()
    assert set(graph.edges(keys=True)) == {
        (("user", "ann"), ("item", "1"), "buys"),
        (("user", "bo"), ("item", "1"), "buys"),
        (("user", "bo"), ("item", "2"), ("buys", "gift")),
    }
    assert graph.nodes["user", "ann"]["age"] == 31.0


@pytest.mark.parametrize(
    ("module", "ask", "told"),
    [
        ("torch", lambda view: view.to_pyg(), r"torch is not installed: pip install 'timeweft\[pyg\]'"),
        ("torch_geometric", lambda view: view.to_pyg(), r"is not installed: pip install 'timeweft\[pyg\]'"),
        ("torch_geometric", lambda view: view.to_temporal_data(), r"pip install 'timeweft\[pyg\]'"),
        ("networkx", lambda view: view.to_networkx(), "networkx is not installed: pip install networkx"),
        ("torch", lambda view: __import__("timeweft.torch"), r"pip install 'timeweft\[pyg\]'"),
    ],
)
def test_what_is_missing_says_what_to_install(
    module: str, ask: Any, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = shop().view()
    for name in [name for name in sys.modules if name.partition(".")[0] == module or name == "timeweft.torch"]:
        monkeypatch.delitem(sys.modules, name)
    real = builtins.__import__

    def absent(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == module:
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", absent)
    monkeypatch.setattr("importlib.import_module", absent)
    with pytest.raises(ImportError, match=told):
        ask(view)
