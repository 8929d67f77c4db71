"""Graphs that are locked, closed, missing, damaged or in a folder that cannot be written."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import timeweft as tw
from timeweft import errors


def test_a_graph_that_is_written_elsewhere_says_by_whom() -> None:
    with tw.create("g"):
        done = subprocess.run(
            [sys.executable, "-c", "import timeweft as tw; tw.open('g')"], capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("timeweft.errors.LockedError: ") and str(os.getpid()) in last and "g:" in last


def test_it_is_open_to_others_behind_its_end() -> None:
    graph = tw.create("g")
    graph.close()
    graph.close()
    with tw.open("g") as again:
        assert again.commit == 0
    with pytest.raises(errors.ClosedError, match="closed.*open"):
        again.view()
    with pytest.raises(errors.ClosedError):
        _ = graph.commit


def test_what_is_missing_and_what_is_there_is_said_with_the_way_out() -> None:
    with pytest.raises(errors.MissingError, match="nowhere.*there is no graph"):
        tw.open("nowhere")
    with pytest.raises(errors.MissingError, match="nowhere"):
        tw.open("nowhere", mode="read")
    with tw.create("g"):
        pass
    with pytest.raises(errors.ExistsError, match="g: there is a graph already"):
        tw.create("g")


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(errors.TimeError, match="unit"):
        tw.create("g", unit="weeks")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="mode.*'append'"):
        tw.open("g", mode="append")  # type: ignore[arg-type]
    with tw.create("g") as graph:
        with pytest.raises(ValueError, match="commit.*mode='read'"):
            tw.open("g", commit=3)
        with pytest.raises(ValueError, match="deletes.*'some'"):
            graph.view(deletes="some")  # type: ignore[arg-type]
        with pytest.raises(errors.CommitGoneError, match="3"):
            tw.open("g", mode="read", commit=3)
        with pytest.raises(errors.CommitGoneError, match="3"):
            graph.view(commit=3)


def test_a_damaged_catalogue_is_named() -> None:
    with tw.create("g"):
        pass
    catalogue = Path("g/catalogue.redb")
    catalogue.write_bytes(b"x" * 5000)
    with pytest.raises(errors.StoreError, match="catalogue.redb"):
        tw.open("g")


@pytest.mark.usefixtures("as_other_user")
def test_a_folder_that_cannot_be_written_is_read() -> None:
    with tw.create("g"):
        pass
    before = os.stat("g").st_mode
    os.chmod("g", stat.S_IRUSR | stat.S_IXUSR)
    try:
        with tw.open("g", mode="read") as graph:
            assert graph.read_only and graph.view().commit == 0
    finally:
        os.chmod("g", before)


def test_reading_leaves_a_copy_of_the_folder_as_it_is() -> None:
    with tw.create("g"):
        pass
    shutil.copytree("g", "copy")
    before = {path: path.stat().st_mtime_ns for path in Path("copy").rglob("*")}
    with tw.open("copy", mode="read") as graph:
        graph.view()
    assert {path: path.stat().st_mtime_ns for path in Path("copy").rglob("*")} == before


def test_threads_open_and_look_at_once() -> None:
    failures: list[BaseException] = []

    def look() -> None:
        try:
            for _ in range(20):
                with tw.open("g", mode="read") as own:
                    assert own.view().commit == shared.view().commit == 0
        except BaseException as error:
            failures.append(error)

    with tw.create("g") as shared:
        threads = [threading.Thread(target=look) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failures
