"""What a graph answers as tables: events, loads, differences; and its care: rollback, verify, compact."""

from __future__ import annotations

from . import _core
from ._times import FOREVER, TimeLike, to_tick
from .table import Table

_FIRST = -(2**63)


class GraphReads:
    """Tables of a graph."""

    _core: _core.Graph

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
