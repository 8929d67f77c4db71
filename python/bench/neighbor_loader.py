"""PyTorch Geometric's NeighborLoader with `time_attr` and TemporalLoader on a graph of which some edges end.

    python python/bench/neighbor_loader.py EVENTS --ended 0.3

EVENTS is a CSV with the columns src,dst,time, or a text of `source destination seconds`. A share of the edges ends at a random
time after its own. Each end of each of the last links is asked for its 10 last neighbors strictly before the link. An oracle
over the list of events says how many answers are right: an edge that had ended is a wrong answer, and one that is among the
last 10 that were there, but not returned, is a missing one. Where NeighborLoader does not run (it needs pyg-lib, which is not
on PyPI), what its documentation promises (edges up to the time of the seed, the last of them) is taken in its place, and has no
rate.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch_geometric.data import Data
from torch_geometric.loader import NeighborLoader

import timeweft as tw
from timeweft.torch import TemporalLoader

K = 10
Answers = list[set[int]]
"""The edges that each root was given, by their positions in the file."""


def read(path: Path) -> pd.DataFrame:
    if path.suffix == ".txt":
        return pd.read_csv(path, sep=" ", header=None, names=["src", "dst", "time"])
    return pd.read_csv(path, usecols=["src", "dst", "time"])


class Graph:
    """Links, of which some end, and the roots that are asked about."""

    def __init__(self, frame: pd.DataFrame, ended: float, links: int) -> None:
        draw = np.random.default_rng(1)
        ids, numbers = np.unique(frame[["src", "dst"]].to_numpy(), return_inverse=True)
        self.n_nodes, self.n = len(ids), len(frame)
        self.sources, self.destinations = numbers.reshape(-1, 2).T.astype(np.int64)
        self.times = frame.time.to_numpy(np.int64) - int(frame.time.iloc[0]) + 1
        never = np.iinfo(np.int64).max
        span = draw.integers(1, np.maximum(self.times[-1] - self.times, 1) + 1)
        self.removed = np.where(draw.random(self.n) < ended, self.times + span, never)
        self.roots = np.column_stack([self.sources[-links:], self.destinations[-links:]]).reshape(-1)
        self.asked = np.repeat(self.times[-links:], 2)
        at = np.argsort(np.concatenate([self.sources, self.destinations]), kind="stable")
        self._edges = at % self.n
        self._starts = np.searchsorted(np.concatenate([self.sources, self.destinations])[at], np.arange(self.n_nodes + 1))

    def edges_of(self, node: int) -> np.ndarray:
        """All that a node ever had, an edge to itself twice, in order of time."""
        return np.sort(self._edges[self._starts[node] : self._starts[node + 1]], kind="stable")

    def last(self, exact: bool) -> Answers:
        """The last edges of each root strictly before its time: those that were there, or those that had been created."""
        found: Answers = []
        for root, asked in zip(self.roots.tolist(), self.asked.tolist(), strict=True):
            own = self.edges_of(root)
            own = own[self.times[own] < asked]
            if exact:
                own = own[self.removed[own] >= asked]
            found.append(set(own[-K:].tolist()))
        return found

    def may_see(self, root: int, asked: int) -> set[int]:
        """The edges that were there, of which those of one time may stand for each other."""
        own = self.edges_of(root)
        own = own[(self.times[own] < asked) & (self.removed[own] >= asked)]
        return set(own[self.times[own] >= (self.times[own[-K]] if len(own) > K else 0)].tolist())


def by_pyg(graph: Graph) -> tuple[float, Answers]:
    ends = np.stack([np.concatenate([graph.sources, graph.destinations]), np.concatenate([graph.destinations, graph.sources])])
    data = Data(edge_index=torch.from_numpy(ends), num_nodes=graph.n_nodes)
    data.time = torch.from_numpy(np.tile(graph.times, 2))
    loader = NeighborLoader(
        data, [K], torch.from_numpy(graph.roots), torch.from_numpy(graph.asked - 1), time_attr="time",
        temporal_strategy="last", batch_size=400,
    )  # fmt: skip
    found: Answers = []
    took = 0.0
    running = iter(loader)
    while True:
        began = time.perf_counter()
        batch = next(running, None)
        took += time.perf_counter() - began
        if batch is None:
            return took, found
        own: Answers = [set() for _ in range(batch.batch_size)]
        for (_, center), edge in zip(batch.edge_index.t().tolist(), batch.e_id.tolist(), strict=True):
            own[int(batch.batch[center])].add(edge % graph.n)
        found += own


def by_timeweft(graph: Graph, folder: Path) -> tuple[float, Answers]:
    rows = np.arange(graph.n)
    ended = rows[graph.removed < np.iinfo(np.int64).max]
    frame = pd.DataFrame(
        {
            "time": np.concatenate([graph.times, graph.removed[ended]]),
            "action": ["create"] * graph.n + ["delete"] * len(ended),
            "source": graph.sources[np.concatenate([rows, ended])],
            "destination": graph.destinations[np.concatenate([rows, ended])],
            "key": np.concatenate([rows, ended]).astype(str),
        }
    ).sort_values("time", kind="stable")
    store = tw.create(folder / "graph", unit="step")
    store.load_events(frame, dangling="stub")
    view = store.view()
    edges = view._core.edge_lives([0], 2**63 - 1)
    position = np.empty(graph.n, np.int64)
    position[edges[0]] = np.arange(graph.n)  # Edges are numbered as they were created, and lives are sorted so.
    roots = view.indices("node", graph.roots)
    loader = TemporalLoader(view, (roots, graph.asked), k=K, batch_size=400)
    found: Answers = []
    took = 0.0
    running = iter(loader)
    while True:
        began = time.perf_counter()
        batch: Any = next(running, None)
        took += time.perf_counter() - began
        if batch is None:
            return took, found
        own: Answers = [set() for _ in range(len(batch.input_id))]
        of_root = batch["node"].batch
        for triple in batch.edge_types:
            store_of = batch[triple]
            for center, edge in zip(store_of.edge_index[1].tolist(), store_of.e_id.tolist(), strict=True):
                own[int(of_root[center])].add(int(position[edge]))
        found += own


def judged(graph: Graph, answers: Answers, exact: Answers) -> tuple[float, float, float]:
    """Shares: of the edges that are wrong, of the right ones that are missing, of the roots with either."""
    wrong = missing = roots = given = wanted = 0
    for row, (own, right) in enumerate(zip(answers, exact, strict=True)):
        may = graph.may_see(int(graph.roots[row]), int(graph.asked[row]))
        bad = len(own - may)
        lost = max(len(right) - len(own & may), 0)
        wrong, missing, roots = wrong + bad, missing + lost, roots + bool(bad or lost)
        given, wanted = given + len(own), wanted + len(right)
    return wrong / max(given, 1), missing / max(wanted, 1), roots / len(answers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("events", type=Path)
    parser.add_argument("--ended", type=float, default=0.3, help="the share of edges that end")
    parser.add_argument("--links", type=int, default=5000, help="how many of the last links are asked about")
    args = parser.parse_args()
    graph = Graph(read(args.events), args.ended, args.links)
    exact = graph.last(exact=True)
    rows: list[tuple[str, str, tuple[float, float, float]]] = []
    with tempfile.TemporaryDirectory() as folder:
        took, answers = by_timeweft(graph, Path(folder))
    rows.append(("TemporalLoader", f"{len(answers) / took:,.0f}", judged(graph, answers, exact)))
    try:
        took, answers = by_pyg(graph)
        rows.append(("NeighborLoader", f"{len(answers) / took:,.0f}", judged(graph, answers, exact)))
    except ImportError as error:
        print(f"NeighborLoader: {error}")
        rows.append(("NeighborLoader, as documented", "-", judged(graph, graph.last(exact=False), exact)))
    print(f"\n{args.events.name}: {graph.n:,} links, {args.ended:.0%} of them end; {len(graph.roots):,} roots, k = {K}")
    print("| loader | roots/s | edges that had ended | right edges missing | roots with a wrong answer |")
    print("|---|---|---|---|---|")
    for name, rate, shares in rows:
        print(f"| {name} | {rate} | " + " | ".join(f"{share:.2%}" for share in shares) + " |")


if __name__ == "__main__":
    main()
