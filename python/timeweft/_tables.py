"""Tables of nodes and edges, as a mapping of the library says what their columns mean."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast

from . import _core
from ._frames import Frame, to_table

TableOf: TypeAlias = Frame | Mapping[str, Frame]
"""One table whose rows name their type, or tables by their types."""
EdgesOf: TypeAlias = Frame | Mapping[str | tuple[str, str, str], Frame]
"""The same of edges, by relation or by (source type, relation, destination type)."""

Entry: TypeAlias = dict[str, Any]


class Tables:
    """Tables that are collected for one load, with the entries of their mapping."""

    def __init__(self, source_type: str | None, destination_type: str | None) -> None:
        self._ends = {"source": source_type, "destination": destination_type}
        self.sources: list[tuple[str, _core.Frame | str]] = []
        self.mapping: dict[str, list[Entry]] = {"nodes": [], "edges": [], "merges": []}

    def nodes(self, data: TableOf | None) -> None:
        """Takes tables of nodes: `type` (or the key of each), `id`, features."""
        if isinstance(data, Mapping):
            for name, frame in data.items():
                self._nodes(frame, f"nodes[{name!r}]", name)
        elif data is not None:
            self._nodes(data, "nodes", None)

    def edges(self, data: EdgesOf | None) -> None:
        """Takes tables of edges: `relation` (or the key of each), `source`, `destination`, their types, `key`, features."""
        if isinstance(data, Mapping):
            for name, frame in data.items():
                self._edges(frame, f"edges[{name!r}]", name)
        elif data is not None:
            self._edges(data, "edges", None)

    def merges(self, data: Frame | None) -> None:
        """Takes a table of merges: `from`, `into`, and `type`, or `from_type` and `into_type`."""
        if data is None:
            return
        name = "merges"
        names, entry = self._take(data, name)
        _need(names, "from", "into", name=name)
        both = names is None or "from_type" in names
        if not both:
            _need(names, "type", name=name, else_=", or `from_type` and `into_type`")
        for end in ("from", "into"):
            column = f"{end}_type" if both else "type"
            _need(names, column, name=name)
            entry[end] = {"type": {"column": column}, "column": end}
        self.mapping["merges"].append(entry)

    def _nodes(self, data: Frame, name: str, node_type: Any) -> None:
        names, entry = self._take(data, name)
        _need(names, "id", name=name)
        if node_type is None:
            _need(names, "type", name=name, else_=", or give a dict of the tables of each type")
            entry["type"] = {"column": "type"}
        else:
            entry["type"] = _text(node_type, name)
        entry["id"] = "id"
        self.mapping["nodes"].append(entry)

    def _edges(self, data: Frame, name: str, relation: Any) -> None:
        names, entry = self._take(data, name)
        _need(names, "source", "destination", name=name)
        types: list[Any] = [self._ends["source"], self._ends["destination"]]
        if isinstance(relation, tuple):
            parts = cast("tuple[Any, ...]", relation)
            if len(parts) != 3:
                raise ValueError(f"{name}: expected (source type, relation, destination type), not {len(parts)} names")
            types, relation = [parts[0], parts[2]], parts[1]
            of_ends = False
        else:
            of_ends = True
        if relation is None:
            _need(names, "relation", name=name, else_=", or give a dict of the tables of each relation")
            entry["relation"] = {"column": "relation"}
        else:
            entry["relation"] = _text(relation, name)
        for end, given in zip(("source", "destination"), types, strict=True):
            column = f"{end}_type"
            is_there = names is not None and column in names
            if given is None or (of_ends and is_there):
                _need(names, column, name=name, else_=f", or give {column}=")
                entry[end] = {"type": {"column": column}, "column": end}
            else:
                entry[end] = {"type": _text(given, name), "column": end}
        if names is None or "key" in names:
            entry["key"] = "key"
        self.mapping["edges"].append(entry)

    def _take(self, data: Frame, name: str) -> tuple[list[str] | None, Entry]:
        """The names of the columns, `None` where each row has its own; and the entry of the table."""
        source = to_table(data, name)
        # Rows of JSON lines each have columns of their own.
        names = (_core.table_columns(source) or None) if isinstance(source, str) else source.names
        self.sources.append((name, source))
        # The index that pandas keeps without a name says nothing of a row.
        index = [column for column in names or [] if column.startswith("__index_level_") and column.endswith("__")]
        return names, {"file": name, "features": "*", "except": index}


def _need(names: list[str] | None, *columns: str, name: str, else_: str = "") -> None:
    for column in columns:
        if names is not None and column not in names:
            raise ValueError(
                f"{name}: there is no column `{column}`: add it or rename one{else_}; the columns are: {', '.join(names)}"
            )


def _text(name: Any, argument: str) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{argument}: expected a text as the name of a type, not {name!r}")
    return name


def one_of(data: object, tables: Mapping[str, object]) -> bool:
    """Whether tables are given and no file. Raises `ValueError` where it is both or neither."""
    given = [name for name, table in tables.items() if table is not None]
    if data is not None and given:
        raise ValueError(f"{given[0]}: give either `data`, which lists all, or tables ({', '.join(tables)})")
    if data is None and not given:
        raise ValueError(f"data: give a file or a folder, or tables ({', '.join(tables)})")
    return bool(given)


def to_path(data: Any, name: str) -> str:
    """The path of one file or folder."""
    if not isinstance(data, (str, os.PathLike)):
        raise TypeError(
            f"{name}: expected the path of a file or a folder, not {type(data).__name__}: data frames go into nodes= and edges="
        )
    return os.fspath(Path(cast("os.PathLike[str] | str", data)).expanduser())
