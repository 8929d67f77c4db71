"""What a view answers as tables and as single nodes and edges."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from . import _core
from ._query import Query, _text
from ._sql import positive
from .table import Table

NodeId: TypeAlias = int | str
"""An id as its source gives it; `7` and `"7"` are one."""
FeatureNames: TypeAlias = Sequence[str] | Literal["all"]
"""Names of features, or all that elements of the shown types may have."""
Side: TypeAlias = Literal["out", "in", "both"]
"""On which side of its edges a node is: their source, their destination, or either."""


def feature_names(features: FeatureNames) -> list[str] | None:
    """The names; `None` stands for all."""
    if features == "all":
        return None
    return [features] if isinstance(features, str) else list(features)


@dataclass(frozen=True)
class Node:
    """A node as a view shows it."""

    type: str
    id: NodeId
    node: int
    """Its dense number, uint32."""
    created: int
    """When its life began, in ticks."""
    removed: int | None
    """When it ended or will; `None` if it has no end."""
    alive: bool
    """`False` only of what is deleted, with `deletes="soft"`."""
    features: dict[str, Any] = field(hash=False)
    """Values by name: numbers, arrays, texts, bytes, what JSON holds; (coordinates, values) of sparse tensors."""
    unit: str = field(repr=False, compare=False, default="step")

    def __repr__(self) -> str:
        return f"Node({self.type} {self.id}, {_life(self)}{_listed(self.features)})"


@dataclass(frozen=True)
class Edge:
    """An edge as a view shows it."""

    source: tuple[str, NodeId]
    relation: str
    destination: tuple[str, NodeId]
    key: str | None
    edge: int
    """The dense number of the life that is shown, uint32."""
    created: int
    """When its life began, in ticks."""
    removed: int | None
    """When it ended or will; `None` if it has no end."""
    alive: bool
    """`False` only of what is deleted, with `deletes="soft"`."""
    features: dict[str, Any] = field(hash=False)
    """Values by name, as of a [Node][timeweft.Node]."""
    unit: str = field(repr=False, compare=False, default="step")

    def __repr__(self) -> str:
        ends = f"{self.source[0]} {self.source[1]} -{self.relation}-> {self.destination[0]} {self.destination[1]}"
        key = "" if self.key is None else f" [{self.key}]"
        return f"Edge({ends}{key}, {_life(self)}{_listed(self.features)})"


def _life(of: Node | Edge) -> str:
    until = "" if of.removed is None else f" until {_core.format_time(of.removed, of.unit)}"
    return f"since {_core.format_time(of.created, of.unit)}{until}"


def _listed(features: dict[str, Any]) -> str:
    return "".join(f", {name}={value!r}" for name, value in features.items())


class ViewReads:
    """Tables of a view."""

    _core: _core.View
    _tick: int
    _path: Path
    _unit: str

    def sql(self, query: str, *, limit: int | None = None) -> Table:
        """The answer to a question in SQL, at this view's time and commit: as [Graph.sql][timeweft.Graph.sql] answers. Other
        times can be named in the query (`TIMESTAMP AS OF`), other commits cannot.

        >>> view.sql("SELECT id FROM nodes WHERE type = 'user'").to_polars()
        """
        return Table(self._core.sql(query, self._tick, self._is_soft, positive(limit)))

    @property
    def _is_soft(self) -> bool:
        raise NotImplementedError

    @property
    def n_nodes(self) -> dict[str, int]:
        """How many nodes of each type there are at the view's time."""
        return dict(self._core.counts(self._tick, self._is_soft)[0])

    @property
    def n_edges(self) -> dict[tuple[str, str, str], int]:
        """How many edges of each (source type, relation, destination type) there are at the view's time."""
        return dict(self._core.counts(self._tick, self._is_soft)[1])

    def node(self, type: str, id: NodeId) -> Node | None:
        """A node with its features; `None` if it is not there at the view's time. Raises `UnknownError` for a type
        that the graph does not have.

        >>> view.node("user", "ann").features["age"]
        """
        found = self._core.node(self._tick, self._is_soft, type, _text(id))
        if found is None:
            return None
        number, own_id, created, removed, alive, features = found
        return Node(type, own_id, number, created, removed, alive, features, self._unit)

    def edge(
        self, source: tuple[str, NodeId], relation: str, destination: tuple[str, NodeId], key: str | None = None
    ) -> Edge | None:
        """An edge with its features; `None` if it is not there at the view's time. `source` and `destination` are
        (type, id). Raises `UnknownError` for an edge type that the graph does not have.

        >>> view.edge(("user", "ann"), "buys", ("item", 1))
        """
        ends = [(str(of), _text(id)) for of, id in (source, destination)]
        found = self._core.edge(self._tick, self._is_soft, ends[0], relation, ends[1], key)
        if found is None:
            return None
        number, created, removed, alive, features = found
        return Edge(
            (source[0], source[1]), relation, (destination[0], destination[1]), key, number, created, removed, alive,
            features, self._unit,
        )  # fmt: skip

    def neighbors(self, type: str, id: NodeId, *, side: Side = "both", relation: str | None = None) -> Table:
        """The edges at a node, the most recently created first.

        Columns: `side` ("out" or "in"), `edge` and `node` (uint32, dense numbers of the edge and of the neighbor),
        `type` and `id` of the neighbor, `relation`, `key`, `created`, `removed`. Raises `UnknownError`.
        """
        if side not in ("out", "in", "both"):
            raise ValueError(f"side: expected 'out', 'in' or 'both', not {side!r}")
        return Table(self._core.neighbors(self._tick, self._is_soft, type, _text(id), side, relation))

    def history(self, type: str, id: NodeId) -> Table:
        """Everything that had happened to a node by the view's time: its lives, values, merges and edges.

        Columns: `from`, `until`, `what` ("life", "feature", "merge", "edge"), `name` (of a feature or relation),
        `detail`. Raises `UnknownError` for a node that the graph never had.
        """
        return Table(self._core.history(self._tick, type, _text(id)))

    def nodes(self, type: str | None = None, *, features: FeatureNames = ()) -> Table:
        """The nodes of a type, or all, by dense number.

        Columns: `node` (uint32, the dense number), `type`, `id`, `created`, `removed`; with `deletes="soft"` also
        `deleted`; then a column for each feature, null where a node has no value. Raises `UnknownError`.

        >>> view.nodes("user", features=["age"]).to_polars()
        """
        return Table(self._core.nodes(self._tick, self._is_soft, type, feature_names(features)))

    def edges(self, relation: str | tuple[str, str, str] | None = None, *, features: FeatureNames = ()) -> Table:
        """The edges of a relation, of one edge type (source type, relation, destination type), or all.

        Columns: `edge`, `source`, `destination` (uint32, dense numbers), `source_type`, `source_id`, `relation`,
        `destination_type`, `destination_id`, `key`, `created`, `removed`; with `deletes="soft"` also `deleted`; then a
        column for each feature. Raises `UnknownError`.

        >>> view.edges("buys", features="all").to_pandas()
        """
        return Table(self._core.edges(self._tick, self._is_soft, relation, feature_names(features)))

    def merges(self) -> Table:
        """All merges that ever held: `from_type`, `from_id`, `into_type`, `into_id`, `created`, `removed`, `features`
        (JSON).
        """
        return Table(self._core.merges())

    def query(self, type: str, *, named_by: str | None = None) -> Query:
        """Questions of nodes of a type: their ancestors, nodes by name, and more ([Query][timeweft.Query])."""
        return Query(self._core, self._tick, self._is_soft, type, named_by)

    def resolve(self, type: str, id: NodeId) -> NodeId:
        """The id that a node has become through the merges that hold at the view's time; its own if none does."""
        return self._core.resolve(self._tick, type, _text(id))[1]

    def to_parquet(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Writes the nodes of each type and the edges of each edge type that are there, with all features, as Parquet
        files into a folder, which is made if need be. Gives the files.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        tables = [(f"nodes-{of}", self.nodes(of, features="all")) for of, n in self.n_nodes.items() if n]
        tables += [(f"edges-{'-'.join(of)}", self.edges(of, features="all")) for of, n in self.n_edges.items() if n]
        written: list[Path] = []
        for name, table in tables:
            safe = re.sub(r"[^\w.-]", "_", name)
            path = folder / f"{safe}.parquet"
            if path in written:
                path = folder / f"{safe}-{len(written)}.parquet"
            table.to_parquet(path)
            written.append(path)
        return written
