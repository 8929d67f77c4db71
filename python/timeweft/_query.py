"""Questions of a hierarchy with names: an ontology, a taxonomy, or any graph that has such a part."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, cast

from . import _core
from .table import Table

NodeId = int | str
Order = Literal["id", "name"]


class Answer(Table):
    """The rows of a question: `node` (uint32), `type`, `id`, `created`, `removed`, `hops` from the node that was asked
    about, `relations` (of the edges between, where the answer is one hop away), and the selected features.
    """

    def __init__(self, columns: _core.Columns, total: int, kept: int | None) -> None:
        super().__init__(columns)
        self.total: int = total
        """How many rows there are on all pages."""
        self.kept: int | None = kept
        """How many of the linked nodes the conditions keep; only of `linked` and `links`."""


class Query:
    """Questions of nodes of one type, as of the time of a view. Made by [View.query][timeweft.View.query].

    All take `where=` (a mapping from features to a value, or to several of which one must hold), `order=` ("id" or
    "name"), `limit=`, `offset=` and `select=` (names of features; left out, all). Those that walk also take
    `relations=` (names; `"any"` for all; left out, `is_a` and `child_of`) and `depth=`. `named_by` is the feature that
    holds names: left out, `name` where nodes of the type have it, else their ids.

    Raises `UnknownError` for a node, relation or feature that the graph never had, `QueryError` for what cannot be asked.

    >>> view.query("term").ancestors("ENVO:00000428", select=["name"])
    """

    def __init__(self, core: _core.View, tick: int, soft: bool, type: str, named_by: str | None = None) -> None:
        self._core = core
        self._tick = tick
        self._soft = soft
        self._type = type
        self._named_by = named_by

    def __repr__(self) -> str:
        return f"Query(type={self._type!r})"

    def get(self, ids: Sequence[NodeId] | NodeId, **options: Any) -> Answer:
        """The nodes of these ids that are alive, each once, by id."""
        listed = [ids] if isinstance(ids, (str, int)) else list(ids)
        return self._ask("get", [_text(id) for id in listed], options)

    def by_name(self, name: str, *, within: NodeId | None = None, **options: Any) -> Answer:
        """The nodes that have exactly this name, case aside; with `within` only those below that ancestor."""
        return self._ask("by_name", [name], options, None if within is None else _text(within))

    def search(self, words: str, *, prefix: bool = False, **options: Any) -> Answer:
        """The nodes whose name has these words: `a,b` both, `a|b` either, `prefix:a` beginnings. The best come first.

        `prefix=True` takes the words as they are, each as the beginning of one.
        """
        return self._ask("search_prefix" if prefix else "search", [words], options)

    def parents(self, id: NodeId, **options: Any) -> Answer:
        """Nodes that the node's edges lead to."""
        return self._ask("parents", [_text(id)], options)

    def children(self, id: NodeId, **options: Any) -> Answer:
        """Nodes whose edges lead to the node."""
        return self._ask("children", [_text(id)], options)

    def ancestors(self, id: NodeId, **options: Any) -> Answer:
        """Everything that is reached by going from parent to parent."""
        return self._ask("ancestors", [_text(id)], options)

    def descendants(self, id: NodeId, **options: Any) -> Answer:
        """Everything that is reached by going from child to child."""
        return self._ask("descendants", [_text(id)], options)

    def siblings(self, id: NodeId, **options: Any) -> Answer:
        """The other children of the node's parents."""
        return self._ask("siblings", [_text(id)], options)

    def lineage(self, id: NodeId, **options: Any) -> Answer:
        """All ancestors, roots first: an ancestor comes after its own parents."""
        return self._ask("lineage", [_text(id)], options)

    def related(self, id: NodeId, **options: Any) -> Answer:
        """Nodes one hop away on either side; along any relation unless some are named."""
        return self._ask("related", [_text(id)], options)

    def linked(self, id: NodeId, **options: Any) -> Answer:
        """Nodes of other types whose edges lead to the node."""
        return self._ask("linked", [_text(id)], options)

    def links(self, id: NodeId, **options: Any) -> Answer:
        """Nodes of other types that the node's edges lead to."""
        return self._ask("links", [_text(id)], options)

    def _ask(self, question: str, things: list[str], options: dict[str, Any], within: str | None = None) -> Answer:
        columns, total, kept = self._core.query(
            self._tick, self._soft, question, self._type, things, within, _checked(self._named_by, **options)
        )
        return Answer(columns, total, kept)


def _checked(
    named_by: str | None,
    *,
    relations: Sequence[str] | str | None = None,
    depth: int = 100,
    where: Mapping[str, Any] | None = None,
    order: Order = "id",
    limit: int | None = None,
    offset: int = 0,
    select: Sequence[str] | None = None,
) -> dict[str, Any]:
    if order not in ("id", "name"):
        raise ValueError(f"order: expected 'id' or 'name', not {order!r}")
    for name, number in [("depth", depth), ("offset", offset), ("limit", 0 if limit is None else limit)]:
        if number < 0:
            raise ValueError(f"{name}: {number} is below 0")
    if isinstance(relations, str):
        relations = [] if relations == "any" else [relations]
    return {
        "relations": None if relations is None else list(relations),
        "depth": depth,
        "conditions": [(name, _shown(name, value)) for name, value in (where or {}).items()],
        "by_name": order == "name",
        "limit": limit,
        "offset": offset,
        "select": [select] if isinstance(select, str) else None if select is None else list(select),
        "named_by": named_by,
    }


def _text(id: NodeId) -> str:
    if isinstance(id, bool) or not isinstance(id, (str, int)) and not hasattr(id, "__index__"):
        raise TypeError(f"id: expected an int or a str, not {type(id).__name__}")
    return str(id)


def _plain(number: Any) -> Any:
    """A number of NumPy as one of Python."""
    return number.item() if hasattr(number, "item") else number


def _shown(feature: str, value: Any) -> list[str]:
    """The texts as which a value, or one of several, is shown."""
    several = isinstance(value, (list, tuple, set, frozenset))
    values: list[Any] = list(cast("Collection[Any]", value)) if several else [value]
    texts: list[str] = []
    for one in values:
        if isinstance(one, bool):
            texts.append("true" if one else "false")
        elif isinstance(one, str):
            texts.append(one)
        elif isinstance(one, (int, float)) or hasattr(one, "item"):
            number = _plain(one)
            texts.append(str(number))
            if isinstance(number, int) or number.is_integer():
                texts.extend([f"{int(number)}.0", str(int(number))])
        else:
            raise TypeError(f"where[{feature!r}]: expected a text, a number or a truth value, not {type(one).__name__}")
    return texts
