"""Every kind of data frame as events, and what is no frame."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timeweft as tw

duckdb = pytest.importorskip("duckdb")
pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

ROWS: dict[str, list[Any]] = {
    "source": ["a", "b", "a"],
    "destination": ["x", "x", "y"],
    "time": [1, 2, 2],
    "weight": [0.5, None, 2.0],
    "text": ["one", None, "three"],
}


def events_of(data: Any, path: Path, unit: Any = "s", **options: Any) -> list[dict[str, Any]]:
    with tw.create(path, unit=unit) as graph:
        report = graph.load_events(data, **options)
        assert report.rejected == 0
        return graph.events().to_arrow().to_pylist()


KINDS = {
    "pyarrow": lambda table: table,
    "a batch": lambda table: table.combine_chunks().to_batches()[0],
    "a stream": lambda table: pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=1)),
    "polars": pl.from_arrow,
    "pandas": lambda table: table.to_pandas(),
    "pandas with an index": lambda table: table.to_pandas().set_index(pd.Index([5, 3, 9])),
    "duckdb": lambda table: duckdb.from_arrow(table),
    "large text": lambda table: table.cast(
        pa.schema([pa.field(f.name, pa.large_string() if f.type == pa.string() else f.type) for f in table.schema])
    ),
    "dictionaries": lambda table: pa.table(
        {n: table[n].dictionary_encode() if table[n].type == pa.string() else table[n] for n in table.column_names}
    ),
    "slices": lambda table: pa.concat_tables([table, table.slice(0, 0), table]).slice(3, 3),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_frame_makes_the_graph_that_its_file_makes(kind: str, tmp_path: Path) -> None:
    table = pa.table(ROWS)
    pq.write_table(table, tmp_path / "rows.parquet")
    of_file = events_of(tmp_path / "rows.parquet", tmp_path / "file")
    assert len(of_file) == 7 and {"weight", "text"} <= set(of_file[0])
    assert events_of(KINDS[kind](table), tmp_path / "frame") == of_file


def test_the_events_of_a_graph_make_it_again(tmp_path: Path) -> None:
    with tw.create(tmp_path / "a", unit="s") as graph, tw.create(tmp_path / "b", unit="s") as other:
        graph.load_events(pa.table(ROWS))
        ended = {"time": [9, 10], "action": ["update", "delete"], "source": ["a", "a"], "destination": ["x", "x"]}
        graph.load_events(pa.table(ended | {"weight": [1.5, None]}))
        report = other.load_events(graph.events())
        assert report.rejected == 0
        assert other.events().to_arrow().to_pylist() == graph.events().to_arrow().to_pylist()


@pytest.mark.parametrize(
    ("kind", "ticks"),
    [
        (pa.timestamp("s"), [0, 1]),
        (pa.timestamp("ns", "Europe/Berlin"), [0, 1]),
        (pa.timestamp("us", "UTC"), [0, 1]),
        (pa.date32(), [0, 86_400]),
        (pa.int32(), [0, 1]),
        (pa.uint64(), [0, 1]),
        (pa.string(), [0, 1]),
    ],
)
def test_times_of_any_type_are_ticks(kind: Any, ticks: list[int], tmp_path: Path) -> None:
    if pa.types.is_string(kind):
        times = pa.array(["1970-01-01T00:00:00Z", "1970-01-01T01:00:01+01:00"])
    else:
        seconds = {"ns": 10**9, "us": 10**6}.get(getattr(kind, "unit", "s"), 1)
        times = pa.array([0, seconds], pa.int64() if not pa.types.is_date32(kind) else pa.int32()).cast(kind)
    found = events_of(pa.table({"source": [1, 2], "destination": [3, 3], "time": times}), tmp_path / "g")
    told = sorted({event["time"].replace(tzinfo=dt.timezone.utc).timestamp() for event in found})
    assert told == ticks


def test_naive_times_are_utc(tmp_path: Path) -> None:
    times = [dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 2)]
    frame = pl.DataFrame({"source": [1, 2], "destination": [3, 3], "time": times})
    found = events_of(frame, tmp_path / "g")
    assert {event["time"].replace(tzinfo=None) for event in found} == set(times)


def test_ids_at_the_bounds_of_32_and_64_bits_stay_what_they_are(tmp_path: Path) -> None:
    ids = [2**32 - 2, 2**32 - 1, 2**32, 2**63, 2**64 - 1]
    frame = pa.table({"source": pa.array(ids, pa.uint64()), "destination": [0] * 5, "time": [1] * 5})
    found = events_of(frame, tmp_path / "g")
    assert {event["source"] for event in found} == {0, *ids}


def test_floats_that_are_whole_are_ids_and_all_others_refuse_their_rows(tmp_path: Path) -> None:
    sources = [1.0, float("nan"), 2.5, None, -0.0, 2.0**53 - 1, 2.0**53, float("inf")]
    table = pa.table({"source": pa.array(sources, pa.float64()), "destination": [7] * 8, "time": [1] * 8})
    pq.write_table(table, tmp_path / "rows.parquet")
    told = []
    for at, data in enumerate([table, tmp_path / "rows.parquet", pl.from_arrow(table)]):
        with tw.create(tmp_path / f"g{at}", unit="s") as graph:
            report = graph.load_events(data)
            ids = {event["source"] for event in graph.events() if event["entity"] == "edge"}
            rejects = report.rejects.to_arrow().to_pylist()
            told.append((ids, [(reject["row"], reject["reason"]) for reject in rejects]))
    assert told[0] == told[1] == told[2]
    ids, rejects = told[0]
    assert ids == {1, 0, 2**53 - 1}
    assert [row for row, _ in rejects] == [2, 3, 4, 7, 8]
    words = ["got `NaN`", "got `2.5`", "empty", "cast the column to integers", "got `inf`"]
    assert [word for (_, reason), word in zip(rejects, words, strict=True) if word not in reason] == []
    small = pa.table({"source": pa.array([2.0**24 - 1, 2.0**24], pa.float32()), "destination": [7, 7], "time": [1, 1]})
    with tw.create(tmp_path / "small", unit="s") as graph:
        [reject] = graph.load_events(small).rejects.to_arrow().to_pylist()
        assert reject["row"] == 2 and "16777216" in reject["reason"]


def test_ids_of_pandas_with_gaps_are_whole_numbers(tmp_path: Path) -> None:
    frame = pd.DataFrame({"source": [4, None, 6], "destination": [1, 2, 3], "time": [1, 2, 3]})
    assert str(frame["source"].dtype) == "float64"
    with tw.create(tmp_path / "g", unit="s") as graph:
        report = graph.load_events(frame)
        [reject] = report.rejects.to_arrow().to_pylist()
        assert (reject["row"], report.edges.created) == (2, 2) and "empty" in reject["reason"]
        assert graph.view().nodes().to_arrow()["id"].to_pylist() == [4, 1, 6, 3]


def test_columns_that_are_null_as_a_whole_are_columns_of_nulls(tmp_path: Path) -> None:
    rows = {"source": ["a", "b"], "destination": ["x", "y"], "time": [1, 2], "nothing": [None, None]}
    nested = rows | {"lists": [[None], []], "struct": [{"a": None, "b": 1}, {"a": None, "b": 2}]}
    plain = events_of(pl.DataFrame({name: rows[name] for name in ("source", "destination", "time")}), tmp_path / "plain")
    for at, frame in enumerate([pl.DataFrame(rows), pl.DataFrame(rows).lazy().collect(), pd.DataFrame(rows), pa.table(rows)]):
        assert events_of(frame, tmp_path / f"g{at}") == plain
    assert [schema for schema in pl.DataFrame(rows).dtypes if schema == pl.Null]
    found = events_of(pl.DataFrame(nested), tmp_path / "nested")
    assert [e["struct"].replace(" ", "") for e in found if e["entity"] == "edge"] == ['{"a":null,"b":1}', '{"a":null,"b":2}']


def test_frames_without_rows_or_columns_say_so(tmp_path: Path) -> None:
    with tw.create(tmp_path / "g") as graph:
        for empty in (pl.DataFrame(), pd.DataFrame(), pa.table({})):
            with pytest.raises(tw.errors.SourceError, match="data .*: there is no column|no column `"):
                graph.load_events(empty)
        assert graph.commit == 0
        for rows in (pl.from_arrow(pa.table(ROWS)).clear(), pa.table(ROWS).to_pandas().iloc[:0]):
            assert graph.load_events(rows).accepted == 0


def test_dense_lists_and_structs_are_features(tmp_path: Path) -> None:
    dense = pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float32(), 2))
    frame = pa.table({"source": [1, 2], "destination": [3, 3], "time": [1, 2], "x": dense, "doc": [{"a": 1}, {"a": 2}]})
    found = [event for event in events_of(frame, tmp_path / "g") if event["entity"] == "edge"]
    assert [list(event["x"]) for event in found] == [[1.0, 2.0], [3.0, 4.0]]
    assert [event["doc"].replace(" ", "") for event in found] == ['{"a":1}', '{"a":2}']


def test_wrong_frames_name_the_argument_and_the_column(tmp_path: Path) -> None:
    with tw.create(tmp_path / "g") as graph:
        with pytest.raises(TypeError, match="data: expected a data frame"):
            graph.load_events(5)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="data: expected a data frame"):
            graph.load_events([1, 2])  # type: ignore[list-item]
        with pytest.raises(TypeError, match="data: "):
            graph.load_events(pa.chunked_array([[1]]))
        with pytest.raises(tw.errors.SourceError, match=r"no column `time`.*columns=\{'time'") as missing:
            graph.load_events(pa.table({"source": [1], "destination": [2]}))
        assert missing.value.file == "data (pyarrow.Table)"
        with pytest.raises(tw.errors.SourceError, match="no column `ts`"):
            graph.load_events(pa.table(ROWS), columns={"time": "ts"})
        with pytest.raises(tw.errors.SourceError, match="`a` is there twice"):
            graph.load_events(pa.Table.from_arrays([pa.array([1])] * 2, names=["a", "a"]))
        with pytest.raises(tw.errors.ConfigError, match="columns: `weight` is both"):
            graph.load_events(pa.table(ROWS), columns={"time": "weight", "key": "weight"})
        with pytest.raises(TypeError, match="columns: expected a mapping"):
            graph.load_events(pa.table(ROWS), columns=["time"])  # type: ignore[arg-type]
        assert graph.commit == 0


def test_an_empty_frame_makes_an_empty_load(tmp_path: Path) -> None:
    with tw.create(tmp_path / "g") as graph:
        report = graph.load_events(pa.table(ROWS).slice(0, 0))
        assert (report.accepted, report.rejected, len(report.rejects)) == (0, 0, 0)


def test_columns_are_mapped_and_the_rest_are_features(tmp_path: Path) -> None:
    frame = pl.DataFrame({"ts": [4, 5], "from_user": ["a", "b"], "to_user": ["c", "c"], "time": [1, 2]})
    columns = {"time": "ts", "source": "from_user", "destination": "to_user"}
    options: dict[str, Any] = {"source_type": "user", "destination_type": "user", "relation": "writes"}
    found = [e for e in events_of(frame, tmp_path / "g", columns=columns, **options) if e["entity"] == "edge"]
    assert [(e["time"].timestamp(), e["relation"], e["source_type"], e["feature:time"]) for e in found] == [
        (4, "writes", "user", 1),
        (5, "writes", "user", 2),
    ]


def test_a_stream_out_of_order_is_sorted_and_one_that_fails_says_why(tmp_path: Path) -> None:
    n = 5_000
    table = pa.table({"source": np.arange(n) % 7, "destination": np.arange(n) % 5, "time": np.arange(n)[::-1].copy()})
    stream = pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=100))
    with tw.create(tmp_path / "g", unit="s") as graph:
        report = graph.load_events(stream)
        assert (report.edges.created, report.sorted) == (n, True)

        def batches() -> Any:
            yield table.to_batches()[0]
            raise RuntimeError("the source is gone")

        with pytest.raises(tw.errors.SourceError, match="the source is gone") as failed:
            graph.load_events(pa.RecordBatchReader.from_batches(table.schema, batches()))
        assert failed.value.line == n + 1 and graph.commit == 1
