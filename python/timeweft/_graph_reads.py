"""What a graph answers as tables: events, loads, differences; and its care: rollback, verify, compact."""

from __future__ import annotations

import html
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from . import _core, _schema
from ._schema import Schema
from ._sql import is_soft, positive
from ._times import FOREVER, TimeLike, to_tick
from ._view_base import Deletes
from .errors import UnknownError
from .table import Table

_FIRST = -(2**63)


@dataclass(frozen=True)
class RollbackReport:
    """What came of taking a load back."""

    load: int
    """The number of the rollback in the registry."""
    commit: int
    """The commit that made it visible."""
    undone: int
    """The load that it took back."""
    replaced: list[int]
    """Later loads whose events differ now."""
    n_dropped: int
    """How many events of later loads the graph refuses now."""
    dropped: list[tuple[int, str]]
    """The first of them: their load, and why."""


@dataclass(frozen=True)
class VerifyReport:
    """What was found sound."""

    sound: bool
    """Whether all that answers was as it was written. If not, a snapshot was damaged, and the log made the graph anew."""
    loads: int
    segments: int
    """Segments of the log whose checksums were compared."""
    bytes: int
    """Their bytes."""
    events: int
    """Events that were replayed."""
    mended: list[str]
    """What was mended, in words."""


class Diff:
    """What differs between two states of a graph. Each part is made when it is first asked for."""

    def __init__(self, core: _core.Difference, words: str) -> None:
        self._core = core
        self._words = words

    @cached_property
    def nodes(self) -> Table:
        """Nodes that differ: `change` ("created", "updated", "removed"), `type`, `id`, `features` (names of those that
        differ), `before` and `after` (JSON).
        """
        return Table(self._core.nodes())

    @cached_property
    def edges(self) -> Table:
        """Edges that differ: `change`, the parts of their keys, `features`, `before`, `after`."""
        return Table(self._core.edges())

    @cached_property
    def merges(self) -> Table:
        """Merges that hold in the later state and did not in the earlier one."""
        return Table(self._core.merges())

    @cached_property
    def summary(self) -> Table:
        """How many: a row each for nodes, edges, merges; `what`, `created`, `updated`, `removed`."""
        return Table(self._core.summary())

    def __repr__(self) -> str:
        counts = [
            f"{row['what']} +{row['created']:,} ~{row['updated']:,} -{row['removed']:,}" for row in self.summary
        ]
        return f"Diff({self._words}: {', '.join(counts)})"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self._words)}</p>{self.summary._repr_html_()}"


