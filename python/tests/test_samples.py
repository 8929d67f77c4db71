"""Samples, walks, ranks and counters against a slow reference, and what they do with arrays."""

from __future__ import annotations

import os
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from histories import ITEMS, RELATIONS, USERS, History

import timeweft as tw
from timeweft.errors import FeatureKindError, SampleError, TimeError, UnknownError

HISTORIES = int(os.environ.get("TIMEWEFT_HISTORIES", "12"))
NEVER = np.iinfo(np.int64).min
EDGE_TYPES = {"buys": "user -buys-> item", "knows": "user -knows-> user"}


class Asked:
    """A random history, its view, and some roots."""

    def __init__(self, seed: int, folder: Path, n: int = 60) -> None:
        self.history = History(seed)
        self.view = self.history.graph(folder / f"h{seed}").view()
        self.keys = list(self.history.nodes)
        users = self.view.indices("user", list(range(USERS)))
        items = self.view.indices("item", [str(at) for at in range(ITEMS)])
        self.numbers = dict(zip(self.keys, [*map(int, users), *map(int, items)], strict=True))
        self.of_number = {number: key for key, number in self.numbers.items()}
        self.roots = list(self.history.roots(seed, n))
        self.nodes = np.array([self.numbers[node] for node, _ in self.roots], np.uint32)
        self.times = np.array([time for _, time in self.roots], np.int64)


@pytest.fixture(params=range(HISTORIES))
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> Asked:
    return Asked(request.param, tmp_path)


@pytest.fixture
def small(tmp_path: Path) -> Asked:
    return Asked(1, tmp_path)


def found(asked: Asked, samples: tw.Samples, row: int) -> list[tuple[tuple[str, int], int]]:
    """Neighbors of a root and when their edges were created."""
    n = int(samples.counts[row])
    return [(asked.of_number[int(node)], int(time)) for node, time in zip(samples.neighbors[row, :n], samples.created[row, :n], strict=True)]


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(("side", "relation"), [("both", None), ("out", "buys"), ("in", "knows"), ("out", None)])
def test_all_edges_that_are_alive_and_no_others(asked: Asked, before: bool, side: str, relation: str | None) -> None:
    samples = asked.view.sample(asked.nodes, asked.times, k=200, side=side, edge_types=relation, before=before)
    degrees = asked.view.degrees(asked.nodes, asked.times, side=side, edge_types=relation, before=before)
    for row, (node, time) in enumerate(asked.roots):
        expected = asked.history.seen(node, time, before=before, side=side, relation=relation)
        assert Counter(found(asked, samples, row)) == Counter((other, life.created) for other, life in expected)
        assert samples.counts[row] == degrees[row] == len(expected)


def test_the_last_ones_come_newest_first(asked: Asked) -> None:
    samples = asked.view.sample(asked.nodes, asked.times, k=3)
    for row, (node, time) in enumerate(asked.roots):
        created = sorted((life.created for _, life in asked.history.seen(node, time)), reverse=True)
        assert [time for _, time in found(asked, samples, row)] == created[:3]


def test_before_is_the_default_everywhere(asked: Asked) -> None:
    view, nodes, times = asked.view, asked.nodes, asked.times
    pairs = (nodes, "knows", nodes)
    for ask in (
        lambda **how: view.sample(nodes, times, **how).counts,
        lambda **how: view.walk(nodes, times, length=1, **how).edges,
        lambda **how: view.page_rank(nodes, times, **how)[1],
        lambda **how: view.degrees(nodes, times, **how),
        lambda **how: view.recencies(nodes, times, **how)[0],
        lambda **how: view.pair_recencies(*pairs, times, **how)[0],
        lambda **how: view.edges_between(*pairs, times, **how),
        lambda **how: view.features(nodes, {"taste": 3}, times, **how),
    ):
        np.testing.assert_array_equal(ask(), ask(before=True))
    # A tick later it is what happened at that time as well.
    np.testing.assert_array_equal(view.degrees(nodes, times + 1), view.degrees(nodes, times, before=False))


