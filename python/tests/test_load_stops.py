"""Loads and trainings that are stopped: the folder holds the bytes that it held before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timeweft as tw

pa = pytest.importorskip("pyarrow")
pa_csv = pytest.importorskip("pyarrow.csv")

N = 20_000


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def interactions(n: int, since: int = 0) -> Any:
    at = np.arange(n)
    return pa.table({"source": at % 1000, "destination": at % 997, "time": at + since})


def nodes(n: int) -> Any:
    return pa.table({"id": np.arange(n), "type": pa.array(["n"] * n), "since": np.arange(n)})


def lives(n: int) -> Any:
    return nodes(n).rename_columns(["id", "type", "created"])


def written(table: Any, path: Path) -> Path:
    pa_csv.write_csv(table, path)
    return path


def stream(table: Any) -> Any:
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=1000))


VERSION: dict[str, Any] = {"namespace": "n", "version": "1", "timestamp": 5}
KINDS: dict[str, Callable[[tw.Graph, Path, Any], Any]] = {
    "events of a frame": lambda g, p, hears: g.load_events(interactions(N, N), progress=hears),
    "events of a stream": lambda g, p, hears: g.load_events(stream(interactions(N, N)), progress=hears),
    "late events": lambda g, p, hears: g.load_events(interactions(N), progress=hears),
    "events of a file": lambda g, p, hears: g.load_events(written(interactions(N), p / "e.csv"), progress=hears),
    "lives of a frame": lambda g, p, hears: g.load_intervals(nodes=lives(N), progress=hears),
    "lives of a stream": lambda g, p, hears: g.load_intervals(nodes=stream(lives(N)), progress=hears),
    "lives of a file": lambda g, p, hears: g.load_intervals(nodes=written(lives(N), p / "l.csv"), progress=hears),
    "a version of a frame": lambda g, p, hears: g.load_version(nodes=nodes(N), **VERSION, progress=hears),
    "a version of a file": lambda g, p, hears: g.load_version(nodes=written(nodes(N), p / "v.csv"), **VERSION, progress=hears),
    "a dry run": lambda g, p, hears: g.load_version(nodes=nodes(N), **VERSION, dry_run=True, progress=hears),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_progress_stops_leaves_every_byte_as_it_was(kind: str, tmp_path: Path) -> None:
    with tw.create(tmp_path / "g", unit="s") as graph:
        graph.load_events(interactions(N, N))
        before = files(tmp_path / "g")

        def stops(*_: Any) -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            KINDS[kind](graph, tmp_path, stops)
        assert files(tmp_path / "g") == before and graph.commit == 1
        KINDS[kind](graph, tmp_path, None)
        assert graph.commit == (1 if kind == "a dry run" else 2)


INTERRUPTED = """
import sys
from pathlib import Path
import numpy as np, pyarrow as pa, timeweft as tw

def files(folder):
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}

n = 100_000
at = np.arange(n)
columns = {
    "events": {"source": at % 1000, "destination": at % 997, "time": at},
    "lives": {"id": at, "created": at},
    "version": {"id": at, "since": at},
}[sys.argv[2]]
batch = pa.record_batch(columns)

def batches():
    print("begun", flush=True)
    for _ in range(10_000):
        yield batch

endless = pa.RecordBatchReader.from_batches(batch.schema, batches())
folder = Path(sys.argv[1])
graph = tw.create(folder, unit="s")
graph.load_events(pa.table({"source": [1], "destination": [2], "time": [3]}))
before = files(folder)
try:
    if sys.argv[2] == "events":
        graph.load_events(endless)
    elif sys.argv[2] == "lives":
        graph.load_intervals(nodes={"n": endless})
    else:
        graph.load_version(nodes={"n": endless}, namespace="n", version="1", timestamp=5)
except KeyboardInterrupt as stopped:
    assert isinstance(stopped, tw.errors.StoppedError), type(stopped)
    assert files(folder) == before, sorted(set(files(folder)) ^ set(before))
    graph.load_events(pa.table({"source": [1], "destination": [2], "time": [4]}))
    print("stopped", graph.commit, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("kind", ["events", "lives", "version"])
def test_ctrl_c_leaves_every_byte_as_it_was(kind: str, tmp_path: Path) -> None:
    env = os.environ | {"PYTHONPATH": str(Path(tw.__file__).parents[1])}
    command = [sys.executable, "-c", INTERRUPTED, str(tmp_path / "g"), kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        time.sleep(0.4)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert out == "stopped 2\n", err


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as a signal")
def test_a_training_that_is_stopped_in_its_first_epoch_leaves_every_byte_as_it_was(tmp_path: Path) -> None:
    def at_once(*_: object) -> None:
        raise KeyboardInterrupt

    with tw.create(tmp_path / "g", unit="s") as graph:
        # So many that a fast machine, too, is still in the first epoch when the signal comes.
        graph.load_events(interactions(50_000))
        before, handler = files(tmp_path / "g"), signal.signal(signal.SIGALRM, at_once)
        config = {"model": {"width": 256, "channels": 512}, "train": {"epochs": 1, "batch": 10, "negatives": 200, "window": 4}}
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            with pytest.raises(tw.errors.StoppedError, match="nothing is kept"):
                graph.train("m", target="link", config=config, progress=False)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, handler)
        assert files(tmp_path / "g") == before and graph.models() == []
