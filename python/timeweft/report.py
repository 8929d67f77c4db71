"""What came of a load."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from . import _core
from .table import Table

KEPT_REJECTS = 1_000
"""The rejected records that a report keeps; all are counted."""
Dangling: TypeAlias = Literal["reject", "drop", "stub"]
"""What becomes of edges at missing nodes."""


@dataclass(frozen=True)
class ActionCounts:
    """Numbers of accepted events of one kind of element."""

    created: int
    updated: int
    deleted: int


class LoadReport:
    """What came of a load. Also the `report` of an error that refuses one.

    >>> report = graph.load_events(frame)
    >>> report.edges.created, report.rejected
    (2, 0)
    """

    def __init__(self, core: _core.LoadReport) -> None:
        self._core = core
        facts: dict[str, Any] = json.loads(core.facts)
        counts: dict[str, Any] = facts["counts"]
        self.load: int = facts["load"]
        """Its number in the registry; that of the earlier load where this one is `unchanged`."""
        self.commit: int = facts["commit"]
        """The commit that made it visible."""
        self.unchanged: bool = facts["unchanged"]
        """The namespace had this version with the same content already: nothing was written."""
        self.accepted: int = facts["accepted"]
        """Events accepted."""
        self.rejected: int = facts["rejected"]
        """Records rejected, with those that `rejects` does not keep."""
        self.nodes = ActionCounts(**counts["nodes"])
        """Accepted events of nodes."""
        self.edges = ActionCounts(**counts["edges"])
        """Accepted events of edges."""
        self.merges = ActionCounts(**counts["merges"])
        """Accepted events of merges."""
        self.stubs: int = counts["stubs"]
        """Nodes created in place of missing ones; they are among the nodes created."""
        self.parallel: int = counts["parallel"]
        """Edges that got a key because they repeat one that lives; they are among the edges created."""
        self.sorted: bool = facts["sorted"]
        """The source was not in order of time, and was sorted."""
        self.placed: int = facts["placed"]
        """Late events that were put where they belong in time."""
        self.rows: dict[str, int] = facts["rows"]
        """Of change rows: nodes and edges that were already what their rows say (`unchanged`), and deletes of what was not there
        (`absent`)."""
        self.clipped: dict[str, int] = facts["clipped"]
        """Of lives: `edges` that were cut to the life of an end, and `features` to that of their owner."""
        self.delta: dict[str, Any] | None = facts["delta"]
        """What a whole version changed, by kind of element."""
        self.warnings: list[str] = [f"{place}: {text}" for place, text in facts["warnings"]]
        """What was taken in although it looks odd."""
        self.notes: list[str] = facts["notes"]
        """How the source was read where it leaves that open."""
        self.replaced: list[int] = facts["replaced"]
        """Loads whose events differ now, because of a back-dated version or late events."""

    @property
    def rejects(self) -> Table:
        """The first rejected records: `file`, `row` (from 1; of a text the line), `reason`, `record`.

        `record` is the row as JSON text: of data frames, Parquet and Arrow files an object, of other files the line. It is
        null where a source can be read only once (a stream, a relation of DuckDB) or has no rows.
        """
        return Table(self._core.rejects())

    def __repr__(self) -> str:
        if self.unchanged:
            return f"LoadReport(load={self.load}, unchanged)"
        parts = [f"load={self.load}", f"commit={self.commit}", f"accepted={self.accepted}", f"rejected={self.rejected}"]
        for name, of in self._counts():
            parts.extend(f"{name}_{action}={n}" for action, n in vars(of).items() if n)
        return f"LoadReport({', '.join(parts)})"

    def _counts(self) -> list[tuple[str, ActionCounts]]:
        return [("nodes", self.nodes), ("edges", self.edges), ("merges", self.merges)]

    def _repr_html_(self) -> str:
        head = f"load {self.load}, commit {self.commit}: {self.accepted:,} events accepted, {self.rejected:,} rejected"
        if self.unchanged:
            head = f"nothing is new: load {self.load} brought it all already"
        rows = "".join(
            f"<tr><th>{name}</th><td>{of.created:,}</td><td>{of.updated:,}</td><td>{of.deleted:,}</td></tr>"
            for name, of in self._counts()
        )
        told = "".join(f"<li>{html.escape(text)}</li>" for text in (*self.warnings, *self.notes))
        heads = "<tr><th></th><th>created</th><th>updated</th><th>deleted</th></tr>"
        return f"<p>{head}</p><table>{heads}{rows}</table><ul>{told}</ul>"
