"""Every class of `timeweft.errors` is raised, names what was wrong, and says what to do."""

from __future__ import annotations

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timeweft as tw
from timeweft import errors

from graphs import edge, load, node, shop

LINKS = "time,source,destination\n1,ann,bo\n2,bo,cy\n"


def links(path: str = "g", **options: Any) -> tw.Graph:
    """A graph of two links."""
    Path("links.csv").write_text(LINKS)
    graph = tw.create(path, unit="s")
    graph.load_events("links.csv", **options)
    return graph


def crc32c(data: bytes) -> int:
    """The checksum of manifests (Castagnoli), bit by bit."""
    sum = 0xFFFF_FFFF
    for byte in data:
        sum ^= byte
        for _ in range(8):
            sum = sum >> 1 ^ (0x82F6_3B78 if sum & 1 else 0)
    return sum ^ 0xFFFF_FFFF


def in_another_process(program: str, *arguments: str, before: tuple[str, ...] = ()) -> str:
    """The last line that a program writes to its standard error."""
    env = os.environ | {"PYTHONPATH": str(Path(tw.__file__).parents[1])}
    command = [*before, sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    return (done.stderr.strip().splitlines() or [done.stdout.strip()])[-1]


def missing() -> None:
    tw.open("nowhere")


def exists() -> None:
    tw.create("g").close()
    tw.create("g")


def locked() -> None:
    with links():
        said = in_another_process("import timeweft as tw; tw.open('g')")
    raise errors.LockedError(said.removeprefix("timeweft.errors.LockedError: "))


def read_only() -> None:
    links().close()
    tw.open("g", mode="read").load_events("links.csv")


def newer_format() -> None:
    links().close()
    newest = min(Path("g/manifest").glob("*.json"))
    told = json.loads(newest.read_text().splitlines()[0])
    body = json.dumps(told | {"format": told["format"] + 1})
    newest.write_text(f"{body}\ncrc32c {crc32c(body.encode()):08x}\n")
    tw.open("g", mode="read")


def corrupt() -> None:
    links().close()
    newest = min(Path("g/manifest").glob("*.json"))
    newest.write_text(newest.read_text().replace('"commit":1', '"commit":2', 1))
    tw.open("g", mode="read")


def disk_full() -> None:
    # A limit of file sizes is told as a full disk is.
    program = """
import resource, signal, numpy as np, pyarrow as pa, timeweft as tw
graph = tw.create("g", unit="s")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
at = np.arange(2_000_000)
try:
    graph.load_events(pa.table({"source": at, "destination": at[::-1].copy(), "time": at}))
finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert graph.commit == 0, "nothing of it is in the graph"
"""
    pytest.importorskip("resource")
    said = in_another_process(program)
    assert said.startswith("timeweft.errors.DiskFullError: "), said
    raise errors.DiskFullError(said)


def closed() -> None:
    graph = links()
    graph.close()
    graph.view()


def commit_gone() -> None:
    links().view(commit=7)


def store() -> None:
    links().rollback(1)
    with tw.open("g") as graph:
        graph.rollback(1)


def nothing_accepted() -> None:
    Path("bad.csv").write_text("time,source,destination\nsoon,ann,bo\n")
    tw.create("g", unit="s").load_events("bad.csv")


def too_many_rejects() -> None:
    Path("bad.csv").write_text(LINKS + "soon,ann,bo\nlater,ann,bo\n")
    tw.create("g", unit="s").load_events("bad.csv", max_rejects=1)


def version_taken() -> None:
    with links(version="one") as graph:
        Path("links.csv").write_text("time,source,destination\n3,ann,cy\n")
        graph.load_events("links.csv", version="one")


def dangling() -> None:
    with links() as graph:
        row = edge(5, ("node", "ann"), "link", ("node", "dee"))
        Path("more.jsonl").write_text(json.dumps(row) + "\n")
        graph.load_events("more.jsonl", dangling="reject")


def stopped() -> None:
    program = """
import os, signal, numpy as np, timeweft as tw
graph = tw.create("g", unit="s")
open("many.csv", "w").write("time,source,destination\\n" + "".join(f"{n},{n},{n + 1}\\n" for n in range(200_000)))
graph.load_events("many.csv", progress=lambda *_: os.kill(os.getpid(), signal.SIGINT))
"""
    if sys.platform == "win32":
        pytest.skip("signals of POSIX")
    said = in_another_process(program)
    assert said.startswith("timeweft.errors.StoppedError: "), said
    with tw.open("g") as graph:
        assert graph.commit == 0 and not list(graph.loads())
    raise errors.StoppedError(said)


def source() -> None:
    tw.create("g").load_events("none.csv")


def time() -> None:
    links().view("in spring")


def sample() -> None:
    view = links().view()
    view.sample(np.zeros(1, np.uint32), k=-1)


def feature_kind() -> None:
    view = shop().view()
    view.features(view.indices("item", [1]), "name")


def query() -> None:
    graph = tw.create("g", unit="s")
    load(graph, [node(1, "term", "a", name="water")])
    graph.view().query("term").search("")


def unknown() -> None:
    links().view().node("user", "ann")


def sql() -> None:
    links().sql("SELECT * FROM nodes TABLESAMPLE (10)")


def config() -> None:
    links().train(config={"model": {"width": 0}})


def model() -> None:
    links().model("other")


def fork() -> None:
    if not hasattr(os, "fork"):
        pytest.skip("no fork")
    program = """
import os, timeweft as tw
graph = tw.create("forked")
child = os.fork()
if child == 0:
    graph.view()
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    said = in_another_process(program)
    raise errors.ForkError(said.removeprefix("timeweft.errors.ForkError: "))


# How each is raised, what its message names, and the way out that it gives.
CASES: dict[type[BaseException], tuple[Callable[[], object], str, str]] = {
    errors.MissingError: (missing, r"^nowhere", "create"),
    errors.ExistsError: (exists, r"^g: there is a graph already", "open it, or choose another"),
    errors.LockedError: (locked, r"^g: .*process \d+", "wait until that is done"),
    errors.ReadOnlyError: (read_only, r"^g: .*for reading only", "open it with"),
    errors.NewerFormatError: (newer_format, r"^g: format \d+ is newer than format \d+", "use a newer timeweft"),
    errors.CorruptError: (corrupt, r"g/manifest/\d+\.json: its checksum is wrong", "open it once with"),
    errors.DiskFullError: (disk_full, r"g/.*: no space left", "make room"),
    errors.ClosedError: (closed, "the graph is closed", "open it again"),
    errors.CommitGoneError: (commit_gone, r"no commit 7", "the newest is 1"),
    errors.StoreError: (store, r"load 1 cannot be rolled back", "load the version again"),
    errors.NothingAcceptedError: (nothing_accepted, r"bad\.csv:2: .*time", "nothing was loaded"),
    errors.TooManyRejectsError: (too_many_rejects, r"more than 1 rejected records, the first at bad\.csv:4", "nothing was loaded"),
    errors.VersionTakenError: (version_taken, r"namespace `events` has version `one`", "another version"),
    errors.DanglingError: (dangling, r"more\.jsonl:1: .*dee", "dangling="),
    errors.StoppedError: (stopped, "stopped", "nothing"),
    errors.SourceError: (source, r"none\.csv", "check the path"),
    errors.TimeError: (time, r"^at: .*in spring", "ISO|2016|write|give"),
    errors.SampleError: (sample, r"^k: -1", r"not in \[0"),
    errors.FeatureKindError: (feature_kind, "feature `name` is text", "ask `texts`"),
    errors.SqlError: (sql, "TABLESAMPLE", "LIMIT"),
    errors.QueryError: (query, "words|search", "give|ask"),
    errors.UnknownError: (unknown, "user", "node"),
    errors.ConfigError: (config, r"model\.width", "1|least|give"),
    errors.ModelError: (model, "no model `other`", "train"),
    errors.ForkError: (fork, "forked", "spawn"),
}
# Nobody raises these two themselves: they are what others are caught by.
FAMILIES = {errors.Error, errors.LoadError}


def test_every_class_has_its_case() -> None:
    classes = {value for _, value in inspect.getmembers(errors, inspect.isclass) if value.__module__ == errors.__name__}
    assert classes == set(CASES) | FAMILIES


@pytest.mark.parametrize("kind", CASES, ids=lambda kind: kind.__name__)
def test_an_error_names_what_is_wrong_and_the_way_out(kind: type[BaseException]) -> None:
    raises, names, way_out = CASES[kind]
    with pytest.raises(kind) as raised:
        raises()
    assert raised.type is kind and isinstance(raised.value, errors.Error)
    message = str(raised.value)
    assert re.search(names, message), message
    assert re.search(way_out, message), message
    assert "::" not in message, f"names of Rust mean nothing here: {message}"


def test_errors_of_loads_are_caught_by_one_class_and_carry_their_report() -> None:
    for kind in (errors.NothingAcceptedError, errors.TooManyRejectsError):
        with pytest.raises(errors.LoadError) as raised:
            CASES[kind][0]()
        assert raised.value.report.rejected > 0
        shutil.rmtree("g")


READ = """
import sys, timeweft as tw
from timeweft import errors
with tw.open("g", mode="read") as graph:
    assert graph.view().n_edges == {("node", "link", "node"): 2}
    try:
        graph.load_events("links.csv")
    except errors.ReadOnlyError:
        pass
for change in (lambda: tw.open("g"), lambda: tw.create("g/inner")):
    try:
        change()
        raise SystemExit("a folder that cannot be written was written")
    except errors.StoreError as error:
        assert "g" in str(error) and "Read-only file system" in str(error), error
print("read", file=sys.stderr)
"""


def test_a_folder_on_a_disk_that_cannot_be_written_is_read() -> None:
    links().close()
    mount = 'mount --bind g g && mount -o remount,bind,ro g && exec "$@"'
    apart = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh")
    if shutil.which("unshare") is None or subprocess.run([*apart, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no folder can be mounted for reading only")
    assert in_another_process(READ, before=apart) == "read"


@pytest.mark.parametrize(
    ("ask", "error", "names"),
    [
        (lambda view: view.indices("node", [1.5]), TypeError, "ids: .*float64"),
        (lambda view: view.indices("node", ["ann", None]), TypeError, r"ids\[1\] is None"),
        (lambda view: view.indices("node", [float("nan")]), TypeError, "ids: .*float64"),
        (lambda view: view.indices("node", np.array(["ann", float("nan")], object)), TypeError, r"ids\[1\] is nan"),
        (lambda view: view.sample(np.array([0.0])), TypeError, "nodes: .*float64"),
        (lambda view: view.sample(np.array([2**32])), OverflowError, r"nodes\[0\] is 4294967296"),
        (lambda view: view.sample(np.array([0]), np.array([1.5])), errors.TimeError, "times: .*float64"),
        (lambda view: view.sample(np.array([0]), np.array(["NaT"], "M8[s]")), errors.TimeError, r"times\[0\] is NaT"),
        (lambda view: view.sample(np.array([0]), np.array([1, 2])), errors.TimeError, "times: one time for all or 1"),
        (lambda view: view.features(np.array([0]), "age"), errors.UnknownError, "age"),
        (lambda view: view.degrees(np.array([[0]])), TypeError, r"nodes: .*\(1, 1\)"),
    ],
)
def test_wrong_arrays_name_the_argument_and_the_position(ask: Callable[[Any], object], error: type[Exception], names: str) -> None:
    with pytest.raises(error, match=names):
        ask(links().view())


def test_empty_arrays_and_frames_are_answered() -> None:
    view = links().view()
    none = np.empty(0, np.uint32)
    assert view.sample(none, k=3).neighbors.shape == (0, 3)
    assert view.walk(none, length=2).nodes.shape == (0, 3)
    assert view.page_rank(none, k=2)[0].shape == (0, 2)
    assert view.degrees(none).shape == (0,) and view.indices("node", []).shape == (0,)
    assert len(view.ids(none)) == 0
    polars = pytest.importorskip("polars")
    empty = polars.DataFrame(schema={"time": polars.Int64, "source": polars.String, "destination": polars.String})
    with tw.create("empty", unit="s") as graph:
        report = graph.load_events(empty)
        assert (report.accepted, report.rejected, graph.view().n_nodes) == (0, 0, {})


def test_ids_and_numbers_at_the_bounds() -> None:
    ids = [0, 2**32 - 1, 2**32, 2**63, 2**64 - 1]
    graph = tw.create("bounds", unit="s")
    load(graph, [node(1, "n", number) for number in ids])
    view = graph.view()
    assert view.indices("n", np.array(ids, np.uint64)).tolist() == [0, 1, 2, 3, 4]
    assert view.indices("n", [2**64 - 2]).tolist() == [tw.NO_NODE]
    assert view.ids(np.arange(5, dtype=np.uint32))["id"].tolist() == ids
    assert view.degrees(np.array([4])).tolist() == [0]
    for nobody in (5, tw.NO_NODE - 1, tw.NO_NODE):
        assert view.sample(np.array([nobody]), k=1).counts.tolist() == [0]
