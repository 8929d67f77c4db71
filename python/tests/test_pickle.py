"""Views and read-only graphs are pickled as where they are."""

from __future__ import annotations

import pickle

import pytest
import timeweft as tw

from graphs import load, node, shop


def test_a_view_is_the_same_after_pickling() -> None:
    graph = shop()
    for view in (graph.view(35), graph.view(deletes="soft")):
        again = pickle.loads(pickle.dumps(view))
        assert again == view and hash(again) == hash(view)
        assert list(again.nodes(features="all")) == list(view.nodes(features="all"))
        assert repr(again) == repr(view)


def test_a_pickled_view_stays_at_its_commit() -> None:
    graph = shop()
    pickled = pickle.dumps(graph.view())
    load(graph, [node(70, "user", "cy")])
    again = pickle.loads(pickled)
    assert again.commit == 1 and again.n_nodes["user"] == 1
    assert again != graph.view()


def test_views_are_equal_by_path_commit_time_and_deletes() -> None:
    graph, other = shop(), shop("other")
    assert graph.view(35) == graph.view(35, commit=1)
    assert graph.view(35) != graph.view(36)
    assert graph.view(35) != graph.view(35, deletes="soft")
    assert graph.view(35) != other.view(35)
    assert len({graph.view(35), graph.view(35), graph.view(36)}) == 2


def test_a_graph_that_is_read_is_pickled_and_one_that_is_written_is_not() -> None:
    graph = shop()
    with pytest.raises(TypeError, match="open it with mode='read'"):
        pickle.dumps(graph)
    reader = tw.open(graph.path, mode="read")
    again = pickle.loads(pickle.dumps(reader))
    assert again.read_only and again.commit == 1 and again.path == graph.path.absolute()
    assert again.view().n_nodes == graph.view().n_nodes
