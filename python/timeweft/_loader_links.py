"""Links that a loader goes through, and nodes that they do not lead to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ._arrays import NO_EDGE, NO_NODE
from ._draws import keyed
from ._types import Triple, edge_type_numbers
from .errors import UnknownError

if TYPE_CHECKING:
    from .view import View

Exclude: TypeAlias = Literal["same-time", "alive"] | None
"""What a negative must not be: linked by an event of the positive's own time, linked at that time, or merely the positive."""

_TRIES = 8


def edge_type_of(view: View, relation: str | Triple) -> int:
    """The number of the one edge type of a relation, or of a triple."""
    found = edge_type_numbers(view._types[1], [relation], "relation")
    if len(found) > 1:
        known = view._types[1]
        raise UnknownError(f"relation: {relation!r} is of several types, name one: {[known[at] for at in found]}")
    return found[0]


@dataclass(frozen=True)
class Links:
    """The links of one type that were created in a span of time, by (time, edge), whether they ended or not."""

    view: View
    edge_type: int
    start: int
    until: int
    """The last tick that belongs to it."""

    @cached_property
    def _lives(self) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.int64]]:
        edges, _, sources, destinations, created, _ = self.view._core.edge_lives([self.edge_type], self.until)
        first = int(np.searchsorted(created, self.start, "left"))
        return edges[first:], sources[first:], destinations[first:], created[first:]

    @property
    def edges(self) -> NDArray[np.uint32]:
        """(M,) uint32."""
        return self._lives[0]

    @property
    def sources(self) -> NDArray[np.uint32]:
        """(M,) uint32."""
        return self._lives[1]

    @property
    def destinations(self) -> NDArray[np.uint32]:
        """(M,) uint32."""
        return self._lives[2]

    @property
    def times(self) -> NDArray[np.int64]:
        """(M,) int64, ascending."""
        return self._lives[3]

    def __getstate__(self) -> dict[str, object]:
        # A process that this is sent to reads the same links from the same graph.
        return {name: self.__dict__[name] for name in ("view", "edge_type", "start", "until")}


@dataclass(frozen=True)
class Questions:
    """For what negatives are drawn: some positives, their positions among all, and as of when nodes are seen for each."""

    positions: NDArray[np.int64]
    sources: NDArray[np.uint32]
    destinations: NDArray[np.uint32]
    times: NDArray[np.int64]
    seen: NDArray[np.int64]

    def __getitem__(self, rows: NDArray[np.int64]) -> Questions:
        return Questions(
            self.positions[rows], self.sources[rows], self.destinations[rows], self.times[rows], self.seen[rows]
        )


@dataclass(frozen=True)
class Negatives:
    """Destinations for each positive that it does not lead to, drawn with equal chance among the nodes that are alive and had
    been a destination of the type, both strictly before the positive is asked about. The view hides what was deleted.
    """

    view: View
    edge_type: int
    count: int
    exclude: Exclude

    @cached_property
    def _name(self) -> str:
        source, relation, destination = self.view._types[1][self.edge_type]
        return f"{source} -{relation}-> {destination}"

    @cached_property
    def _pool(self) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """Each destination and when it first was one, by (time, node)."""
        _, _, _, destinations, created, _ = self.view._core.edge_lives([self.edge_type], np.iinfo(np.int64).max)
        nodes, first = np.unique(destinations, return_index=True)
        since = created[first]
        order = np.lexsort((nodes, since))
        return nodes[order], since[order]

    def prepare(self) -> None:
        """Reads what all draws need, before threads would do it at once."""
        _ = self._pool, self._name

    def __getstate__(self) -> dict[str, object]:
        return {name: self.__dict__[name] for name in ("view", "edge_type", "count", "exclude")}

    def draw(self, seed: int, asked: Questions) -> NDArray[np.uint32]:
        """(B, count) uint32; `NO_NODE` where there is no such node."""
        nodes, since = self._pool
        room = np.searchsorted(since, asked.seen, "left").astype(np.uint64)
        drawn = np.full((len(asked.sources), self.count), NO_NODE, np.uint32)
        rows, slots = np.nonzero(np.broadcast_to(room[:, None] > 0, drawn.shape))
        for attempt in range(_TRIES):
            if not len(rows):
                return drawn
            words = keyed(seed, asked.positions[rows], slots, attempt)
            candidates = nodes[(words % room[rows]).astype(np.int64)]
            fits = self._fits(candidates, asked[rows])
            drawn[rows[fits], slots[fits]] = candidates[fits]
            rows, slots = rows[~fits], slots[~fits]
        # Few nodes fit here: all are looked at.
        for row in np.unique(rows):
            own = slots[rows == row]
            candidates = nodes[: int(room[row])]
            candidates = candidates[self._fits(candidates, asked[np.full(len(candidates), row)])]
            if len(candidates):
                words = keyed(seed, asked.positions[np.full(len(own), row)], own, _TRIES)
                drawn[row, own] = candidates[(words % np.uint64(len(candidates))).astype(np.int64)]
        return drawn

    def _fits(self, candidates: NDArray[np.uint32], asked: Questions) -> NDArray[np.bool_]:
        """Whether each candidate is a negative of its positive."""
        view = self.view
        fits = (candidates != asked.destinations) & (view.types(candidates, asked.seen, before=True) >= 0)
        links = (asked.sources, self._name, candidates, asked.times)
        if self.exclude == "alive":
            fits &= view.edges_between(*links, before=False) == NO_EDGE
        if self.exclude is not None:
            _, last = view.pair_recencies(*links, before=False)
            fits &= last != asked.times
        return fits
