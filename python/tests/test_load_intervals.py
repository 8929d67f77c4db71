"""Loads of lives: files, and tables of every kind."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timeweft as tw
from graphs import duckdb_relation

pytest.importorskip("duckdb")
pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")
pa_csv = pytest.importorskip("pyarrow.csv")
pq = pytest.importorskip("pyarrow.parquet")

NODES = {
    "type": ["user", "user", "item", "user"],
    "id": ["ann", "bo", "tea", "ann"],
    "created": [0, 2, 0, 7],
    "removed": [5, None, None, None],
    "age": [30, 40, None, 31],
}
EDGES = {
    "source": ["ann", "bo", "ann", "bo"],
    "relation": ["buys", "buys", "buys", "buys"],
    "destination": ["tea", "tea", "tea", "tea"],
    "created": [1, 3, 8, 20],
    "removed": [4, None, 9, None],
    "key": ["a", "b", "a", "c"],
}
TYPES: dict[str, Any] = {"source_type": "user", "destination_type": "item"}


def events(graph: tw.Graph) -> list[dict[str, Any]]:
    return sorted(graph.events().to_arrow().to_pylist(), key=repr)


def test_tables_of_lives_are_a_graph_over_time(tmp_path: Path) -> None:
    with tw.create(tmp_path / "g", unit="s") as graph:
        report = graph.load_intervals(nodes=pa.table(NODES), edges=pa.table(EDGES), **TYPES)
        assert (report.rejected, report.commit, report.nodes.created, report.edges.created) == (0, 1, 4, 4)

        def alive(at: int) -> tuple[set[Any], set[Any]]:
            view = graph.view(at)
            edges = {(e["source_id"], e["created"].timestamp()) for e in view.edges()}
            return {node["id"] for node in view.nodes()}, edges

        assert alive(0) == ({"ann", "tea"}, set())
        assert alive(3) == ({"ann", "bo", "tea"}, {("ann", 1), ("bo", 3)})
        assert alive(5) == ({"bo", "tea"}, {("bo", 3)})
        assert alive(8) == ({"ann", "bo", "tea"}, {("bo", 3), ("ann", 8)})
        assert alive(30) == ({"ann", "bo", "tea"}, {("bo", 3), ("bo", 20)})
        assert graph.view(3).node("user", "ann").features["age"] == 30
        assert graph.view(8).node("user", "ann").features["age"] == 31
        assert graph.loads().to_arrow().to_pylist()[0]["namespace"] == "intervals"


def held(table: Any, path: Path, kind: str) -> Any:
    if kind == "parquet":
        pq.write_table(table, path.with_suffix(".parquet"))
        return path.with_suffix(".parquet")
    if kind == "csv":
        pa_csv.write_csv(table, path.with_suffix(".csv"))
        return str(path.with_suffix(".csv"))
    if kind == "jsonl":
        rows = [{name: value for name, value in row.items() if value is not None} for row in table.to_pylist()]
        path.with_suffix(".jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path.with_suffix(".jsonl")
    return {
        "polars": pl.from_arrow,
        "pandas": lambda table: table.to_pandas(),
        "duckdb": duckdb_relation,
        "stream": lambda table: pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=1)),
    }[kind](table)


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl", "polars", "pandas", "duckdb", "stream"])
def test_every_kind_of_table_makes_the_same_graph(kind: str, tmp_path: Path) -> None:
    # A key that every row has, so that JSON lines and tables name the same columns.
    nodes, edges = pa.table(NODES).drop(["age"]), pa.table(EDGES)
    with tw.create(tmp_path / "a", unit="s") as graph, tw.create(tmp_path / "b", unit="s") as other:
        graph.load_intervals(nodes=nodes, edges=edges, **TYPES)
        given = held(nodes, tmp_path / "nodes", kind), held(edges, tmp_path / "edges", kind)
        report = other.load_intervals(nodes=given[0], edges=given[1], **TYPES)
        assert report.rejected == 0 and events(other) == events(graph)


def test_tables_by_type_need_no_column_of_types(tmp_path: Path) -> None:
    users = pl.DataFrame({"id": [1, 2], "created": [0, 0], "removed": [None, None]})
    items = pl.DataFrame({"id": [7], "created": [dt.datetime(1970, 1, 1)], "removed": [dt.datetime(1970, 1, 2)]})
    buys = pl.DataFrame({"source": [1, 2], "destination": [7, 7], "created": [5, 6], "removed": [float("nan"), 8.0]})
    with tw.create(tmp_path / "g", unit="s") as graph:
        relation = ("user", "buys", "item")
        graph.load_intervals(nodes={"user": users, "item": items}, edges={relation: buys})
        assert graph.view(7).n_edges == {relation: 2}
        assert graph.view(8).n_edges == {relation: 1}
        assert graph.view(86_400).n_nodes == {"user": 2, "item": 0}
        graph.load_intervals(edges={"likes": buys}, source_type="user", destination_type="item", namespace="likes")
        assert graph.view(7).n_edges[("user", "likes", "item")] == 2


def test_edges_at_missing_nodes_follow_the_policy(tmp_path: Path) -> None:
    edges = pa.table({"source": [1, 9], "destination": [2, 2], "created": [1, 1], "removed": [None, 3], "relation": ["r", "r"]})
    nodes = pa.table({"id": [1, 2], "type": ["n", "n"], "created": [0, 0]})
    types: dict[str, Any] = {"source_type": "n", "destination_type": "n"}
    with tw.create(tmp_path / "g", unit="s") as graph:
        report = graph.load_intervals(nodes=nodes, edges=edges, **types, namespace="a")
        [reject] = report.rejects.to_arrow().to_pylist()
        assert (report.edges.created, reject["row"], "9" in reject["reason"]) == (1, 2, True)
        with pytest.raises(tw.errors.DanglingError, match="dangling='drop' or dangling='stub'"):
            graph.load_intervals(nodes=nodes, edges=edges, **types, dangling="reject", namespace="b")
        report = graph.load_intervals(edges=edges, **types, namespace="c")
        assert report.stubs == 1 and graph.view().n_nodes == {"n": 3}


def test_rows_that_hold_at_one_time_or_never_are_rejected(tmp_path: Path) -> None:
    rows = {"id": [1, 1, 2, 3, 4], "type": ["n"] * 5, "created": [0, 3, 5, 1, None], "removed": [5, 9, 5, None, None]}
    with tw.create(tmp_path / "g", unit="s") as graph:
        report = graph.load_intervals(nodes=pa.table(rows))
        rejects = {reject["row"]: reject["reason"] for reject in report.rejects}
        assert sorted(rejects) == [2, 3, 5]
        assert "valid together with row 1" in rejects[2] and "not after" in rejects[3] and "empty" in rejects[5]
        assert graph.view().n_nodes == {"n": 1}
        rows = {"id": [1.5, float("nan"), 8.0], "type": ["n"] * 3, "created": [0, 0, 0]}
        report = graph.load_intervals(nodes=pa.table(rows), namespace="floats")
        assert {reject["row"]: reject["reason"].split("got ")[1] for reject in report.rejects} == {1: "`1.5`", 2: "`NaN`"}


def test_wrong_tables_name_the_argument_and_the_column(tmp_path: Path) -> None:
    nodes, edges = pa.table(NODES), pa.table(EDGES)
    (tmp_path / "edges.csv").write_text("source,destination,created\n")
    with tw.create(tmp_path / "g", unit="s") as graph:
        wrong: list[tuple[dict[str, Any], str]] = [
            ({}, "data: give a file or a folder, or tables"),
            ({"data": "x.json", "nodes": nodes}, "nodes: give either `data`"),
            ({"nodes": nodes.drop(["type"])}, "nodes: there is no column `type`: .* give a dict"),
            ({"nodes": {"user": nodes.drop(["id"])}}, r"nodes\['user'\]: there is no column `id`"),
            ({"edges": edges}, "edges: there is no column `source_type`: .*or give source_type="),
            ({"edges": edges.drop(["relation"]), **TYPES}, "edges: there is no column `relation`"),
            ({"edges": tmp_path / "edges.csv", **TYPES}, "edges: there is no column `relation`"),
            ({"edges": {("a", "b"): edges}}, "expected .source type, relation, destination type., not 2"),
            ({"data": "x.json", "source_type": "a"}, "source_type: means something for tables"),
            ({"nodes": nodes, "format": "json"}, "format: means something for a file"),
            ({"data": "x.csv", "delimiter": "::"}, "delimiter: expected one character"),
            ({"data": "x.csv", "format": "no"}, "format: `no` is no format of intervals"),
            ({"data": "x.csv", "node_features": "float99"}, "node_features: "),
        ]
        for given, told in wrong:
            with pytest.raises(ValueError, match=told):
                graph.load_intervals(**given)
        with pytest.raises(TypeError, match=r"nodes: expected a data frame"):
            graph.load_intervals(nodes=5)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="data: expected the path .* nodes= and edges="):
            graph.load_intervals(nodes)
        with pytest.raises(TypeError, match="unexpected keyword argument 'columns'"):
            graph.load_intervals("x.csv", columns=1)  # type: ignore[call-arg]
        with pytest.raises(tw.errors.SourceError, match="column `created`, which is not there") as missing:
            graph.load_intervals(nodes=nodes.drop(["created"]))
        assert missing.value.file == "nodes (pyarrow.Table)"
        with pytest.raises(tw.errors.SourceError, match="check the path"):
            graph.load_intervals(nodes=tmp_path / "none.parquet")
        assert graph.commit == 0


def test_files_are_read_as_the_command_line_reads_them(tmp_path: Path) -> None:
    line = {"node_id": 1, "node_type": 0, "node_weight": 1.0, "created_at": 3, "removed_at": 9, "edge": []}
    (tmp_path / "nodes.json").write_text(json.dumps(line) + "\n" + json.dumps(line | {"node_id": "x"}) + "\n")
    (tmp_path / "edges.csv").write_text("0;-1;0;1;float32;3;1;2;3\n0;0;0;5;1\n")
    with tw.create(tmp_path / "g", unit="s") as graph:
        report = graph.load_intervals(tmp_path / "nodes.json")
        assert (report.nodes.created, report.nodes.deleted, report.rejected) == (1, 1, 1)
        assert graph.view(5).n_nodes == {"0": 1} and graph.view(9).n_nodes == {"0": 0}
        with pytest.raises(tw.errors.SourceError, match="columns and their defaults are for `edge-list`"):
            graph.load_intervals(tmp_path / "nodes.json", temporal=True)
        report = graph.load_intervals(str(tmp_path / "edges.csv"), format="edge-list", delimiter=";", namespace="more")
        assert report.nodes.created + report.edges.created + report.rejected > 0


def test_what_is_empty_changes_nothing(tmp_path: Path) -> None:
    with tw.create(tmp_path / "g", unit="s") as graph:
        report = graph.load_intervals(nodes=pa.table(NODES).slice(0, 0))
        assert (report.accepted, report.rejected) == (0, 0)
        with pytest.raises(ValueError, match="nodes: there is no column"):
            graph.load_intervals(nodes=pl.DataFrame())


def test_progress_is_told_and_stops(tmp_path: Path) -> None:
    n = 20_000
    nodes = pa.table({"id": np.arange(n), "type": ["n"] * n, "created": np.arange(n)})
    heard: list[int] = []
    with tw.create(tmp_path / "g", unit="s") as graph:
        graph.load_intervals(nodes=nodes, progress=lambda records, *_: heard.append(records))
        assert heard and heard[-1] <= n

        def breaks(*_: Any) -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            graph.load_intervals(nodes=nodes, progress=breaks, namespace="other")
        assert graph.commit == 1
