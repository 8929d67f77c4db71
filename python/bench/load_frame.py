"""`load_events` of an Arrow table beside the same rows from Parquet by the command line: rows a second, and peak memory.

    TIMEWEFT_PROGRAM=target/release/timeweft python python/bench/load_frame.py 10_000_000

The table is made in chunks in a process of its own, which then loads it; its peak is told with and without the table. The
command line is the program that TIMEWEFT_PROGRAM names.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

CHUNK = 131_072
MIB = 1 << 20


def table(n: int) -> Any:
    """`n` interactions in order of time, of a tenth as many sources, in chunks."""
    import numpy as np
    import pyarrow as pa

    draw = np.random.default_rng(7)
    batches: list[Any] = []
    for start in range(0, n, CHUNK):
        size = min(CHUNK, n - start)
        columns = {
            "time": np.arange(start, start + size, dtype=np.int64),
            "source": draw.integers(0, max(1, n // 10), size, dtype=np.int64),
            "destination": draw.integers(0, max(1, n // 100), size, dtype=np.int64),
            "weight": draw.random(size, dtype=np.float32),
        }
        batches.append(pa.record_batch(columns))
    return pa.Table.from_batches(batches)


def resident() -> int:
    """Bytes of memory that this process has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


class Peak:
    """The most memory that this process had while something ran."""

    def __enter__(self) -> Peak:
        self.most, self._over = resident(), threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)
        self._watch.start()
        return self

    def _look(self) -> None:
        while not self._over.wait(0.02):
            self.most = max(self.most, resident())

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watch.join()
        self.most = max(self.most, resident())


def load(n: int, folder: str) -> None:
    """In a process of its own: loads the table, and tells what that took."""
    import timeweft as tw

    rows = table(n)
    with tw.create(Path(folder, "frame"), unit="s") as graph:
        before = resident()
        with Peak() as peak:
            start = time.perf_counter()
            report = graph.load_events(rows)
            took = time.perf_counter() - start
        assert report.edges.created == n, report
    print(json.dumps({"seconds": took, "before": before, "peak": peak.most, "table": rows.nbytes}))


def told(name: str, n: int, seconds: float, peak: int, more: str = "") -> None:
    print(f"{name:<14} {n / seconds / 1e6:6.3f} M rows/s  {seconds:7.2f} s  peak {peak / MIB:8.0f} MiB{more}", flush=True)


def main() -> None:
    n = int(sys.argv[1].replace("_", "")) if len(sys.argv) > 1 else 1_000_000
    program = os.environ.get("TIMEWEFT_PROGRAM")
    with tempfile.TemporaryDirectory() as folder:
        import pyarrow.parquet as pq

        pq.write_table(table(n), Path(folder, "rows.parquet"), row_group_size=CHUNK, compression="zstd")
        child = [sys.executable, __file__, str(n), folder]
        said = json.loads(subprocess.run(child, check=True, capture_output=True, text=True).stdout)
        more = f"  ({(said['peak'] - said['before']) / MIB:.0f} MiB above the table and what was there)"
        told("frame", n, said["seconds"], said["peak"], more)
        if program is None:
            print("command line   left out: TIMEWEFT_PROGRAM names no program")
            return
        command = [program, "load", "events", str(Path(folder, "rows.parquet")), "--unit", "s", "--graph", str(Path(folder, "file"))]
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - start
        if status != 0:
            sys.exit(f"{' '.join(command)}: exit code {os.waitstatus_to_exitcode(status)}")
        told("command line", n, took, usage.ru_maxrss * 1024, "  (with the snapshot that it writes behind a large load)")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        load(int(sys.argv[1]), sys.argv[2])
    else:
        main()
