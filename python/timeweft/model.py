"""A trained model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core, _fork
from ._arrays import is_whole, to_uint32
from ._times import TimeLike, to_tick, to_ticks
from .errors import ConfigError, ModelError
from .explanation import Explanation
from .table import Table
from .view import View

if TYPE_CHECKING:
    from ._graph_models import Models

NodeId: TypeAlias = int | str
"""An id of a node: `42` and `"42"` are the same one."""
Nodes: TypeAlias = NDArray[np.uint32] | tuple[str, Any]
"""Nodes by their numbers in the view of the model; or a type and an id, or a type and an array of ids."""


class Model:
    """A trained model, with the graph as it stood when the model was trained or loaded. Made by
    [Graph.train][timeweft.Graph.train] and [Graph.model][timeweft.Graph.model]. Threads may share it.

    Every answer knows what was strictly before its time, and nothing else. `at=None` asks what comes next: as of the moment
    after everything that the graph tells.
    """

    def __init__(self, core: _core.Model, graph: Models) -> None:
        self._core = core
        self._graph = graph
        _fork.register(self)

    @property
    def name(self) -> str:
        """Name."""
        return self._core.name

    @property
    def config(self) -> dict[str, Any]:
        """How it was trained: sections `model`, `train`, `evaluate` with all settings. The borders of the parts are times."""
        return json.loads(self._core.config)  # type: ignore[no-any-return]

    @property
    def relations(self) -> list[str]:
        """The relations whose edges it predicts; none for a model of nodes that go."""
        return self._core.relations

    @property
    def node_types(self) -> list[str]:
        """The types whose nodes it was trained to see go; none for a model of edges."""
        return self._core.node_types

    @property
    def epochs(self) -> Table:
        """A row an epoch of its training: `epoch, loss, mrr, hits1, hits10, links, train_seconds, links_per_second`. The
        metrics are those of the `links` validation links.
        """
        return Table(self._core.epochs)

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights were kept, from 1."""
        return self._core.best_epoch

    @property
    def next_time(self) -> int:
        """The first tick after everything that the graph tells."""
        return self._core.next_time

    @property
    def view(self) -> View:
        """The graph that the model reads. Numbers of nodes are those of this view: `model.view.indices(type, ids)`."""
        return View(self._core.view(), to_tick(None, "us"), "hard", self._graph.path)

    @property
    def commit(self) -> int:
        """The commit of that graph."""
        return self.view.commit

    @property
    def unknown(self) -> dict[str, list[str]]:
        """What the graph has and the model does not know, because it came after the training: `node_types, edge_types,
        features`, and features that are of another kind now (`changed`). The model answers as if they were not there.
        """
        return dict(zip(("node_types", "edge_types", "features", "changed"), self._core.unknown(), strict=True))

    def evaluate(
        self, *, part: Literal["test", "validation"] = "test", freshness: str | Sequence[str] = ("event",)
    ) -> Table:
        """Ranks the links of a part, beside rules that need no training: `part, freshness, model, mrr, hits1, hits10,
        links`, a row each model and freshness; the first of each freshness is this model.

        Freshness says what an answer may know. `"event"`: everything strictly before the link. `"batch:200"`: nothing of the
        batch of 200 links that it lies in, as most published figures have it. Figures of different freshness do not compare.
        """
        if part not in ("test", "validation"):
            raise ValueError(f"part: expected 'test' or 'validation', not {part!r}")
        asked = [freshness] if isinstance(freshness, str) else list(freshness)
        return Table(self._core.evaluate(part, [_freshness(one) for one in asked]))

    def predict(
        self,
        type: str,
        id: NodeId,
        relation: str | None = None,
        *,
        at: TimeLike = None,
        top: int = 10,
        destination_type: str | None = None,
    ) -> Table:
        """The likeliest destinations of an edge from a node, best first: `type, id, score, share`. The score is a logit
        (float32), the share a softmax over all candidates: nodes of the relation's destination type that are alive just
        before. A model of removals ranks the edges that the node has.

        `relation`: left out, the one that the model was trained for. `destination_type`: needed where the relation ends at
        several. Raises `UnknownError` for a node, relation or type that the graph never had, `ModelError` for a node that is
        not alive just before, or a relation that the model was not trained for.

        >>> model.predict("person", "ada", "edited", at="2025-03-03", top=3)
        """
        tick = to_tick(at, self._core.unit, "at")
        relation = self._only_relation() if relation is None else relation
        return Table(self._core.predict(type, _text(id, "id"), relation, tick, _top(top), destination_type))

    def predict_gone(self, type: str, *, at: TimeLike = None, top: int = 10) -> Table:
        """The nodes of a type that are the likeliest to be deleted or merged next, best first: `type, id, score, share`. For a
        model that was trained with `{"train": {"predict": "gone"}}`; of another one it is a `ModelError`.
        """
        return Table(self._core.predict_gone(type, to_tick(at, self._core.unit, "at"), _top(top)))

    def score(
        self, sources: Nodes, relations: str | Sequence[str], destinations: Nodes, times: Any = None
    ) -> NDArray[np.float32]:
        """Scores of many links, each with what was strictly before its own time: (N,) float32, logits. NaN where the model
        cannot be asked: an end is not there just before, or it was not trained for the relation. The log is read once.

        Nodes are uint32 numbers in [view][timeweft.Model.view], or `(type, ids)`; `(type, id)` is one for all. One relation
        and one time for all, or N of them. Raises `UnknownError` for a type that the graph does not have.

        >>> model.score(("person", "ada"), "edited", ("document", ["atlas-014", "atlas-015"]), "2025-03-03")
        """
        starts, ends = self._numbers(sources, "sources"), self._numbers(destinations, "destinations")
        given = {"sources": starts, "destinations": ends}
        names = [relations] if isinstance(relations, str) else list(dict.fromkeys(relations))
        if isinstance(relations, str):
            which = np.zeros(1, np.uint32)
        else:
            place = {name: at for at, name in enumerate(names)}
            which = np.array([place[name] for name in relations], np.uint32)
            given["relations"] = which
        n = _length({name: array for name, array in given.items() if isinstance(array, np.ndarray)}, times)
        if isinstance(relations, str):
            which = np.zeros(n, np.uint32)
        ticks = to_ticks(times, self._core.unit, n, "times")
        return self._core.score(_each(starts, n), which, names, _each(ends, n), ticks)

    def nearest(
        self,
        type: str,
        id: NodeId,
        *,
        at: TimeLike = None,
        space: Literal["memory", "embedding"] = "embedding",
        top: int = 10,
    ) -> Table:
        """The nodes of the same type that are alive just before and most like a node, best first: `type, id, cosine`.

        `space`: an embedding is what the predictor reads (memory, features and neighbors), the memory what past messages have
        left. Raises `UnknownError` for a node that never was, `ModelError` for one that is not alive just before.
        """
        if space not in ("memory", "embedding"):
            raise ValueError(f"space: expected 'memory' or 'embedding', not {space!r}")
        tick = to_tick(at, self._core.unit, "at")
        return Table(self._core.nearest(type, _text(id, "id"), tick, space, _top(top)))

    def embeddings(self, nodes: Nodes, times: Any = None) -> NDArray[np.float32]:
        """Embeddings of nodes, each with what was strictly before its own time: (N, width) float32, with `width` as in
        `config["model"]`. They are what the model reads of nodes when it scores, and what `nearest` compares. A row of NaN is a
        node that is not alive just before. The log is read once.

        >>> model.embeddings(("person", ["ada", "bo"]), "2025-03-03").shape
        (2, 64)
        """
        found = self._numbers(nodes, "nodes")
        n = _length({"nodes": found} if isinstance(found, np.ndarray) else {}, times)
        return self._core.embeddings(_each(found, n), to_ticks(times, self._core.unit, n, "times"))

    def explain(
        self,
        source: tuple[str, NodeId],
        relation: str | None,
        destination: tuple[str, NodeId],
        *,
        at: TimeLike = None,
    ) -> Explanation:
        """Why an edge would get its score: which neighbors both ends listened to, what their memory holds, and what was
        counted. Of a model of removals, an edge that is there. Errors as of [predict][timeweft.Model.predict].

        >>> model.explain(("person", "ada"), "edited", ("document", "atlas-014"))
        """
        (kind, id), (end, end_id) = _key(source, "source"), _key(destination, "destination")
        relation = self._only_relation() if relation is None else relation
        tick = to_tick(at, self._core.unit, "at")
        told = self._core.explain((kind, id), relation, (end, end_id), tick)
        return Explanation(f"{kind} {id}", relation, f"{end} {end_id}", self._core.unit, told)

    def explain_gone(self, type: str, id: NodeId, *, at: TimeLike = None) -> Explanation:
        """Why a node would get its score among those that go. For a model of nodes that go."""
        node = _text(id, "id")
        told = self._core.explain_gone(type, node, to_tick(at, self._core.unit, "at"))
        return Explanation(f"{type} {node}", None, None, self._core.unit, told)

    def update(self, graph: Models | None = None) -> int:
        """Takes in what was loaded since into the graph that the model came from, or another opening of it; gives the number
        of facts that its memory took in. Then it is the model that `graph.model` loads at that commit, and
        it did not read all facts since its training again.

        Where loads were taken back, or brought facts of the last time that the memory knows or from before, it begins anew: then the number
        is that of all facts. A graph that is open for reading is first moved on by `graph.refresh()`. Questions of other
        threads go on meanwhile, of the model as it was. Weights do not change; `graph.train(name, resume=True, ...)` does that.
        """
        graph = self._graph if graph is None else graph
        taken_in = self._core.update(graph._core)
        self._graph = graph
        return taken_in

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """All weights of the kept epoch, float32, by the names that the file of the model has for them."""
        return dict(self._core.weights())

    def _numbers(self, nodes: Nodes, name: str) -> NDArray[np.uint32] | int:
        """Numbers of nodes, or the number of the one that is meant for all."""
        if not (isinstance(nodes, tuple) and len(nodes) == 2 and isinstance(nodes[0], str)):
            return to_uint32(nodes, name)
        kind, ids = nodes
        if isinstance(ids, str) or is_whole(ids):
            return int(self._core.indices(kind, [_text(ids, name)])[0])
        return self._core.indices(kind, _ids(ids, name))

    def _only_relation(self) -> str:
        relations = self.relations
        if len(relations) != 1:
            known = ", ".join(relations) or "none"
            raise ModelError(f"relation: the model predicts {known}: say which")
        return relations[0]

    def __reduce__(self) -> NoReturn:
        raise TypeError("a model does not pickle: in the other process open the graph with mode='read', and then graph.model(name)")

    def __repr__(self) -> str:
        return "Model(" + ", ".join(f"{key}={value!r}" for key, value in self._facts().items()) + ")"

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{key}</th><td>{escape(str(value))}</td></tr>" for key, value in self._facts().items())
        return f"<table><caption>Model</caption>{rows}</table>"

    def _facts(self) -> dict[str, Any]:
        predicts = self.relations or self.node_types
        return {
            "name": self.name,
            "predicts": self.config["train"]["predict"],
            "targets": predicts,
            "epochs": self._core.n_epochs,
            "best_epoch": self.best_epoch,
            "validation_mrr": round(self._core.mrr, 4),
        }


