"""Loads of whole versions and git histories, from files and data frames."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import timeweft as tw

duckdb = pytest.importorskip("duckdb")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

GENES = {"id": ["g1", "g2", "g3"], "symbol": ["A", "B", "C"], "length": [10, 20, 30]}
PARTS = {"source": ["g1", "g2"], "destination": ["g2", "g3"], "score": [0.5, 0.25]}
PART_OF = ("gene", "part_of", "gene")
FIRST: dict[str, Any] = {"namespace": "genes", "version": "1", "timestamp": 100}


def events(graph: tw.Graph) -> list[dict[str, Any]]:
    return sorted(graph.events().to_arrow().to_pylist(), key=repr)


def test_a_version_in_frames_deletes_what_it_does_not_list(tmp_path: Path) -> None:
    genes, parts = pl.DataFrame(GENES), pl.DataFrame(PARTS)
    with tw.create(tmp_path / "g", unit="s") as graph:
        report = graph.load_version(nodes={"gene": genes}, edges={PART_OF: parts}, **FIRST)
        assert (report.nodes.created, report.edges.created, report.rejected) == (3, 2, 0)
        assert graph.load_version(nodes={"gene": genes}, edges={PART_OF: parts}, **FIRST).unchanged
        second: dict[str, Any] = {"namespace": "genes", "version": "2", "timestamp": 200, "release": 190}
        fewer = genes.filter(pl.col("id") != "g3").with_columns(length=pl.col("length") + pl.col("id").eq("g1"))
        merges = pl.DataFrame({"from": ["g3"], "into": ["g2"], "type": ["gene"]})
        plan: dict[str, Any] = {"nodes": {"gene": fewer}, "edges": {PART_OF: parts.head(1)}, "merges": merges}
        dry = graph.load_version(**plan, **second, dry_run=True)
        assert graph.commit == 1 and dry.delta is not None and dry.delta["nodes"]["gone"] == 1
        report = graph.load_version(**plan, **second)
        assert report.delta is not None and report.delta == dry.delta
        assert (report.nodes.updated, report.nodes.deleted, report.merges.created) == (1, 1, 1)
        assert graph.view(150).n_nodes == {"gene": 3} and graph.view(200).n_nodes == {"gene": 2}
        assert graph.view(200).resolve("gene", "g3") == "g2"
        loads = graph.loads().to_arrow().to_pylist()
        assert [(load["namespace"], load["version"]) for load in loads] == [("genes", "1"), ("genes", "2")]


@pytest.mark.parametrize("kind", ["one table", "parquet", "csv", "duckdb", "stream", "mapping"])
def test_every_kind_of_table_makes_the_same_version(kind: str, tmp_path: Path) -> None:
    genes, parts = pa.table(GENES), pa.table(PARTS)
    one = {
        "nodes": genes.append_column("type", pa.array(["gene"] * 3)),
        "edges": parts.append_column("relation", pa.array(["part_of"] * 2)),
        "source_type": "gene",
        "destination_type": "gene",
    }
    pq.write_table(genes, tmp_path / "genes.parquet")
    pq.write_table(parts, tmp_path / "parts.parquet")
    (tmp_path / "genes.csv").write_text("id,symbol,length\ng1,A,10\ng2,B,20\ng3,C,30\n")
    (tmp_path / "parts.csv").write_text("source,destination,score\ng1,g2,0.5\ng2,g3,0.25\n")
    end = '{ type = "gene", column = '
    (tmp_path / "genes.toml").write_text(
        '[version]\nnamespace = "genes"\nload-version = "1"\nload-timestamp = 100\n'
        '[[nodes]]\nfile = "genes.parquet"\ntype = "gene"\nid = "id"\nfeatures = "*"\n'
        f'[[edges]]\nfile = "parts.parquet"\nrelation = "part_of"\nsource = {end}"source" }}\n'
        f'destination = {end}"destination" }}\nfeatures = "*"\n'
    )
    connection = duckdb.connect()

    def stream(table: Any) -> Any:
        return pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=1))

    given: dict[str, Any] = {
        "one table": one,
        "parquet": {"nodes": {"gene": tmp_path / "genes.parquet"}, "edges": {PART_OF: str(tmp_path / "parts.parquet")}},
        "csv": {"nodes": {"gene": tmp_path / "genes.csv"}, "edges": {PART_OF: tmp_path / "parts.csv"}},
        "duckdb": {
            "nodes": {"gene": connection.from_arrow(genes)},
            "edges": {PART_OF: connection.from_arrow(parts)},
        },
        "stream": {"nodes": {"gene": stream(genes)}, "edges": {PART_OF: stream(parts)}},
    }
    with tw.create(tmp_path / "a", unit="s") as graph, tw.create(tmp_path / "b", unit="s") as other:
        graph.load_version(nodes={"gene": genes}, edges={PART_OF: parts}, **FIRST)
        if kind == "mapping":
            other.load_version(tmp_path / "genes.toml")
        else:
            other.load_version(**given[kind], **FIRST)
        found, expected = events(other), events(graph)
        if kind == "csv":
            # Cells of CSV have no types: numbers are texts until a mapping says what they are.
            texts = [{name: str(value) for name, value in event.items() if value is not None} for event in expected]
            found = [{name: str(value) for name, value in event.items() if value is not None} for event in found]
            assert sorted(found, key=repr) == sorted(texts, key=repr)
        else:
            assert found == expected and len(found) == 5


def test_refused_versions_carry_what_is_known_and_leave_nothing(tmp_path: Path) -> None:
    genes, parts = pa.table(GENES), pa.table(PARTS)
    lost = pa.table({"source": ["g1", "g8"], "destination": ["g9", "g1"]})
    with tw.create(tmp_path / "g", unit="s") as graph:
        with pytest.raises(tw.errors.DanglingError, match="dangling='drop' or dangling='stub'") as dangling:
            graph.load_version(nodes={"gene": genes}, edges={PART_OF: lost}, **FIRST)
        [reject] = dangling.value.report.rejects.to_arrow().to_pylist()
        assert (reject["row"], dangling.value.report.rejected) == (1, 2) and "g9" in reject["reason"]
        graph.load_version(nodes={"gene": genes}, edges={PART_OF: parts}, **FIRST)
        with pytest.raises(tw.errors.VersionTakenError, match="version `1` already") as taken:
            graph.load_version(nodes={"gene": genes.slice(1)}, **FIRST)
        assert taken.value.report is None
        later: dict[str, Any] = FIRST | {"version": "2", "timestamp": 200}
        with pytest.raises(tw.errors.VersionTakenError, match="another timestamp"):
            graph.load_version(nodes={"gene": genes.slice(1)}, **(later | {"timestamp": 100}))
        with pytest.raises(tw.errors.LoadError, match="allow_empty"):
            graph.load_version(nodes={"gene": genes.slice(0, 0)}, **later)
        nameless = pa.table({"id": pa.array([None, None], pa.string())})
        with pytest.raises(tw.errors.NothingAcceptedError) as none:
            graph.load_version(nodes={"gene": nameless}, **later)
        assert none.value.report.rejected == 2
        with pytest.raises(tw.errors.TooManyRejectsError) as many:
            graph.load_version(nodes={"gene": nameless}, **later, max_rejects=1)
        assert many.value.report.rejected == 2
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"nodes": {"gene": genes}, "version": "2", "timestamp": 1}, "namespace: it is missing"),
            ({"nodes": {"gene": genes}, "namespace": "a", "version": "2"}, "timestamp: it is missing"),
            ({"data": tmp_path / "x.obo", "namespace": "a", "version": "2"}, "timestamp: it is missing"),
            ({"nodes": {"gene": genes}, "format": "obo", **later}, "format: means something for a file"),
            ({"data": "x.obo", "format": "no", **later}, "format: `no` is no format"),
            ({"merges": pa.table({"from": [1], "into": [2]}), **later}, "merges: there is no column `type`"),
        ]
        for given, told in wrong:
            with pytest.raises(ValueError, match=told):
                graph.load_version(**given)
        with pytest.raises(TypeError, match="allow_empty: expected True, False, or a list"):
            graph.load_version(nodes={"gene": genes}, allow_empty="gene", **later)
        assert graph.commit == 1
        graph.load_version(nodes={"gene": genes.slice(0, 0)}, allow_empty=True, **later)
        assert graph.view().n_nodes == {"gene": 0}


def test_a_stream_serves_one_load(tmp_path: Path) -> None:
    genes = pa.table(GENES)
    stream = pa.RecordBatchReader.from_batches(genes.schema, genes.to_batches())
    with tw.create(tmp_path / "g", unit="s") as graph:
        graph.load_version(nodes={"gene": stream}, **FIRST)
        with pytest.raises(tw.errors.LoadError, match="lists no node"):
            graph.load_version(nodes={"gene": stream}, **(FIRST | {"version": "2", "timestamp": 200}))
        assert graph.commit == 1


def test_files_of_versions_are_read_as_the_command_line_reads_them(tmp_path: Path) -> None:
    (tmp_path / "a.obo").write_text("format-version: 1.2\n\n[Term]\nid: X:1\nname: one\n\n[Term]\nid: Y:2\nis_a: X:1\n")
    dump = tmp_path / "dump"
    dump.mkdir()
    (dump / "nodes.dmp").write_text("1\t|\t1\t|\tno rank\t|\n2\t|\t1\t|\tgenus\t|\n")
    (dump / "names.dmp").write_text("1\t|\troot\t|\t\t|\tscientific name\t|\n2\t|\tA\t|\t\t|\tscientific name\t|\n")
    with tw.create(tmp_path / "g", unit="s") as graph:
        obo: dict[str, Any] = {"namespace": "obo", "version": "1", "timestamp": "1970-01-01T00:01:00Z"}
        report = graph.load_version(tmp_path / "a.obo", id_prefix="X", **obo, dry_run=True)
        assert (report.accepted, graph.commit) == (1, 0)
        report = graph.load_version(tmp_path / "a.obo", **obo)
        assert (report.nodes.created, report.edges.created) == (2, 1)
        report = graph.load_version(dump, namespace="taxa", version="1", timestamp=60)
        assert report.nodes.created == 2 and graph.view(60).n_nodes["taxon"] == 2
        with pytest.raises(tw.errors.SourceError, match="check the path"):
            graph.load_version(tmp_path / "none.obo", namespace="n", version="1", timestamp=60)


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
def test_git_histories_are_taken_in_and_go_on(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()

    def git(*words: str, at: int = 1_000_000_000) -> None:
        dates = {"GIT_AUTHOR_DATE": f"{at} +0000", "GIT_COMMITTER_DATE": f"{at} +0000"}
        who = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@x", "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@x"}
        env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)} | dates | who
        subprocess.run(["git", "-C", str(repository), *words], check=True, capture_output=True, env=env)

    git("init", "-q")
    (repository / "a.txt").write_text("one\n")
    git("add", "-A")
    git("commit", "-qm", "first")
    with tw.create(tmp_path / "g", unit="s") as graph, tw.create(tmp_path / "us", unit="us") as other:
        report = graph.load_git(repository)
        assert graph.view().n_nodes == {"author": 1, "commit": 1, "file": 1} and report.commit == 1
        assert graph.load_git(str(repository)).unchanged
        (repository / "b.txt").write_text("two\n")
        git("add", "-A", at=1_000_000_100)
        git("commit", "-qm", "second", at=1_000_000_100)
        assert graph.load_git(repository, newest=1).nodes.created == 2
        assert graph.view().n_nodes["file"] == 2 and graph.view(1_000_000_050).n_nodes["file"] == 1
        with pytest.raises(tw.errors.SourceError, match="repository"):
            graph.load_git(tmp_path)
        with pytest.raises(ValueError, match="repository: its times are seconds"):
            other.load_git(repository)
        for wrong, told in [({"limit": 1, "newest": 1}, "newest: give either"), ({"limit": -1}, "limit: expected")]:
            with pytest.raises(ValueError, match=told):
                graph.load_git(repository, **wrong)
