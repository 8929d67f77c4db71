"""Loaders for PyTorch against a slow reference over the events."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from neighborhoods import Numbered, hood

import timeweft as tw
from timeweft.errors import FeatureKindError, SampleError, UnknownError

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'timeweft[pyg]'")
pytest.importorskip("torch_geometric", reason="PyTorch Geometric is not installed: pip install 'timeweft[pyg]'")

from timeweft.torch import TemporalLoader  # noqa: E402

HISTORIES = int(os.environ.get("TIMEWEFT_HISTORIES", "12"))
ALL = [300, 300]


@pytest.fixture(params=range(HISTORIES))
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> Numbered:
    return Numbered(request.param, tmp_path)


@pytest.fixture
def small(tmp_path: Path) -> Numbered:
    return Numbered(1, tmp_path)


def nodes_of(asked: Numbered, batch: Any) -> dict[str, list[tuple[tuple[str, int], int]]]:
    """The nodes of each type, with the times that they are seen at."""
    return {
        name: [
            (asked.of_number[node], time)
            for node, time in zip(batch[name].n_id.tolist(), batch[name].time.tolist(), strict=True)
        ]
        for name in batch.node_types
    }


def edges_of(asked: Numbered, batch: Any) -> dict[int, Counter]:
    """The edges of a batch by the root that reached them (0 for all of a joint one), as `hood` writes them."""
    nodes, found = nodes_of(asked, batch), {}
    for source, name, destination in batch.edge_types:
        store = batch[source, name, destination]
        relation, side = (name.removeprefix("rev_"), "out") if name.startswith("rev_") else (name, "in")
        for at, (near, center) in enumerate(store.edge_index.t().tolist()):
            created, asked_at = int(store.edge_time[at]), nodes[destination][center][1]
            assert created < asked_at and int(store.dt[at]) == asked_at - created
            root = 0
            if "batch" in batch[destination]:
                root = int(batch[destination].batch[center])
                assert int(batch[source].batch[near]) == root
            edge = (relation, side, nodes[destination][center], nodes[source][near], created)
            found.setdefault(root, Counter())[edge] += 1
    return found


def check_features(asked: Numbered, batch: Any) -> None:
    """Features of nodes and edges are those of just before the times that they are seen at."""
    for name, nodes in nodes_of(asked, batch).items():
        tastes = np.array([asked.history.taste(node, time - 1) for node, time in nodes], np.float32)
        np.testing.assert_array_equal(batch[name].x.numpy(), tastes.reshape(-1, 3))
    for triple in batch.edge_types:
        store, centers = batch[triple], nodes_of(asked, batch)[triple[2]]
        for at, edge in enumerate(store.e_id.tolist()):
            life = life_of(asked, edge)
            last = centers[int(store.edge_index[1, at])][1] - 1
            held = [weight for since, weight in life.weights if since <= last]
            assert float(store.edge_attr[at, 0]) == (held[-1] if held else 0.0)
            assert life.created <= last < life.removed


def life_of(asked: Numbered, edge: int) -> Any:
    """The life that an edge number stands for: lives were created in the order of the events."""
    return asked.history.lives[edge]


FEATURES = {
    "features": {"user": {"taste": 3}, "item": {"taste": 3}},
    "edge_features": {"buys": {"count": 1}, "knows": {"count": 1}},
}


@pytest.mark.parametrize("hop_time", ["root", "edge"])
@pytest.mark.parametrize(
    ("side", "relation", "within"), [("both", None, None), ("out", "buys", None), ("in", "knows", None), ("both", None, 9)]
)
def test_roots_see_all_that_was_there_just_before_and_nothing_else(
    asked: Numbered, hop_time: Any, side: str, relation: str | None, within: int | None
) -> None:
    roots, nodes, times = asked.roots(2, 20)
    features = FEATURES if relation is None else {}
    scope = {"side": side, "edge_types": relation, "hop_time": hop_time, "within": within}
    loader = TemporalLoader(asked.view, (nodes, times), k=ALL, batch_size=7, **scope, **features)
    assert len(loader) == 3
    at = 0
    for batch in loader:
        by_root, seen = edges_of(asked, batch), nodes_of(asked, batch)
        for row in range(len(batch.input_id)):
            expected, edges = hood(
                asked.history, [roots[at]], 2, side=side, relation=relation, hop_time=hop_time, within=within
            )
            assert by_root.get(row, Counter()) == edges
            own = [node for name in seen for node, root in zip(seen[name], batch[name].batch.tolist(), strict=True) if root == row]
            assert len(own) == len(expected) and set(own) == expected
            root_type = batch.node_types[int(batch.root_type[row])]
            assert seen[root_type][int(batch.root_node[row])] == roots[at]
            assert (int(batch.input_id[row]), int(batch.seed_time[row])) == (at, roots[at][1])
            at += 1
        if features:
            check_features(asked, batch)
    assert at == 20


def positives(asked: Numbered, relation: str, start: int = 0, end: int = 2**62) -> list[Any]:
    """The lives that links are of, in their order."""
    lives = [life for life in asked.history.lives if life.relation == relation and life.created < life.removed]
    return [life for life in lives if start <= life.created < end]


@pytest.mark.parametrize("freshness", ["event", "batch"])
def test_links_are_all_lives_in_order_and_see_only_what_was_before(asked: Numbered, freshness: Any) -> None:
    lives = positives(asked, "buys")
    loader = TemporalLoader(
        asked.view, relation="buys", k=ALL, batch_size=9, negatives=2, freshness=freshness, **FEATURES
    )
    row = 0
    for batch in loader:
        store, seen = batch["user", "buys", "item"], nodes_of(asked, batch)
        n = len(batch.input_id)
        own, first = lives[row : row + n], lives[row].created
        links = store.edge_label_index.t().tolist()
        assert store.edge_label.tolist() == [1.0] * n + [0.0] * (len(links) - n)
        assert store.edge_label_time[:n].tolist() == [life.created for life in own] == batch.seed_time.tolist()
        for life, (source, destination), edge in zip(own, links, store.input_edge.tolist(), strict=False):
            asked_at = first if freshness == "batch" else life.created
            assert seen["user"][source] == (life.source, asked_at)
            assert seen["item"][destination] == (life.destination, asked_at)
            assert life_of(asked, edge) is life
        weights = [float(([0.0] + [w for since, w in life.weights if since <= life.created])[-1]) for life in own]
        assert store.edge_label_attr[:, 0].tolist() == weights
        # Each end of a link, and each negative, is a root of its own.
        by_root = edges_of(asked, batch)
        for name in ("user", "item"):
            for place, root in enumerate(batch[name].batch.tolist()):
                node, time = seen[name][place]
                expected, edges = hood(asked.history, [(node, time)], 2)
                if place in {end for link in links for end in [link[0 if name == "user" else 1]]}:
                    assert by_root.get(root, Counter()) == edges
        check_features(asked, batch)
        # Batches end between two times only.
        row += n
        assert row == len(lives) or lives[row - 1].created < lives[row].created
    assert row == len(lives)


def test_negatives_are_alive_known_and_wrong(asked: Numbered) -> None:
    history, lives = asked.history, positives(asked, "buys")
    for exclude in ("same-time", "alive", None):
        loader = TemporalLoader(asked.view, relation="buys", k=2, negatives=6, exclude=exclude, cut="count", batch_size=16)
        found: dict[int, list[tuple[str, int]]] = {}
        for batch in loader:
            store, seen, n = batch["user", "buys", "item"], nodes_of(asked, batch), len(batch.input_id)
            roots = dict(zip(store.edge_label_index[0, :n].tolist(), batch.input_id.tolist(), strict=True))
            for source, destination in store.edge_label_index[:, n:].t().tolist():
                found.setdefault(roots[source], []).append(seen["item"][destination][0])
        for at, life in enumerate(lives):
            last = life.created - 1
            known = {other.destination for other in lives if other.created <= last}
            fit = {node for node in known if node != life.destination and history.is_alive(node, last)}
            own = [other for other in lives if other.source == life.source]
            if exclude is not None:
                fit -= {other.destination for other in own if other.created == life.created}
            if exclude == "alive":
                fit -= {other.destination for other in own if other.is_alive(life.created)}
            assert set(found.get(at, [])) <= fit
            assert len(found.get(at, [])) == (6 if fit else 0)


def content(batches: Any) -> list[Any]:
    """What is in batches, whatever the borders between them: by root, without places."""
    rows: list[Any] = []
    for batch in batches:
        parts: dict[int, list[Any]] = {}
        for name in batch.node_types:
            for row, root in enumerate(batch[name].batch.tolist()):
                parts.setdefault(root, []).append((name, int(batch[name].n_id[row]), int(batch[name].time[row])))
        for triple in batch.edge_types:
            store = batch[triple]
            if "e_id" not in store:
                continue
            for (_, center), edge, dt in zip(store.edge_index.t().tolist(), store.e_id.tolist(), store.dt.tolist(), strict=True):
                parts[int(batch[triple[2]].batch[center])].append((triple, edge, dt))
        rows += [parts[at] for at in sorted(parts)]
    return rows


def same(left: Any, right: Any) -> bool:
    """Whether two batches hold the same tensors."""
    if left.node_types != right.node_types or left.edge_types != right.edge_types:
        return False
    ones, others = left.to_dict(), right.to_dict()

    def equal(one: Any, other: Any) -> bool:
        if isinstance(one, dict):
            return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
        return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other

    return equal(ones, others)


def test_threads_and_borders_of_batches_do_not_show(small: Numbered) -> None:
    how: dict[str, Any] = {"relation": "knows", "k": [2, 2], "choice": "uniform", "negatives": 2, "cut": "count", **FEATURES}
    batches = {n: list(TemporalLoader(small.view, prefetch=n, batch_size=8, **how)) for n in (0, 2, 4)}
    assert len(batches[0]) > 3
    for other in (2, 4):
        assert all(same(one, two) for one, two in zip(batches[0], batches[other], strict=True))
    whole = content(batches[0])
    for size in (1, 5, 1000):
        assert content(TemporalLoader(small.view, batch_size=size, **how)) == whole
    assert content(TemporalLoader(small.view, batch_size=8, seed=1, **how)) != whole


def test_workers_make_the_same_batches(small: Numbered) -> None:
    how: dict[str, Any] = {"relation": "buys", "k": [2, 2], "choice": "uniform", "negatives": 1, "batch_size": 9, **FEATURES}
    here = list(TemporalLoader(small.view, **how))
    there = list(TemporalLoader(small.view, num_workers=2, **how))
    assert all(same(one, two) for one, two in zip(here, there, strict=True))


def test_each_epoch_has_random_numbers_of_its_own(small: Numbered) -> None:
    _, nodes, times = small.roots(3, 40)
    how: dict[str, Any] = {"k": 2, "choice": "uniform", "shuffle": True, "batch_size": 16}
    loader = TemporalLoader(small.view, (nodes, times), prefetch=0, **how)
    first, again = list(loader), list(loader)
    assert all(same(one, two) for one, two in zip(first, again, strict=True))
    order = [at for batch in first for at in batch.input_id.tolist()]
    assert sorted(order) == list(range(40)) and order != sorted(order)
    running = iter(loader)
    next(running)
    loader.set_epoch(1)
    # An iteration that runs stays with its epoch.
    assert same(next(running), first[1])
    other = [at for batch in loader for at in batch.input_id.tolist()]
    assert sorted(other) == list(range(40)) and other != order
    loader.set_epoch(0)
    assert all(same(one, two) for one, two in zip(loader, first, strict=True))


def test_joint_roots_share_nodes(asked: Numbered) -> None:
    lives = positives(asked, "buys")
    loader = TemporalLoader(asked.view, relation="buys", k=ALL, batch_size=10, joint=True, freshness="batch", cut="count", **FEATURES)
    row = 0
    for batch in loader:
        own = lives[row : row + 10]
        row += len(own)
        roots = [(end, own[0].created) for life in own for end in (life.source, life.destination)]
        expected, edges = hood(asked.history, roots, 2)
        assert sum(edges_of(asked, batch).values(), Counter()) == edges
        seen = nodes_of(asked, batch)
        assert sorted(node for of in seen.values() for node in of) == sorted(expected)
        assert all("batch" not in batch[name] for name in batch.node_types)
        links = batch["user", "buys", "item"].edge_label_index.t().tolist()
        assert [(seen["user"][s][0], seen["item"][d][0]) for s, d in links] == [(life.source, life.destination) for life in own]
        check_features(asked, batch)


def test_parts_of_time_have_the_links_of_it(asked: Numbered) -> None:
    middle = asked.history.end // 2
    for start, end in ((None, middle), (middle, None), (middle, middle + 5)):
        loader = TemporalLoader(asked.view, relation="knows", between=(start if start is not None else -5, end))
        expected = positives(asked, "knows", start or 0, 2**62 if end is None else end)
        assert sum(len(batch.input_id) for batch in loader) == len(expected)
    at = asked.graph.view(middle)
    assert sum(len(batch.input_id) for batch in TemporalLoader(at, relation="knows")) == len(positives(asked, "knows", 0, middle + 1))


def test_given_negatives_are_taken(small: Numbered) -> None:
    n = len(positives(small, "buys"))
    item = small.numbers["item", 2]
    given = np.full((n, 2), item, np.uint32)
    given[0] = tw.NO_NODE
    loader = TemporalLoader(small.view, relation="buys", k=2, negatives=given, batch_size=1000)
    (batch,) = loader
    store = batch["user", "buys", "item"]
    negatives = store.edge_label_index[1, n:]
    assert batch["item"].n_id[negatives].tolist() == [item] * (2 * n - 2)
    with pytest.raises(ValueError, match=r"negatives: expected an array of shape \(\d+, n\)"):
        TemporalLoader(small.view, relation="buys", negatives=given[:3])
    with pytest.raises(ValueError, match="negatives: 0 is no node of the type 'item'"):
        TemporalLoader(small.view, relation="buys", negatives=np.zeros((n, 1), np.uint32))


def test_transforms_are_called_in_turn(small: Numbered) -> None:
    def twice(batch: Any) -> Any:
        batch.twice = batch.input_id * 2
        return batch

    (batch,) = TemporalLoader(small.view, relation="buys", batch_size=1000, transforms=[twice, lambda batch: batch])
    assert torch.equal(batch.twice, batch.input_id * 2)


def test_wrong_arguments_are_refused_at_once(small: Numbered) -> None:
    view = small.view
    for error, match, how in (
        (ValueError, "roots, relation: give one of them", {}),
        (ValueError, "roots, relation: give one of them", {"roots": ([0], 1), "relation": "buys"}),
        (ValueError, "batch_size: expected a whole number of 1 or more, not 0", {"relation": "buys", "batch_size": 0}),
        (ValueError, "negatives: they belong to relation=", {"roots": ([0], 1), "negatives": 1}),
        (ValueError, "freshness: expected one of", {"relation": "buys", "freshness": "hour"}),
        (ValueError, "cut='time': the times of the roots do not rise", {"roots": ([0, 1], np.array([3, 2])), "cut": "time"}),
        (ValueError, "shuffle: batches in random order", {"relation": "buys", "shuffle": True, "cut": "time"}),
        (UnknownError, "relation: the graph has no edges 'sells'", {"relation": "sells"}),
        (UnknownError, "features: the graph has no nodes 'robot'", {"relation": "buys", "features": {"robot": {"a": 1}}}),
        (UnknownError, r"features\['user'\]: there is no feature 'mass'", {"relation": "buys", "features": {"user": {"mass": 1}}}),
        (FeatureKindError, "'name' is text", {"relation": "buys", "features": {"user": {"name": 1}}}),
        (ValueError, "expected how many numbers a value has", {"relation": "buys", "features": {"user": {"taste": 0}}}),
        (TypeError, "before: there is no such argument", {"relation": "buys", "before": False}),
        (UnknownError, "no edge type `sells`", {"relation": "buys", "edge_types": "sells"}),
        (SampleError, r"roots\[0\]\[0\]: the graph has no node 999", {"roots": ([999], 1)}),
    ):  # fmt: skip
        with pytest.raises(error, match=match):
            TemporalLoader(view, **how)


def test_an_iteration_that_is_left_leaves_no_thread(small: Numbered) -> None:
    import threading

    for _ in zip(TemporalLoader(small.view, relation="buys", batch_size=4, prefetch=3), range(2), strict=False):
        pass
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("timeweft-loader")]


def test_an_error_in_a_thread_reaches_the_loop(small: Numbered) -> None:
    def fails(batch: Any) -> Any:
        raise RuntimeError("no batch")

    with pytest.raises(RuntimeError, match="no batch"):
        list(TemporalLoader(small.view, relation="buys", transforms=[fails]))


FORKED = """
import os, sys
import timeweft as tw
from timeweft.torch import TemporalLoader

graph = tw.open(sys.argv[1], mode="read")
running = iter(TemporalLoader(graph.view(), relation="buys", batch_size=4, prefetch=int(sys.argv[2])))
next(running)
child = os.fork()
if child == 0:
    try:
        next(running)
    except tw.errors.ForkError as error:
        print(error, flush=True)
        sys.exit(7)
    sys.exit(0)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), sum(1 for _ in running) > 2)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("prefetch", [0, 2])
def test_a_child_that_goes_on_with_an_iteration_gets_a_fork_error(small: Numbered, prefetch: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKED, str(small.graph.path), str(prefetch)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "spawn" in done.stdout and done.stdout.splitlines()[-1] == "7 True"
