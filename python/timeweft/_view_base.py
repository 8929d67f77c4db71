"""What all parts of a view have."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from . import _core
from ._arrays import to_uint32
from ._scope import EdgeTypes, Scope, Side, Within, names_of, ticks_within
from ._times import to_ticks

Deletes: TypeAlias = Literal["hard", "soft"]
"""Whether what was deleted is gone (`hard`), or shown with the time of its end (`soft`)."""


class ViewBase:
    """A graph at a commit, and the time and the deletes that it is asked with."""

    _core: _core.View
    _tick: int
    _deletes: Deletes

    def _ticks(self, times: Any, n: int, name: str = "times") -> NDArray[np.int64]:
        """One tick a root; without times they are the view's own."""
        return np.full(n, self._tick, np.int64) if times is None else to_ticks(times, self._core.unit, n, name)

    def _roots(self, nodes: Any, times: Any) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        numbers = to_uint32(nodes, "nodes")
        return numbers, self._ticks(times, len(numbers))

    def _scope(
        self, side: Side, edge_types: EdgeTypes, before: bool, within: Within, times: NDArray[np.int64]
    ) -> Scope:
        return {
            "edge_types": names_of(edge_types),
            "side": side,
            "before": before,
            "soft": self._deletes == "soft",
            "within": ticks_within(within, self._core.unit, times),
        }
