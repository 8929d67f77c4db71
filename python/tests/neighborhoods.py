"""Neighborhoods of a random history, from the list of its events: slow, and simple enough to be believed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from histories import ITEMS, USERS, History

Node = tuple[str, int]
Edge = tuple[str, str, tuple[Node, int], tuple[Node, int], int]
"""Relation, side at the node that was asked, that node and its time, the neighbor and its time, when it was created."""


def hood(
    history: History,
    roots: list[tuple[Node, int]],
    hops: int,
    *,
    hop_time: str = "root",
    side: str = "both",
    relation: str | None = None,
    within: int | None = None,
) -> tuple[set[tuple[Node, int]], Counter[Edge]]:
    """All that is around roots that share what they see: (node, time) pairs, and edges."""
    seen, frontier = set(roots), list(dict.fromkeys(roots))
    edges: Counter[Edge] = Counter()
    for _ in range(hops):
        found: list[tuple[Node, int]] = []
        for node, time in frontier:
            for own in ("out", "in") if side == "both" else (side,):
                for other, life in history.seen(node, time, side=own, relation=relation):
                    if within is not None and life.created < time - within:
                        continue
                    reached = (other, time if hop_time == "root" else life.created)
                    edges[life.relation, own, (node, time), reached, life.created] += 1
                    if reached not in seen:
                        seen.add(reached)
                        found.append(reached)
        frontier = found
    return seen, edges


class Numbered:
    """A history, its graph, and the dense numbers of its nodes."""

    def __init__(self, seed: int, folder: Path, steps: int = 120) -> None:
        self.history = History(seed, steps, nodes_change=True)
        self.graph = self.history.graph(folder / f"h{seed}")
        self.view = self.graph.view()
        users = self.view.indices("user", list(range(USERS)))
        items = self.view.indices("item", list(range(ITEMS)))
        self.numbers = dict(zip(self.history.nodes, [*map(int, users), *map(int, items)], strict=True))
        self.of_number = {number: key for key, number in self.numbers.items()}

    def roots(self, seed: int, n: int) -> tuple[list[tuple[Node, int]], np.ndarray, np.ndarray]:
        """Nodes with times, as the history knows them and as arrays."""
        roots = list(self.history.roots(seed, n))
        nodes = np.array([self.numbers[node] for node, _ in roots], np.uint32)
        return roots, nodes, np.array([time for _, time in roots], np.int64)