def test_draws_are_of_edges_that_are_alive(asked: Asked) -> None:
    for choice in ("uniform", "uniform-distinct", "weighted", "weighted-distinct", "heaviest"):
        samples = asked.view.sample(asked.nodes, asked.times, k=4, choice=choice, weight="count", seed=7)
        for row, (node, time) in enumerate(asked.roots):
            seen = asked.history.seen(node, time)
            possible = Counter((other, life.created) for other, life in seen)
            drawn = found(asked, samples, row)
            if choice in ("uniform", "weighted"):
                assert len(drawn) == (4 if seen else 0)
                assert set(drawn) <= set(possible)
            else:
                assert len(drawn) == min(4, len(seen))
                assert not Counter(drawn) - possible
            weights = sorted((life.weight(time - 1) for _, life in seen), reverse=True)
            n = int(samples.counts[row])
            if choice == "heaviest":
                assert samples.weights[row, :n].tolist() == weights[:4]
            assert set(samples.weights[row, :n].tolist()) <= set(weights)


def test_hops_start_from_the_slots_of_the_hop_before(asked: Asked) -> None:
    for hop_time in ("root", "edge"):
        first, second = asked.view.sample(asked.nodes, asked.times, k=[3, 50], hop_time=hop_time)
        np.testing.assert_array_equal(first.neighbors, asked.view.sample(asked.nodes, asked.times, k=3).neighbors)
        assert second.neighbors.shape == (3 * len(asked.nodes), 50)
        times = first.created if hop_time == "edge" else np.repeat(asked.times[:, None], 3, axis=1)
        for slot, (number, time) in enumerate(zip(first.neighbors.ravel(), times.ravel(), strict=True)):
            if number == tw.NO_NODE:
                assert second.counts[slot] == 0
                continue
            seen = asked.history.seen(asked.of_number[int(number)], int(time))
            assert Counter(found(asked, second, slot)) == Counter((other, life.created) for other, life in seen)


def test_quotas_give_each_type_its_share(asked: Asked) -> None:
    samples = asked.view.sample(asked.nodes, asked.times, quotas={"knows": 2, "buys": 3})
    assert samples.neighbors.shape[1] == 5
    for row, (node, time) in enumerate(asked.roots):
        n = [len(asked.history.seen(node, time, relation=relation)) for relation in ("knows", "buys")]
        assert samples.counts[row] == min(n[0], 2) + min(n[1], 3)


def test_batches_and_seeds_say_the_same(asked: Asked) -> None:
    whole = asked.view.sample(asked.nodes, asked.times, k=[2, 2], choice="uniform", seed=3)
    at = 17
    parts = [
        asked.view.sample(asked.nodes[:at], asked.times[:at], k=[2, 2], choice="uniform", seed=3),
        asked.view.sample(asked.nodes[at:], asked.times[at:], k=[2, 2], choice="uniform", seed=3, first_root=at),
    ]
    for hop in range(2):
        np.testing.assert_array_equal(whole[hop].edges, np.concatenate([part[hop].edges for part in parts]))
    other = asked.view.sample(asked.nodes, asked.times, k=[2, 2], choice="uniform", seed=4)
    assert not np.array_equal(whole[0].edges, other[0].edges)


def test_counters_count_what_was_ever_made(asked: Asked) -> None:
    view, nodes, times = asked.view, asked.nodes, asked.times
    counts, last = view.recencies(nodes, times, side="out", edge_types="knows")
    others = np.roll(nodes, 1)
    pair_counts, pair_last = view.pair_recencies(nodes, "knows", others, times)
    edges = view.edges_between(nodes, ["knows"] * len(nodes), others, times)
    for row, (node, time) in enumerate(asked.roots):
        made = [life for life in asked.history.lives if life.relation == "knows" and life.source == node and life.created < time]
        assert counts[row] == len(made)
        assert last[row] == max((life.created for life in made), default=NEVER)
        between = [life for life in made if life.destination == asked.of_number[int(others[row])]]
        assert pair_counts[row] == len(between)
        assert pair_last[row] == max((life.created for life in between), default=NEVER)
        alive = [life for life in between if life.is_alive(time - 1)]
        assert (edges[row] != tw.NO_EDGE) == bool(alive)


