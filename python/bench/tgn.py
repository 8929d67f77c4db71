"""PyTorch Geometric's TGN with its own LastNeighborLoader, and the same model on TemporalLoader, side by side.

    python python/bench/tgn.py EVENTS --epochs 5 --seeds 1 2 3
    python python/bench/tgn.py EVENTS --epochs 1 --profile

EVENTS is a CSV with the columns src,dst,time (sorted by time, f0,f1,.. are features of the edges), or a text of
`source destination seconds`. Both see what was before each batch of 200 (`freshness="batch"`), train on the first 70 %, and
are ranked on the next 15 % and the last 15 %; borders move to the next change of time, or are at --borders. Each event is
ranked among --candidates destinations, drawn by splitmix64 of its position; 0 takes all destinations but those that the
source also reaches at that time. Epochs alternate, so that both meet the same machine. Prints a table.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch_geometric.nn import TGNMemory, TransformerConv
from torch_geometric.nn.models.tgn import IdentityMessage, LastAggregator, LastNeighborLoader

import timeweft as tw
from timeweft._draws import splitmix64
from timeweft.torch import TemporalLoader


@dataclass
class Events:
    """A stream of links between the numbers 0 .. n_nodes - 1."""

    sources: np.ndarray
    destinations: np.ndarray
    times: np.ndarray
    msg: np.ndarray
    n_nodes: int
    pool: np.ndarray
    """Destinations, ascending."""
    borders: tuple[int, int]

    @classmethod
    def read(cls, path: Path, borders: tuple[float, float] | None, first: int | None) -> Events:
        if path.suffix == ".txt":
            frame = pd.read_csv(path, sep=" ", header=None, names=["src", "dst", "time"])
        else:
            frame = pd.read_csv(path)
        frame = frame[:first]
        columns = [name for name in frame.columns if name not in ("src", "dst", "time")]
        msg = frame[columns].to_numpy(np.float32) if columns else np.zeros((len(frame), 1), np.float32)
        times = frame.time.to_numpy(np.int64)
        ids, numbers = np.unique(frame[["src", "dst"]].to_numpy(), return_inverse=True)
        sources, destinations = numbers.reshape(-1, 2).T
        if borders is None:
            cuts = [int(np.searchsorted(times, times[int(len(times) * part) - 1], "right")) for part in (0.70, 0.85)]
        else:
            cuts = [int(np.searchsorted(times, border, "right")) for border in borders]
        pool = np.unique(destinations)
        return cls(sources, destinations, times - times[0], msg, len(ids), pool, (cuts[0], cuts[1]))

    def candidates(self, start: int, end: int, count: int) -> np.ndarray:
        """(end - start, n) destinations that are not the true one; -1 where there is none."""
        if count == 0:
            return self._all_others(start, end)
        found = np.empty((end - start, count), np.int64)
        filled, draws = np.zeros(end - start, np.int64), 0
        positions = np.arange(start, end, dtype=np.uint64)
        while (filled < count).any():
            words = splitmix64(np.uint64(1 << 48) ^ (positions << np.uint64(16)) ^ np.uint64(draws))
            drawn = self.pool[(words % np.uint64(len(self.pool))).astype(np.int64)]
            rows = np.flatnonzero((drawn != self.destinations[start:end]) & (filled < count))
            found[rows, filled[rows]] = drawn[rows]
            filled[rows] += 1
            draws += 1
        return found

    def _all_others(self, start: int, end: int) -> np.ndarray:
        found = np.tile(self.pool, (end - start, 1))
        at = {(s, t): set() for s, t in zip(self.sources[start:end], self.times[start:end], strict=True)}
        for source, destination, tick in zip(self.sources, self.destinations, self.times, strict=True):
            if (source, tick) in at:
                at[source, tick].add(destination)
        for row in range(end - start):
            found[row, np.isin(self.pool, list(at[self.sources[start + row], self.times[start + row]]))] = -1
        return found


class Batch(NamedTuple):
    """What the model takes: the nodes of a neighborhood, its edges, and the links of the batch."""

    nodes: Tensor
    edge_index: Tensor
    edge_time: Tensor
    edge_msg: Tensor
    sources: Tensor
    """Places among the nodes: of sources, destinations, and (B, n) others, -1 where there is none."""
    destinations: Tensor
    others: Tensor
    times: Tensor
    msg: Tensor


class OwnLoader:
    """LastNeighborLoader, fed as PyTorch Geometric's example feeds it."""

    name = "LastNeighborLoader"

    def __init__(self, events: Events, size: int, batch_size: int) -> None:
        self.events, self.batch_size = events, batch_size
        self.neighbors: Any = LastNeighborLoader(events.n_nodes, size=size)
        self.assoc = torch.empty(events.n_nodes, dtype=torch.long)
        self.columns = [torch.from_numpy(of) for of in (events.sources, events.destinations, events.times, events.msg)]

    def reset(self) -> None:
        self.neighbors.reset_state()

    def batches(self, start: int, end: int, others: np.ndarray) -> Iterator[Batch]:
        sources, destinations, times, msg = self.columns
        for first in range(start, end, self.batch_size):
            own = slice(first, min(first + self.batch_size, end))
            wrong = torch.from_numpy(others[own.start - start : own.stop - start])
            asked = torch.cat([sources[own], destinations[own], wrong[wrong >= 0]]).unique()
            nodes, edge_index, edges = self.neighbors(asked)
            self.assoc[nodes] = torch.arange(len(nodes))
            places = torch.where(wrong >= 0, self.assoc[wrong.clamp(min=0)], -1)
            yield Batch(
                nodes, edge_index, times[edges], msg[edges], self.assoc[sources[own]], self.assoc[destinations[own]],
                places, times[own], msg[own],
            )  # fmt: skip
            self.neighbors.insert(sources[own], destinations[own])


