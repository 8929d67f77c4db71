"""A table in memory and the same rows in a file make the same graph: events, lives, whole versions, over random tables.

The reference of a data frame is the reader of files, which has references of its own in Rust.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timeweft as tw
from graphs import duckdb_relation

pytest.importorskip("duckdb")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")
pa_csv = pytest.importorskip("pyarrow.csv")
feather = pytest.importorskip("pyarrow.feather")
pq = pytest.importorskip("pyarrow.parquet")

HISTORIES = int(os.environ.get("TIMEWEFT_HISTORIES", "6"))
Make = Callable[[Any, Path], Any]
Found = tuple[list[dict[str, Any]], list[tuple[int, str]]]


def stream(table: Any, _: Path) -> Any:
    size = max(1, table.num_rows // 3)
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=size))


def pandas(table: Any, _: Path) -> Any:
    return table.to_pandas()


def relation(table: Any, _: Path) -> Any:
    return duckdb_relation(table)


def polars(table: Any, _: Path) -> Any:
    return pl.from_arrow(table)


def parquet(table: Any, path: Path) -> Any:
    pq.write_table(table, path.with_suffix(".parquet"), row_group_size=max(1, table.num_rows // 2))
    return path.with_suffix(".parquet")


def arrow(table: Any, path: Path) -> Any:
    feather.write_feather(table, path.with_suffix(".arrow"), compression="uncompressed")
    return path.with_suffix(".arrow")


def csv(table: Any, path: Path) -> Any:
    pa_csv.write_csv(table, path.with_suffix(".csv"))
    return path.with_suffix(".csv")


def lines(table: Any, path: Path) -> Any:
    path.with_suffix(".jsonl").write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    return path.with_suffix(".jsonl")


FRAMES: list[Make] = [stream, polars, pandas, relation, parquet, arrow]
TEXTS: list[Make] = [csv, lines]
SCHEMA = tw.Schema(
    {"user": {"age": "f64", "name": "text"}, "item": {"age": "f64", "name": "text"}},
    {("user", relation, "item"): {"weight": "f64", "note": "text"} for relation in ("buys", "likes")},
)


def found(graph: tw.Graph, report: tw.LoadReport) -> Found:
    rejects: list[tuple[int, str]] = []
    for reject in report.rejects:
        # Of CSV it is the line, of which the first is the header.
        row = reject["row"] - reject["file"].endswith(".csv")
        rejects.append((row, re.sub(r"row \d+", "another row", reject["reason"])))
    assert len(rejects) == report.rejected
    return graph.events().to_arrow().to_pylist(), rejects


def some(draw: random.Random, value: Any, gaps: float = 0.2) -> Any:
    return None if draw.random() < gaps else value


def events(seed: int) -> Any:
    """Rows of edges, some of them no edges: out of order, repeated, deleted before they are created, without an end."""
    draw = random.Random(seed)
    actions = draw.random() < 0.7
    rows: list[dict[str, Any]] = []
    time = 0
    for _ in range(draw.randrange(1, 60)):
        time += draw.choice([-2, 0, 0, 1, 3])
        row: dict[str, Any] = {
            "time": time,
            "source": some(draw, draw.randrange(4), 0.03),
            "relation": draw.choice(["buys", "likes"]),
            "destination": draw.choice(["a", "b", "7"]),
            "key": some(draw, draw.choice(["x", "y"])),
        }
        if actions:
            row["action"] = draw.choice(["create", "create", "update", "delete"])
        ends = row.get("action") == "delete"
        row["weight"] = None if ends else some(draw, draw.choice([0.5, -3.0, 1e300, 7.0]))
        row["note"] = None if ends else some(draw, draw.choice(["plain", "with, a comma", 'a "mark"', "ünï"]))
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=typed(rows[0]))


def typed(row: dict[str, Any]) -> Any:
    kinds = {"time": pa.int64(), "created": pa.int64(), "removed": pa.int64(), "weight": pa.float64(), "age": pa.float64()}
    kinds["source"] = pa.int64()
    return pa.schema([(name, kinds.get(name, pa.string())) for name in row])


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_events_of_a_frame_are_those_of_its_file(seed: int, tmp_path: Path) -> None:
    table = events(seed)
    options: dict[str, Any] = {"source_type": "user", "destination_type": "item", "dangling": "stub"}

    def loaded(data: Any, name: str) -> Found:
        with tw.create(tmp_path / name, unit="s", schema=SCHEMA) as graph:
            try:
                return found(graph, graph.load_events(data, **options))
            except tw.errors.NothingAcceptedError as refused:
                return found(graph, refused.report)

    expected = loaded(table, "table")
    for make in [*FRAMES, csv]:
        made = loaded(make(table, tmp_path / "rows"), make.__name__)
        assert made == expected, make.__name__
    assert len(expected[0]) + len(expected[1]) > 0


def lives(seed: int) -> tuple[Any, Any]:
    """Tables of nodes and edges with lives: in any order, some that overlap, end before they begin, or have no id."""
    draw = random.Random(seed)

    def life(row: dict[str, Any]) -> dict[str, Any]:
        created = draw.randrange(0, 30)
        return row | {"created": created, "removed": some(draw, created + draw.choice([0, 1, 5, 9]), 0.4)}

    def node() -> dict[str, Any]:
        kind = draw.choice(["user", "item"])
        row = life({"type": kind, "id": some(draw, draw.choice(["0", "1", "2", "a", "b"]), 0.05)})
        return row | {"age": some(draw, draw.choice([1.5, 2.0])), "name": some(draw, draw.choice(["n", "m, k"]))}

    def edge() -> dict[str, Any]:
        ends = {"source_type": "user", "source": draw.randrange(3), "destination_type": "item"}
        row = life(ends | {"destination": draw.choice(["a", "b"]), "relation": draw.choice(["buys", "likes"])})
        return row | {"key": draw.choice(["x", "y"]), "weight": some(draw, draw.choice([0.5, 4.0])), "note": some(draw, "t")}

    nodes, edges = [node() for _ in range(draw.randrange(1, 25))], [edge() for _ in range(draw.randrange(1, 25))]
    return tuple(pa.Table.from_pylist(rows, schema=typed(rows[0])) for rows in (nodes, edges))  # type: ignore[return-value]


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_lives_of_a_frame_are_those_of_its_file(seed: int, tmp_path: Path) -> None:
    nodes, edges = lives(seed)

    def loaded(nodes: Any, edges: Any, name: str) -> Found:
        with tw.create(tmp_path / name, unit="s", schema=SCHEMA) as graph:
            try:
                report = graph.load_intervals(nodes=nodes, edges=edges)
            except tw.errors.NothingAcceptedError as refused:
                return found(graph, refused.report)
            return found(graph, report)

    expected = loaded(nodes, edges, "table")
    for make in [*FRAMES, *TEXTS]:
        made = loaded(make(nodes, tmp_path / "nodes"), make(edges, tmp_path / "edges"), make.__name__)
        assert made == expected, make.__name__


def versions(seed: int) -> list[tuple[Any, Any]]:
    """A few versions of nodes and edges, each a change of the one before, some with rows that are no records."""
    draw = random.Random(seed)
    ids = ["0", "1", "2", "a", "b", "c"]
    made: list[tuple[Any, Any]] = []
    for _ in range(draw.randrange(1, 5)):
        listed = {(kind, of) for kind in ("user", "item") for of in ids if draw.random() < 0.7} | {("user", "0"), ("item", "a")}
        nodes = [{"type": kind, "id": some(draw, of, 0.03), "age": some(draw, 2.5), "name": some(draw, draw.choice(["n", "m"]))}
                 for kind, of in sorted(listed)]  # fmt: skip
        edges = [{"source_type": "user", "source": draw.choice([0, 1, 2]), "destination_type": "item",
                  "destination": draw.choice(ids), "relation": draw.choice(["buys", "likes"]), "key": draw.choice(["x", "y"]),
                  "weight": some(draw, draw.choice([0.5, 4.0])), "note": some(draw, "t")} for _ in range(draw.randrange(1, 12))]  # fmt: skip
        made.append(tuple(pa.Table.from_pylist(rows, schema=typed(rows[0])) for rows in (nodes, edges)))  # type: ignore[arg-type]
    return made


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_versions_of_frames_are_those_of_their_files(seed: int, tmp_path: Path) -> None:
    tables = versions(seed)

    def loaded(make: Make, name: str) -> list[Any]:
        with tw.create(tmp_path / name, unit="s", schema=SCHEMA) as graph:
            told: list[Any] = []
            for at, (nodes, edges) in enumerate(tables):
                given: dict[str, Any] = {
                    "nodes": make(nodes, tmp_path / f"nodes{at}"),
                    "edges": make(edges, tmp_path / f"edges{at}"),
                }
                version: dict[str, Any] = {"namespace": "n", "version": str(at), "timestamp": 10 * (at + 1)}
                report = graph.load_version(**given, **version, dangling="drop")
                assert report.delta is not None
                # Which names files: those of unreadable rows.
                told.append((found(graph, report), report.delta | {"kept": len(report.delta["kept"])}))
            return told

    expected = loaded(lambda table, _: table, "table")
    for make in [*FRAMES, *TEXTS]:
        assert loaded(make, make.__name__) == expected, make.__name__
