"""Why an edge or a node got its score."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, TypeAlias

from .table import Table

if TYPE_CHECKING:
    from . import _core

Bar: TypeAlias = tuple[list[str], float, float]
"""The words of a row, its contribution as a share of the largest, and as it is."""

_MOMENTS = 5
"""How many moments a picture shows of a memory."""
_HALF = 10
"""Signs on each side of a bar."""


class Explanation:
    """Why an edge got its score, or why a node did that is to go. Printed, it shows bars; a notebook shows them in colour."""

    source: str
    """Where the edge starts, or the node: type and id."""
    relation: str | None
    """Relation of the edge; `None` for a node."""
    destination: str | None
    """Where the edge ends; `None` for a node."""
    time: int
    """When it would happen, in ticks; everything strictly before is known."""
    score: float
    """Logit: larger is likelier."""
    lead: float
    """The score above the mean score of up to 16 other candidates, always the same ones. Contributions are shares of it."""
    counting: float | None
    """What counting added: the score less the score if every counter said "never". `None` for a model without counters."""
    neighbors: Table
    """The neighbors that the ends listened to, those of the source first, of each the largest contribution first: `at` (`source`
    or `destination`), `type, id, relation, outward, created, attention` (one float32 a head), `listens, speaks` (null but
    for a co-operative model), `contribution` (float32, signed)."""
    memory: Table
    """The moments that the memory of the ends holds, those of the source first, of each the largest contribution first: `at,
    time`, what happened first then (`action, relation, type, id`), `facts` (how many things happened), `contribution`
    (float64, signed). Empty for a model whose cell cannot tell."""
    counters: Table
    """What was counted of the relation: `counter` (`pair, reversed, to_destination, from_destination, from_source`), `count`,
    `last`. Empty for a node."""

    def __init__(
        self, source: str, relation: str | None, destination: str | None, unit: str, told: _core.Explained
    ) -> None:
        (self.time, self.score, self.lead, self.counting), tables, (self._heard, self._recalled), self._counted = told
        self.neighbors, self.memory, self.counters = map(Table, tables)
        self.source, self.relation, self.destination = source, relation, destination
        self._unit = unit

    def __repr__(self) -> str:
        lines = [self._question(), self._in_words()]
        if self.relation is not None:
            lines += ["", "Counted before that time:", *(f"  {line}" for line in self._counts())]
        for node, rows in self._listened():
            lines += ["", f"What {node} listened to:", *_aligned(rows)]
        for node, rows in self._remembered():
            lines += ["", f"What {node} remembers:", *_aligned(rows)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        parts = [f"<b>{escape(self._question())}</b><br>{escape(self._in_words())}"]
        if self.relation is not None:
            parts.append("<ul>" + "".join(f"<li>{escape(line)}</li>" for line in self._counts()) + "</ul>")
        for verb, ends in (("listened to", self._listened()), ("remembers", self._remembered())):
            for node, rows in ends:
                cells = "".join(_html_row(*row) for row in rows)
                parts.append(f"<table><caption>What {escape(node)} {verb}</caption>{cells}</table>")
        return "".join(parts)

    def _question(self) -> str:
        if self.relation is None:
            return f"Why is {self.source} deleted or merged?"
        return f"Why {self.source} -{self.relation}-> {self.destination}?"

    def _in_words(self) -> str:
        where = "below" if self.lead < 0 else "above"
        lead = f"The score is {self.score:.2f}, {abs(self.lead):.2f} {where} other candidates."
        if self.counting is None:
            return f"{lead} The model does not count."
        return f"{lead} Counting added {self.counting:+.2f}: without any count it would be {self.score - self.counting:.2f}."

    def _counts(self) -> list[str]:
        source, destination = self.source, self.destination
        of_one_type = source.split(" ")[0] == str(destination).split(" ")[0]
        what = {
            "this pair": 0,
            f"anybody -{self.relation}-> {destination}": 2,
            f"{source} -{self.relation}-> anything": 4,
        }
        if of_one_type:
            what |= {"the other way round": 1, f"{destination} -{self.relation}-> anything": 3}
        return [f"{words}: {self._count(*self._counted[at])}" for words, at in what.items()]

    def _count(self, count: int, last: int | None) -> str:
        if last is None:
            return "never"
        return f"{'once' if count == 1 else f'{count} times'}, last {self._ago(last)}"

    def _ago(self, tick: int) -> str:
        return f"{span(self.time - tick, self._unit)} before"

    def _ends(self) -> list[tuple[bool, str]]:
        return [(True, self.source), *([] if self.destination is None else [(False, self.destination)])]

    def _listened(self) -> list[tuple[str, list[Bar]]]:
        """Of each end a row a neighbor."""
        most = max((abs(heard[6]) for heard in self._heard), default=0.0) or 1.0
        ends: list[tuple[str, list[Bar]]] = []
        for at_source, node in self._ends():
            rows = [
                ([name, relation, self._ago(created), "shut" if shut else _heads(attention)], push / most, push)
                for of_source, name, relation, created, attention, shut, push in self._heard
                if of_source == at_source
            ]
            ends.append((node, rows))
        return [(node, rows) for node, rows in ends if rows]

    def _remembered(self) -> list[tuple[str, list[Bar]]]:
        most = max((abs(moment[4]) for moment in self._recalled), default=0.0) or 1.0
        ends: list[tuple[str, list[Bar]]] = []
        for at_source, node in self._ends():
            rows = [
                ([what + (f", and {facts - 1} more" if facts > 1 else ""), self._ago(time)], push / most, push)
                for of_source, what, facts, time, push in self._recalled
                if of_source == at_source
            ]
            ends.append((node, rows[:_MOMENTS]))
        return [(node, rows) for node, rows in ends if rows]


def _aligned(rows: list[Bar]) -> list[str]:
    widths = [max(len(words[at]) for words, _, _ in rows) for at in range(len(rows[0][0]))]
    told = ("  ".join(word.ljust(width) for word, width in zip(words, widths, strict=True)) for words, _, _ in rows)
    return [f"  {words}  {_push(share)} {push:+.3f}" for words, (_, share, push) in zip(told, rows, strict=True)]


def _push(share: float) -> str:
    """A signed share in [-1, 1] as a bar to the left or right of a line."""
    bar = "█" * round(min(abs(share), 1.0) * _HALF)
    return f"{bar:>{_HALF}}│{'':{_HALF}}" if share < 0 else f"{'':{_HALF}}│{bar:<{_HALF}}"


def _heads(attention: list[float]) -> str:
    """One sign a head."""
    return "".join("·▁▂▃▄▅▆▇█"[round(min(max(share, 0.0), 1.0) * 8)] for share in attention)


def _html_row(words: list[str], share: float, push: float) -> str:
    cells = "".join(f"<td>{escape(word)}</td>" for word in words)
    width = 60 * min(abs(share), 1.0)
    left, colour = (60 - width, "#c44") if share < 0 else (60, "#48c")
    bar = (
        '<svg width="121" height="10"><line x1="60.5" x2="60.5" y1="0" y2="10" stroke="#888"/>'
        f'<rect x="{left:.1f}" y="1" width="{width:.1f}" height="8" fill="{colour}"/></svg>'
    )
    return f"<tr>{cells}<td>{bar}</td><td>{push:+.3f}</td></tr>"


_NANOS = {"s": 10**9, "ms": 10**6, "us": 1_000, "ns": 1}
_SPANS = (
    ("year", 31_557_600 * 10**9),
    ("day", 86_400 * 10**9),
    ("hour", 3_600 * 10**9),
    ("minute", 60 * 10**9),
    ("second", 10**9),
    ("millisecond", 10**6),
)


def span(ticks: int, unit: str) -> str:
    """A length of time in words, in the largest unit that fits."""
    if unit == "step":
        return f"{ticks} step{'' if ticks == 1 else 's'}"
    nanos = ticks * _NANOS[unit]
    for name, length in _SPANS:
        if nanos >= length:
            count = nanos // length
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{ticks} {unit}"