def test_soft_deletes_show_what_has_ended(asked: Asked) -> None:
    hard = asked.view
    soft = tw.View(hard._core, hard._tick, "soft", hard._path)
    degrees = soft.degrees(asked.nodes, asked.times)
    for row, (node, time) in enumerate(asked.roots):
        assert degrees[row] == len(asked.history.seen(node, time, soft=True))


def test_walks_go_along_edges_in_their_order(asked: Asked) -> None:
    for order in ("any", "not-later", "earlier", "later"):
        walks = asked.view.walk(asked.nodes, asked.times, length=4, order=order, seed=5)
        assert walks.nodes.shape == (len(asked.nodes), 5)
        np.testing.assert_array_equal(walks.nodes[:, 0], asked.nodes)
        for row, (_, time) in enumerate(asked.roots):
            steps = [int(created) for created in walks.created[row] if created != NEVER]
            ends = [int(node) for node in walks.nodes[row] if node != tw.NO_NODE]
            assert len(ends) == len(steps) + 1
            if order in ("not-later", "earlier"):
                assert all(created < time for created in steps)
                assert steps == sorted(steps, reverse=True)
            if order == "earlier":
                assert len(set(steps)) == len(steps)
            if order == "later":
                assert steps == sorted(set(steps))
                assert all(created >= time for created in steps)
            if order == "any":
                seen = asked.history.seen
                for one, two in zip(ends, ends[1:], strict=False):
                    assert asked.of_number[two] in [other for other, _ in seen(asked.of_number[one], time)]


def test_ranks_are_of_what_can_be_reached(asked: Asked) -> None:
    near, ranks = asked.view.page_rank(asked.nodes, asked.times, k=20, eps=1e-6)
    for row, (node, time) in enumerate(asked.roots):
        reached, new = {node}, [node]
        while new:
            new = [other for one in new for other, _ in asked.history.seen(one, time) if other not in reached]
            reached |= set(new)
        ranked = {asked.of_number[int(number)] for number in near[row] if number != tw.NO_NODE}
        assert ranked == reached
        assert np.all(np.diff(ranks[row]) <= 0)
        assert abs(ranks[row].sum() - 1.0) < 0.01 or len(reached) == 1


def test_types_and_drawn_nodes(small: Asked) -> None:
    view = small.view
    types = view.types(np.array([*small.numbers.values(), tw.NO_NODE - 1, tw.NO_NODE], np.uint32), 5)
    assert types.dtype == np.int16
    assert types.tolist() == [0] * USERS + [1] * ITEMS + [-1, -1]
    assert set(view.types(small.nodes, -1).tolist()) == {-1}
    drawn = view.sample_nodes(ITEMS, type="item", choice="uniform-distinct", seed=2)
    assert sorted(drawn.tolist()) == sorted(number for key, number in small.numbers.items() if key[0] == "item")
    assert len(view.sample_nodes(100, choice="uniform")) == 100


@pytest.mark.parametrize("number", [0, tw.NO_NODE - 1, tw.NO_NODE])
def test_nodes_that_the_graph_does_not_have_have_nothing(small: Asked, number: int) -> None:
    view, nodes = small.view, np.full(3000, number, np.uint32)
    is_known = number == 0
    for choice in ("last", "uniform", "weighted", "weighted-distinct", "heaviest", "uniform-distinct"):
        hops = view.sample(nodes, k=[2, 2], choice=choice, weight="count")
        assert (hops[0].counts > 0).all() == is_known
        assert view.sample(nodes, quotas={"buys": 2}, choice=choice).neighbors.shape == (3000, 2)
    for order, p in (("any", 1.0), ("not-later", 1.0), ("earlier", 0.5), ("later", 1.0)):
        walks = view.walk(nodes[:50], 0 if order == "later" else None, length=3, order=order, p=p)
        assert (walks.nodes[:, 1] != tw.NO_NODE).all() == is_known
    near, ranks = view.page_rank(nodes[:50], k=3)
    assert (ranks.sum(axis=1) > 0).all() == is_known
    assert (near != tw.NO_NODE).any() == is_known
    assert (view.degrees(nodes) > 0).all() == is_known
    assert (view.recencies(nodes)[0] > 0).all() == is_known
    assert view.pair_recencies(nodes, "knows", nodes)[1].shape == (3000,)
    assert view.edges_between(nodes, "knows", nodes).shape == (3000,)
    assert (view.types(nodes) == 0).all() == is_known
    assert view.features(nodes, {"taste": 3}).any() == is_known


