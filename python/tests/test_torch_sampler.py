"""The sampler for loaders of PyTorch Geometric, against the loader of the package."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graphs import edge, load, node
from neighborhoods import Numbered, hood

import timeweft as tw
from timeweft.errors import SampleError

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'timeweft[pyg]'")
pytest.importorskip("torch_geometric", reason="PyTorch Geometric is not installed: pip install 'timeweft[pyg]'")

from torch_geometric.loader import LinkLoader, NodeLoader  # noqa: E402
from torch_geometric.sampler import NegativeSampling  # noqa: E402
from torch_geometric.transforms import ToUndirected  # noqa: E402

from timeweft.torch import TimeweftSampler  # noqa: E402

HISTORIES = int(os.environ.get("TIMEWEFT_HISTORIES", "12"))


@pytest.fixture(params=range(HISTORIES))
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> Numbered:
    return Numbered(request.param, tmp_path)


def edges_of(asked: Numbered, batch: Any, times: list[int], root: int) -> Counter:
    """(relation, side, node that was asked, neighbor) of the edges that a root reached."""
    found: Counter = Counter()
    for source, name, destination in batch.edge_types:
        relation, side = (name.removeprefix("rev_"), "out") if name.startswith("rev_") else (name, "in")
        near, center = batch[source, name, destination].edge_index
        own = batch[destination].batch[center] == root
        for neighbor, node in zip(batch[source].n_id[near[own]].tolist(), batch[destination].n_id[center[own]].tolist(), strict=True):
            found[relation, side, asked.of_number[node], asked.of_number[neighbor]] += 1
    return found


def expected(asked: Numbered, root: tuple[tuple[str, int], int], side: str) -> Counter:
    _, edges = hood(asked.history, [root], 2, side=side)
    return Counter(
        {
            key: sum(n for edge, n in edges.items() if (edge[0], edge[1], edge[2][0], edge[3][0]) == key)
            for key in {(edge[0], edge[1], edge[2][0], edge[3][0]) for edge in edges}
        }
    )


@pytest.mark.parametrize("side", ["in", "both"])
def test_seeds_of_a_node_loader_see_what_was_just_before(asked: Numbered, side: str) -> None:
    soft = asked.graph.view(deletes="soft")
    data = soft.to_pyg(node_features={"user": {"taste": 3}})
    if side == "both":
        # Gives the data the types of edges that are followed from their source.
        data = ToUndirected(merge=False)(data)
    users = [node for node in asked.numbers if node[0] == "user"]
    roots = [(node, time) for node in users for time in range(0, asked.history.end + 2, 9)]
    places = {number: at for at, number in enumerate(data["user"].n_id.tolist())}
    seeds = torch.tensor([places[asked.numbers[node]] for node, _ in roots])
    times = torch.tensor([time for _, time in roots])
    sampler = TimeweftSampler(soft, k=[300, 300], side=side)
    at = 0
    for batch in NodeLoader(data, sampler, ("user", seeds), input_time=times, batch_size=7):
        store = batch["user"]
        assert store.batch_size == len(store.input_id)
        assert torch.equal(store.x, data["user"].x[[places[number] for number in store.n_id.tolist()]])
        for row in range(store.batch_size):
            assert (asked.of_number[int(store.n_id[row])], int(store.seed_time[row])) == roots[at]
            assert edges_of(asked, batch, [], row) == expected(asked, roots[at], side)
            at += 1
        for triple in batch.edge_types:
            # By hop, so that layers can be cut to what they need.
            assert sum(batch[triple].num_sampled_edges) == batch[triple].edge_index.shape[1]
        assert all(sum(batch[name].num_sampled_nodes) == len(batch[name].n_id) for name in batch.node_types)
    assert at == len(roots)


def test_ends_of_links_see_what_was_just_before(asked: Numbered) -> None:
    soft = asked.graph.view(deletes="soft")
    data = soft.to_pyg()
    triple = ("user", "buys", "item")
    links, times = data[triple].edge_index, data[triple].time
    loader = LinkLoader(
        data,
        TimeweftSampler(soft, k=[300, 300]),
        (triple, links),
        edge_label_time=times,
        neg_sampling=NegativeSampling("binary", 1.0),
        batch_size=6,
    )
    at = 0
    for batch in loader:
        store = batch[triple]
        n = len(store.input_id)
        sources, destinations = store.edge_label_index
        for row in range(n):
            time = int(times[at])
            for name, place in (("user", sources[row]), ("item", destinations[row])):
                root = (asked.of_number[int(batch[name].n_id[place])], time)
                center = int(batch[name].batch[place])
                assert center == row
            assert int(batch["user"].n_id[sources[row]]) == int(data["user"].n_id[links[0, at]])
            assert int(batch["item"].n_id[destinations[row]]) == int(data["item"].n_id[links[1, at]])
            # Both ends, and those of the negative, are of the same number of the batch.
            roots = [(asked.of_number[int(batch[name].n_id[place])], time) for name, ends in (("user", sources), ("item", destinations)) for place in ends[row::n]]
            wanted = sum((expected(asked, root, "in") for root in roots), Counter())
            assert edges_of(asked, batch, [], row) == wanted
            at += 1
    assert at == links.shape[1]


def test_one_type_needs_no_names(tmp_path: Path) -> None:
    graph = tw.create("mail", unit="step")
    load(graph, [node(0, "page", at) for at in range(4)] + [edge(at + 1, ("page", at), "links", ("page", 3)) for at in range(3)])
    view = graph.view()
    data = view.to_pyg().to_homogeneous(add_node_type=False, add_edge_type=False)
    (batch,) = NodeLoader(data, TimeweftSampler(view, k=[5]), torch.tensor([3, 0]), input_time=torch.tensor([3, 9]), batch_size=2)
    assert batch.n_id.tolist() == [3, 0, 1, 0] and batch.batch.tolist() == [0, 1, 0, 0]
    assert sorted(batch.edge_index.t().tolist()) == [[2, 0], [3, 0]]
    assert (batch.num_sampled_nodes, batch.num_sampled_edges) == ([2, 2], [2])
    (batch,) = LinkLoader(data, TimeweftSampler(view, k=[5]), torch.tensor([[0], [3]]), edge_label_time=torch.tensor([2]), batch_size=2)
    assert batch.edge_label_index.tolist() == [[0], [1]] and batch.batch.tolist() == [0, 0, 0]
    (batch,) = NodeLoader(data, TimeweftSampler(view, k=[5], joint=True), torch.tensor([3]), batch_size=2)
    assert batch.batch is None and len(batch.n_id) == 4


def test_a_node_that_the_data_does_not_have_is_named(tmp_path: Path) -> None:
    graph = tw.create("mail", unit="step")
    pages = [node(0, "page", at) for at in range(2)]
    load(graph, [*pages, edge(1, ("page", 0), "links", ("page", 1)), node(5, "page", 0, action="delete")])
    view = graph.view()
    loader = NodeLoader(
        view.to_pyg(), TimeweftSampler(view, k=[5]), ("page", torch.tensor([0])), input_time=torch.tensor([4])
    )
    with pytest.raises(SampleError, match="deletes='soft'"):
        next(iter(loader))
    soft = graph.view(deletes="soft")
    data, sampler = soft.to_pyg(), TimeweftSampler(soft, k=[5])
    for time, n in ((4, 1), (5, 1), (6, 0)):
        (batch,) = NodeLoader(data, sampler, ("page", torch.tensor([1])), input_time=torch.tensor([time]))
        assert batch["page", "links", "page"].edge_index.shape[1] == n


def test_workers_and_epochs(tmp_path: Path) -> None:
    asked = Numbered(1, tmp_path)
    soft = asked.graph.view(deletes="soft")
    data, sampler = soft.to_pyg(), TimeweftSampler(soft, k=[2, 2], choice="uniform")

    def once(**how: Any) -> list[Any]:
        loader = NodeLoader(data, sampler, "user", batch_size=2, **how)
        return [batch["user", "buys", "item"].edge_index.tolist() + [batch["user"].n_id.tolist()] for batch in loader]

    first = once()
    assert once() == first
    assert once(num_workers=2, multiprocessing_context="spawn") == first
    sampler.set_epoch(1)
    assert np.any([one != other for one, other in zip(first, once(), strict=True)])
