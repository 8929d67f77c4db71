"""A graph directory, opened."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Literal

from . import _core, _fork, _schema
from ._graph_loads import GraphLoads
from ._graph_models import Models
from ._graph_reads import GraphReads
from ._schema import Schema
from ._times import TimeLike, Unit, to_tick
from ._view_base import Deletes
from .view import View


class Graph(GraphReads, GraphLoads, Models):
    """A graph directory. One process has it open for writing, any number for reading. Every load is one commit, visible
    whole or not at all. Made by [create][timeweft.create] and [open][timeweft.open].
    """

    def __init__(self, core: _core.Graph) -> None:
        self._core = core
        # A process that a view is sent to may be in another folder.
        self._folder = Path(os.path.abspath(core.path))
        _fork.register(self)

    def __reduce__(self) -> tuple[Callable[..., Graph], tuple[str, int]]:
        if not self.read_only:
            raise TypeError(
                f"{self.path}: a graph that is open for writing stays in its process: send a view, or open it with "
                "mode='read'"
            )
        return _open_for_reading, (str(self._folder), self.commit)

    @property
    def path(self) -> Path:
        """The directory."""
        return Path(self._core.path)

    @property
    def unit(self) -> Unit:
        """What times count in."""
        return self._core.unit

    @property
    def commit(self) -> int:
        """The newest commit; 0 before the first load. Open for reading: the one that is read."""
        return self._core.commit

    @property
    def read_only(self) -> bool:
        """Whether it is open for reading only."""
        return self._core.read_only

    def view(self, at: TimeLike = None, *, commit: int | None = None, deletes: Deletes = "hard") -> View:
        """The graph at a time, as it was known at a commit. It costs nothing and never changes.

        `at=None` is the end of time: all that is alive after everything that was loaded. `deletes="soft"` shows what was
        deleted before as well. Raises `TimeError`, `CommitGoneError`.
        """
        return View(self._core.view(commit), to_tick(at, self.unit, "at"), deletes, self._folder, self.unit)

    def close(self) -> None:
        """Closes the graph; twice is fine. Views that are held go on."""
        self._core.close()

    def __enter__(self) -> Graph:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def create(path: str | os.PathLike[str], *, unit: Unit = "us", schema: Schema | None = None) -> Graph:
    """Makes an empty graph in a directory, whose times count in `unit`; with declared types if there is a `schema`, and
    no others if that is closed. Raises `ExistsError` if there is one, `ValueError` for what is no schema.
    """
    if schema is not None:
        _core.parse_time("0", unit)  # An unknown unit is named as such.
        return Graph(_core.Graph.create_with(os.fspath(path), _schema.to_json(schema, unit)))
    return Graph(_core.Graph.create(os.fspath(path), unit))


def open(
    path: str | os.PathLike[str], *, mode: Literal["write", "read"] = "write", commit: int | None = None
) -> Graph:
    """Opens a graph. One process writes, any number reads, also from a folder that cannot be written.

    `commit`, with `mode="read"`, is an earlier one. Raises `MissingError`, `LockedError` (which names who has it open),
    `NewerFormatError`, `CorruptError`, `CommitGoneError`.
    """
    if mode == "read":
        return Graph(_core.Graph.open_read_only(os.fspath(path), commit))
    if mode != "write":
        raise ValueError(f"mode: expected 'write' or 'read', not {mode!r}")
    if commit is not None:
        raise ValueError("commit: only a graph that is open for reading can be at an earlier one: add mode='read'")
    return Graph(_core.Graph.open(os.fspath(path)))


def _open_for_reading(path: str, commit: int) -> Graph:
    return open(path, mode="read", commit=commit)
