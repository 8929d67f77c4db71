"""Single nodes and edges, neighbors, histories, differences, and the care of a graph."""

from __future__ import annotations

import numpy as np
import pytest
import timeweft as tw
from timeweft.errors import ReadOnlyError, StoreError, UnknownError

from graphs import edge, load, node, shop


def test_counts_are_those_of_the_moment() -> None:
    graph = shop()
    assert graph.view(35).n_nodes == {"user": 2, "item": 2}
    assert graph.view(35).n_edges == {("user", "buys", "item"): 3}
    assert graph.view().n_nodes == {"user": 1, "item": 2}
    assert graph.view(5).n_edges == {("user", "buys", "item"): 0}


def test_a_node_has_its_state() -> None:
    view = shop().view(35)
    bo = view.node("user", "bo")
    assert bo is not None
    assert (bo.type, bo.id, bo.node, bo.created, bo.removed, bo.alive) == ("user", "bo", 1, 10, 60, True)
    assert bo.features["taste"].tolist() == [3.0, 4.0] and "age" not in bo.features
    assert repr(bo).startswith("Node(user bo, since 1970-01-01T00:00:10Z until 1970-01-01T00:01:00Z")
    cup = view.node("item", "2")
    assert cup is not None and cup.features == {"name": "cup", "doc": {"parts": [1, 2]}}
    assert view.node("user", "cy") is None
    with pytest.raises(UnknownError, match="type: the graph has no node type `person`: it has user, item"):
        view.node("person", "ann")
    with pytest.raises(TypeError, match="id: expected an int or a str, not float"):
        view.node("item", 1.0)  # type: ignore[arg-type]


def test_what_is_deleted_is_shown_with_soft_deletes() -> None:
    graph = shop()
    assert graph.view().node("user", "bo") is None
    bo = graph.view(deletes="soft").node("user", "bo")
    assert bo is not None and not bo.alive and bo.removed == 60
    assert graph.view(deletes="soft").nodes("user")["deleted"].tolist() == [False, True]


def test_an_edge_has_its_state() -> None:
    view = shop().view(35)
    gift = view.edge(("user", "bo"), "buys", ("item", 2), "gift")
    assert gift is not None
    assert (gift.edge, gift.created, gift.removed, gift.features) == (2, 30, 50, {"stars": 1.0})
    assert repr(gift).startswith("Edge(user bo -buys-> item 2 [gift], since")
    assert view.edge(("user", "bo"), "buys", ("item", 2)) is None
    with pytest.raises(UnknownError, match="no edge type `user -likes-> item`"):
        view.edge(("user", "bo"), "likes", ("item", 2))


def test_neighbors_come_newest_first() -> None:
    view = shop().view(35)
    assert view.neighbors("item", 1)["id"].tolist() == ["bo", "ann"]
    assert view.neighbors("item", 1)["side"].tolist() == ["in", "in"]
    assert len(view.neighbors("item", 1, side="out")) == 0
    found = view.neighbors("user", "bo", relation="buys")
    assert found["key"].tolist() == [None, "gift"]
    assert found["node"].dtype == np.uint32
    with pytest.raises(UnknownError, match="relation"):
        view.neighbors("user", "bo", relation="likes")
    with pytest.raises(UnknownError, match="no node user cy"):
        view.neighbors("user", "cy")
    with pytest.raises(ValueError, match="side"):
        view.neighbors("user", "bo", side="left")  # type: ignore[arg-type]


def test_a_history_tells_what_had_happened() -> None:
    rows = [(row["what"], row["name"], row["detail"]) for row in shop().view(45).history("user", "ann")]
    assert rows == [
        ("life", None, None),
        ("feature", "age", "31.0"),
        ("feature", "taste", "[1.0,2.0]"),
        ("edge", "buys", "user ann -buys-> item 1"),
        ("feature", "age", "32.0"),
    ]
    assert len(shop("early").view(25).history("user", "ann")) == 4


def test_a_difference_is_in_parts() -> None:
    diff = shop().diff(35, 60)
    summary = {row["what"]: (row["created"], row["updated"], row["removed"]) for row in diff.summary}
    assert summary == {"nodes": (0, 1, 1), "edges": (0, 0, 2), "merges": (0, 0, 0)}
    nodes = {row["id"]: row for row in diff.nodes}
    assert nodes["ann"]["features"] == ["age"]
    assert (nodes["ann"]["before"], nodes["ann"]["after"]) == ('{"age":31.0}', '{"age":32.0}')
    assert nodes["bo"]["change"] == "removed" and nodes["bo"]["after"] is None
    assert sorted(diff.edges["destination_id"].tolist()) == ["1", "2"]
    assert len(diff.merges) == 0
    assert "nodes +0 ~1 -1" in repr(diff)


