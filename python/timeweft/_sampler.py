"""A sampler for loaders of PyTorch Geometric that exist already."""

# Types are checked where PyTorch is not installed, too; PyTorch Geometric has few of its own.
# pyright: standard, reportMissingImports=false, reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.sampler import (
    BaseSampler,
    EdgeSamplerInput,
    HeteroSamplerOutput,
    NegativeSampling,
    NodeSamplerInput,
    SamplerOutput,
)
from torch_geometric.sampler.neighbor_sampler import edge_sample, node_sample

from ._draws import seed_of
from ._hetero import tensor
from ._hood import Hood, Hops
from .errors import SampleError

if TYPE_CHECKING:
    from .view import View


class TimeweftSampler(BaseSampler):
    """Samples for `NodeLoader` and `LinkLoader` of PyTorch Geometric, over the data that `view.to_pyg()` gives: each seed is
    seen strictly before its own time (`input_time`, `edge_label_time`), or before the view's where it has none.

    ```python
    data = view.to_pyg(node_features={"user": {"taste": 16}})
    loader = NodeLoader(data, TimeweftSampler(view, k=[10, 5]), ("user", users), input_time=times, batch_size=128)
    ```

    Nodes are numbered as in `data`, by what the view shows. Where a node that had been deleted by then may be reached, take
    both from a view with `deletes="soft"`: `graph.view(deletes="soft").to_pyg()`. Features are those in `data`, of one time for
    all; edges have none, for PyTorch Geometric takes them by their positions in `data`, and an edge that ended is not there.
    [TemporalLoader][timeweft.torch.TemporalLoader] has both as of each root's time, and exact negatives.

    Args:
        view: The graph.
        k: Neighbors of each node, one number a hop.
        joint: Seeds with one time share what they see. With `LinkLoader` only where links have no times.
        seed: Equal seeds give equal batches.
        scope: As in [View.sample][timeweft.View.sample]. `side` is `"in"` unless said otherwise, as with `NeighborLoader`. With
            other sides, edges that are followed from their source are of the types that `T.ToUndirected()` gives `data`.

    Raises `SampleError` and `UnknownError`, which name the argument. Workers (`num_workers`) need
    `multiprocessing_context="spawn"`.
    """

    def __init__(
        self, view: View, k: int | Sequence[int], *, joint: bool = False, seed: int = 0, **scope: Any
    ) -> None:
        every_type = range(len(view._types[0]))
        # With soft deletes the data has what was deleted; what a seed sees is exact all the same.
        self._hops = Hops(view._hard(), k, joint=joint, scope={"side": "in", **scope}, root_types=every_type)
        self._tick = view._tick
        self._seed, self._epoch = seed, 0
        self._joint = joint
        numbers, types, created, _ = view._core.node_columns(view._tick, view._is_soft)
        self._numbers = {name: numbers[types == at] for at, name in enumerate(view._types[0])}
        # PyTorch Geometric takes a node for a negative from its time on, a seed sees it from the tick behind it.
        self._since = {name: tensor(created[types == at] + 1) for at, name in enumerate(view._types[0])}
        self._places = np.full(int(numbers.max(initial=0)) + 1, -1, np.int64)
        for own in self._numbers.values():
            self._places[own] = np.arange(len(own))

    def set_epoch(self, epoch: int) -> None:
        """Has random numbers differ from those of other epochs."""
        self._epoch = epoch

    def sample_from_nodes(self, index: NodeSamplerInput, **_: Any) -> HeteroSamplerOutput | SamplerOutput:
        """The neighborhoods of some nodes."""
        seed = self._seed_of(index.input_id)
        return node_sample(index, lambda nodes, times: self._sample(nodes, times, seed))

    def sample_from_edges(
        self, index: EdgeSamplerInput, neg_sampling: NegativeSampling | None = None, **_: Any
    ) -> HeteroSamplerOutput | SamplerOutput:
        """The neighborhoods of the ends of some links, and of negatives where they are wanted."""
        if self._joint and index.time is not None:
            raise SampleError("joint: ends of links with times share no nodes: leave joint=True out")
        sizes = {name: len(own) for name, own in self._numbers.items()}
        is_typed = index.input_type is not None
        seed = self._seed_of(index.input_id)
        return edge_sample(
            index,
            lambda nodes, times: self._sample(nodes, times, seed),
            sizes if is_typed else sizes[self._only_type()],
            not self._joint,
            None if index.time is None else self._since if is_typed else self._since[self._only_type()],
            neg_sampling,
        )

    def _seed_of(self, ids: Tensor | None) -> int:
        first = int(ids[0]) if ids is not None and len(ids) else 0
        return seed_of(self._seed, self._epoch, first)

    def _only_type(self) -> str:
        if len(self._numbers) != 1:
            raise SampleError(f"data: the graph has the node types {list(self._numbers)}: give seeds with their type")
        return next(iter(self._numbers))

    def _sample(
        self, seeds: Tensor | dict[str, Tensor], times: Tensor | dict[str, Tensor] | None, seed: int
    ) -> HeteroSamplerOutput | SamplerOutput:
        if isinstance(seeds, dict):
            own_times = times if isinstance(times, dict) else {}
            return _typed(*self._around(seeds, own_times, seed), self._joint)
        only = self._only_type()
        own = {} if times is None or isinstance(times, dict) else {only: times}
        return _untyped(*self._around({only: seeds}, own, seed), self._joint)

    def _around(
        self, seeds: dict[str, Tensor], times: dict[str, Tensor], seed: int
    ) -> tuple[Hood, dict[str, Tensor]]:
        """The neighborhood of seeds, and its nodes as `data` numbers them."""
        roots = [self._numbers[name][nodes.numpy()] for name, nodes in seeds.items()]
        ticks = [
            times[name].numpy().astype(np.int64) if name in times else np.full(len(nodes), self._tick, np.int64)
            for name, nodes in seeds.items()
        ]
        hood = self._hops.of(np.concatenate(roots), np.concatenate(ticks), seed, 0)
        return hood, {name: tensor(self._placed(own.nodes)) for name, own in hood.nodes.items()}

    def _placed(self, nodes: NDArray[np.uint32]) -> NDArray[np.int64]:
        inside = nodes < len(self._places)
        places = self._places[np.where(inside, nodes, 0)]
        if not (inside.all() and (places >= 0).all()):
            raise SampleError(
                "view: a seed sees a node that is not there at the view's time: make data and sampler of a view with "
                "deletes='soft'"
            )
        return places


