"""Readers beside a writer that is killed at any moment: each sees the graph as of a commit, never half of one."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

import timeweft as tw

pa = pytest.importorskip("pyarrow")

# How many writers are killed; `TIMEWEFT_KILLS=100` for all that is promised.
KILLS = int(os.environ.get("TIMEWEFT_KILLS", "5"))
ROWS = 300
# Each so many commits the newest load is undone.
UNDONE = 5

WRITER = """
import sys
import test_kills
test_kills.write(sys.argv[1])
"""


def write(path: str) -> None:
    """Loads, undoes loads and compacts until it is killed; what a commit does follows from its number."""
    with tw.open(path) as graph:
        while True:
            commit = graph.commit + 1
            if commit % UNDONE == 0:
                graph.rollback(loads_at(commit - 1)[-1])
            else:
                graph.load_events(rows(commit))
            assert graph.commit == commit
            print(commit, flush=True)
            if commit % 13 == 0:
                graph.compact()


def rows(commit: int) -> pa.Table:
    """The events that a commit loads: `ROWS` new edges, all of a time of their own."""
    at = range(commit * ROWS, (commit + 1) * ROWS)
    return pa.table({
        "time": list(at),
        "source": [f"s{number % 97}" for number in at],
        "destination": [f"d{number % 89}" for number in at],
        "key": [str(number) for number in at],
    })  # fmt: skip


def loads_at(commit: int) -> list[int]:
    """The commits whose loads are there at a commit."""
    there: list[int] = []
    for number in range(1, commit + 1):
        if number % UNDONE == 0:
            there.pop()
        else:
            there.append(number)
    return there


def expect(graph: tw.Graph) -> None:
    """The graph is what its commit says, whole."""
    loads = loads_at(graph.commit)
    created = sorted(graph.view().edges()["created"].astype("int64").tolist())
    assert created == [at for load in loads for at in range(load * ROWS, (load + 1) * ROWS)], graph.commit


def killed_after(path: Path, seconds: float) -> int:
    """Starts a writer and kills it; the last commit that it told."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as writer:
        assert writer.stdout is not None
        told = [writer.stdout.readline()]
        time.sleep(seconds)
        writer.kill()
        told += writer.stdout.readlines()
    whole = [line for line in told if line.endswith("\n")]
    assert whole, "the writer did not come to its first commit"
    return int(whole[-1])


def test_a_writer_that_is_killed_breaks_no_reader() -> None:
    path, moments = Path("g").absolute(), random.Random(7)
    tw.create(path, unit="s").close()
    with tw.open(path, mode="read") as standing:
        for _ in range(KILLS):
            told = killed_after(path, moments.uniform(0.0, 0.2))
            before = standing.commit
            expect(standing)
            with tw.open(path, mode="read") as fresh:
                assert fresh.commit >= told
                expect(fresh)
                assert standing.refresh() == fresh.commit > before
            expect(standing)
    with tw.open(path) as writer:
        expect(writer)
        assert writer.verify().sound
