"""Learning from Python: the answers are those of the command line, and errors say what to do."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import timeweft as tw
from timeweft import _core, errors

pa = pytest.importorskip("pyarrow")

START = 1_700_000_000
HOUR = 3_600
SMALL: dict[str, Any] = {
    "model": {"width": 8, "channels": 8, "states": 2, "frequencies": 4, "neighbors": 4},
    "train": {"seed": 7, "batch": 40, "epochs": 2},
}


def program() -> str | None:
    """The command line, beside the extension or on the path."""
    named = os.environ.get("TIMEWEFT_PROGRAM")
    folders = list(Path(_core.__file__).resolve().parents)[:3]
    near = [str(folder / "timeweft") for folder in folders if (folder / "timeweft").is_file()]
    return named or next(iter(near), None) or shutil.which("timeweft")


PROGRAM = program()
needs_program = pytest.mark.skipif(PROGRAM is None, reason="the command line is not built: TIMEWEFT_PROGRAM names it")


def rows(table: tw.Table) -> list[dict[str, Any]]:
    return pa.table(table).to_pylist()


def events(times: range, seed: int = 1) -> str:
    """Users who buy items, of which each has a few of its own. Users have texts as ids, items numbers."""
    draws = np.random.default_rng(seed).integers(0, 3, len(times))
    lines = ["source_type,source,relation,destination_type,destination,time"]
    for number, draw in zip(times, draws, strict=True):
        user = (number * 7) % 12
        lines.append(f"user,u{user},buys,item,{(4 * user + int(draw)) % 15},{START + HOUR * number}")
    return "\n".join(lines) + "\n"


def load(graph: Path, text: str) -> None:
    file = graph.parent / "events.csv"
    file.write_text(text)
    asked = [str(PROGRAM), "load", "events", str(file), "--graph", str(graph)]
    columns = ["--header", "yes", "--columns", "source_type,src,relation,destination_type,dst,time"]
    subprocess.run(asked + columns, check=True, capture_output=True)


def command(graph: Path, *words: str) -> list[dict[str, Any]]:
    """What the command line prints with `--json`, an object a line."""
    asked = [str(PROGRAM), *words, "--graph", str(graph), "--json"]
    said = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in said.splitlines()]


def made(folder: Path) -> Path:
    path = folder / "shop"
    tw.create(path, unit="s").close()
    load(path, events(range(300)))
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if PROGRAM is None:
        pytest.skip("the command line is not built: TIMEWEFT_PROGRAM names it")
    return made(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def graph(path: Path) -> Iterator[tw.Graph]:
    with tw.open(path, mode="read") as opened:
        opened.train(config=SMALL, progress=False)
        yield opened


@pytest.fixture
def model(graph: tw.Graph) -> tw.Model:
    return graph.model()


def test_a_model_says_how_it_was_made(graph: tw.Graph, model: tw.Model) -> None:
    assert graph.models() == ["default"]
    assert (model.name, model.relations, model.node_types) == ("default", ["buys"], [])
    assert model.config["model"]["width"] == 8 and model.config["train"]["seed"] == 7
    assert model.next_time == START + HOUR * 299 + 1
    epochs = rows(model.epochs)
    assert [epoch["epoch"] for epoch in epochs] == [1, 2]
    best = max(epochs, key=lambda epoch: epoch["mrr"])
    assert model.best_epoch == best["epoch"] and 0 < best["mrr"] <= 1 and best["links"] == 45
    assert f"validation_mrr={round(best['mrr'], 4)}" in repr(model) and "\n" not in repr(model)
    assert "<table>" in model._repr_html_() and "default" in model._repr_html_()
    assert not any(model.unknown.values())
    with pytest.raises(TypeError, match="does not pickle"):
        import pickle

        pickle.dumps(model)


@needs_program
def test_predictions_are_those_of_the_command_line(path: Path, model: tw.Model) -> None:
    for at in (None, START + HOUR * 150, "2023-11-20"):
        more = [] if at is None else ["--at", str(at)]
        told = command(path, "predict", "user", "u3", *more, "--top", "4")
        found = rows(model.predict("user", "u3", at=at, top=4))
        assert [{"type": row["type"], "id": row["id"]} for row in found] == [one["destination"] for one in told]
        assert [row["score"] for row in found] == pytest.approx([one["score"] for one in told], rel=1e-6)
        assert [row["share"] for row in found] == pytest.approx([one["probability"] for one in told], rel=1e-6)
        assert len(found) == 4 and all(isinstance(row["id"], int) for row in found)


@needs_program
def test_ranks_are_those_of_the_command_line(path: Path, model: tw.Model) -> None:
    for part in ("test", "validation"):
        told = command(path, "evaluate", "--part", part, "--freshness", "event,batch:20")
        assert rows(model.evaluate(part=part, freshness=["event", "batch:20"])) == told
    assert [row["freshness"] for row in rows(model.evaluate(freshness="batch:20"))][0] == "batch:20"


@needs_program
def test_nodes_that_are_alike_are_those_of_the_command_line(path: Path, model: tw.Model) -> None:
    for space in ("embedding", "memory"):
        told = command(path, "nearest", "item", "3", "--by", space, "--top", "5")
        for id in (3, "3", np.uint32(3)):
            found = rows(model.nearest("item", id, space=space, top=5))
            assert [{"type": row["type"], "id": row["id"]} for row in found] == [one["node"] for one in told]
            assert [row["cosine"] for row in found] == pytest.approx([one["cosine"] for one in told], rel=1e-6)
            assert len(found) == 5


@needs_program
def test_scores_are_those_of_the_command_line(path: Path, model: tw.Model, tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    users, items = generator.integers(0, 12, 60), generator.integers(0, 15, 60)
    ticks = START + HOUR * generator.integers(0, 320, 60)
    links = tmp_path / "links.csv"
    lines = [f"user,u{user},buys,item,{item},{tick}" for user, item, tick in zip(users, items, ticks, strict=True)]
    links.write_text("\n".join(["source_type,src,relation,destination_type,dst,time", *lines]) + "\n")
    told = [one["score"] for one in command(path, "score", str(links)) if "root" in one]
    wanted = np.array([np.nan if score is None else score for score in told], np.float32)
    names = [f"u{user}" for user in users]
    found = model.score(("user", names), "buys", ("item", items), ticks)
    assert found.dtype == np.float32 and np.isnan(found).any() and np.isfinite(found).sum() > 40
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    # Numbers of nodes, relations and times in other forms say the same.
    sources = model._core.indices("user", names)
    destinations = model._core.indices("item", items.astype(np.uint64))
    for times in (ticks, ticks.astype("datetime64[s]"), [dt.datetime.fromtimestamp(int(tick), dt.timezone.utc) for tick in ticks]):
        again = model.score(sources, ["buys"] * 60, destinations, times)
        np.testing.assert_array_equal(again, found)
    # One for all.
    one = model.score(("user", "u3"), "buys", ("item", np.arange(15)), "2023-11-24")
    assert one.shape == (15,)
    alone = model.score(("user", "u3"), "buys", ("item", 7), dt.date(2023, 11, 24))
    # Sums of one row and of many are rounded in another order.
    np.testing.assert_allclose(alone, one[7:8], rtol=1e-5)


@needs_program
def test_explanations_are_those_of_the_command_line(path: Path, model: tw.Model) -> None:
    told = command(path, "explain", "user", "u3", "item", "13")[0]
    why = model.explain(("user", "u3"), "buys", ("item", 13))
    assert (why.score, why.lead, why.counting) == pytest.approx((told["score"], told["lead"], told["counting"]), rel=1e-5)
    assert why.time == told["time"]
    heard = rows(why.neighbors)
    assert len(heard) == len(told["neighbors"]) > 0
    for row, one in zip(heard, told["neighbors"], strict=True):
        assert (row["at"] == "source", row["type"], row["id"]) == (one["at_source"], one["node"]["type"], str(one["node"]["id"]))
        assert row["relation"] == one["relation"] and row["outward"] == one["outward"]
        assert int(row["created"].timestamp()) == one["created"]
        assert row["attention"] == pytest.approx(one["attention"], rel=1e-5)
        assert row["contribution"] == pytest.approx(one["contribution"], rel=1e-5)
    moments = rows(why.memory)
    assert len(moments) == len(told["memory"]) > 0
    for row, one in zip(moments, told["memory"], strict=True):
        first = one["facts"][0]
        assert (row["action"], row["relation"], row["id"]) == (first["action"], first["relation"], str(first["node"]["id"]))
        assert row["facts"] == len(one["facts"]) and row["contribution"] == pytest.approx(one["contribution"], rel=1e-5)
    for row in rows(why.counters):
        count = told["counters"][row["counter"]]
        assert row["count"] == count["count"]
        assert (None if row["last"] is None else int(row["last"].timestamp())) == count["last"]
    text = repr(why)
    assert text.startswith("Why user u3 -buys-> item 13?") and "█" in text and "What user u3 remembers:" in text
    assert "<svg" in why._repr_html_()


def test_times_in_all_forms_ask_the_same(model: tw.Model) -> None:
    moment = dt.datetime(2023, 11, 20, 12, tzinfo=dt.timezone.utc)
    forms: list[Any] = [int(moment.timestamp()), moment, moment.replace(tzinfo=None), "2023-11-20 12:00:00", np.datetime64("2023-11-20T12")]
    answers = [rows(model.predict("user", "u3", "buys", at=at)) for at in forms]
    assert all(answer == answers[0] for answer in answers) and answers[0] != rows(model.predict("user", "u3"))
    assert rows(model.predict("user", "u3", at=model.next_time)) == rows(model.predict("user", "u3", at=None))
    with pytest.raises(errors.TimeError, match="at"):
        model.predict("user", "u3", at="no time")
    with pytest.raises(errors.TimeError, match="times"):
        model.embeddings(("user", ["u1", "u2"]), [1.5, 2.5])


def test_embeddings_are_what_is_compared(model: tw.Model) -> None:
    names = [f"u{number}" for number in range(12)]
    whole = model.embeddings(("user", names))
    assert whole.shape == (12, 8) and whole.dtype == np.float32 and whole.flags.c_contiguous
    for row, name in enumerate(names):
        np.testing.assert_allclose(model.embeddings(("user", name))[0], whole[row], atol=1e-5)
    cosine = whole @ whole[3] / np.linalg.norm(whole, axis=1) / np.linalg.norm(whole[3])
    for found in rows(model.nearest("user", "u3", top=20)):
        assert cosine[names.index(found["id"])] == pytest.approx(found["cosine"], abs=1e-5)
    # Each row is as of its own time.
    ticks = np.array([START + HOUR * 200, START + HOUR * 40, START - 5, START + HOUR * 200])
    mixed = model.embeddings(("user", ["u1", "u2", "u1", "nobody"]), ticks)
    np.testing.assert_allclose(mixed[0], model.embeddings(("user", "u1"), ticks[0])[0], atol=1e-5)
    np.testing.assert_allclose(mixed[1], model.embeddings(("user", "u2"), ticks[1])[0], atol=1e-5)
    assert np.abs(mixed[0] - whole[1]).max() > 1e-3
    assert np.isnan(mixed[2:]).all()
    assert model.embeddings(np.array([], np.uint32)).shape == (0, 8)
    assert np.isnan(model.embeddings(np.array([tw.NO_NODE], np.uint32))).all()


def test_weights_have_names(model: tw.Model) -> None:
    weights = model.weights()
    assert weights["predictor.source.weight"].shape == (8, 8)
    assert all(array.dtype == np.float32 and np.isfinite(array).all() for array in weights.values())
    assert list(weights) == sorted(weights) and len(weights) > 30


def test_equal_seeds_give_equal_models(graph: tw.Graph, model: tw.Model) -> None:
    again = graph.train("again", config=SMALL, progress=False)
    assert all(np.array_equal(array, again.weights()[name]) for name, array in model.weights().items())
    other = graph.train("again", config={**SMALL, "train": {**SMALL["train"], "seed": 8}}, progress=False)
    assert not all(np.array_equal(array, other.weights()[name]) for name, array in model.weights().items())


def test_configurations_come_as_files_and_arguments(graph: tw.Graph, tmp_path: Path) -> None:
    file = tmp_path / "small.toml"
    file.write_text("[model]\nwidth = 8\nchannels = 8\n[train]\nepochs = 9\nbatch = 40\n")
    told: list[dict[str, Any]] = []
    model = graph.train("file", target="buys", config=file, epochs=np.int64(1), progress=told.append)  # type: ignore[arg-type]
    assert (model.config["train"]["targets"], len(model.epochs), model.config["model"]["width"]) == (["buys"], 1, 8)
    (epoch,) = told
    assert epoch == {key: value for key, value in rows(model.epochs)[0].items() if key != "links"}
    resumed = graph.train("file", resume=True, epochs=2, progress=False)
    assert len(resumed.epochs) == 2 and rows(resumed.epochs)[0] == rows(model.epochs)[0]
    whole = graph.train("file", target="buys", config=file, epochs=2, progress=False)
    assert all(np.array_equal(array, resumed.weights()[name]) for name, array in whole.weights().items())


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"model": {"wdth": 8}}, "model.wdth"),
        ({"modl": {}}, "modl"),
        ({"model": {"width": "wide"}}, "model.width"),
        ({"model": {"width": 0}}, "model.width"),
        ({"model": {"width": 7}}, "model.heads"),
        ({"train": {"loss": "huber"}}, "train.loss"),
        ({"train": {"learning_rate": float("nan")}}, "config"),
        ({"model": 3}, "model"),
        ({"model": {"width": object()}}, "config"),
    ],
)
def test_a_wrong_setting_is_named(graph: tw.Graph, config: dict[str, Any], named: str) -> None:
    with pytest.raises(errors.ConfigError, match=named):
        graph.train("wrong", config=config)
    assert "wrong" not in graph.models()


def test_what_is_not_there_is_named(graph: tw.Graph, model: tw.Model, tmp_path: Path) -> None:
    with pytest.raises(errors.UnknownError, match="sells.*buys"):
        graph.train("wrong", target="sells")
    with pytest.raises(errors.ModelError, match="no model `other`.*default"):
        graph.model("other")
    with pytest.raises(errors.ModelError, match="no name for a model"):
        graph.train("../other")
    with pytest.raises(errors.UnknownError, match="user nobody"):
        model.predict("user", "nobody")
    with pytest.raises(errors.UnknownError, match="sells.*buys"):
        model.predict("user", "u1", "sells")
    with pytest.raises(errors.UnknownError, match="person.*user"):
        model.embeddings(("person", ["u1"]))
    with pytest.raises(errors.ModelError, match="not alive"):
        model.predict("user", "u1", at=START - 1)
    with pytest.raises(errors.ModelError, match="predict"):
        model.predict_gone("user")
    with pytest.raises(errors.ConfigError, match="freshness.*batch:0"):
        model.evaluate(freshness="batch:0")
    with pytest.raises(ValueError, match="part"):
        model.evaluate(part="train")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="space"):
        model.nearest("user", "u1", space="other")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="top"):
        model.predict("user", "u1", top=-1)
    with pytest.raises(TypeError, match="destination"):
        model.explain(("user", "u1"), "buys", "1")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="id"):
        model.predict("user", 1.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="sources 2, destinations 3"):
        model.score(("user", ["u1", "u2"]), "buys", ("item", [1, 2, 3]))
    with pytest.raises(errors.ConfigError, match="epochs"):
        graph.train(resume=True)
    with pytest.raises(errors.ConfigError, match="config"):
        graph.train(resume=True, epochs=3, config=SMALL)
    with pytest.raises(FileNotFoundError):
        graph.train("wrong", config=tmp_path / "none.toml")
    (tmp_path / "broken.toml").write_text("[model\n")
    with pytest.raises(errors.ConfigError, match=r"broken\.toml"):
        graph.train("wrong", config=tmp_path / "broken.toml")
    with pytest.raises(errors.ModelError, match="too|only"), tw.create(tmp_path / "empty", unit="s") as empty:
        empty.train()
    closed = tw.open(graph.path, mode="read")
    closed.close()
    for ask in (closed.train, closed.models, closed.model, lambda: model.update(closed)):
        with pytest.raises(errors.ClosedError):
            ask()


def test_ids_are_found_in_all_forms(model: tw.Model) -> None:
    wanted = model.score(("user", "u3"), "buys", ("item", [1, 2, 14]))
    forms: list[Any] = [["1", "2", "14"], [1, "2", 14], (1, 2, 14), np.array([1, 2, 14], np.uint8), np.array(["1", "2", "14"])]
    forms.append(pa.array([1, 2, 14]))
    for ids in forms:
        np.testing.assert_array_equal(model.score(("user", "u3"), "buys", ("item", ids)), wanted)
    assert np.isnan(model.score(("user", "u3"), "buys", ("item", [-1, "x"]))).all()
    with pytest.raises(TypeError, match="destinations"):
        model.score(("user", "u3"), "buys", ("item", [1, 2.5]))


def test_a_model_takes_in_what_is_loaded(tmp_path: Path) -> None:
    if PROGRAM is None:
        pytest.skip("the command line is not built: TIMEWEFT_PROGRAM names it")
    path = made(tmp_path)
    with tw.open(path, mode="read") as graph:
        model = graph.train(config=SMALL, progress=False)
    assert model.commit == 1
    load(path, events(range(300, 340), seed=2))
    with tw.open(path, mode="read") as graph:
        anew = graph.model()
        before = rows(model.predict("user", "u3"))
        assert model.update(graph) == 40 and model.update() == 0
        assert (model.commit, model.next_time) == (2, anew.next_time)
        same_answers(model, anew)
        assert rows(model.predict("user", "u3")) != before
    # Facts from before others that are known: memory begins anew.
    load(path, events(range(100, 110), seed=3))
    with tw.open(path, mode="read") as graph:
        anew = graph.model()
        # 12 users and 15 items came with the first load, one fact each.
        assert model.update(graph) == 300 + 40 + 10 + 27
        same_answers(model, anew)


def same_answers(a: tw.Model, b: tw.Model) -> None:
    users, items = np.repeat([f"u{number}" for number in range(12)], 15), np.tile(np.arange(15), 12)
    for times in (None, START + HOUR * 200):
        scores = [model.score(("user", users), "buys", ("item", items), times) for model in (a, b)]
        assert np.isfinite(scores[0]).all()
        np.testing.assert_allclose(scores[0], scores[1], atol=1e-5)


def test_types_that_came_later_are_told(tmp_path: Path) -> None:
    if PROGRAM is None:
        pytest.skip("the command line is not built: TIMEWEFT_PROGRAM names it")
    path = made(tmp_path)
    with tw.open(path, mode="read") as graph, warnings.catch_warnings():
        warnings.simplefilter("error")
        graph.train(config=SMALL, progress=False)
    load(path, events(range(300, 310)).replace("buys", "likes"))
    with tw.open(path, mode="read") as graph, pytest.warns(UserWarning, match="user -likes-> item"):
        model = graph.model()
    assert model.unknown["edge_types"] == ["user -likes-> item"] and model.relations == ["buys"]
    with pytest.raises(errors.ModelError, match="likes"):
        model.predict("user", "u1", "likes")
    assert np.isnan(model.score(("user", "u1"), ["likes"], ("item", [1]))).all()


def test_nodes_that_go_are_predicted(tmp_path: Path) -> None:
    if PROGRAM is None:
        pytest.skip("the command line is not built: TIMEWEFT_PROGRAM names it")
    path, file = tmp_path / "terms", tmp_path / "terms.jsonl"
    lines = []
    for number in range(60):
        term = {"type": "term", "id": number}
        edge = {"edge": {"type": "is_a"}, "destination": {"type": "term", "id": number // 2}}
        lines.append({"time": number, "action": "create", "entity": "node", "source": term})
        lines.append({"time": number, "action": "create", "entity": "edge", "source": term, **edge})
    for number in range(40):
        term = {"type": "term", "id": 59 - number}
        lines.append({"time": 60 + number, "action": "delete", "entity": "node", "source": term})
    file.write_text("\n".join(map(json.dumps, lines)))
    tw.create(path, unit="step").close()
    subprocess.run([str(PROGRAM), "load", "events", str(file), "--graph", str(path)], check=True, capture_output=True)
    config = {"model": SMALL["model"], "train": {**SMALL["train"], "predict": "gone"}}
    with tw.open(path, mode="read") as graph:
        model = graph.train(target=["term"], config=config, progress=False)
    assert (model.relations, model.node_types) == ([], ["term"])
    told = command(path, "predict", "term", "--top", "3")
    found = rows(model.predict_gone("term", top=3))
    assert [row["id"] for row in found] == [one["destination"]["id"] for one in told]
    assert [row["score"] for row in found] == pytest.approx([one["score"] for one in told], rel=1e-6)
    why = model.explain_gone("term", found[0]["id"])
    assert why.score == pytest.approx(found[0]["score"], rel=1e-5)
    assert len(why.counters) == 0 and why.destination is None and repr(why).startswith("Why is term")
    with pytest.raises(errors.ModelError, match="predict"):
        model.score(("term", 1), "is_a", ("term", 2))


def test_threads_share_a_model_and_a_graph_that_is_trained_on(graph: tw.Graph, model: tw.Model) -> None:
    wanted = model.score(("user", "u3"), "buys", ("item", np.arange(15)))
    found: list[bool] = []

    def ask() -> None:
        found.extend(np.array_equal(model.score(("user", "u3"), "buys", ("item", np.arange(15))), wanted) for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    # What hears of the progress may ask the graph that is trained on.
    asked: list[list[str]] = []
    graph.train("threads", config=SMALL, progress=lambda epoch: asked.append(graph.models()))
    for thread in threads:
        thread.join()
    assert found == [True] * 15 and len(asked) == 2 and "default" in asked[0]


def test_an_exception_of_the_progress_ends_the_training(graph: tw.Graph) -> None:
    def first_only(epoch: dict[str, Any]) -> None:
        raise LookupError(f"epoch {epoch['epoch']} is enough")

    config = {**SMALL, "train": {**SMALL["train"], "epochs": 50}}
    with pytest.raises(LookupError, match="epoch 1 is enough"):
        graph.train("ended", config=config, progress=first_only)
    assert len(graph.model("ended").epochs) == 1
    with pytest.raises(TypeError, match="progress"):
        graph.train("ended", progress="yes")  # type: ignore[arg-type]


STOPPED = """
import sys, timeweft as tw
graph = tw.open(sys.argv[1], mode="read")
config = {"model": {"width": 8}, "train": {"epochs": 100000, "patience": 0, "batch": 20}}
def hear(epoch):
    print("epoch", epoch["epoch"], flush=True)
try:
    graph.train("stopped", config=config, progress=hear)
except KeyboardInterrupt as error:
    print(type(error).__name__, error, flush=True)
    print(len(graph.model("stopped").epochs) > 0, tw.open(sys.argv[1], mode="read").models(), flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as a signal")
def test_ctrl_c_keeps_the_best_epoch(path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(path)], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONWARNINGS": "ignore"}
    )
    assert child.stdout is not None
    for _ in range(3):
        assert child.stdout.readline().startswith("epoch")
    asked = time.monotonic()
    child.send_signal(signal.SIGINT)
    rest = child.communicate(timeout=60)[0]
    assert time.monotonic() - asked < 20
    last = rest.splitlines()[-2:]
    assert last[0].startswith("StoppedError") and "stopped" in last[0] and "resume=True" in last[0]
    assert last[1].startswith("True") and child.returncode == 0