def test_commits_are_compared() -> None:
    graph = shop()
    load(graph, [node(70, "user", "cy")])
    assert graph.diff(commit=(1, 2)).nodes["id"].tolist() == ["cy"]
    with pytest.raises(ValueError, match="say what to compare"):
        graph.diff()
    with pytest.raises(UnknownError, match="no namespace `shop`: it has events"):
        graph.diff(35, 60, namespace="shop")


def test_a_load_is_taken_back() -> None:
    graph = shop()
    load(graph, [node(70, "user", "cy")])
    assert graph.loads()["state"].tolist() == ["complete", "complete"]
    report = graph.rollback(2)
    assert (report.load, report.commit, report.undone, report.n_dropped) == (3, 3, 2, 0)
    assert graph.view().node("user", "cy") is None
    assert graph.view(commit=2).node("user", "cy") is not None
    loads = graph.loads()
    assert loads["state"].tolist() == ["complete", "rolled back", "rollback"]
    assert loads["load"].tolist() == [1, 2, 3]
    with pytest.raises(StoreError):
        graph.rollback(2)


def test_readers_follow() -> None:
    graph = shop()
    reader = tw.open(graph.path, mode="read")
    load(graph, [node(70, "user", "cy")])
    assert reader.commit == 1 and reader.refresh() == 2
    assert reader.view().node("user", "cy") is not None
    with pytest.raises(StoreError):
        reader.rollback(1)
    assert issubclass(ReadOnlyError, StoreError)


def test_a_graph_is_checked_and_compacted() -> None:
    graph = shop()
    report = graph.verify()
    assert report.sound and report.loads == 1 and report.events == 10
    assert graph.compact() > 0
    assert graph.size > 0


def test_a_graph_and_its_views_are_shown() -> None:
    graph = shop()
    assert repr(graph).startswith(
        "Graph(shop: 1 user, 2 item, 1 user -buys-> item; 1970-01-01T00:00:10Z to 1970-01-01T00:01:00Z; commit 1, unit s, "
    )
    assert repr(graph.view(35)) == "View(shop at 1970-01-01T00:00:35Z, commit 1: 4 nodes, 3 edges)"
    assert "user -buys-&gt; item" in graph._repr_html_()
    assert "<td>3</td>" in graph.view(35)._repr_html_()
    assert "empty; no events" in repr(tw.create("empty"))


def test_a_schema_is_told_and_declared() -> None:
    schema = shop().schema
    assert schema.node_types["user"] == {"age": "f64", "taste": "f64[]"}
    assert schema.node_types["item"] == {"doc": "json", "name": "text"} or set(schema.node_types["item"]) == {"doc", "name"}
    assert schema.edge_types[("user", "buys", "item")] == {"stars": "f64"}
    declared = tw.Schema(
        {"user": {"age": "i64", "taste": "f32[]", "tags": "sparse u8 of rank 2"}, "item": {}},
        {("user", "buys", "item"): {"stars": "f32"}},
        closed=True,
    )
    graph = tw.create("closed", unit="s", schema=declared)
    assert graph.schema == declared and graph.unit == "s"
    load(graph, [node(1, "user", "a", age=3), node(1, "item", 1), edge(2, ("user", "a"), "buys", ("item", 1), stars=2)])
    assert graph.view().nodes("user", features=["age"])["age"].tolist() == [3]
    assert graph.view().nodes("user", features=["age"])["age"].dtype == np.int64
    with pytest.raises(ValueError, match="schema: user, feature 'age': 'int' is no kind"):
        tw.create("wrong", schema=tw.Schema({"user": {"age": "int"}}))


def test_files_hold_the_graph() -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    graph = shop()
    files = graph.view(35).to_parquet("out")
    assert [file.name for file in files] == ["nodes-user.parquet", "nodes-item.parquet", "edges-user-buys-item.parquet"]
    assert parquet.read_table(files[2]).num_rows == 3
    assert graph.export_events("log.jsonl") == 10
    assert graph.export_events("log.parquet") == 10
    assert len(graph.events()) == 10
    copy = tw.create("copy", unit="s")
    with open("log.jsonl") as lines:
        import json

        load(copy, [json.loads(line) for line in lines])
    for time in range(0, 70, 5):
        for table in ("nodes", "edges"):
            mine = list(getattr(graph.view(time), table)(features="all"))
            theirs = list(getattr(copy.view(time), table)(features="all"))
            assert mine == theirs
    with pytest.raises(ValueError, match="tells no format"):
        graph.export_events("log.txt")


def test_events_of_a_span() -> None:
    events = shop().events(20, 50)
    assert events["action"].tolist() == ["create", "create", "create", "update"]
    assert events["time"].astype(int).tolist() == [20, 30, 30, 40]
    assert events["stars"][0] == 5.0 and np.isnan(events["stars"][1])
