"""Rates of `View.sample`, beside those of the library in Rust on the same graph and roots, in turns.

    cargo build --release -p timeweft-bench
    python python/bench/sampling.py target/release/timeweft-bench

It makes a graph of 10 million edges in a temporary folder, once, and prints millions of roots a second.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import timeweft as tw

HORIZON = 1_000_000
K, CALLS = 10, 15
# Fewer roots than the library spreads over threads of its own: what a loader asks for at once.
BATCH = 1024
ROUNDS = 4


def seconds_of(ask: Callable[[], object]) -> float:
    taken: list[float] = []
    for _ in range(CALLS):
        started = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def rates(folder: str, roots: int) -> dict[str, float]:
    """Seconds of one call in this process, and roots a second of one thread and of two."""
    view = tw.open(folder, mode="read").view()
    at = np.arange(roots, dtype=np.uint64) * 2_654_435_761
    nodes = (at % np.uint64(len(view.nodes()))).astype(np.uint32)
    times = (at % np.uint64(HORIZON)).astype(np.int64)
    out = tw.Samples.empty(roots, K)
    seconds = {
        "fresh": seconds_of(lambda: view.sample(nodes, times, k=K)),
        "again": seconds_of(lambda: view.sample(nodes, times, k=K, out=out)),
    }

    def ask(thread: int, threads: int) -> None:
        own = tw.Samples.empty(BATCH, K)
        # Long enough that beginning a thread does not count.
        for start in [*range(thread * BATCH, roots - BATCH, threads * BATCH)] * ROUNDS:
            part = slice(start, start + BATCH)
            view.sample(nodes[part], times[part], k=K, first_root=start, out=own)

    for threads in (1, 2):

        def all_of_them(threads: int = threads) -> None:
            running = [threading.Thread(target=ask, args=(at, threads)) for at in range(threads)]
            for thread in running:
                thread.start()
            for thread in running:
                thread.join()

        seconds[f"batches, {threads}"] = seconds_of(all_of_them) / ROUNDS
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bench", help="the program timeweft-bench")
    parser.add_argument("--nodes", type=int, default=1_000_000)
    parser.add_argument("--roots", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(rates(args.one, args.roots)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = str(Path(scratch) / "graph")
        size = ["--nodes", str(args.nodes), "--degree", "10", "--roots", str(args.roots)]
        subprocess.run([args.bench, "sampling", *size, "--one", "load", folder], check=True, stdout=subprocess.DEVNULL)
        for threads in ("1", "2"):
            environment = {**os.environ, "RAYON_NUM_THREADS": threads}
            in_rust = [args.bench, "sampling", *size, "--one", "call", folder]
            in_python = [sys.executable, __file__, args.bench, "--roots", str(args.roots), "--one", folder]
            found: dict[str, list[float]] = {}
            for _ in range(args.runs):
                for name, command in (("rust", in_rust), ("python", in_python)):
                    answer = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
                    for what, seconds in json.loads(answer.stdout).items():
                        found.setdefault(f"{name} {what}", []).append(seconds)
            print(f"{threads} threads of the library; millions of roots a second")
            for name, seconds in found.items():
                print(f"  {name:<20}{args.roots / statistics.median(seconds) / 1e6:8.2f}")


if __name__ == "__main__":
    main()