class GraphReads:
    """Tables of a graph."""

    _core: _core.Graph

    @property
    def schema(self) -> Schema:
        """The types of nodes, edges and features, without those that only loads brought that were taken back."""
        return _schema.of_json(self._core.schema())

    def loads(self) -> Table:
        """The registry of loads, oldest first: `load`, `commit`, `namespace`, `version`, `timestamp`, `release`, `state`
        ("complete", "rolled back", "rollback"), `by`, `events`, `rejected`, events by kind and action, `started`,
        `completed`, `source`, `format`, `content_hash`.
        """
        return Table(self._core.loads())

    def refresh(self) -> int:
        """Moves a graph that is open for reading to the newest commit, and gives its number. Views stay as they are."""
        return self._core.refresh()

    def events(self, start: TimeLike = None, end: TimeLike = None, *, commit: int | None = None) -> Table:
        """The events with a time in [start, end), by time and then in the order of the log; `None` is no bound.

        Columns: `time`, `action`, `entity`, `source_type`, `source`, `relation`, `destination_type`, `destination`,
        `key`, `_ended` (JSON: names of the features whose value ends), then one for each feature. Loading all of them
        with `load_events` makes the same graph.
        """
        unit = self._core.unit
        first = _FIRST if start is None else to_tick(start, unit, "start")
        last = FOREVER if end is None else to_tick(end, unit, "end")
        return Table(self._core.view(commit).events(first, last))

    def diff(
        self,
        start: TimeLike = None,
        end: TimeLike = None,
        *,
        commit: int | tuple[int, int] | None = None,
        namespace: str | None = None,
        deletes: str = "hard",
    ) -> Diff:
        """What differs between two times, two commits (`commit=(3, 5)`), or both: `.nodes .edges .merges .summary`.

        Two states are compared: what began and ended between them does not show; with `deletes="soft"` it does.

        >>> graph.diff("2016-05-17", "2016-11-20").nodes.to_polars()
        """
        if deletes not in ("hard", "soft"):
            raise ValueError(f"deletes: expected 'hard' or 'soft', not {deletes!r}")
        if namespace is not None and namespace not in (known := self._core.namespaces()):
            raise UnknownError(f"namespace: the graph has no namespace `{namespace}`: it has {', '.join(known) or 'none'}")
        commits = commit if isinstance(commit, tuple) else (commit, commit)
        if start is None and commits[0] == commits[1]:
            raise ValueError("start: say what to compare: two times, or two commits by commit=(A, B)")
        unit = self._core.unit
        last = to_tick(end, unit, "end")
        first = last if start is None else to_tick(start, unit, "start")
        views = [self._core.view(number) for number in commits]
        shown = [f"{_time(tick, unit)} (commit {view.commit})" for tick, view in zip((first, last), views, strict=True)]
        core = _core.Difference(views[0], first, views[1], last, deletes == "soft", namespace)
        return Diff(core, " to ".join(shown))

    def sql(
        self,
        query: str,
        *,
        at: TimeLike = None,
        commit: int | None = None,
        deletes: Deletes = "hard",
        limit: int | None = None,
    ) -> Table:
        """The answer to a question in SQL. `at`, `commit` and `deletes` say as of when tables are read that the query does not
        give a moment (`TIMESTAMP AS OF`, `VERSION AS OF`); `limit` is the most rows that are wanted.

        Ids are texts. Times are timestamps in UTC, or numbers in a graph that counts steps. Ctrl-C gives the query up. Raises
        `SqlError` for what is no SQL, writes, or is not understood; `UnknownError` for names that are not there;
        `CommitGoneError`.

        >>> graph.sql("SELECT type, count(*) AS n FROM nodes GROUP BY type", at="2016-06-01").to_polars()
        """
        tick = to_tick(at, self._core.unit, "at")
        return Table(self._core.sql(query, tick, commit, is_soft(deletes), positive(limit)))

    def rollback(self, load: int) -> RollbackReport:
        """Takes a load back, as a new commit: the graph is what it would be without the load. Earlier commits stay.
        Raises `UnknownError` for a load that is not in the registry, `StoreError` for one that was taken back already.
        """
        number, commit, replaced, n_dropped, dropped = self._core.rollback(load)
        return RollbackReport(number, commit, load, replaced, n_dropped, dropped)

    def verify(self) -> VerifyReport:
        """Compares every checksum, replays the log, and compares the graph in memory with what the log makes. Raises
        `CorruptError` for the first thing that is wrong with the log; a damaged snapshot is made anew and reported.
        """
        loads, segments, size, events, sound, mended = self._core.verify()
        return VerifyReport(sound, loads, segments, size, events, mended)

    def compact(self) -> int:
        """Writes a snapshot of the newest commit, so that opening does not replay the log. Gives its bytes."""
        return self._core.compact()

    @property
    def size(self) -> int:
        """Bytes of the catalogue and the log on disk; snapshots, which may be deleted, come on top."""
        return self._core.size()[0]

    def export_events(self, path: str | os.PathLike[str], *, commit: int | None = None) -> int:
        """Writes the log of events, which loads again into the same graph, as `.jsonl`, `.parquet` or `.arrow`. The file
        appears whole or not at all. Gives how many events there are.
        """
        return self._core.export_events(os.fspath(path), commit)

    def export_documents(self, folder: str | os.PathLike[str], namespace: str) -> int:
        """Writes a namespace as the documents that KBase's loader keeps, a `.jsonl` file a collection, into a folder that
        is not there yet. Gives how many documents there are.
        """
        if namespace not in (known := self._core.namespaces()):
            raise UnknownError(f"namespace: the graph has no namespace `{namespace}`: it has {', '.join(known) or 'none'}")
        return self._core.export_documents(os.fspath(folder), namespace)

    def _about(self) -> tuple[list[tuple[str, int]], list[tuple[str, int]], str]:
        view = self._core.view(None)
        nodes, edges = view.counts(FOREVER, False)
        span = view.span()
        unit = self._core.unit
        words = "no events" if span is None else f"{_time(span[0], unit)} to {_time(span[1], unit)}"
        return nodes, [(f"{of[0]} -{of[1]}-> {of[2]}", n) for of, n in edges], words

    def __repr__(self) -> str:
        nodes, edges, span = self._about()
        counts = [f"{n:,} {of}" for of, n in [*nodes, *edges]]
        mode = ", read-only" if self._core.read_only else ""
        size = _bytes(self.size)
        what = f"{', '.join(counts) or 'empty'}; {span}"
        return f"Graph({Path(self._core.path).name}: {what}; commit {self._core.commit}, unit {self._core.unit}, {size}{mode})"

    def _repr_html_(self) -> str:
        nodes, edges, span = self._about()
        rows = "".join(f"<tr><td>{html.escape(of)}</td><td>{n:,}</td></tr>" for of, n in [*nodes, *edges])
        about = f"{Path(self._core.path).name}: {span}; commit {self._core.commit}, {_bytes(self.size)}"
        return f"<table><caption>{html.escape(about)}</caption>{rows}</table>"



def _time(tick: int, unit: str) -> str:
    return "the end of time" if tick == FOREVER else _core.format_time(tick, unit)


def _bytes(size: int) -> str:
    if size < 1000:
        return f"{size} bytes"
    power, unit = next(((p, u) for p, u in ((1e9, "GB"), (1e6, "MB")) if size >= p), (1e3, "KB"))
    return f"{size / power:.1f} {unit}"
