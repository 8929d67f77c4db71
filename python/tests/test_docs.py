"""Documents: their blocks of Python run, in order, in an empty folder; what their tables name is there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timeweft as tw

from graphs import edge, load, node

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", "docs/python.md", "docs/change-rows.md", "docs/sql.md")


def blocks(text: str) -> list[tuple[str, str, int]]:
    """The blocks of Python of a document: the heading that each stands under, its code, and the line that it begins at."""
    found: list[tuple[str, str, int]] = []
    heading, code, start = "", None, 0
    for number, line in enumerate(text.splitlines(), 1):
        if code is None and line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.strip() == "```python":
            code, start = [], number
        elif line.strip() == "```" and code is not None:
            found.append((heading, "\n".join(code), start))
            code = None
        elif code is not None:
            code.append(line)
    return found


def messages(_: dict[str, Any]) -> None:
    lines = ["time,source,destination", "2004-04-30,ann,bo", "2004-05-10,bo,cy", "2004-05-20,ann,cy", "2004-06-10,cy,ann"]
    Path("messages.csv").write_text("\n".join(lines) + "\n")


def customers(names: dict[str, Any]) -> None:
    pa = pytest.importorskip("pyarrow")
    names["graph"] = tw.create("warehouse", unit="s")
    names["frame"] = pa.table(
        {"user_id": [1, 1], "city": ["Oslo", "Rome"], "valid_from": ["2024-01-01", "2024-01-02"], "valid_to": ["2024-01-02", None]}
    )


def purchases(names: dict[str, Any]) -> None:
    pytest.importorskip("torch_geometric")
    names["graph"] = tw.create("buys", unit="s")
    day, spring = 86_400, 1_456_790_400
    users = [("user", f"u{number}") for number in range(4)]
    items = [("item", number) for number in range(5)]
    events = [node(spring, *user, taste=[float(at)] * 16) for at, user in enumerate(users)]
    events += [node(spring, *item) for item in items]
    for number in range(60):
        ends = users[number % 4], items[number * 7 % 5]
        events.append(edge(spring + number * day, ends[0], "buys", ends[1], key=str(number), stars=3.0))
    load(names["graph"], events, "buys.jsonl")
    names["view"] = names["graph"].view()

    def model(x: dict[str, Any], _: Any) -> dict[str, Any]:
        return {"user": x["user"].sum(1), "item": x["user"].new_zeros(10_000)}

    names["model"], names["loss_of"] = model, lambda ours, theirs, label: ((ours + theirs - label) ** 2).mean()


def sold(_: dict[str, Any]) -> None:
    pytest.importorskip("duckdb")
    pytest.importorskip("pyarrow")
    graph = tw.create("shop", unit="s")
    new_year = 1_451_606_400
    events = [node(new_year, "user", "ann"), node(new_year, "user", "bo"), node(new_year, "item", 1)]
    events += [edge(new_year + 86_400, ("user", who), "buys", ("item", 1)) for who in ("ann", "bo")]
    load(graph, events)
    graph.close()


# What a reader has when the blocks under a heading begin.
GIVEN: dict[tuple[str, str], Callable[[dict[str, Any]], None]] = {
    ("docs/python.md", "A first tour"): messages,
    ("docs/python.md", "PyTorch and PyG"): purchases,
    ("docs/change-rows.md", "Change rows"): customers,
    ("docs/sql.md", "Results for other tools"): sold,
}


def check_readme(names: dict[str, Any]) -> None:
    assert names["graph"].view().n_nodes == {"node": 3} and names["graph"].commit == 1
    assert names["view"].n_edges == {("node", "link", "node"): 2}


def check_python(names: dict[str, Any]) -> None:
    assert names["report"].rejected == 0
    with tw.open("mail", mode="read") as graph:
        assert graph.commit == 2 and graph.view("2004-06-01", commit=1).n_edges == {("node", "link", "node"): 3}
        assert len(graph.view().nodes()) == 0, "the load was taken back"
    if "loss" in names:
        assert names["loss"].item() > 0 and len(names["loader"]) > 0


def check_change_rows(names: dict[str, Any]) -> None:
    cities = [names["graph"].view(day).node("user", 1).features["city"] for day in ("2024-01-01", "2024-01-02")]
    assert cities == ["Oslo", "Rome"]


def check_sql(names: dict[str, Any]) -> None:
    if "purchases" in names:
        assert len(names["table"]) == len(names["bought"]) == names["purchases"].num_rows == 2


CHECKS = {"docs/sql.md": check_sql, "README.md": check_readme, "docs/python.md": check_python, "docs/change-rows.md": check_change_rows}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_blocks_of_a_document_run(document: str) -> None:
    found = blocks((ROOT / document).read_text(encoding="utf-8"))
    assert found, f"{document} has no block of Python"
    names: dict[str, Any] = {}
    heading, lacking = None, None
    for own, code, line in found:
        if "polars" in code:
            pytest.importorskip("polars")
        if own != heading:
            heading, lacking = own, None
            try:
                GIVEN.get((document, own), lambda _: None)(names)
            except pytest.skip.Exception as skipped:
                lacking = skipped
        if lacking is None:
            # The line of an error is that of the document.
            exec(compile("\n" * line + code, str(ROOT / document), "exec"), names)
    CHECKS[document](names)
    if lacking is not None:
        raise lacking


def test_blocks_are_found_with_their_headings() -> None:
    text = "# One\n```sh\nx\n```\n```python\n# no heading\na = 1\n```\n## Two\n```python\nb\n```\n"
    assert blocks(text) == [("One", "# no heading\na = 1", 5), ("Two", "b", 10)]


def test_what_tables_name_is_there() -> None:
    text = (ROOT / "docs/python.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    called = {name for row in rows for span in re.findall(r"`([^`]*)`", row) for name in re.findall(r"\b(\w+)\(", span)}
    owners = [tw, tw.Graph, tw.View, tw.Model, tw.Table]
    assert len(called) > 40
    assert {name for name in called if not any(hasattr(owner, name) for owner in owners)} == set()
