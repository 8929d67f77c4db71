"""A graph as of a time, as it was known at a commit."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path

from . import _core, _fork
from ._times import FOREVER
from ._view_base import Deletes
from ._view_counters import ViewCounters
from ._view_export import ViewExport
from ._view_features import ViewFeatures
from ._view_reads import ViewReads
from ._view_samples import ViewSamples
from ._view_subgraph import ViewSubgraphs


class View(ViewReads, ViewSamples, ViewSubgraphs, ViewFeatures, ViewCounters, ViewExport):
    """A graph as of a time, as it was known at a commit. It never changes, whatever is loaded meanwhile.

    Two views are equal if path, commit, time and deletes are. A view is pickled as these, and opened again for reading
    where it is unpickled.
    """

    def __init__(self, core: _core.View, tick: int, deletes: Deletes, path: Path, unit: str = "step") -> None:
        if deletes not in ("hard", "soft"):
            raise ValueError(f"deletes: expected 'hard' or 'soft', not {deletes!r}")
        self._core = core
        self._tick = tick
        self._deletes = deletes
        self._path = path
        self._unit = unit
        _fork.register(self)

    @property
    def at(self) -> int | None:
        """The time in ticks; `None` at the end of time."""
        return None if self._tick == FOREVER else self._tick

    @property
    def commit(self) -> int:
        """The commit."""
        return self._core.commit

    @property
    def _is_soft(self) -> bool:
        return self._deletes == "soft"

    @property
    def deletes(self) -> Deletes:
        """Whether what was deleted is shown."""
        return self._deletes

    def _hard(self) -> View:
        """The same without what was deleted."""
        return View(self._core, self._tick, "hard", self._path, self._unit) if self._is_soft else self

    def _identity(self) -> tuple[str, int, int, Deletes]:
        return (str(self._path), self.commit, self._tick, self._deletes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, View) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __reduce__(self) -> tuple[Callable[..., View], tuple[str, int, int, Deletes]]:
        return (_reopened, self._identity())

    def _moment(self) -> str:
        return "the end of time" if self.at is None else _core.format_time(self._tick, self._unit)

    def __repr__(self) -> str:
        n_nodes, n_edges = sum(self.n_nodes.values()), sum(self.n_edges.values())
        soft = ", with what was deleted" if self._is_soft else ""
        return f"View({self._path.name} at {self._moment()}, commit {self.commit}: {n_nodes:,} nodes, {n_edges:,} edges{soft})"

    def _repr_html_(self) -> str:
        rows = [(of, n) for of, n in self.n_nodes.items()]
        rows += [(f"{source} -{relation}-> {end}", n) for (source, relation, end), n in self.n_edges.items()]
        cells = "".join(f"<tr><td>{html.escape(of)}</td><td>{n:,}</td></tr>" for of, n in rows)
        caption = html.escape(f"{self._path.name} at {self._moment()}, commit {self.commit}")
        return f"<table><caption>{caption}</caption>{cells}</table>"


def _reopened(path: str, commit: int, tick: int, deletes: Deletes) -> View:
    graph = _core.Graph.open_read_only(path, commit)
    return View(graph.view(None), tick, deletes, Path(path), graph.unit)
