"""Subgraphs against a slow reference."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from histories import RELATIONS
from neighborhoods import Numbered, hood

import timeweft as tw
from timeweft.errors import SampleError, UnknownError

HISTORIES = int(os.environ.get("TIMEWEFT_HISTORIES", "12"))


@pytest.fixture(params=range(HISTORIES))
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> Numbered:
    return Numbered(request.param, tmp_path)


@pytest.fixture
def small(tmp_path: Path) -> Numbered:
    return Numbered(1, tmp_path)


def edges_of(asked: Numbered, found: tw.Subgraph, joint: bool = False) -> dict[int, Counter]:
    """The edges of a subgraph by the root that reached them, as `hood` writes them."""
    by_root: dict[int, Counter] = {}
    for ((source, relation, destination), side), own in found.edges.items():
        froms, tos = found.nodes[source], found.nodes[destination]
        for at in range(len(own.edges)):
            ends = [
                ((asked.of_number[int(of.nodes[place])]), int(of.times[place]))
                for of, place in ((froms, own.source[at]), (tos, own.destination[at]))
            ]
            center, neighbor = ends if side == "out" else ends[::-1]
            edges = by_root.setdefault(int(own.roots[at]), Counter())
            edges[relation, side, center, neighbor, int(own.created[at])] += 1
            # All three agree on who reached it.
            if not joint:
                assert froms.roots[own.source[at]] == tos.roots[own.destination[at]] == own.roots[at]
    return by_root


@pytest.mark.parametrize("hop_time", ["root", "edge"])
@pytest.mark.parametrize(("side", "relation"), [("both", None), ("out", "buys"), ("in", "knows"), ("out", None)])
def test_everything_around_each_root_and_nothing_else(asked: Numbered, hop_time, side: str, relation: str | None) -> None:
    roots, nodes, times = asked.roots(2, 20)
    found = asked.view.subgraph(nodes, times, k=[300, 300], side=side, edge_types=relation, hop_time=hop_time)
    by_root = edges_of(asked, found)
    for row, root in enumerate(roots):
        seen, edges = hood(asked.history, [root], 2, side=side, relation=relation, hop_time=hop_time)
        assert by_root.get(row, Counter()) == edges
        own = [
            (asked.of_number[int(node)], int(time))
            for of in found.nodes.values()
            for node, time in zip(of.nodes[of.roots == row], of.times[of.roots == row], strict=True)
        ]
        assert len(own) == len(set(own)) and set(own) == seen
    triples = {(triple[1], at) for triple, at in found.edges}
    relations = [relation] if relation else list(RELATIONS)
    assert triples == {(name, at) for name in relations for at in (("out", "in") if side == "both" else (side,))}


def test_joint_roots_share_what_they_see(asked: Numbered) -> None:
    roots, nodes, times = asked.roots(3, 20)
    found = asked.view.subgraph(nodes, times, k=[300, 300], joint=True)
    seen, edges = hood(asked.history, roots, 2)
    assert sum(edges_of(asked, found, joint=True).values(), Counter()) == edges
    own = [
        (asked.of_number[int(node)], int(time))
        for of in found.nodes.values()
        for node, time in zip(of.nodes, of.times, strict=True)
    ]
    assert len(own) == len(set(own)) and set(own) == seen


def test_roots_come_first_and_hops_follow(small: Numbered) -> None:
    roots, nodes, times = small.roots(4, 30)
    found = small.view.subgraph(nodes, times, k=[3, 2])
    names = list(found.nodes)
    for row, (node, time) in enumerate(roots):
        own = found.nodes[names[found.root_types[row]]]
        place = found.root_places[row]
        assert (small.of_number[int(own.nodes[place])], int(own.times[place]), own.roots[place]) == (node, time, row)
        assert place < own.ends[0]
    for own in found.nodes.values():
        assert own.ends.dtype == np.uint32 and len(own.ends) == 3 and own.ends[-1] == len(own.nodes)
    for own in found.edges.values():
        assert len(own.ends) == 2 and own.ends[-1] == len(own.edges)
    n_nodes, n_edges = (sum(len(part[0]) for part in parts.values()) for parts in (found.nodes, found.edges))
    assert repr(found) == f"Subgraph(30 roots, {n_nodes} nodes, {n_edges} edges)"
    # The first hop is what a sample says.
    assert sum(int(own.ends[0]) for own in found.edges.values()) == small.view.sample(nodes, times, k=3).counts.sum()


def test_arrays_are_handed_over(small: Numbered) -> None:
    _, nodes, times = small.roots(5, 10)
    found = small.view.subgraph(nodes, times, k=[2])
    for own in found.nodes.values():
        assert [array.dtype for array in own] == [np.uint32, np.int64, np.uint32, np.uint32]
    for own in found.edges.values():
        assert [array.dtype for array in own] == [np.uint32] * 3 + [np.int64] + [np.uint32] * 2
    for array in (own for parts in (found.nodes, found.edges) for of in parts.values() for own in of):
        # The memory is the library's own.
        assert not array.flags.owndata and array.flags.writeable and array.flags.c_contiguous


def test_batches_say_the_same_as_all_at_once(small: Numbered) -> None:
    _, nodes, times = small.roots(6, 30)
    how = {"k": [2, 2], "choice": "uniform", "seed": 3}
    whole = edges_of(small, small.view.subgraph(nodes, times, **how))
    for start in range(0, 30, 7):
        part = small.view.subgraph(nodes[start : start + 7], times[start : start + 7], first_root=start, **how)
        for row, edges in edges_of(small, part).items():
            assert whole[start + row] == edges
    other = edges_of(small, small.view.subgraph(nodes, times, **{**how, "seed": 4}))
    assert other != whole


def test_wrong_arguments_are_refused(small: Numbered) -> None:
    view = small.view
    with pytest.raises(SampleError, match="roots"):
        view.subgraph([10**6], k=[2])
    with pytest.raises(SampleError, match="k: an empty list"):
        view.subgraph([0], k=[])
    with pytest.raises(UnknownError, match="no edge type `sells`"):
        view.subgraph([0], k=[2], edge_types="sells")
    with pytest.raises(SampleError, match="choice: expected 'last'"):
        view.subgraph([0], k=[2], choice="first")  # type: ignore[arg-type]
    assert len(view.subgraph([], k=3)) == 0
