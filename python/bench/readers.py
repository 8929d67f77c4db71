"""Readers in processes of their own beside a writer: how long a question takes, and whether its answer is right.

    python python/bench/readers.py

Makes a graph, opens it in four processes that each ask for samples again and again with a pause between, first while nothing
else runs, then while this process loads a million events and undoes the load. Prints the median and the 99th percentile of
the time that a question takes. Each answer is compared with the one that the same commit gave before; readers move to new
commits when they see them, and answers at those are compared over all readers and with a fresh one at the end.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import timeweft as tw

ROOTS, K = 1024, 10
# What a reader waits between two questions, in seconds.
PAUSE = 0.02


def table(nodes: int, edges: int, start: int) -> pa.Table:
    """New edges between random nodes, one a tick."""
    random = np.random.default_rng(start)
    ends = {end: random.integers(0, nodes, edges).astype(np.uint64) for end in ("source", "destination")}
    at = np.arange(start, start + edges)
    return pa.table({"time": at, "key": at.astype(str), **ends})


def answer(graph: tw.Graph, nodes: int, horizon: int, question: int) -> tuple[float, str]:
    """Seconds that a question takes, and a hash of its answer; `question` picks the roots."""
    random = np.random.default_rng(question)
    roots = random.integers(0, nodes, ROOTS).astype(np.uint32)
    times = random.integers(0, horizon, ROOTS)
    started = time.perf_counter()
    samples = graph.view().sample(roots, times, k=K)
    seconds = time.perf_counter() - started
    return seconds, hashlib.blake2b(samples.edges.tobytes() + samples.created.tobytes()).hexdigest()


def read(path: str, nodes: int, horizon: int) -> None:
    """A reader: answers until its input ends; prints phases as they come, and what it saw."""
    graph = tw.open(path, mode="read")
    seconds: dict[str, list[float]] = {}
    answers: dict[str, str] = {}
    differ = 0
    for phase, over in phases():
        for question in range(sys.maxsize):
            before = graph.commit
            if graph.refresh() != before:
                # The first question at a commit makes what the others use: it belongs to the move.
                seconds.setdefault(f"{phase}, first", []).append(answer(graph, nodes, horizon, 0)[0])
            took, found = answer(graph, nodes, horizon, question % 16)
            differ += answers.setdefault(f"{graph.commit} {question % 16}", found) != found
            seconds.setdefault(phase, []).append(took)
            time.sleep(PAUSE)
            if over.exists():
                break
    print(json.dumps({"seconds": seconds, "answers": answers, "differ": differ}))


def phases() -> Iterator[tuple[str, Path]]:
    """A phase a line of the input: its name, and a file that is there when it is over."""
    for line in sys.stdin:
        name, over = line.split("\t")
        yield name, Path(over.strip())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=100_000)
    parser.add_argument("--edges", type=int, default=1_000_000, help="edges before, and events of the load")
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument("--idle", type=float, default=10.0, help="seconds while nothing is loaded")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        read(args.one[0], int(args.one[1]), int(args.one[2]))
        return
    with tempfile.TemporaryDirectory() as scratch:
        beside(args, Path(scratch))


def beside(args: argparse.Namespace, scratch: Path) -> None:
    path = scratch / "graph"
    nodes, edges = args.nodes, args.edges
    graph = tw.create(path, unit="s")
    graph.load_events(table(nodes, edges, 0))
    graph.compact()
    command = [sys.executable, __file__, "--one", str(path), str(nodes), str(2 * edges)]
    readers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(args.readers)
    ]

    def phase(name: str, work: Callable[[], object]) -> None:
        over = scratch / name
        for reader in readers:
            assert reader.stdin is not None
            reader.stdin.write(f"{name}\t{over}\n")
            reader.stdin.flush()
        started = time.perf_counter()
        work()
        print(f"{name}: {time.perf_counter() - started:.1f} s")
        over.touch()
        time.sleep(1.0)

    more = table(nodes, edges, edges)
    phase("start", lambda: time.sleep(3.0))
    phase("idle", lambda: time.sleep(args.idle))
    phase("load", lambda: graph.load_events(more))
    loaded = graph.commit
    phase("rollback", lambda: graph.rollback(loaded))
    phase("idle again", lambda: time.sleep(args.idle))
    reports = [json.loads(reader.communicate()[0]) for reader in readers]
    compare(reports, path, nodes, 2 * edges)
    for name in ("idle", "load", "rollback", "idle again", "load, first", "rollback, first", "idle again, first"):
        took = np.concatenate([report["seconds"].get(name, []) for report in reports]) * 1e3
        if not len(took):
            continue
        middle, last = np.percentile(took, [50, 99])
        print(f"{name:<20}{len(took):>7} questions   median {middle:7.2f} ms   p99 {last:7.2f} ms")


def compare(reports: list[dict[str, dict[str, str]]], path: Path, nodes: int, horizon: int) -> None:
    """Every answer of every reader is what a fresh reader says at its commit."""
    differ = sum(report["differ"] for report in reports)
    commits: set[str] = set()
    for report in reports:
        for asked, found in report["answers"].items():
            commit, question = asked.split()
            commits.add(commit)
            with tw.open(path, mode="read", commit=int(commit)) as fresh:
                differ += answer(fresh, nodes, horizon, int(question))[1] != found
    print(f"commits seen: {', '.join(sorted(commits))}; answers that differ: {differ}")
    if differ:
        sys.exit(1)


if __name__ == "__main__":
    main()
