"""Forks, other processes, and graphs that travel to them."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

import timeweft as tw

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

IN_CHILD = """
import os, sys
import timeweft as tw

{before}
child = os.fork()
if child == 0:
    try:
        {asked}
    except tw.errors.ForkError as error:
        print(error, flush=True)
        # Leaves by the way on which objects are dropped.
        sys.exit(7)
    sys.exit(0)
_, status = os.waitpid(child, 0)
print("child", os.waitstatus_to_exitcode(status))
{after}
"""


def forked(asked: str, before: str = "graph = tw.create('g'); view = graph.view()", after: str = "") -> list[str]:
    """What a program told that asked something in a child. One that hangs fails."""
    program = IN_CHILD.format(before=before, asked=asked, after=after)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@needs_fork
@pytest.mark.parametrize(
    "asked",
    ["graph.commit", "graph.view()", "view.commit", "view == graph", "tw.open('g', mode='read')", "tw.create('other')"],
)
def test_the_first_call_of_a_child_is_a_fork_error(asked: str) -> None:
    if asked == "view == graph":
        asked = "hash(view)"
    message, code = forked(asked)
    assert "spawn" in message and "threads" in message
    assert code == "child 7"


@needs_fork
def test_a_child_leaves_the_lock_of_its_parent() -> None:
    for at, asked in enumerate(["graph.commit", "graph.close()", "del graph, view"]):
        other = f"import timeweft as tw; tw.open('g{at}')"
        after = f"import subprocess; print(subprocess.run([sys.executable, '-c', {other!r}], capture_output=True, text=True).stderr)"
        told = "\n".join(forked(asked, before=f"graph = tw.create('g{at}'); view = graph.view()", after=after))
        assert "LockedError" in told, (asked, told)


@needs_fork
def test_a_child_may_open_graphs_if_its_parent_has_opened_none() -> None:
    with tw.create("g"):
        pass
    assert forked("assert tw.open('g', mode='read').commit == 0", before="") == ["child 0"]


def commit_of(view: tw.View) -> tuple[int, int | None, str]:
    return view.commit, view.at, view.deletes


def test_views_travel_to_processes_that_were_spawned(tmp_path: Path) -> None:
    with tw.create("g", unit="s") as graph:
        view = graph.view(5, deletes="soft")
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
            assert list(pool.map(commit_of, [view] * 3)) == [(0, 5, "soft")] * 3


def test_views_come_back_equal_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tw.create("g", unit="s") as graph:
        view = graph.view("2004-06-01")
        sent = pickle.dumps(view)
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        back = pickle.loads(sent)
        assert back == view and hash(back) == hash(view) and back is not view
        assert back != graph.view("2004-06-02") and back != graph.view("2004-06-01", deletes="soft") and back != 1


def test_a_graph_travels_only_if_it_is_open_for_reading() -> None:
    with tw.create("g") as graph:
        with pytest.raises(TypeError, match="g: a graph that is open for writing stays in its process.*mode='read'"):
            pickle.dumps(graph)
        with tw.open("g", mode="read") as reader, pickle.loads(pickle.dumps(reader)) as back:
            assert back.read_only and back.commit == graph.commit
