"""Random histories of a small graph, and a slow reference that answers from the list of events."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import timeweft as tw

USERS, ITEMS = 6, 5
RELATIONS = {"buys": ("user", "item"), "knows": ("user", "user")}
OPEN = 2**63 - 1


@dataclass
class Life:
    """One life of an edge."""

    relation: str
    source: tuple[str, int]
    destination: tuple[str, int]
    key: str
    created: int
    removed: int = OPEN
    weights: list[tuple[int, float]] = field(default_factory=list)

    def is_alive(self, last: int, soft: bool = False) -> bool:
        return self.created <= last and self.created < self.removed and (soft or last < self.removed)

    def weight(self, last: int) -> float:
        held = [weight for since, weight in self.weights if since <= last]
        return held[-1] if held else 1.0


class History:
    """Events in order of time, and the lives that they make."""

    def __init__(self, seed: int, steps: int = 120, *, nodes_change: bool = False) -> None:
        draw = random.Random(seed)
        self.absences: dict[tuple[str, int], list[tuple[int, int]]] = {}
        self.lines: list[dict[str, Any]] = []
        self.lives: list[Life] = []
        self.nodes: dict[tuple[str, int], dict[int, list[float]]] = {}
        self.end = 0
        for node_type, n in (("user", USERS), ("item", ITEMS)):
            for at in range(n):
                taste = [float(at), at + 0.5, -float(at)]
                self.nodes[node_type, at] = {0: taste}
                features = {"taste": taste, "age": at + 20, "name": f"{node_type} {at}"}
                self.lines.append(self._node(0, "create", node_type, at, features))
        running: dict[tuple[str, Any, Any, str], Life] = {}
        for _ in range(steps):
            self.end += draw.choice([0, 0, 1, 2])
            relation = draw.choice(list(RELATIONS))
            source = (RELATIONS[relation][0], draw.randrange(USERS))
            to = RELATIONS[relation][1]
            destination = (to, draw.randrange(ITEMS if to == "item" else USERS))
            key = draw.choice(["a", "b"])
            known = running.get((relation, source, destination, key))
            now = max(self.end, 1)
            if nodes_change:
                self._change_node(draw, now, running)
                if self._is_away(source) or self._is_away(destination):
                    continue
                known = running.get((relation, source, destination, key))
            if known is None:
                life = Life(relation, source, destination, key, now)
                features = {"count": draw.choice([0.5, 1.0, 3.0])} if draw.random() < 0.7 else {}
                life.weights += [(now, weight) for weight in features.values()]
                running[relation, source, destination, key] = life
                self.lives.append(life)
                self.lines.append(self._edge(now, "create", life, features))
            elif known.created < now and draw.random() < 0.6:
                known.removed = now
                del running[relation, source, destination, key]
                self.lines.append(self._edge(now, "delete", known, {}))
            elif known.created < now:
                count = draw.choice([0.25, 2.0, 5.0])
                known.weights.append((now, count))
                self.lines.append(self._edge(now, "update", known, {"count": count}))

    def _change_node(self, draw: random.Random, now: int, running: dict[tuple[str, Any, Any, str], Life]) -> None:
        """Now and then a node gets another taste, leaves with its edges, or comes back."""
        what, node = draw.random(), draw.choice(list(self.nodes))
        absences = self.absences.setdefault(node, [])
        if self._is_away(node):
            if what < 0.5 and absences[-1][0] < now:
                absences[-1] = (absences[-1][0], now)
                self._taste(draw, now, node, "create")
            return
        if what < 0.2 and max(self.nodes[node]) < now:
            self._taste(draw, now, node, "update")
        elif what < 0.25 and max(self.nodes[node]) < now and not (absences and absences[-1][1] == now):
            own = {key: life for key, life in running.items() if node in (life.source, life.destination)}
            if any(life.created == now for life in own.values()):
                return
            for key, life in own.items():
                life.removed = now
                del running[key]
            absences.append((now, OPEN))
            event = {"time": now, "action": "delete", "entity": "node", "source": self._end(node)}
            self.lines.append(event)

    def _taste(self, draw: random.Random, now: int, node: tuple[str, int], action: str) -> None:
        taste = [draw.random() for _ in range(3)]
        self.nodes[node][now] = taste
        self.lines.append(self._node(now, action, *node, {"taste": taste}))

    def _is_away(self, node: tuple[str, int]) -> bool:
        absences = self.absences.get(node)
        return bool(absences) and absences[-1][1] == OPEN

    def is_alive(self, node: tuple[str, int], last: int) -> bool:
        """Whether a node is there at a tick."""
        return last >= 0 and not any(start <= last < end for start, end in self.absences.get(node, []))

    def taste(self, node: tuple[str, int], last: int) -> list[float]:
        """The taste of a node at a tick; zeros where it is not there."""
        held = [value for since, value in self.nodes[node].items() if since <= last]
        return held[-1] if held and self.is_alive(node, last) else [0.0, 0.0, 0.0]

    @staticmethod
    def _end(node: tuple[str, int]) -> dict[str, Any]:
        return {"type": node[0], "id": str(node[1])}

    def _node(self, time: int, action: str, node_type: str, at: int, features: dict[str, Any]) -> dict[str, Any]:
        source = {**self._end((node_type, at)), "features": features}
        return {"time": time, "action": action, "entity": "node", "source": source}

    def _edge(self, time: int, action: str, life: Life, features: dict[str, Any]) -> dict[str, Any]:
        edge: dict[str, Any] = {"type": life.relation, "key": life.key}
        if features:
            edge["features"] = features
        return {
            "time": time, "action": action, "entity": "edge", "source": self._end(life.source), "edge": edge,
            "destination": self._end(life.destination),
        }  # fmt: skip

    def graph(self, folder: Path) -> tw.Graph:
        """The graph of it."""
        events = folder.with_suffix(".jsonl")
        events.write_text("".join(json.dumps(line) + "\n" for line in self.lines))
        graph = tw.create(folder, unit="step")
        graph.load_events(events)
        return graph

    def seen(
        self, node: tuple[str, int], time: int, *, before: bool = True, side: str = "both", relation: str | None = None,
        soft: bool = False,
    ) -> list[tuple[tuple[str, int], Life]]:  # fmt: skip
        """The nodes at the other ends of all edges that a node has, with these edges; a loop twice."""
        last = time - 1 if before else time
        alive = [
            life for life in self.lives if life.is_alive(last, soft) and relation in (None, life.relation)
        ]  # fmt: skip
        out = [(life.destination, life) for life in alive if life.source == node and side != "in"]
        return out + [(life.source, life) for life in alive if life.destination == node and side != "out"]

    def roots(self, seed: int, n: int) -> Iterator[tuple[tuple[str, int], int]]:
        """Nodes with times, also before the first event and after the last."""
        draw = random.Random(seed)
        for _ in range(n):
            yield draw.choice(list(self.nodes)), draw.randrange(-1, self.end + 3)
