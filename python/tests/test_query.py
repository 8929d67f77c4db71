"""Questions of a hierarchy."""

from __future__ import annotations

import pytest
import timeweft as tw
from timeweft.errors import QueryError, UnknownError

from graphs import edge, load, node


@pytest.fixture
def terms() -> tw.Query:
    """A hierarchy: lake and river are water, water and rock are material, and a sample is from a lake."""
    graph = tw.create("terms", unit="step")
    names = {"1": "material", "2": "water", "3": "rock", "4": "lake", "5": "river"}
    events = [node(1, "term", id, name=name, rank=float(id)) for id, name in names.items()]
    parents = [("2", "1"), ("3", "1"), ("4", "2"), ("5", "2")]
    events += [edge(2, ("term", child), "is_a", ("term", parent)) for child, parent in parents]
    events += [node(3, "sample", "s1"), edge(3, ("sample", "s1"), "from", ("term", "4"))]
    load(graph, events)
    return graph.view().query("term")


def _ids(answer: tw.Answer) -> list[int]:
    return [int(id) for id in answer["id"]]


def test_walks(terms: tw.Query) -> None:
    assert _ids(terms.parents(4)) == [2]
    assert terms.parents(4)["relations"].tolist() == [["is_a"]]
    assert _ids(terms.children("2")) == [4, 5]
    assert _ids(terms.ancestors(4)) == [1, 2]
    assert terms.ancestors(4)["hops"].tolist() == [2, 1]
    assert _ids(terms.ancestors(4, depth=1)) == [2]
    assert _ids(terms.descendants(1)) == [2, 3, 4, 5]
    assert _ids(terms.siblings(2)) == [3]
    assert _ids(terms.lineage(5)) == [1, 2]
    assert _ids(terms.related(2)) == [1, 4, 5]
    linked = terms.linked(4)
    assert (linked["id"].tolist(), linked.total, linked.kept) == (["s1"], 1, 1)
    assert len(terms.links(4)) == 0


def test_names(terms: tw.Query) -> None:
    assert _ids(terms.get([4, "9", 2])) == [2, 4]
    assert _ids(terms.by_name("Lake")) == [4]
    assert _ids(terms.by_name("lake", within=1)) == [4]
    assert _ids(terms.by_name("lake", within=3)) == []
    assert _ids(terms.search("riv", prefix=True)) == [5]


def test_options(terms: tw.Query) -> None:
    page = terms.descendants(1, limit=2, offset=1, select=["name"], order="name")
    assert page.total == 4 and page["name"].tolist() == ["river", "rock"]
    assert "rank" not in page.columns
    assert _ids(terms.descendants(1, where={"rank": [3, 5]})) == [3, 5]
    assert _ids(terms.descendants(1, where={"name": "water", "rank": 2.0})) == [2]
    assert _ids(terms.parents(4, relations=["is_a"])) == [2]


def test_mistakes_are_named(terms: tw.Query) -> None:
    with pytest.raises(UnknownError, match="no node term 9"):
        terms.parents(9)
    with pytest.raises(UnknownError, match="no relation `isa`"):
        terms.parents(4, relations="isa")
    with pytest.raises(UnknownError, match="no feature `nam`"):
        terms.parents(4, select=["nam"])
    with pytest.raises(QueryError, match="limit 2000"):
        terms.parents(4, limit=2000)
    with pytest.raises(ValueError, match="order"):
        terms.parents(4, order="rank")
    with pytest.raises(TypeError):
        terms.parents(4, dept=1)


def test_merges_are_followed() -> None:
    graph = tw.create("merged", unit="step")
    merge = {"time": 5, "action": "create", "entity": "merge"}
    ends = {end: {"type": "term", "id": id} for end, id in [("source", "1"), ("destination", "2")]}
    load(graph, [node(1, "term", "1"), node(1, "term", "2"), node(5, "term", "1", action="delete"), merge | ends])
    assert graph.view(4).resolve("term", 1) == 1
    assert graph.view(5).resolve("term", 1) == 2
    assert graph.view().merges()["into_id"].tolist() == [2]
    assert len(graph.diff(4, 5).merges) == 1