def _typed(hood: Hood, nodes: dict[str, Tensor], joint: bool) -> HeteroSamplerOutput:
    return HeteroSamplerOutput(
        node=nodes,
        row={name: tensor(own.neighbors) for name, own in hood.edges.items()},
        col={name: tensor(own.centers) for name, own in hood.edges.items()},
        edge=dict.fromkeys(hood.edges),
        batch=None if joint else {name: tensor(own.roots) for name, own in hood.nodes.items()},
        num_sampled_nodes={name: _by_hop(own.ends) for name, own in hood.nodes.items()},
        num_sampled_edges={name: _by_hop(own.ends) for name, own in hood.edges.items()},
    )


def _untyped(hood: Hood, nodes: dict[str, Tensor], joint: bool) -> SamplerOutput:
    ((name, own),) = hood.nodes.items()
    edges = list(hood.edges.values())
    hops = len(own.ends) - 1
    # Edges of all types and sides, hop by hop.
    parts = [(of, slice(_start(of.ends, hop), int(of.ends[hop]))) for hop in range(hops) for of in edges]
    rows = [of.neighbors[part] for of, part in parts] or [np.empty(0, np.uint32)]
    cols = [of.centers[part] for of, part in parts] or [np.empty(0, np.uint32)]
    return SamplerOutput(
        node=nodes[name],
        row=tensor(np.concatenate(rows)),
        col=tensor(np.concatenate(cols)),
        edge=None,
        batch=None if joint else tensor(own.roots),
        num_sampled_nodes=_by_hop(own.ends),
        num_sampled_edges=[sum(int(of.ends[hop]) - _start(of.ends, hop) for of in edges) for hop in range(hops)],
    )


def _start(ends: NDArray[np.uint32], hop: int) -> int:
    return int(ends[hop - 1]) if hop else 0


def _by_hop(ends: NDArray[np.uint32]) -> list[int]:
    return [int(n) for n in np.diff(ends.astype(np.int64), prepend=0)]


