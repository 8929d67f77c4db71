"""Change rows of Debezium, snapshots of dbt and SCD2 tables, from frames and files."""

from __future__ import annotations

import json
import random
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import timeweft as tw
from timeweft.errors import ConfigError, SourceError

duckdb = pytest.importorskip("duckdb")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

USERS: dict[str, Any] = {
    "changes": {"format": "scd2"},
    "nodes": [{"type": "user", "id": "user_id", "features": {"city": "category"}}],
    "edges": [
        {
            "relation": "member_of",
            "source": {"type": "user", "column": "user_id"},
            "destination": {"type": "team", "column": "team"},
        }
    ],
}

ROWS = [
    (1, "Rome", "red", datetime(2024, 1, 2), datetime(2024, 1, 3)),
    (1, "Oslo", "red", datetime(2024, 1, 1), datetime(2024, 1, 2)),
    (1, "Rome", "blue", datetime(2024, 1, 5), None),
    (2, "Bonn", None, datetime(2024, 1, 2), None),
]
NAMES = ["user_id", "city", "team", "valid_from", "valid_to"]


def frames() -> dict[str, Any]:
    polars = pl.DataFrame(ROWS, schema=NAMES, orient="row")
    duckdb.register("users", polars.to_arrow())
    return {
        "polars": polars,
        "pyarrow": polars.to_arrow(),
        "pandas": polars.to_pandas(),
        "duckdb": duckdb.sql("SELECT * FROM users"),
    }


def cities(graph: tw.Graph, day: int) -> list[tuple[int, str]]:
    table = graph.view(f"2024-01-{day:02}").nodes("user", features=["city"])
    return sorted((row["id"], row["city"]) for row in table)


def teams(graph: tw.Graph, day: int) -> list[tuple[Any, Any]]:
    table = graph.view(f"2024-01-{day:02}").edges("member_of")
    return sorted((row["source_id"], row["destination_id"]) for row in table)


@pytest.mark.parametrize("tool", ["polars", "pyarrow", "pandas", "duckdb"])
def test_intervals_of_any_frame_are_lives_and_changes(tmp_path: Path, tool: str) -> None:
    with tw.create(tmp_path / "graph", unit="s") as graph:
        report = graph.load_events(frames()[tool], mapping=USERS)
        assert report.rejected == 0
        assert [cities(graph, day) for day in (1, 2, 3, 5)] == [
            [(1, "Oslo")],
            [(1, "Rome"), (2, "Bonn")],
            [(2, "Bonn")],
            [(1, "Rome"), (2, "Bonn")],
        ]
        assert [len(teams(graph, day)) for day in (1, 3, 5)] == [1, 0, 1]


def test_the_whole_table_may_be_loaded_again(tmp_path: Path) -> None:
    with tw.create(tmp_path / "graph", unit="s") as graph:
        graph.load_events(frames()["polars"], mapping=USERS)
        report = graph.load_events(frames()["polars"], mapping=USERS)
        assert (report.accepted, report.rejected) == (0, 0)
        assert report.rows["unchanged"] > 0


def test_intervals_that_overlap_are_rejected_with_their_rows(tmp_path: Path) -> None:
    rows = [
        (1, "Rome", "red", datetime(2024, 1, 1), datetime(2024, 1, 5)),
        (1, "Oslo", "red", datetime(2024, 1, 3), None),
    ]
    with tw.create(tmp_path / "graph", unit="s") as graph:
        report = graph.load_events(pl.DataFrame(rows, schema=NAMES, orient="row"), mapping=USERS)
        assert report.rejected == 1
        (reject,) = report.rejects
        assert reject["row"] == 2 and "row 1 of the same key" in reject["reason"]


ORDERS: dict[str, Any] = {
    "changes": {"format": "debezium", "order": "any"},
    "nodes": [{"type": "order", "id": "id", "features": {"total": "int"}}],
    "edges": [
        {
            "relation": "placed_by",
            "source": {"type": "order", "column": "id"},
            "destination": {"type": "customer", "column": "customer_id"},
        }
    ],
}


