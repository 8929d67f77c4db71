"""Loads of events: reports, refusals, progress, and how they are stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timeweft as tw

pa = pytest.importorskip("pyarrow")


def interactions(n: int) -> pa.Table:
    at = np.arange(n)
    return pa.table({"source": at % 1000, "destination": at % 997, "time": at})


def test_a_report_tells_what_was_loaded(tmp_path: Path) -> None:
    with tw.create(tmp_path / "g", unit="s") as graph:
        report = graph.load_events(interactions(1000), namespace="clicks")
        assert (report.load, report.commit, report.rejected, report.unchanged) == (1, 1, 0, False)
        assert (report.edges.created, report.nodes.created, report.stubs) == (1000, 1000, 1000)
        assert repr(report).startswith("LoadReport(load=1, commit=1, accepted=2000, rejected=0, nodes_created=1000")
        assert "<table>" in report._repr_html_()


def test_files_are_one_load(tmp_path: Path) -> None:
    for name, rows in [("a.csv", "src,dst,ts\n1,2,3\n"), ("b.csv", "src,dst,ts\n2,x,5\n,3,4\n")]:
        (tmp_path / name).write_text(rows)
    with tw.create(tmp_path / "g", unit="s") as graph:
        report = graph.load_events([tmp_path / "a.csv", str(tmp_path / "b.csv")], columns={"time": "ts"})
        assert (report.edges.created, report.rejected, graph.commit) == (2, 1, 1)
        [reject] = report.rejects.to_arrow().to_pylist()
        assert reject["file"].endswith("b.csv") and reject["row"] == 3
        (tmp_path / "c.csv").write_text("src,dst,ts,action\n1,2,9,delete\n")
        with pytest.raises(tw.errors.SourceError, match="column `action` and some have none"):
            graph.load_events([tmp_path / "a.csv", tmp_path / "c.csv"])
        (tmp_path / "d.jsonl").write_text("")
        with pytest.raises(tw.errors.ConfigError, match="columns: .*JSON lines"):
            graph.load_events(tmp_path / "d.jsonl", columns={"time": "ts"})
        with pytest.raises(tw.errors.SourceError, match="check the path") as missing:
            graph.load_events(tmp_path / "none.csv")
        assert str(missing.value.file).endswith("none.csv")


def test_rejects_show_the_rows_that_were_refused(tmp_path: Path) -> None:
    pl, pq = pytest.importorskip("polars"), pytest.importorskip("pyarrow.parquet")
    rows = {"source": [None, "a", "b"], "destination": ["x", "y", None], "time": [1, 2, 3], "weight": [0.5, 1.0, 2.0]}
    table = pa.table(rows)
    pq.write_table(table, tmp_path / "rows.parquet")
    (tmp_path / "rows.csv").write_text("source,destination,time\n,x,1\na,y,2\nb,,3\n")
    objects = [
        {"source": None, "destination": "x", "time": 1, "weight": 0.5},
        {"source": "b", "destination": None, "time": 3, "weight": 2.0},
    ]
    stream = pa.RecordBatchReader.from_batches(table.schema, table.to_batches())
    given: list[tuple[Any, list[Any]]] = [
        (table, objects),
        (pl.from_arrow(table), objects),
        (table.to_pandas(), objects),
        (tmp_path / "rows.parquet", objects),
        (tmp_path / "rows.csv", [",x,1", "b,,3"]),
        (stream, [None, None]),
    ]
    for at, (data, records) in enumerate(given):
        with tw.create(tmp_path / f"g{at}", unit="s") as graph:
            rejects = graph.load_events(data).rejects
            assert rejects.to_arrow().column_names == ["file", "row", "reason", "record"]
            told = [reject["record"] for reject in rejects]
            assert [None if record is None else json.loads(record) for record in told] == records
    with tw.create(tmp_path / "g", unit="s") as graph:
        with pytest.raises(tw.errors.TooManyRejectsError) as many:
            graph.load_events(table, max_rejects=0)
        assert [json.loads(reject["record"]) for reject in many.value.report.rejects] == objects[:1]
        # What the graph refuses, and not the reader, has its row too.
        twice = pa.table({"source": [1, 1], "destination": [2, 2], "time": [1, 2], "action": ["create", "create"]})
        report = graph.load_events(twice, dangling="stub")
        [reject] = report.rejects
        assert reject["row"] == 2 and json.loads(reject["record"])["time"] == 2
        with pytest.raises(tw.errors.DanglingError) as dangling:
            graph.load_events(pa.table({"source": [7], "destination": [8], "time": [9], "action": ["create"]}), dangling="reject")
        [reject] = dangling.value.report.rejects
        assert json.loads(reject["record"]) == {"source": 7, "destination": 8, "time": 9, "action": "create"}


def test_refused_loads_carry_their_report_and_leave_nothing(tmp_path: Path) -> None:
    bad = pa.table({"source": [None, None, "a"], "destination": ["x", "y", "z"], "time": [1, 2, 3]})
    with tw.create(tmp_path / "g", unit="s") as graph:
        with pytest.raises(tw.errors.NothingAcceptedError, match="no record was accepted") as none:
            graph.load_events(bad.slice(0, 2))
        assert none.value.report.rejected == 2 and len(none.value.report.rejects) == 2
        with pytest.raises(tw.errors.TooManyRejectsError, match="more than 1 rejected") as many:
            graph.load_events(bad, max_rejects=1)
        assert many.value.report.rejected == 2
        named = pa.table({"source": [1], "destination": [2], "time": [1], "action": ["create"]})
        with pytest.raises(tw.errors.DanglingError, match="dangling='drop' or dangling='stub'"):
            graph.load_events(named, dangling="reject")
        graph.load_events(interactions(10), version="1")
        assert graph.load_events(interactions(10), version="1").unchanged
        with pytest.raises(tw.errors.VersionTakenError, match="version `1` already"):
            graph.load_events(interactions(11), version="1")
        for wrong, told in [({"dangling": "x"}, "dangling: expected"), ({"repeats": "x"}, "repeats: expected")]:
            with pytest.raises(ValueError, match=told):
                graph.load_events(interactions(1), **wrong)
        assert graph.commit == 1


def test_errors_of_a_graph_have_classes_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(tw.errors.MissingError, match="timeweft.create"):
        tw.open(tmp_path / "none")
    graph = tw.create(tmp_path / "g", unit="s")
    with pytest.raises(tw.errors.LockedError, match="mode='read'"):
        tw.open(tmp_path / "g")
    graph.close()
    with pytest.raises(tw.errors.ExistsError):
        tw.create(tmp_path / "g")
    with pytest.raises(tw.errors.ReadOnlyError, match=r"timeweft.open\(path\)"), tw.open(tmp_path / "g", mode="read") as r:
        r.load_events(interactions(1))
    with pytest.raises(tw.errors.ClosedError):
        graph.load_events(interactions(1))


def test_progress_is_told_and_an_exception_of_it_stops_the_load(tmp_path: Path) -> None:
    heard: list[tuple[int, int, Any]] = []
    with tw.create(tmp_path / "g", unit="s") as graph:
        graph.load_events(interactions(50_000), progress=lambda *told: heard.append(told))
        assert heard and heard[0][0] >= 4096 and heard[0][1] > 0 and heard[0][2] is None

        def breaks(records: int, read: int, size: int | None) -> None:
            raise ZeroDivisionError("mine")

        with pytest.raises(ZeroDivisionError, match="mine"):
            graph.load_events(interactions(50_000), progress=breaks)
        assert graph.commit == 1
        graph.load_events(interactions(50_000), progress=True)
        with pytest.raises(TypeError, match="progress: expected"):
            graph.load_events(interactions(1), progress=3)  # type: ignore[arg-type]


LONG = """
import sys, pyarrow as pa, numpy as np, timeweft as tw
at = np.arange(100_000)
batch = pa.record_batch({"source": at % 1000, "destination": at % 997, "time": at})
def batches():
    print("begun", flush=True)
    for _ in range(10_000):
        yield batch
graph = tw.create(sys.argv[1], unit="s")
try:
    graph.load_events(pa.RecordBatchReader.from_batches(batch.schema, batches()))
except KeyboardInterrupt as stopped:
    assert isinstance(stopped, tw.errors.StoppedError), type(stopped)
    assert graph.commit == 0
    graph.load_events(pa.table({"source": [1], "destination": [2], "time": [3]}))
    print("stopped", graph.commit, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_leaves_nothing_of_a_load(tmp_path: Path) -> None:
    env = os.environ | {"PYTHONPATH": str(Path(tw.__file__).parents[1])}
    command = [sys.executable, "-c", LONG, str(tmp_path / "g")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert out == "stopped 1\n", err
