"""Rates of loading the 10 last neighbors of both ends of each link, by timeweft and by what else is installed of
LastNeighborLoader (torch_geometric), TGM (`pip install --pre tgm-lib`) and raphtory, on the same file, with nothing trained.

    python python/bench/loaders.py EVENTS

EVENTS is a CSV with the columns src,dst,time, or a text of `source destination seconds`. LastNeighborLoader, TGM and
TemporalLoader go through all links in batches of 200; LastNeighborLoader sees what was before the batch, TGM what was before
the batch and the link, TemporalLoader what was strictly before the link (event) or the batch. raphtory has no loader of
batches: it is asked for the edges of each node before a time, of some links only. Prints a table.
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch

import timeweft as tw

K, BATCH = 10, 200


class Links:
    def __init__(self, path: Path) -> None:
        if path.suffix == ".txt":
            frame = pd.read_csv(path, sep=" ", header=None, names=["src", "dst", "time"])
        else:
            frame = pd.read_csv(path, usecols=["src", "dst", "time"])
        ids, numbers = np.unique(frame[["src", "dst"]].to_numpy(), return_inverse=True)
        self.sources, self.destinations = numbers.reshape(-1, 2).T.astype(np.int64)
        self.times = frame.time.to_numpy(np.int64) - int(frame.time.iloc[0])
        self.n_nodes, self.n = len(ids), len(frame)

    def frame(self) -> pd.DataFrame:
        return pd.DataFrame({"source": self.sources, "destination": self.destinations, "time": self.times})


def timeweft(links: Links, freshness: str, prefetch: int) -> Callable[[], int]:
    from timeweft.torch import TemporalLoader

    graph = tw.create(Path(tempfile.mkdtemp()) / "graph", unit="step")
    graph.load_events(links.frame(), repeats="parallel")
    view = graph.view()

    def once() -> int:
        loader = TemporalLoader(
            view, relation="link", k=K, batch_size=BATCH, cut="count", prefetch=prefetch,
            freshness=freshness, joint=freshness == "batch",
        )  # fmt: skip
        return sum(len(batch.input_id) for batch in loader)

    return once


def last_neighbor_loader(links: Links) -> Callable[[], int]:
    from torch_geometric.nn.models.tgn import LastNeighborLoader

    sources, destinations = torch.from_numpy(links.sources), torch.from_numpy(links.destinations)
    loader = LastNeighborLoader(links.n_nodes, size=K)

    def once() -> int:
        loader.reset_state()
        for start in range(0, links.n, BATCH):
            own = slice(start, start + BATCH)
            loader(torch.cat([sources[own], destinations[own]]).unique())
            loader.insert(sources[own], destinations[own])
        return links.n

    return once


def tgm(links: Links) -> Callable[[], int]:
    from tgm import DGraph
    from tgm.data import DGData, DGDataLoader
    from tgm.hooks import HookManager, RecencyNeighborHook

    ends = torch.from_numpy(np.stack([links.sources, links.destinations], axis=1).astype(np.int32))
    data = DGData.from_raw(edge_time=torch.from_numpy(links.times), edge_index=ends, edge_x=torch.zeros(links.n, 1))
    hook = RecencyNeighborHook(links.n_nodes, [K], ["edge_src", "edge_dst"], ["edge_time", "edge_time"])
    hooks = HookManager(["links"])
    hooks.register("links", hook)

    def once() -> int:
        hook.reset_state()
        with hooks.activate("links"):
            return sum(len(batch.edge_src) for batch in DGDataLoader(DGraph(data), BATCH, hook_manager=hooks))

    return once


def raphtory(links: Links) -> Callable[[], int]:
    from raphtory import Graph

    graph = Graph()
    graph.load_edges(links.frame(), time="time", src="source", dst="destination")
    some = np.random.default_rng(1).choice(links.n, min(300, links.n), replace=False)

    def once() -> int:
        for at in some.tolist():
            for node in (int(links.sources[at]), int(links.destinations[at])):
                edges = graph.node(node).before(int(links.times[at])).edges.explode()
                sorted(((edge.time, edge.nbr.id) for edge in edges), key=lambda own: own[0])[-K:]
        return len(some)

    return once


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("events", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    links = Links(args.events)
    peers: list[tuple[str, str, Callable[[], Callable[[], int]]]] = [
        ("TemporalLoader, event", "torch_geometric", lambda: timeweft(links, "event", 2)),
        ("TemporalLoader, batch", "torch_geometric", lambda: timeweft(links, "batch", 2)),
        ("TemporalLoader, batch, no threads", "torch_geometric", lambda: timeweft(links, "batch", 0)),
        ("LastNeighborLoader, batch", "torch_geometric", lambda: last_neighbor_loader(links)),
        ("TGM RecencyNeighborHook, event within batches", "tgm", lambda: tgm(links)),
        ("raphtory, before(t) of each root", "raphtory", lambda: raphtory(links)),
    ]
    ready = []
    for name, module, make in peers:
        if importlib.util.find_spec(module) is None:
            print(f"left out: {name}: {module} is not installed")
        else:
            ready.append((name, make(), []))
    for _ in range(args.runs):  # All in turn, so that they meet the same machine.
        for _, once, rates in ready:
            began = time.perf_counter()
            n = once()
            rates.append(n / (time.perf_counter() - began))
    print(f"\n{args.events.name}: {links.n:,} links, k = {K}, batches of {BATCH}, median of {args.runs} runs")
    print("| loader | links/s |\n|---|---|")
    for name, _, rates in ready:
        print(f"| {name} | {np.median(rates):,.0f} |")


if __name__ == "__main__":
    main()
