"""Windows of samples, walks, ranks and counters against a slow reference, and what a window may be."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from histories import Life
from test_samples import HISTORIES, NEVER, Asked, found

import timeweft as tw
from timeweft.errors import SampleError


@pytest.fixture(params=range(HISTORIES))
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> Asked:
    return Asked(request.param, tmp_path)


@pytest.fixture
def small(tmp_path: Path) -> Asked:
    return Asked(1, tmp_path)


def seen(asked: Asked, node: tuple[str, int], time: int, within: int, **how: Any) -> list[tuple[tuple[str, int], Life]]:
    """The slow reference: what is seen, and was created in the window."""
    return [(other, life) for other, life in asked.history.seen(node, time, **how) if life.created >= time - within]


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("within", [1, 2, 17, 2**64 - 1])
def test_all_edges_of_the_window_and_no_others(asked: Asked, before: bool, within: int) -> None:
    view, nodes, times = asked.view, asked.nodes, asked.times
    how: dict[str, Any] = {"side": "both", "before": before}
    samples = view.sample(nodes, times, k=200, within=within, **how)
    degrees = view.degrees(nodes, times, within=within, **how)
    counts, last = view.recencies(nodes, times, within=within, **how)
    around = view.subgraph(nodes, times, k=[200], within=within, **how)
    per_root = Counter(int(root) for edges in around.edges.values() for root in edges.roots)
    for row, (node, time) in enumerate(asked.roots):
        expected = seen(asked, node, time, within, before=before)
        assert Counter(found(asked, samples, row)) == Counter((other, life.created) for other, life in expected)
        assert degrees[row] == len(expected) == per_root[row]
        made = [life.created for end in ("source", "destination") for life in asked.history.lives if getattr(life, end) == node]
        made = [created for created in made if time - within <= created <= time - before]
        assert (counts[row], last[row]) == (len(made), max(made, default=NEVER))


def test_draws_quotas_and_hops_are_of_the_window(asked: Asked) -> None:
    view, nodes, times, within = asked.view, asked.nodes, asked.times, 9
    for choice in ("uniform", "uniform-distinct", "weighted", "weighted-distinct", "heaviest", "last"):
        samples = view.sample(nodes, times, k=4, choice=choice, weight="count", within=within)
        shares = view.sample(nodes, times, quotas={"knows": 2, "buys": 3}, choice=choice, weight="count", within=within)
        for row, (node, time) in enumerate(asked.roots):
            expected = seen(asked, node, time, within)
            possible = Counter((other, life.created) for other, life in expected)
            drawn = found(asked, samples, row)
            repeats = choice in ("uniform", "weighted")
            assert len(drawn) == (4 * bool(expected) if repeats else min(4, len(expected)))
            assert set(drawn) <= set(possible) if repeats else not Counter(drawn) - possible
            n = [sum(life.relation == relation for _, life in expected) for relation in ("knows", "buys")]
            full = sum(k * bool(n) if repeats else min(k, n) for k, n in zip((2, 3), n, strict=True))
            assert shares.counts[row] == full
    first, second = view.sample(nodes, times, k=[3, 50], hop_time="edge", within=within)
    for slot, (number, time) in enumerate(zip(first.neighbors.ravel(), first.created.ravel(), strict=True)):
        expected = [] if number == tw.NO_NODE else seen(asked, asked.of_number[int(number)], int(time), within)
        assert Counter(found(asked, second, slot)) == Counter((other, life.created) for other, life in expected)


@pytest.mark.parametrize("order", ["any", "not-later", "earlier", "later"])
def test_edges_of_walks_follow_each_other_in_the_window(asked: Asked, order: Any) -> None:
    view, nodes, times, within = asked.view, asked.nodes, asked.times, 6
    biased = {} if order == "later" else {"p": 0.5, "q": 2.0}
    walks = view.walk(np.tile(nodes, 3), np.tile(times, 3), length=4, order=order, within=within, **biased)
    ends = 0
    for row, (_, start) in enumerate(asked.roots * 3):
        time = start
        for step in range(4):
            here, there, created = (int(of[row, at]) for of, at in ((walks.nodes, step), (walks.nodes, step + 1), (walks.created, step)))
            if here == tw.NO_NODE:
                break
            node = asked.of_number[here]
            if order == "later":
                first = time if step == 0 else time + 1
                lives = [(a, b, life) for life in asked.history.lives for a, b in ((life.source, life.destination), (life.destination, life.source))]
                may = [(b, life.created) for a, b, life in lives if a == node and first <= life.created <= time + within]
            else:
                before = order != "not-later" or step == 0
                may = [(other, life.created) for other, life in seen(asked, node, time, within, before=before)]
            ends += not may
            assert ((asked.of_number.get(there), created) in may) if may else there == tw.NO_NODE
            time = start if order == "any" else created
    assert ends > 0


def test_ranks_are_of_what_can_be_reached_in_the_window(asked: Asked) -> None:
    near, _ = asked.view.page_rank(asked.nodes, asked.times, k=20, eps=1e-6, within=4)
    for row, (node, time) in enumerate(asked.roots):
        reached, new = {node}, [node]
        while new:
            new = [other for one in new for other, _ in seen(asked, one, time, 4) if other not in reached]
            reached |= set(new)
        assert {asked.of_number[int(number)] for number in near[row] if number != tw.NO_NODE} == reached


def chain(folder: Path, unit: Any) -> tw.View:
    """A link each 100 seconds to one node, for a day."""
    times = np.datetime64("2024-01-01T00:00:00") + np.arange(0, 86_400, 100)
    csv = folder / "events.csv"
    csv.write_text("src,dst,time\n" + "".join(f"{at},hub,{time}\n" for at, time in enumerate(times)))
    graph = tw.create(folder / f"chain-{unit}", unit=unit)
    graph.load_events(csv)
    return graph.view()


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_lengths_of_time_are_ticks_rounded_down(tmp_path: Path, unit: Any) -> None:
    view = chain(tmp_path, unit)
    hub = view.indices("node", ["hub"])
    ticks = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]

    def degree(within: Any, time: Any = "2024-01-01T12:00:00") -> int:
        return int(view.degrees(hub, time, within=within)[0])

    # An edge created exactly so long before counts, one of that time does not.
    assert degree(3600 * ticks) == degree(dt.timedelta(hours=1)) == degree(np.timedelta64(1, "h")) == 36
    assert degree(dt.timedelta(seconds=3599)) == degree(dt.timedelta(seconds=3599.9)) == 35
    assert degree(np.timedelta64(3_600_999, "ms")) == 36
    assert degree(np.timedelta64(36, "D")) == degree(dt.timedelta.max) == degree(2**64 - 1) == 432
    assert degree(np.int64(100 * ticks)) == 1
    pandas = pytest.importorskip("pandas")
    assert degree(pandas.Timedelta(hours=1)) == 36
    assert degree(pandas.Timedelta(3_600_000_000_000 - 1, "ns")) == 35


def test_what_is_no_window_is_refused(small: Asked, tmp_path: Path) -> None:
    view, nodes, times = small.view, small.nodes, small.times
    seconds = chain(tmp_path, "s")
    asks: list[Any] = [
        lambda within: view.sample(nodes, times, within=within),
        lambda within: view.walk(nodes, times, length=2, within=within),
        lambda within: view.page_rank(nodes, times, within=within),
        lambda within: view.subgraph(nodes, times, k=[2], within=within),
        lambda within: view.degrees(nodes, times, within=within),
        lambda within: view.recencies(nodes, times, within=within),
    ]
    for ask in asks:
        for wrong in (0, -1, 2**64):
            with pytest.raises(SampleError, match=f"within: {wrong} is no window: give at least one tick"):
                ask(wrong)
        for wrong in (1.5, "7d", True, np.datetime64("2024-01-01")):
            with pytest.raises(TypeError, match="within: expected ticks or a timedelta, not"):
                ask(wrong)
        with pytest.raises(SampleError, match="within: the graph counts steps"):
            ask(dt.timedelta(days=1))
    for wrong in (dt.timedelta(0), dt.timedelta(days=-1), dt.timedelta(milliseconds=999), np.timedelta64(-1, "s")):
        with pytest.raises(SampleError, match="within: .* is no window: give at least one tick"):
            seconds.degrees([0], "2024-01-01", within=wrong)
    for wrong in (np.timedelta64("NaT"), np.timedelta64(1, "M"), np.timedelta64(1, "Y"), np.timedelta64(5)):
        with pytest.raises(SampleError, match="within: .* has no fixed length"):
            seconds.degrees([0], "2024-01-01", within=wrong)


def test_the_end_of_time_has_no_window(small: Asked) -> None:
    view, nodes, times = small.view, small.nodes, small.times
    with pytest.raises(SampleError, match=r"within: nothing was created shortly before the end of time.*root 0"):
        view.sample(nodes, within=3)
    open_ends = times.copy()
    open_ends[7] = 2**63 - 1
    with pytest.raises(SampleError, match="root 7"):
        view.degrees(nodes, open_ends, within=3)
    assert view.degrees(np.empty(0, np.uint32), within=3).shape == (0,)