def history(seed: int) -> tuple[list[dict[str, Any]], list[dict[int, tuple[int, int | None]]]]:
    """Envelopes of one table, and the rows of the table after each tick: the slow reference."""
    chance = random.Random(seed)
    table: dict[int, tuple[int, int | None]] = {}
    envelopes: list[dict[str, Any]] = []
    states: list[dict[int, tuple[int, int | None]]] = []
    for time in range(1, 15):
        for _ in range(chance.randrange(4)):
            key = chance.randrange(4)
            old = table.get(key)
            before = None if old is None else {"id": key, "total": old[0], "customer_id": old[1]}
            after = None
            if old is None or chance.random() < 0.7:
                row = (chance.randrange(3), chance.choice([None, 1, 2]))
                table[key] = row
                after = {"id": key, "total": row[0], "customer_id": row[1]}
            else:
                del table[key]
            op = "d" if after is None else "c" if before is None else "u"
            source = {"table": "orders", "ts_ms": time, "lsn": len(envelopes) + 1}
            envelopes.append({"op": op, "before": before, "after": after, "source": source})
        states.append(dict(table))
    chance.shuffle(envelopes)
    return envelopes, states


def assert_is(graph: tw.Graph, states: list[dict[int, tuple[int, int | None]]]) -> None:
    for time, table in enumerate(states, 1):
        view = graph.view(time)
        found = {row["id"]: row["total"] for row in view.nodes("order", features=["total"])}
        assert found == {key: row[0] for key, row in table.items()}, time
        links = {(row["source_id"], row["destination_id"]) for row in view.edges("placed_by")}
        assert links == {(key, row[1]) for key, row in table.items() if row[1] is not None}, time


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("form", ["jsonl", "structs", "texts"])
def test_envelopes_in_any_order_lead_to_the_table_at_every_time(tmp_path: Path, seed: int, form: str) -> None:
    envelopes, states = history(seed)
    if not envelopes:
        return
    data: Any
    if form == "jsonl":
        data = tmp_path / "orders.jsonl"
        data.write_text("".join(json.dumps(envelope) + "\n" for envelope in envelopes))
    elif form == "structs":
        data = tmp_path / "orders.parquet"
        pq.write_table(pa.Table.from_pylist(envelopes), data)
    else:
        texts = [{name: json.dumps(value) for name, value in envelope.items()} for envelope in envelopes]
        data = pl.DataFrame([{**text, "op": envelope["op"]} for text, envelope in zip(texts, envelopes, strict=True)])
    with tw.create(tmp_path / "graph", unit="ms") as graph:
        report = graph.load_events(data, mapping=ORDERS)
        assert report.rejected == 0, list(report.rejects)
        assert_is(graph, states)


def test_a_mapping_may_be_a_file_and_data_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "warehouse"
    folder.mkdir()
    frames()["polars"].write_csv(folder / "users.csv")
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        '[changes]\nformat = "scd2"\n[[nodes]]\nfile = "users.csv"\ntype = "user"\nid = "user_id"\n'
        'features = { city = "category" }\n'
    )
    with tw.create(tmp_path / "graph", unit="s") as graph:
        report = graph.load_events(folder, mapping=mapping)
        assert report.rejected == 0
        assert cities(graph, 2) == [(1, "Rome"), (2, "Bonn")]


def test_what_cannot_be_meant_names_the_argument(tmp_path: Path) -> None:
    frame = frames()["polars"]
    with tw.create(tmp_path / "graph", unit="s") as graph:
        with pytest.raises(ConfigError, match="no \\[changes\\]"):
            graph.load_events(frame, mapping={"nodes": [{"type": "user", "id": "user_id"}]})
        with pytest.raises(ConfigError, match="unknown field `typ`"):
            graph.load_events(frame, mapping={**USERS, "nodes": [{"typ": "user", "id": "user_id"}]})
        with pytest.raises(SourceError, match="column `nobody`"):
            graph.load_events(frame, mapping={**USERS, "nodes": [{"type": "user", "id": "nobody"}], "edges": []})
        with pytest.raises(SourceError, match="data frame has no files"):
            entry = {"type": "user", "id": "user_id", "file": "users.csv"}
            graph.load_events(frame, mapping={**USERS, "nodes": [entry], "edges": []})
        with pytest.raises(ValueError, match="relation: means nothing beside `mapping`"):
            graph.load_events(frame, mapping=USERS, relation="knows")
        with pytest.raises(TypeError, match="mapping: expected a dict"):
            graph.load_events(frame, mapping=7)  # type: ignore[arg-type]
        with pytest.raises(SourceError, match="nowhere.toml"):
            graph.load_events(frame, mapping=tmp_path / "nowhere.toml")
        assert graph.commit == 0
