"""A graph as of a time, as it was known at a commit."""

from __future__ import annotations

from pathlib import Path

from . import _core
from ._times import FOREVER
from ._view_base import Deletes
from ._view_counters import ViewCounters
from ._view_features import ViewFeatures
from ._view_reads import ViewReads
from ._view_samples import ViewSamples


class View(ViewReads, ViewSamples, ViewFeatures, ViewCounters):
    """A graph as of a time, as it was known at a commit. It never changes, whatever is loaded meanwhile."""

    def __init__(self, core: _core.View, tick: int, deletes: Deletes, path: Path) -> None:
        if deletes not in ("hard", "soft"):
            raise ValueError(f"deletes: expected 'hard' or 'soft', not {deletes!r}")
        self._core = core
        self._tick = tick
        self._deletes = deletes
        self._path = path

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
