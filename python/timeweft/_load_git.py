"""Loads of git histories."""

from __future__ import annotations

import os
from typing import Any

from . import _core
from ._progress import Progress, hearing
from ._tables import to_path
from .report import KEPT_REJECTS, LoadReport


class GitLoads:
    """Loads of git histories into a graph."""

    _core: _core.Graph

    def load_git(
        self,
        repository: os.PathLike[str] | str = ".",
        *,
        limit: int | None = None,
        newest: int | None = None,
        namespace: str = "git",
        kept_rejects: int = KEPT_REJECTS,
        progress: Progress = None,
    ) -> LoadReport:
        """One commit with the history of a git repository: nodes `author`, `commit`, `file`; edges `authored`, `parent`,
        `touched`, `edited`; renames are merges.

        `repository` is a folder in it. Loaded again, only commits that are new are taken in; where there is none, the report
        is `unchanged`. `limit` stops after so many new commits, from the oldest on; `newest` begins before so many newest ones,
        with the files as they were then. Nothing is run, fetched or written in the repository.

        Times of commits are seconds, so the graph must count in `s`, else `ValueError`. Raises `SourceError` if there is no
        repository, or it is another one than before, and `StoppedError` after Ctrl-C: nothing is loaded then.

        >>> graph = tw.create("history", unit="s")
        >>> graph.load_git(".", newest=5000)
        """
        if self._core.unit != "s":
            raise ValueError(f"repository: its times are seconds, and the graph counts in {self._core.unit!r}: create one with unit='s'")
        if limit is not None and newest is not None:
            raise ValueError("newest: give either limit or newest")
        for name, value in {"limit": limit, "newest": newest}.items():
            if value is not None and value < 0:
                raise ValueError(f"{name}: expected a number of commits, not {value}")
        common: dict[str, Any] = {
            "namespace": namespace,
            "version": None,
            "dangling": None,
            "max_rejects": None,
            "kept_rejects": kept_rejects,
        }
        path = to_path(repository, "repository")
        with hearing(progress, "load_git") as hears:
            return LoadReport(self._core.load_git(path, common, (limit, newest), hears))