def _each(nodes: NDArray[np.uint32] | int, n: int) -> NDArray[np.uint32]:
    """The numbers of `n` nodes, or one number as often."""
    return nodes if isinstance(nodes, np.ndarray) else np.full(n, nodes, np.uint32)


def _freshness(text: object) -> int:
    """Links of a batch; 0 for the freshness of events."""
    if text == "event":
        return 0
    kind, _, size = str(text).partition(":")
    if kind == "batch" and size.isdecimal() and 0 < int(size) < 2**32:
        return int(size)
    raise ConfigError(f"freshness: expected 'event' or 'batch:N' such as 'batch:200', not {text!r}")


def _top(top: object) -> int:
    if not is_whole(top) or top < 0:
        raise ValueError(f"top: expected a whole number from 0, not {top!r}")
    return min(int(top), 2**32)


def _text(id: object, name: str) -> str:
    """An id as text."""
    if isinstance(id, str):
        return id
    if is_whole(id):
        return str(int(id))
    raise TypeError(f"{name}: an id is an int or a str, not {id!r}")


def _key(node: Any, name: str) -> tuple[str, str]:
    key = cast("tuple[Any, ...]", node if isinstance(node, tuple) else ())
    if len(key) == 2 and isinstance(key[0], str):
        return key[0], _text(key[1], name)
    raise TypeError(f"{name}: expected a type and an id, such as ('person', 'ada'), not {node!r}")


