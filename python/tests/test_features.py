"""Features of nodes and edges as of a time, against the list of events."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from histories import History

import timeweft as tw
from timeweft.errors import FeatureKindError, SampleError, UnknownError


def node_line(time: int, action: str, at: str, features: dict[str, object]) -> dict[str, object]:
    return {"time": time, "action": action, "entity": "node", "source": {"type": "user", "id": at, "features": features}}


@pytest.fixture
def view(tmp_path: Path) -> tw.View:
    lines = [
        node_line(1, "create", "a", {"taste": [0.5, 0.25], "age": 30, "name": "Ann", "big": 2**40}),
        node_line(2, "create", "b", {"age": -1, "name": ""}),
        node_line(5, "update", "a", {"taste": [1.0, 2.0, 3.0], "name": None}),
        node_line(7, "delete", "a", {}),
        node_line(9, "create", "a", {"age": 31}),
    ]
    lines[3]["source"] = {"type": "user", "id": "a"}
    events = tmp_path / "events.jsonl"
    events.write_text("".join(json.dumps(line) + "\n" for line in lines))
    graph = tw.create(tmp_path / "g", unit="step")
    graph.load_events(events)
    return graph.view()


def test_dense_features_as_of_each_time(view: tw.View) -> None:
    a, b = view.indices("user", ["a", "b"])
    nodes = np.array([a, a, a, a, a, b, tw.NO_NODE], np.uint32)
    times = np.array([1, 2, 6, 8, 10, 10, 10])
    rows = view.features(nodes, {"taste": 3, "age": 1}, times)
    assert rows.dtype == np.float32
    assert rows.tolist() == [
        [0, 0, 0, 0], [0.5, 0.25, 0, 30], [1, 2, 3, 30], [0, 0, 0, 0], [0, 0, 0, 31], [0, 0, 0, -1], [0, 0, 0, 0],
    ]  # fmt: skip
    assert view.features(nodes[:1], {"taste": 1}, 1, before=False).tolist() == [[0.5]]
    assert view.features(nodes, "age", times).shape == (7, 1)
    assert view.features(nodes[1:2], ["age", "big"], times[1:2], dtype=np.int64).tolist() == [[30, 2**40]]
    assert view.features(nodes[:0], {"taste": 3}).shape == (0, 3)


def test_numbers_fit_or_are_refused(view: tw.View) -> None:
    a, b = view.indices("user", ["a", "b"])
    nodes = np.array([a, b], np.uint32)
    assert view.features(nodes, "age", 3, dtype=np.int8).tolist() == [[30], [-1]]
    assert view.features(nodes, "age", 3, dtype=np.float16).tolist() == [[30], [-1]]
    with pytest.raises(OverflowError, match=r"feature `age` of owners\[1\] does not fit into uint8"):
        view.features(nodes, "age", 3, dtype=np.uint8)
    with pytest.raises(OverflowError, match="big"):
        view.features(nodes, "big", 3, dtype=np.int32)
    with pytest.raises(OverflowError, match=r"feature `taste` of owners\[0\] does not fit into int64: ask for float64"):
        view.features(nodes, {"taste": 2}, 3, dtype=np.int64)


def test_out_is_written_where_it_lies(view: tw.View) -> None:
    nodes = view.indices("user", ["a", "b"])
    out = np.full((2, 2), 9, np.float64)
    place = out.__array_interface__["data"]
    assert view.features(nodes, {"taste": 2}, 3, dtype=np.float64, out=out) is out
    assert out.__array_interface__["data"] == place
    assert out.tolist() == [[0.5, 0.25], [0, 0]]
    assert view.features(nodes, {"age": 1, "taste": 1}, 3, dtype=np.float64, out=out).tolist() == [[30, 0.5], [-1, 0]]
    with pytest.raises(ValueError, match=r"out: expected shape \(2, 2\), not \(2, 3\)"):
        view.features(nodes, {"taste": 2}, 3, dtype=np.float64, out=np.zeros((2, 3)))
    with pytest.raises(TypeError, match="out: expected an array of float32, not of float64"):
        view.features(nodes, {"taste": 2}, 3, out=out)


def test_texts_are_null_where_there_is_nothing(view: tw.View) -> None:
    a, b = view.indices("user", ["a", "b"])
    table = view.texts(np.array([a, b, a, tw.NO_NODE], np.uint32), "name", np.array([2, 3, 6, 6]))
    assert table["name"].tolist() == ["Ann", "", None, None]


def test_kinds_and_names_that_are_not_there(view: tw.View) -> None:
    nodes = view.indices("user", ["a"])
    with pytest.raises(FeatureKindError, match="feature `name` is text, not numbers: ask `texts`"):
        view.features(nodes, "name")
    with pytest.raises(FeatureKindError, match="feature `age` is .*, not text: ask `features`"):
        view.texts(nodes, "age")
    with pytest.raises(FeatureKindError, match="feature `age` is .*, not sparse: ask `features`"):
        view.sparse_features(nodes, "age")
    with pytest.raises(UnknownError, match="no node has a feature `mass`: there is age, big, name, taste"):
        view.features(nodes, "mass")
    with pytest.raises(UnknownError, match="no edge has a feature `age`: there is none at all"):
        view.features(nodes, "age", of="edges")
    with pytest.raises(SampleError, match=r"names: feature `taste` is a list of numbers: give its width, as \{'taste': 16\}"):
        view.features(nodes, "taste")
    with pytest.raises(SampleError, match="of: expected 'nodes' or 'edges'"):
        view.features(nodes, "age", of="node")  # type: ignore[arg-type]
    with pytest.raises(SampleError, match="no type of features"):
        view.features(nodes, "age", dtype=np.complex64)


@pytest.mark.parametrize("seed", range(6))
def test_features_of_sampled_edges(seed: int, tmp_path: Path) -> None:
    history = History(seed)
    view = history.graph(tmp_path / "g").view()
    nodes = view.indices("user", [0, 1, 2, 3, 4, 5])
    for time in range(0, history.end + 2, 3):
        samples = view.sample(nodes, time, k=50)
        counts = view.features(samples.edges.ravel(), "count", time, of="edges", dtype=np.float64).ravel()
        expected: list[float] = []
        for at in range(6):
            held = [[w for since, w in life.weights if since < time] for _, life in history.seen(("user", at), time)]
            expected += [weights[-1] if weights else 0.0 for weights in held]
        assert sorted(counts[samples.mask.ravel()].tolist()) == sorted(expected)
        assert not counts[~samples.mask.ravel()].any()
