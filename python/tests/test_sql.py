"""Questions in SQL give what the reads give."""

from __future__ import annotations

import random
import signal
import threading
import time
from typing import Any

import numpy as np
import pytest
import timeweft as tw
from timeweft import errors

from graphs import edge, load, node, shop


def rows(table: tw.Table) -> list[tuple[Any, ...]]:
    return sorted(tuple(row.values()) for row in table)


def test_a_query_is_a_table() -> None:
    graph = shop()
    answer = graph.sql("SELECT type, count(*) AS n FROM nodes GROUP BY type ORDER BY type")
    assert isinstance(answer, tw.Table)
    assert {row["type"]: row["n"] for row in answer} == graph.view().n_nodes
    assert answer["n"].dtype == np.int64


def test_moments_are_arguments_or_clauses() -> None:
    graph = shop()
    times = [row["time"] for row in graph.events()]
    for moment in times[:3]:
        at = graph.view(moment)
        wanted = sorted((str(row["type"]), str(row["id"])) for row in at.nodes())
        assert rows(graph.sql("SELECT type, id FROM nodes", at=moment)) == wanted
        assert rows(at.sql("SELECT type, id FROM nodes")) == wanted
    soft = graph.view(deletes="soft")
    assert rows(graph.sql("SELECT id, deleted FROM nodes", deletes="soft")) == rows(soft.sql("SELECT id, deleted FROM nodes"))
    assert len(graph.sql("SELECT * FROM nodes", commit=0)) == 0
    assert len(graph.sql("SELECT * FROM nodes VERSION AS OF 0")) == 0


def test_a_limit_cuts() -> None:
    graph = shop()
    assert len(graph.sql("SELECT * FROM nodes", limit=2)) == 2
    assert len(graph.sql("SELECT * FROM nodes", limit=0)) == 0
    with pytest.raises(ValueError, match="limit"):
        graph.sql("SELECT * FROM nodes", limit=-1)


@pytest.mark.parametrize(
    ("query", "error", "names"),
    [
        ("SELEC 1", errors.SqlError, "SELEC"),
        ("SELECT * FROM nodes TABLESAMPLE (10)", errors.SqlError, "TABLESAMPLE"),
        ("INSERT INTO nodes VALUES (1)", errors.SqlError, "INSERT writes"),
        ("SELECT * FROM nothing", errors.UnknownError, "nothing.*nodes"),
        ("SELECT agee FROM nodes", errors.UnknownError, "agee"),
        ("SELECT * FROM nodes VERSION AS OF 9", errors.CommitGoneError, "9"),
        ("SELECT * FROM nodes VERSION AS OF '2016-01-01'", errors.SqlError, "TIMESTAMP AS OF"),
        ("SELECT 1 / 0", errors.SqlError, "zero|Zero"),
    ],
)
def test_an_error_names_the_clause(query: str, error: type[Exception], names: str) -> None:
    graph = shop()
    with pytest.raises(error, match=names):
        graph.sql(query)


def test_a_closed_graph_says_so_and_a_view_has_one_commit() -> None:
    graph = shop()
    view = graph.view()
    with pytest.raises(errors.SqlError, match="pinned"):
        view.sql("SELECT * FROM nodes VERSION AS OF 0")
    graph.close()
    with pytest.raises(errors.ClosedError):
        graph.sql("SELECT 1")
    assert len(view.sql("SELECT * FROM nodes")) == 3


def test_ctrl_c_gives_a_query_up() -> None:
    graph = shop()
    threading.Timer(0.3, lambda: signal.raise_signal(signal.SIGINT)).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        graph.sql("SELECT count(*) FROM range(0, 100000) a, range(0, 100000) b, range(0, 100000) c WHERE a.value + b.value = c.value")
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("seed", range(6))
def test_random_histories_are_read_alike(seed: int) -> None:
    draw = random.Random(seed)
    people, events = [("user", f"u{number}") for number in range(6)], []
    alive: set[tuple[str, str]] = set()
    for now in range(40):
        who = draw.choice(people)
        if who not in alive:
            alive.add(who)
            events.append(node(now, *who, age=draw.randrange(9)))
        elif draw.random() < 0.3:
            alive.discard(who)
            events.append(node(now, *who, action="delete"))
        else:
            events.append(edge(now, who, "meets", draw.choice(sorted(alive)), key=str(now), weight=float(now)))
    graph = tw.create("random", unit="step")
    load(graph, events)
    for at in (None, 5, 17, 39):
        view = graph.view(at)
        wanted = sorted((str(row["id"]), row["age"], row["created"]) for row in view.nodes("user", features=["age"]))
        assert rows(graph.sql('SELECT id, age, created FROM "user"', at=at)) == wanted
        edges = sorted((str(row["source_id"]), str(row["destination_id"]), row["weight"]) for row in view.edges("meets", features=["weight"]))
        assert rows(view.sql("SELECT source_id, destination_id, weight FROM edges('meets')")) == edges
        for person in people:
            query = f"SELECT count(*) FROM edges WHERE source_type = 'user' AND source_id = '{person[1]}'"
            assert rows(view.sql(query)) == [(sum(source == person[1] for source, *_ in edges),)]


def test_threads_ask_at_once() -> None:
    graph = shop()
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(len(graph.sql("SELECT * FROM nodes")))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [3] * 8
