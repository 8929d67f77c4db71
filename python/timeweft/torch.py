"""Loaders for PyTorch: neighbourhoods of many nodes, each strictly before a time of its own, deletions included.

Needs `pip install 'timeweft[pyg]'`. Batches are `torch_geometric.data.HeteroData`.
"""

# Types are checked where PyTorch is not installed, too; PyTorch Geometric has few of its own.
# pyright: standard, reportMissingImports=false

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ._arrays import NO_NODE, to_uint32
from ._dense import edge_features as _edge_features
from ._dense import node_features as _node_features
from ._draws import seed_of, shuffled
from ._extras import need
from ._hood import NO_TYPE, Hops, types_of
from ._loader_links import Exclude, Links, Negatives, Questions, edge_type_of
from ._loader_run import by_threads, by_workers
from ._times import FOREVER, TimeLike, Times, to_tick, to_ticks
from ._types import Triple

need("torch", "pyg")
need("torch_geometric", "pyg")

from torch_geometric.data import HeteroData  # noqa: E402

from ._hetero import Assembly, tensor  # noqa: E402
from ._sampler import TimeweftSampler  # noqa: E402

if TYPE_CHECKING:
    from .view import View

__all__ = ["TemporalLoader", "TimeweftSampler"]


class TemporalLoader:
    """Neighbourhoods of roots in batches, each strictly before its root's own time: nothing of that time or later is in it,
    what had been deleted by then is not, and what came back is.

    Roots are nodes with times (`roots=(nodes, times)`), or the links of a `relation` in the order of their creation, with the
    time of each. A relation that several types have is named by its triple.

    ```python
    loader = TemporalLoader(view, relation="buys", k=[10, 5], negatives=1, features={"user": {"taste": 16}})
    for batch in loader:
        z = model(batch.x_dict, batch.edge_index_dict)
        source, destination = batch["user", "buys", "item"].edge_label_index
    ```

    A batch is a `HeteroData`:

    | where | what |
    |---|---|
    | `batch[type]` | `n_id (n,) int64`: dense numbers, for `view.ids`; `time (n,) int64`: as of just before which each is seen, in ticks; `batch (n,) int64`: of which root, not with `joint`; `x (n, F) float32`, if features are asked for |
    | `batch[source, relation, destination]` | edges that are followed from their destination: `edge_index (2, m) int64`, from the neighbor to the node that was asked; `e_id (m,) int64`, `edge_time (m,) int64`: when each was created; `dt (m,) int64`: how long ago that was, 1 or more; `edge_attr (m, F) float32` as of the time of the node that was asked |
    | `batch[destination, "rev_" + relation, source]` | the same for edges that are followed from their source |
    | `batch` | `input_id (B,) int64`: positions among all roots or links; `seed_time (B,) int64`: their times |
    | `batch`, of nodes | `root_type (B,) int64`: position in `batch.node_types`; `root_node (B,) int64`: position in that type's `n_id`; both -1 for `NO_NODE` |
    | `batch[triple]` of the relation | `edge_label_index (2, P) int64`: the links, then their negatives; `edge_label (P,) float32`: 1 and 0; `edge_label_time (P,) int64`; `input_edge (B,) int64`: numbers of the links; `edge_label_attr (B, F) float32`, if edge features are asked for: what the links carry from their own time on, to update a memory with, never to predict them by |

    Node types and edge types are always all that the scope can reach, empty or not. With `relation`, root `r` of the `batch`
    vectors is the source of link `r // (2 + negatives)` of the batch, its destination, or one of its negatives, in this order.

    Order and content follow from the seed (and `set_epoch`) alone, not from `prefetch`, `num_workers` or, unless roots share
    what they see (`joint`, `freshness="batch"`), the borders of batches.

    Args:
        view: The graph. Links are those that were created up to its time. With `deletes="soft"` roots see what had ended, too.
        roots: Dense numbers, (N,) uint32, and times: one for all or (N,).
        relation: Links of this type, in place of `roots`.
        between: From which time on and before which time the links are taken, for training, validation and test.
        k: Neighbors of each node, one number a hop.
        batch_size: Roots or links a batch.
        negatives: How many destinations a link does not have are drawn for it, or an (M, n) array of those to take
            (`NO_NODE` for none). Drawn ones are alive and were destinations before, and are never the link itself. Where there
            are not enough, there are fewer.
        exclude: What else a drawn negative is never: of an event of the link's own time (`"same-time"`), or linked to the
            source at that time (`"alive"`).
        features: Dense features of nodes: `{"user": {"taste": 16}}`. Shorter values have zeros behind them, missing ones are zeros.
        edge_features: Dense features of edges, by relation or triple.
        shuffle: In random order; another one after each `set_epoch`.
        seed: Equal seeds give equal batches.
        joint: Roots share what is asked about as of the same time, each (node, time) is there once.
        freshness: `"event"`: each root is seen just before its own time. `"batch"`: all of a batch just before the first
            time in it, as models see a graph that take in a batch at once.
        cut: `"time"`: batches end only between two times, and are `batch_size` or larger; `"count"`: anywhere. For links in order
            of time the former, unless said otherwise.
        prefetch: How many batches are made ahead, each by a thread, while the model computes; 0 makes them when asked.
        num_workers: Processes that make them in place of threads. Each opens the same commit and maps the same files.
        transforms: Called with each batch in turn, where it is made.
        scope: As in [View.sample][timeweft.View.sample]: `choice`, `side`, `edge_types`, `weight`, `within`, `hop_time`.

    Raises `SampleError`, `UnknownError`, `FeatureKindError`, `TimeError`, `ValueError`, which name the argument.
    """

    def __init__(
        self,
        view: View,
        roots: tuple[Any, Times] | None = None,
        *,
        relation: str | Triple | None = None,
        between: tuple[TimeLike, TimeLike] | None = None,
        k: int | Sequence[int] = 10,
        batch_size: int = 512,
        negatives: int | NDArray[np.uint32] = 0,
        exclude: Exclude = "same-time",
        features: Mapping[str, Mapping[str, int]] | None = None,
        edge_features: Mapping[str | Triple, Mapping[str, int]] | None = None,
        shuffle: bool = False,
        seed: int = 0,
        joint: bool = False,
        freshness: Literal["event", "batch"] = "event",
        cut: Literal["time", "count"] | None = None,
        prefetch: int = 2,
        num_workers: int = 0,
        transforms: Sequence[Callable[[HeteroData], HeteroData]] = (),
        **scope: Any,
    ) -> None:
        if (roots is None) == (relation is None):
            raise ValueError("roots, relation: give one of them")
        _at_least("batch_size", batch_size, 1)
        _at_least("prefetch", prefetch, 0)
        _at_least("num_workers", num_workers, 0)
        _one_of("freshness", freshness, ("event", "batch"))
        _one_of("exclude", exclude, ("same-time", "alive", None))
        cut = cut or ("time" if relation is not None and not shuffle else "count")
        _one_of("cut", cut, ("time", "count"))
        if shuffle and (cut == "time" or freshness == "batch"):
            raise ValueError("shuffle: batches in random order are cut by count, and have no time of their own")
        self._view = view
        self._batch_size, self._cut, self._shuffle = batch_size, cut, shuffle
        self._seed, self._epoch = seed, 0
        self._freshness = freshness
        self._prefetch, self._num_workers = prefetch, num_workers
        self._transforms = tuple(transforms)
        self._links: Links | None = None
        self._negatives: Negatives | NDArray[np.uint32] | None = None
        root_types: Iterable[int] = ()
        if roots is not None:
            if between is not None or not (isinstance(negatives, int) and negatives == 0):
                raise ValueError("between, negatives: they belong to relation=, not to roots=")
            nodes = to_uint32(roots[0], "roots[0]")
            self._roots = (nodes, to_ticks(roots[1], view._core.unit, len(nodes), "roots[1]"))
            root_types = [of for of in np.unique(types_of(view, nodes, "roots[0]")).tolist() if of != NO_TYPE]
        elif relation is not None:
            edge_type = edge_type_of(view, relation)
            start, until = _span(view, between)
            self._links = Links(view, edge_type, start, until)
            self._triple = view._types[1][edge_type]
            self._negatives = self._checked_negatives(negatives, edge_type, exclude)
            root_types = [view._types[0].index(end) for end in (self._triple[0], self._triple[2])]
        self._assembly = Assembly(
            view,
            _node_features(view, features, "features"),
            _edge_features(view, edge_features, "edge_features"),
            joint,
        )
        self._hops = Hops(view, k, joint=joint, scope=scope, root_types=root_types)
        self._order: tuple[int, NDArray[np.int64]] | None = None
        self._cuts = self._borders()

    def _checked_negatives(
        self, negatives: int | NDArray[np.uint32], edge_type: int, exclude: Exclude
    ) -> Negatives | NDArray[np.uint32] | None:
        if isinstance(negatives, np.ndarray):
            if negatives.ndim != 2 or len(negatives) != self._n:
                raise ValueError(f"negatives: expected an array of shape ({self._n}, n), not {negatives.shape}")
            nodes = to_uint32(negatives.reshape(-1), "negatives")
            types, wanted = types_of(self._view, nodes, "negatives"), self._view._types[0].index(self._triple[2])
            wrong = (types != wanted) & (nodes != NO_NODE)
            if wrong.any():
                at = int(np.argmax(wrong))
                raise ValueError(f"negatives: {nodes[at]} is no node of the type {self._triple[2]!r}, which links lead to")
            return nodes.reshape(negatives.shape)
        _at_least("negatives", negatives, 0)
        if not negatives:
            return None
        drawn = Negatives(self._view._hard(), edge_type, negatives, exclude)
        drawn.prepare()
        return drawn

    @property
    def _n(self) -> int:
        return len(self._times)

    @property
    def _times(self) -> NDArray[np.int64]:
        return self._roots[1] if self._links is None else self._links.times

    def _borders(self) -> NDArray[np.int64]:
        """Where batches begin, and the end."""
        borders = np.arange(0, self._n, self._batch_size, dtype=np.int64)
        if self._cut == "time":
            times = self._times
            if (np.diff(times) < 0).any():
                raise ValueError("cut='time': the times of the roots do not rise: sort them, or cut='count'")
            # A border within a time moves behind the last of it.
            inside = (borders > 0) & (times[borders] == times[borders - 1])
            borders[inside] = np.searchsorted(times, times[borders[inside]], "right")
            borders = np.unique(borders)
        return np.append(borders[borders < self._n], self._n)

    def __len__(self) -> int:
        """How many batches there are."""
        return len(self._cuts) - 1

    def set_epoch(self, epoch: int) -> None:
        """Has random numbers (order, negatives, neighbors) differ from those of other epochs from the next iteration on."""
        _at_least("epoch", epoch, 0)
        self._epoch = epoch

    def __iter__(self) -> Iterator[HeteroData]:
        epoch = self._epoch
        if self._num_workers:
            return by_workers(self._batch, epoch, len(self), self._num_workers, self._prefetch)
        self._positions(epoch)
        return by_threads(lambda number: self._batch(epoch, number), len(self), self._prefetch)

    def _positions(self, epoch: int) -> NDArray[np.int64] | None:
        """Roots in the order of an epoch; `None` where that is their own."""
        if not self._shuffle:
            return None
        if self._order is None or self._order[0] != epoch:
            self._order = (epoch, shuffled(self._n, seed_of(self._seed, epoch, 1)))
        return self._order[1]

    def _batch(self, epoch: int, number: int) -> HeteroData:
        start, end = int(self._cuts[number]), int(self._cuts[number + 1])
        order = self._positions(epoch)
        at = np.arange(start, end) if order is None else order[start:end]
        times = self._times[at]
        seen = np.full(len(at), times.min()) if self._freshness == "batch" else times
        seed = seed_of(self._seed, epoch)
        if self._links is None:
            batch = self._of_nodes(at, seen, seed, start)
        else:
            batch = self._of_links(self._links, at, seen, seed, start)
        batch.input_id, batch.seed_time = tensor(at), tensor(times)
        for transform in self._transforms:
            batch = transform(batch)
        return batch

    def _of_nodes(self, at: NDArray[np.int64], seen: NDArray[np.int64], seed: int, start: int) -> HeteroData:
        hood = self._hops.of(self._roots[0][at], seen, seed, start)
        batch = self._assembly.data(hood)
        batch.root_type, batch.root_node = tensor(hood.root_types), tensor(hood.root_nodes)
        return batch

    def _of_links(
        self, links: Links, at: NDArray[np.int64], seen: NDArray[np.int64], seed: int, start: int
    ) -> HeteroData:
        drawn = self._negatives_of(links, at, seen, seed, start)
        ends = np.column_stack([links.sources[at], links.destinations[at], drawn])
        width = ends.shape[1]
        hood = self._hops.of(np.ascontiguousarray(ends.reshape(-1)), np.repeat(seen, width), seed, start * width)
        batch = self._assembly.data(hood)
        places, times = hood.root_nodes.reshape(-1, width), links.times[at]
        rows, slots = np.nonzero(drawn != NO_NODE)
        sources = np.concatenate([places[:, 0], places[rows, 0]])
        destinations = np.concatenate([places[:, 1], places[rows, 2 + slots]])
        store = batch[self._triple]
        store.edge_label_index = tensor(np.stack([sources, destinations]))
        store.edge_label = tensor((np.arange(len(sources)) < len(at)).astype(np.float32))
        store.edge_label_time = tensor(np.concatenate([times, times[rows]]))
        store.input_edge = tensor(links.edges[at])
        carried = self._assembly.of_links(self._triple, links.edges[at], times)
        if carried is not None:
            store.edge_label_attr = carried
        return batch

    def _negatives_of(
        self, links: Links, at: NDArray[np.int64], seen: NDArray[np.int64], seed: int, start: int
    ) -> NDArray[np.uint32]:
        """(B, n) uint32, `NO_NODE` where there is none."""
        if self._negatives is None:
            return np.empty((len(at), 0), np.uint32)
        if isinstance(self._negatives, np.ndarray):
            return self._negatives[at]
        positions = np.arange(start, start + len(at))
        asked = Questions(positions, links.sources[at], links.destinations[at], links.times[at], seen)
        return self._negatives.draw(seed, asked)

    def __repr__(self) -> str:
        what = "roots" if self._links is None else f"links {self._triple}"
        return f"TemporalLoader({self._n} {what} in {len(self)} batches)"


def _span(view: View, between: tuple[TimeLike, TimeLike] | None) -> tuple[int, int]:
    """The first and the last tick of the links that are meant."""
    start, end = between or (None, None)
    first = np.iinfo(np.int64).min if start is None else to_tick(start, view._core.unit, "between[0]")
    last = FOREVER if end is None else to_tick(end, view._core.unit, "between[1]") - 1
    return int(first), min(int(last), view._tick)


def _at_least(name: str, given: object, least: int) -> None:
    if isinstance(given, bool) or not isinstance(given, (int, np.integer)) or given < least:
        raise ValueError(f"{name}: expected a whole number of {least} or more, not {given!r}")


def _one_of(name: str, given: object, allowed: tuple[object, ...]) -> None:
    if given not in allowed:
        raise ValueError(f"{name}: expected one of {allowed}, not {given!r}")
