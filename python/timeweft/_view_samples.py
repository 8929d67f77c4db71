"""Samples, walks and ranks of a view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._scope import Choice, EdgeTypes, HopTime, Order, SampleArgs, Side, Within, count_of, names_of, seed_of
from ._times import Times
from ._view_base import ViewBase
from .errors import SampleError
from .samples import Samples, Walks, check_samples


class ViewSamples(ViewBase):
    """What training asks of many nodes at once."""

    @overload
    def sample(
        self, nodes: ArrayLike, times: Times = None, *, k: int = 10, choice: Choice = "last", side: Side = "both",
        edge_types: EdgeTypes = None, quotas: Mapping[str, int] | None = None, weight: str | None = None,
        within: Within = None, before: bool = True, hop_time: HopTime = "root", seed: int = 0, first_root: int = 0,
        out: Samples | None = None,
    ) -> Samples: ...  # fmt: skip

    @overload
    def sample(
        self, nodes: ArrayLike, times: Times = None, *, k: Sequence[int], choice: Choice = "last",
        side: Side = "both", edge_types: EdgeTypes = None, quotas: None = None, weight: str | None = None,
        within: Within = None, before: bool = True, hop_time: HopTime = "root", seed: int = 0, first_root: int = 0,
        out: Sequence[Samples] | None = None,
    ) -> list[Samples]: ...  # fmt: skip

    def sample(
        self,
        nodes: ArrayLike,
        times: Times = None,
        *,
        k: int | Sequence[int] = 10,
        choice: Choice = "last",
        side: Side = "both",
        edge_types: EdgeTypes = None,
        quotas: Mapping[str, int] | None = None,
        weight: str | None = None,
        within: Within = None,
        before: bool = True,
        hop_time: HopTime = "root",
        seed: int = 0,
        first_root: int = 0,
        out: Samples | Sequence[Samples] | None = None,
    ) -> Samples | list[Samples]:
        """`k` neighbors of each root as of its own time; exact where edges were deleted and made again.

        `nodes` is (N,) uint32, `times` one time or (N,) of them; without it the view's own time. Nodes that the graph does
        not have, such as `NO_NODE`, have no neighbors. A list of `k` samples a hop after the other and gives one
        [Samples][timeweft.Samples] a hop: each slot of a hop is a root of the next, so hop 2 has N * k[0] rows.

        - `choice`: `last` takes the most recently created edges, newest first; `uniform` and `weighted` draw with
          repetition, `uniform-distinct` and `weighted-distinct` without; `heaviest` takes those with the highest `weight`.
        - `side`: edges out of a root, into it, or both; an edge from a node to itself is there twice.
        - `edge_types`: relations, or full names such as `user -buys-> item`.
        - `quotas`: how many of each edge type, in this order, in place of `k`.
        - `weight`: the feature that edges weigh by; those without a value weigh 1.
        - `within`: only edges that were created in the last so long before a root's time, in ticks or as a timedelta: in
          `[t - within, t)`, with `before=False` in `[t - within, t]`. A part of a tick is cut off. Further hops with
          `hop_time="edge"` count from the edge that led there. It needs a time: the view's, or `times`.
        - `before`: only what was strictly before a root's time, so that an event does not see itself. With `False` what
          happened at that time is seen too.
        - `hop_time`: further hops see the graph as of the time of the root, or of the edge that led there.
        - `seed`, `first_root`: the answer depends on the graph, the roots and the seed alone. A root draws by its place
          among all; where roots come in batches, `first_root` is the place of the first one.
        - `out`: [Samples][timeweft.Samples] to write into, so that nothing is allocated.

        Other threads run meanwhile, and the call uses the threads of the machine. Raises `SampleError`, `UnknownError`,
        `TimeError`; `TypeError`, `OverflowError` and `ValueError` for arrays that do not fit.

        >>> import datetime as dt
        >>> import timeweft as tw
        >>> view = tw.open("mail").view()
        >>> batch = view.sample(view.indices("node", [1, 2]), "2004-06-01", k=10, within=dt.timedelta(days=7))
        >>> batch.neighbors[batch.mask]
        """
        roots = self._roots(nodes, times)
        sizes, shares = _sizes(k, edge_types, quotas)
        args: SampleArgs = {
            "sizes": sizes,
            "choice": choice,
            "quotas": shares,
            "weight": weight,
            "hop_time": hop_time,
            "seed": seed_of(seed),
            "first_root": seed_of(first_root, "first_root"),
        }
        is_one = isinstance(k, (int, np.integer)) or bool(shares)
        hops = _hops(len(roots[0]), sizes, out, is_one)
        arrays = [(hop.neighbors, hop.edges, hop.edge_types, hop.created, hop.weights, hop.counts) for hop in hops]
        self._core.sample(roots, self._scope(side, edge_types, before, within, roots[1]), args, arrays)
        return hops[0] if is_one else hops

    def walk(
        self,
        nodes: ArrayLike,
        times: Times = None,
        *,
        length: int,
        order: Order = "not-later",
        p: float = 1.0,
        q: float = 1.0,
        side: Side = "both",
        edge_types: EdgeTypes = None,
        weight: str | None = None,
        within: Within = None,
        before: bool = True,
        seed: int = 0,
        first_root: int = 0,
    ) -> Walks:
        """A random walk of `length` steps from each root, as of its time.

        `order` says how the times of its edges respect each other: `any` sees the graph as of the root's time at each step;
        with `not-later` no edge is younger than the one before, with `earlier` each is older; with `later` each was created
        after the one before, the first at the root's time or later. `p` and `q` are those of node2vec: how unlikely it is to
        go back, and to go to no neighbor of where it came from. To have several walks a root, repeat it. With `within`, as in
        [View.sample][timeweft.View.sample], edges follow each other in at most so long: each was created within it of the
        one before, the first within it of the root's time, after it with `later`; with `any` all within it of the root's time.

        Raises `SampleError`, `UnknownError`, `TimeError`.
        """
        roots = self._roots(nodes, times)
        steps = count_of(length, "length")
        if order == "later" and (p != 1.0 or q != 1.0 or weight is not None):
            raise SampleError("order: 'later' takes all edges alike: leave out p, q and weight")
        n = len(roots[0])
        walks = Walks(
            np.zeros((n, steps + 1), np.uint32), np.zeros((n, steps), np.uint32), np.zeros((n, steps), np.int64)
        )
        self._core.walk(
            roots,
            self._scope(side, edge_types, before, within, roots[1]),
            {
                "length": steps, "order": order, "p": float(p), "q": float(q), "weight": weight,
                "seed": seed_of(seed), "first_root": seed_of(first_root, "first_root"),
            },
            (walks.nodes, walks.edges, walks.created),
        )  # fmt: skip
        return walks

    def page_rank(
        self,
        nodes: ArrayLike,
        times: Times = None,
        *,
        k: int = 10,
        alpha: float = 0.15,
        eps: float = 1e-4,
        side: Side = "both",
        edge_types: EdgeTypes = None,
        within: Within = None,
        before: bool = True,
    ) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
        """The `k` nodes with the highest personalised page rank near each root, and their ranks.

        Gives (N, k) uint32 and (N, k) float64, highest first, the root among them; slots that stay empty hold `NO_NODE` and
        0. `alpha` is the chance to go back to the root at each step, `eps` how exact it is: a root takes up to
        1 / (alpha * eps) steps. `within` is that of [View.sample][timeweft.View.sample]. Raises `SampleError`, `UnknownError`, `TimeError`.
        """
        roots = self._roots(nodes, times)
        shape = (len(roots[0]), count_of(k, "k"))
        near, ranks = np.full(shape, 2**32 - 1, np.uint32), np.zeros(shape, np.float64)
        scope = self._scope(side, edge_types, before, within, roots[1])
        self._core.page_rank(roots, scope, (shape[1], float(alpha), float(eps)), (near, ranks))
        return near, ranks

    def sample_nodes(
        self,
        n: int,
        *,
        type: str | Sequence[str] | None = None,
        choice: Choice = "uniform",
        weight: str | None = None,
        seed: int = 0,
    ) -> NDArray[np.uint32]:
        """`n` nodes that are alive at the view's time, (n,) uint32 in the order drawn; fewer if no more can be had.

        `uniform` and `weighted` draw anew each time, the distinct ones take none twice. Raises `SampleError`, `UnknownError`.
        """
        drawn = (names_of(type) or [], choice, weight)
        return self._core.sample_nodes(drawn, count_of(n, "n"), seed_of(seed), self._tick)


def _sizes(k: Any, edge_types: EdgeTypes, quotas: Mapping[str, int] | None) -> tuple[list[int], list[tuple[str, int]]]:
    """Slots of a root in each hop, and those of each edge type."""
    if quotas:
        if edge_types is not None:
            raise SampleError("edge_types: `quotas` names the edge types: leave one of both out")
        if not isinstance(k, (int, np.integer)):
            raise SampleError("k: with `quotas` there is one hop, with as many neighbors as they say: leave out `k`")
        shares = [(name, count_of(share, f"quotas[{name!r}]")) for name, share in quotas.items()]
        return [sum(share for _, share in shares)], shares
    if isinstance(k, (int, np.integer)):
        return [count_of(k, "k")], []
    sizes = [count_of(size, f"k[{at}]") for at, size in enumerate(k)]
    if not sizes:
        raise SampleError("k: an empty list is no hop: give one number a hop")
    return sizes, []


def _hops(n: int, sizes: list[int], out: Any, is_one: bool) -> list[Samples]:
    """Samples of each hop to write into."""
    if out is not None:
        given = [out] if is_one else list(out)
        if len(given) != len(sizes):
            raise ValueError(f"out: expected {len(sizes)} Samples, one a hop, not {len(given)}")
        for hop, (size, samples) in enumerate(zip(sizes, given, strict=True)):
            check_samples(samples, n, size, "out" if is_one else f"out[{hop}]")
            n *= size
        return given
    hops: list[Samples] = []
    for size in sizes:
        hops.append(Samples.empty(n, size))
        n *= size
    return hops