def test_names_that_are_not_there_say_what_is(small: Asked) -> None:
    view, nodes = small.view, small.nodes
    with pytest.raises(UnknownError, match=r"no edge type `sells`: there is user -buys-> item, user -knows-> user"):
        view.sample(nodes, edge_types="sells")
    with pytest.raises(UnknownError, match="no edge type `sells`"):
        view.sample(nodes, quotas={"sells": 2})
    with pytest.raises(UnknownError, match="no edge has a feature `mass`: there is count"):
        view.sample(nodes, choice="weighted", weight="mass")
    with pytest.raises(UnknownError, match="no node type `robot`: there is user, item"):
        view.indices("robot", [1])
    with pytest.raises(UnknownError, match="no node type `robot`"):
        view.sample_nodes(3, type="robot")
    with pytest.raises(FeatureKindError, match="taste"):
        view.sample_nodes(3, choice="weighted", weight="taste")
    for full in EDGE_TYPES.values():
        assert view.sample(nodes, edge_types=[full]).neighbors.shape == (len(nodes), 10)


def test_wrong_choices_are_refused(small: Asked) -> None:
    view, nodes = small.view, small.nodes
    with pytest.raises(SampleError, match="choice: expected 'last', 'uniform'"):
        view.sample(nodes, choice="first")  # type: ignore[call-overload]
    with pytest.raises(SampleError, match="side: expected 'out', 'in', 'both', not 'left'"):
        view.degrees(nodes, side="left")  # type: ignore[arg-type]
    with pytest.raises(SampleError, match="k: an empty list"):
        view.sample(nodes, k=[])
    with pytest.raises(SampleError, match=r"k\[1\]: -1 is not in"):
        view.sample(nodes, k=[1, -1])
    with pytest.raises(TypeError, match=r"k\[0\]: expected a whole number, not bool"):
        view.sample(nodes, k=[True])
    with pytest.raises(SampleError, match="seed: -1 is not in"):
        view.sample(nodes, seed=-1)
    with pytest.raises(SampleError, match="leave one of both out"):
        view.sample(nodes, quotas={"buys": 1}, edge_types="buys")
    with pytest.raises(SampleError, match="`p` is 0"):
        view.walk(nodes, length=2, p=0.0)
    with pytest.raises(SampleError, match="later"):
        view.walk(nodes, length=2, order="later", q=2.0)
    with pytest.raises(SampleError, match="alpha"):
        view.page_rank(nodes, alpha=2.0)
    with pytest.raises(TimeError, match="times: one time for all or 60"):
        view.sample(nodes, np.zeros(3, np.int64))
    with pytest.raises(MemoryError):
        view.sample(nodes, k=[2**31, 2**31])