class ExactNeighbors:
    """What LastNeighborLoader is meant to be, slow: that one keeps other than the last links of a node that has more links
    within a batch than it keeps.
    """

    def __init__(self, n_nodes: int, size: int) -> None:
        self.size = size
        self.assoc = torch.empty(n_nodes, dtype=torch.long)
        self.reset_state()

    def reset_state(self) -> None:
        self.kept: dict[int, deque[tuple[int, int]]] = {}
        self.n = 0

    def __call__(self, asked: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        rows = [(near, node, edge) for node in asked.tolist() for near, edge in self.kept.get(node, ())]
        near, centers, edges = torch.tensor(rows, dtype=torch.long).reshape(-1, 3).T
        nodes = torch.cat([asked, near]).unique()
        self.assoc[nodes] = torch.arange(len(nodes))
        return nodes, torch.stack([self.assoc[near], self.assoc[centers]]), edges

    def insert(self, sources: Tensor, destinations: Tensor) -> None:
        for source, destination in zip(sources.tolist(), destinations.tolist(), strict=True):
            for node, other in ((source, destination), (destination, source)):
                self.kept.setdefault(node, deque(maxlen=self.size)).append((other, self.n))
            self.n += 1


class ExactLoader(OwnLoader):
    """The same with the neighbors that are meant."""

    name = "exact last neighbors, slow"

    def __init__(self, events: Events, size: int, batch_size: int) -> None:
        super().__init__(events, size, batch_size)
        self.neighbors = ExactNeighbors(events.n_nodes, size)


class WeftLoader:
    """TemporalLoader on the same events."""

    name = "TemporalLoader"

    def __init__(self, events: Events, size: int, batch_size: int, folder: Path) -> None:
        self.events, self.size, self.batch_size = events, size, batch_size
        self.width = events.msg.shape[1]
        columns = {"source": events.sources, "destination": events.destinations, "time": events.times}
        frame = pd.DataFrame({name: of.astype(np.int64) for name, of in columns.items()})
        frame["msg"] = list(events.msg)
        graph = tw.create(folder / "graph", unit="step")
        graph.load_events(frame, repeats="parallel")
        self.view = graph.view()
        self.numbers = self.view.indices("node", np.arange(events.n_nodes))
        created = self.view.to_temporal_data().t.numpy()
        assert np.array_equal(created, events.times), "the graph has the events in their order"

    def reset(self) -> None:
        pass

    def batches(self, start: int, end: int, others: np.ndarray) -> Iterator[Batch]:
        times = self.events.times
        until = None if end == len(times) else int(times[end])
        wrong = np.where(others >= 0, self.numbers[others.clip(min=0)], tw.NO_NODE).astype(np.uint32)
        loader = TemporalLoader(
            self.view, relation="link", between=(int(times[start]), until), k=self.size, batch_size=self.batch_size,
            negatives=wrong, joint=True, freshness="batch", cut="count", edge_features={"link": {"msg": self.width}},
        )  # fmt: skip
        for data in loader:
            own, link = data["node"], data["node", "link", "node"]
            both = [link, data["node", "rev_link", "node"]]
            n = len(link.input_edge)
            places = torch.full((n, others.shape[1]), -1)
            given = others[data.input_id[0] : data.input_id[-1] + 1]
            places[torch.from_numpy(given >= 0)] = link.edge_label_index[1, n:]
            yield Batch(
                own.n_id,
                torch.cat([of.edge_index for of in both], dim=1),
                torch.cat([of.edge_time for of in both]),
                torch.cat([of.edge_attr for of in both]),
                link.edge_label_index[0, :n],
                link.edge_label_index[1, :n],
                places,
                data.seed_time,
                link.edge_label_attr,
            )


class Embedding(nn.Module):
    """One layer of attention over the most recent neighbors."""

    def __init__(self, dim: int, msg_dim: int, time_enc: Any) -> None:
        super().__init__()
        self.time_enc = time_enc
        self.conv = TransformerConv(dim, dim // 2, heads=2, dropout=0.1, edge_dim=msg_dim + time_enc.out_channels)

    def forward(self, x: Tensor, last: Tensor, batch: Batch) -> Tensor:
        age = (last[batch.edge_index[0]] - batch.edge_time).to(x.dtype)
        return self.conv(x, batch.edge_index, torch.cat([self.time_enc(age), batch.edge_msg], dim=-1))


class Predictor(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.source, self.destination, self.out = nn.Linear(dim, dim), nn.Linear(dim, dim), nn.Linear(dim, 1)

    def forward(self, source: Tensor, destination: Tensor) -> Tensor:
        return self.out((self.source(source) + self.destination(destination)).relu()).squeeze(-1)


class Tgn(nn.Module):
    """TGN as PyTorch Geometric's example has it."""

    def __init__(self, n_nodes: int, msg_dim: int, dim: int) -> None:
        super().__init__()
        message = IdentityMessage(msg_dim, dim, dim)
        self.memory = TGNMemory(n_nodes, msg_dim, dim, dim, message_module=message, aggregator_module=LastAggregator())
        self.embedding = Embedding(dim, msg_dim, self.memory.time_enc)
        self.link = Predictor(dim)
        self.optimizer = torch.optim.Adam(self.parameters(), lr=1e-4)

    def embed(self, batch: Batch) -> Tensor:
        x, last = self.memory(batch.nodes)
        return self.embedding(x, last, batch)

    def take_in(self, batch: Batch) -> None:
        self.memory.update_state(
            batch.nodes[batch.sources], batch.nodes[batch.destinations], batch.times, batch.msg
        )

    def epoch(self, batches: Iterator[Batch]) -> None:
        self.train()
        self.memory.reset_state()
        lossy = nn.BCEWithLogitsLoss()
        for batch in batches:
            self.optimizer.zero_grad()
            z = self.embed(batch)
            right = self.link(z[batch.sources], z[batch.destinations])
            wrong = self.link(z[batch.sources], z[batch.others[:, 0]])
            loss = lossy(right, torch.ones_like(right)) + lossy(wrong, torch.zeros_like(wrong))
            self.take_in(batch)
            loss.backward()
            self.optimizer.step()
            self.memory.detach()

    @torch.no_grad()
    def mrr(self, batches: Iterator[Batch]) -> float:
        self.eval()
        ranks: list[Tensor] = []
        for batch in batches:
            z = self.embed(batch)
            right = self.link(z[batch.sources], z[batch.destinations])[:, None]
            n, width = batch.others.shape
            others = z[batch.others.clamp(min=0).flatten()]
            wrong = self.link(z[batch.sources].repeat_interleave(width, 0), others).view(n, width)
            wrong = wrong.masked_fill(batch.others < 0, -torch.inf)
            ranks.append(1 + (wrong > right).sum(1) + (wrong == right).sum(1) / 2)
            self.take_in(batch)
        return float((1 / torch.cat(ranks).double()).mean())


def alone(loader: Any, events: Events, negatives: np.ndarray) -> float:
    """Seconds to make all batches of the training part, with nothing else."""
    loader.reset()
    began = time.perf_counter()
    for _ in loader.batches(0, events.borders[0], negatives):
        pass
    return time.perf_counter() - began


def run(args: argparse.Namespace, events: Events, folder: Path) -> list[dict[str, Any]]:
    n, (valid, test) = len(events.times), events.borders
    how = (events, args.neighbors, args.batch)
    loaders: list[Any] = [OwnLoader(*how), WeftLoader(*how, folder)]
    if args.exact:
        loaders.append(ExactLoader(*how))
    ranked = [(a, b, events.candidates(a, b, args.candidates)) for a, b in ((valid, test), (test, n))]
    rows: list[dict[str, Any]] = []
    for seed in args.seeds:
        models = []
        for _ in loaders:
            torch.manual_seed(seed)
            models.append(Tgn(events.n_nodes, events.msg.shape[1], args.dim))
        for epoch in range(1, args.epochs + 1):
            draw = np.random.default_rng([seed, epoch])
            negatives = draw.choice(events.pool, (valid, 1))
            for loader, model in [*zip(loaders, models, strict=True)][:: 1 if epoch % 2 else -1]:
                torch.manual_seed(seed * 1000 + epoch)
                loader.reset()
                began, busy = time.perf_counter(), time.process_time()
                model.epoch(loader.batches(0, valid, negatives))
                took, busy = time.perf_counter() - began, time.process_time() - busy
                figures = [model.mrr(loader.batches(*part)) for part in ranked] if args.rank else [0.0, 0.0]
                row = {"loader": loader.name, "seed": seed, "epoch": epoch, "rate": valid / took, "busy": busy,
                       "alone": alone(loader, events, negatives), "valid": figures[0], "test": figures[1]}  # fmt: skip
                rows.append(row)
                print(f"{loader.name:>18} seed {seed} epoch {epoch}: {row['rate']:7.0f} events/s, "
                      f"{busy:.1f} s of processors, batches alone {row['alone']:.2f} s of {took:.1f} s, MRR {figures[0]:.4f} {figures[1]:.4f}", flush=True)  # fmt: skip
    return rows


def report(rows: list[dict[str, Any]], file: str) -> None:
    frame = pd.DataFrame(rows)
    print(f"\n{file}")
    print("| loader | training, events/s (median) | seconds of processors an epoch | batches alone, s an epoch | valid MRR | test MRR (best epoch by valid) |")
    print("|---|---|---|---|---|---|")
    for name, own in frame.groupby("loader", sort=False):
        best = own.loc[own.groupby("seed").valid.idxmax()]
        spread = [f"{best[part].mean():.4f} ± {best[part].std(ddof=0):.4f}" for part in ("valid", "test")]
        print(f"| {name} | {own.rate.median():,.0f} | {own.busy.median():.1f} | {own.alone.median():.2f} | {spread[0]} | {spread[1]} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("events", type=Path)
    parser.add_argument("--borders", type=float, nargs=2, help="times after which validation and test begin")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--batch", type=int, default=200)
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--neighbors", type=int, default=10)
    parser.add_argument("--candidates", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--first", type=int, help="only so many events")
    parser.add_argument("--no-rank", dest="rank", action="store_false", help="only rates")
    parser.add_argument("--exact", action="store_true", help="a third time, with a slow loader of the true last neighbors")
    parser.add_argument("--profile", action="store_true", help="where the time of TemporalLoader goes, and no more")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    events = Events.read(args.events, tuple(args.borders) if args.borders else None, args.first)
    with tempfile.TemporaryDirectory() as folder:
        if args.profile:
            loader = WeftLoader(events, args.neighbors, args.batch, Path(folder))
            negatives = np.random.default_rng(1).choice(events.pool, (events.borders[0], 1))
            profile = cProfile.Profile()
            profile.runcall(lambda: sum(1 for _ in loader.batches(0, events.borders[0], negatives)))
            pstats.Stats(profile).sort_stats("cumulative").print_stats(30)
            return
        report(run(args, events, Path(folder)), args.events.name)


if __name__ == "__main__":
    main()