def _ids(ids: ArrayLike, name: str) -> NDArray[np.uint64] | list[str]:
    """Ids as whole numbers where all of them are, else as texts."""
    given: Any = ids
    array = given.to_numpy() if hasattr(given, "to_numpy") else np.asarray(given if hasattr(given, "dtype") else list(given))
    if array.ndim != 1:
        raise TypeError(f"{name}: expected ids in one dimension, not of shape {array.shape}")
    if array.dtype.kind == "u" or (array.dtype.kind == "i" and not (array < 0).any()):
        return np.ascontiguousarray(array, np.uint64)
    # Texts and numbers side by side would become texts of NumPy's making.
    values = array.tolist() if hasattr(given, "dtype") or array.dtype.kind in "iOU" and not _is_mixed(given) else list(given)
    return [_text(id, f"{name}[{at}]") for at, id in enumerate(values)]


def _is_mixed(ids: Any) -> bool:
    return not all(isinstance(id, str) for id in ids)


def _length(columns: dict[str, NDArray[Any]], times: Any) -> int:
    """How many rows there are; 1 where everything is one for all."""
    lengths = {name: len(array) for name, array in columns.items()}
    if not lengths:
        several = isinstance(times, (np.ndarray, list, tuple)) or hasattr(times, "to_numpy")
        shape = np.shape(cast(Any, times)) if several else ()
        return int(shape[0]) if shape else 1
    n = next(iter(lengths.values()))
    if any(length != n for length in lengths.values()):
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ValueError(f"columns of different lengths: {told}")
    return n