def address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def test_answers_are_written_where_they_are_wanted(small: Asked) -> None:
    view, nodes, times = small.view, small.nodes, small.times
    expected = view.sample(nodes, times, k=4)
    out = tw.Samples.empty(len(nodes), 4)
    places = [address(getattr(out, name)) for name in tw.Samples.__slots__]
    out.neighbors[:] = 7
    again = view.sample(nodes, times, k=4, out=out)
    assert again is out
    assert [address(getattr(out, name)) for name in tw.Samples.__slots__] == places
    for name in tw.Samples.__slots__:
        np.testing.assert_array_equal(getattr(out, name), getattr(expected, name))
        assert getattr(expected, name).flags.c_contiguous
        assert getattr(expected, name).flags.writeable
    hops = [tw.Samples.empty(len(nodes), 4), tw.Samples.empty(len(nodes) * 4, 2)]
    assert view.sample(nodes, times, k=[4, 2], out=hops)[1] is hops[1]
    np.testing.assert_array_equal(hops[1].edges, view.sample(nodes, times, k=[4, 2])[1].edges)
    # Beside arrays of a batch: a part of a larger one.
    large = tw.Samples.empty(2 * len(nodes), 4)
    half = tw.Samples(*(getattr(large, name)[: len(nodes)] for name in ("neighbors", "edges", "edge_types", "created", "weights", "counts")))
    view.sample(nodes, times, k=4, out=half)
    np.testing.assert_array_equal(large.neighbors[: len(nodes)], expected.neighbors)
    assert (large.neighbors[len(nodes) :] == tw.NO_NODE).all()


def test_arrays_that_cannot_be_written_to_are_refused(small: Asked) -> None:
    view, nodes = small.view, small.nodes
    n = len(nodes)

    def sample(**other: np.ndarray) -> None:
        out = tw.Samples.empty(n, 4)
        for name, array in other.items():
            setattr(out, name, array)
        view.sample(nodes, k=4, out=out)

    with pytest.raises(TypeError, match="out.neighbors: expected an array of uint32, not of int64"):
        sample(neighbors=np.zeros((n, 4), np.int64))
    with pytest.raises(ValueError, match=r"out.edges: expected shape \(60, 4\), not \(60, 5\)"):
        sample(edges=np.zeros((n, 5), np.uint32))
    with pytest.raises(ValueError, match="out.created: the array does not lie in one piece"):
        sample(created=np.zeros((n, 4), np.int64, order="F"))
    frozen = np.zeros((n, 4))
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="out.weights: the array is read-only"):
        sample(weights=frozen)
    both = np.zeros((n, 4), np.uint32)
    with pytest.raises(ValueError, match="shares memory with another argument"):
        sample(neighbors=both, edges=both)
    numbers = np.zeros(4 * n, np.uint32)
    with pytest.raises(ValueError, match="shares memory with another argument"):
        out = tw.Samples.empty(4 * n, 1)
        out.neighbors = numbers.reshape(-1, 1)
        view.sample(numbers, k=1, out=out)
    with pytest.raises(TypeError, match="out: expected Samples"):
        view.sample(nodes, k=4, out=[1])  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="out: expected 2 Samples, one a hop, not 1"):
        view.sample(nodes, k=[4, 4], out=[tw.Samples.empty(n, 4)])


def test_threads_get_the_same_answers(small: Asked) -> None:
    view = small.view
    nodes, times = np.tile(small.nodes, 200), np.tile(small.times, 200)
    expected = view.sample(nodes, times, k=5, choice="uniform", seed=1).edges
    wrong: list[int] = []

    def ask(thread: int) -> None:
        for _ in range(10):
            if not np.array_equal(view.sample(nodes, times, k=5, choice="uniform", seed=1).edges, expected):
                wrong.append(thread)

    threads = [threading.Thread(target=ask, args=(at,)) for at in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert wrong == []


def resident() -> int:
    """Bytes of memory that this process holds."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="no /proc")
def test_memory_does_not_grow(tmp_path: Path) -> None:
    rounds = int(os.environ.get("TIMEWEFT_ROUNDS", "300"))
    asked = Asked(3, tmp_path)
    path = asked.view._path

    def once() -> None:
        with tw.open(path, mode="read") as graph:
            graph.view().sample(asked.nodes, asked.times, k=[5, 5])

    for _ in range(rounds // 4):
        once()
    start = resident()
    for _ in range(rounds):
        once()
    assert resident() - start < 8 << 20


def test_all_relations_are_in_the_histories() -> None:
    history = History(0)
    assert {life.relation for life in history.lives} == set(RELATIONS)
    assert any(life.removed < 2**63 - 1 for life in history.lives)
    keys = [(life.relation, life.source, life.destination, life.key) for life in history.lives]
    assert max(Counter(keys).values()) > 1
