"""Delta loads of a taxonomy in DuckDB: the peer of `timeweft load version --format taxdump`.

    python duckdb_delta.py FOLDER        # FOLDER/v1, v2, v3 and expected.jsonl, as the bench `taxonomy` writes them

Loads v1, v2, v3 and v3 again (as v4) into one new database file and prints one JSON object a load. The state kept is
the same as timeweft's: a document a taxon, an edge child -> parent, merges, each with the interval it held. It is
written as one would in SQL for speed:

* files are read in parallel by the longest delimiter, `tab bar tab`, straight into the types of the columns;
* a stored hash tells changed taxa; other names are compared by a sum of hashes, which their order does not change;
* other names are rows of a table of their own, as sums and rows are cheaper than lists; the view `document` lists them;
* only what differs is written; which versions listed a row follows from its interval and the table of loads;
* one transaction a load, then a checkpoint: the load is durable and the file is as small as DuckDB makes it.

Every load runs in a process of its own, so that its peak of memory is its own; starting Python is not measured, opening
and closing the database is. Needs `pip install duckdb`.
"""

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import time
from pathlib import Path

NON_HIERARCHICAL = ["no rank", "clade"]
SPECIES_AND_BELOW = [
    "species", "forma specialis", "subspecies", "varietas", "morph", "subvariety", "forma", "serogroup", "pathogroup",
    "serotype", "biotype", "genotype", "strain", "isolate",
]  # fmt: skip
HIGHER = [
    "superkingdom", "kingdom", "subkingdom", "superphylum", "phylum", "subphylum", "infraphylum", "superclass",
    "class", "subclass", "infraclass", "cohort", "subcohort", "superorder", "order", "suborder", "infraorder",
    "parvorder", "superfamily", "family", "subfamily", "tribe", "subtribe", "genus", "subgenus", "section",
    "subsection", "series", "subseries", "species group", "species subgroup",
]  # fmt: skip
FOREVER = 9223372036854775807


def sql_list(words):
    return ", ".join(f"'{word}'" for word in words)


SCHEMA = f"""
CREATE TYPE rank AS ENUM ({sql_list(NON_HIERARCHICAL + SPECIES_AND_BELOW + HIGHER)});
CREATE TABLE load (version VARCHAR, created BIGINT, report JSON);
CREATE TABLE taxon (
    id INTEGER, scientific_name VARCHAR, rank rank, gencode UTINYINT, strain BOOLEAN, species_or_below BOOLEAN,
    hash UBIGINT, created BIGINT, expired BIGINT);
CREATE TABLE alias (id INTEGER, category VARCHAR, name VARCHAR, created BIGINT, expired BIGINT);
CREATE TABLE edge (child INTEGER, parent INTEGER, created BIGINT, expired BIGINT);
CREATE TABLE merge ("from" INTEGER, "into" INTEGER, created BIGINT, expired BIGINT);
CREATE VIEW document AS
    SELECT taxon.*, taxon.id AS ncbi_taxon_id, coalesce(others.aliases, []) AS aliases
    FROM taxon LEFT JOIN (
        SELECT id, created, list_sort(list({{'category': category, 'name': name}})) AS aliases
        FROM alias GROUP BY id, created) AS others USING (id, created);
"""

CSV = r"delim = '\t|\t', quote = '', escape = '', header = false, auto_detect = false"


def columns(**types):
    return "columns = {" + ", ".join(f"'{name}': '{kind}'" for name, kind in types.items()) + "}"


def reader(file, **types):
    """A table function over one file. The last field of a line keeps its `tab bar`."""
    csv = CSV.replace(r"\t", "\t")
    return f"read_csv('{file}', {csv}, {columns(**types)})"


def read(folder):
    """Statements that bring the files into memory, each file read once."""
    unread = {name: "VARCHAR" for name in ("mito", "no_mito", "hidden", "no_subtree", "comments")}
    nodes = reader(
        folder / "nodes.dmp", id="INTEGER", parent="INTEGER", rank="rank", embl="VARCHAR", division="VARCHAR",
        inherits="VARCHAR", gencode="UTINYINT", inherits_code="VARCHAR", **unread,
    )  # fmt: skip
    names = reader(folder / "names.dmp", id="INTEGER", name="VARCHAR", one="VARCHAR", class_="VARCHAR")
    merged = reader(folder / "merged.dmp", old="INTEGER", new="VARCHAR")
    return {
        "read nodes": f"CREATE TEMP TABLE node AS SELECT id, parent, rank, gencode FROM {nodes}",
        "read names": f"CREATE TEMP TABLE name AS SELECT id, name, class_ FROM {names}",
        "read merged": f"""CREATE TEMP TABLE row AS
            SELECT old, CAST(rtrim(new, '\t|') AS INTEGER) AS new FROM {merged}""",
    }


# A taxon without a height of its own is a strain if the first above it with one is a species or below.
STRAINS = f"""CREATE TEMP TABLE strain AS
    WITH RECURSIVE low AS MATERIALIZED (
        SELECT id, parent FROM node WHERE rank IN ({sql_list(NON_HIERARCHICAL)}) AND id <> parent),
    strain AS (
        SELECT low.id FROM low JOIN node AS above ON above.id = low.parent
        WHERE above.rank IN ({sql_list(SPECIES_AND_BELOW)})
        UNION ALL SELECT low.id FROM strain JOIN low ON low.parent = strain.id)
    SELECT id FROM strain"""

SCIENTIFIC = "class_ = 'scientific name\t|'"

def documents(only=""):
    """Documents and their hashes; `only` restricts the names read. A sum does not depend on the order of the names."""
    return f"""SELECT node.id, scientific.name AS scientific_name, rank, gencode, strain.id IS NOT NULL AS strain,
            strain.id IS NOT NULL OR rank IN ({sql_list(SPECIES_AND_BELOW)}) AS species_or_below,
            CASE WHEN scientific.name IS NULL THEN error(concat('taxon ', node.id, ' has no scientific name'))
                ELSE hash(scientific.name, rank, gencode, strain.id IS NOT NULL, other.hashes) END AS hash
        FROM (SELECT * FROM node WHERE true {only}) AS node
        LEFT JOIN (SELECT id, name FROM name WHERE {SCIENTIFIC} {only}) AS scientific ON scientific.id = node.id
        LEFT JOIN strain ON strain.id = node.id
        LEFT JOIN (
            SELECT id, sum(hash(class_, name)) AS hashes FROM name WHERE NOT {SCIENTIFIC} {only} GROUP BY id
        ) AS other ON other.id = node.id"""


def insert_aliases(at, only=""):
    return f"""INSERT INTO alias
        SELECT id, rtrim(class_, '\t|'), name, {at}, {FOREVER} FROM name WHERE NOT {SCIENTIFIC} {only}"""


def first_load(at):
    return {
        "write taxa": f"INSERT INTO taxon SELECT *, {at}, {FOREVER} FROM ({documents()})",
        "write aliases": insert_aliases(at),
        "write edges": f"INSERT INTO edge SELECT id, parent, {at}, {FOREVER} FROM node WHERE id <> parent",
    }


def next_load(at):
    ended = "SELECT id FROM delta WHERE kind <> 'new'"
    written = "AND id IN (SELECT id FROM delta WHERE kind <> 'gone')"
    return {
        "compare taxa": f"""CREATE TEMP TABLE delta AS
            SELECT coalesce(now.id, live.id) AS id,
                CASE WHEN live.id IS NULL THEN 'new' WHEN now.id IS NULL THEN 'gone' ELSE 'changed' END AS kind
            FROM (SELECT id, hash FROM ({documents()})) AS now
            FULL JOIN (SELECT id, hash FROM taxon WHERE expired = {FOREVER}) AS live ON live.id = now.id
            WHERE live.hash IS DISTINCT FROM now.hash""",
        "compare edges": f"""CREATE TEMP TABLE edge_delta AS
            SELECT coalesce(node.id, live.child) AS child, node.parent AS now, live.parent AS before
            FROM (SELECT id, parent FROM node WHERE id <> parent) AS node
            FULL JOIN (SELECT child, parent FROM edge WHERE expired = {FOREVER}) AS live ON live.child = node.id
            WHERE live.parent IS DISTINCT FROM node.parent""",
        "find reappeared": """CREATE TEMP TABLE reappeared AS
            SELECT DISTINCT id FROM taxon WHERE id IN (SELECT id FROM delta WHERE kind = 'new')""",
        "find reappeared edges": """CREATE TEMP TABLE reappeared_edge AS
            SELECT DISTINCT child, edge.parent FROM edge JOIN edge_delta USING (child) WHERE edge.parent = now""",
        "end merges": f"""UPDATE merge SET expired = {at}
            WHERE expired = {FOREVER} AND "from" IN (SELECT id FROM reappeared)""",
        "write merges": f"""INSERT INTO merge
            SELECT old, new, {at}, {FOREVER} FROM row WHERE old IN (SELECT id FROM delta WHERE kind = 'gone')""",
        "expire taxa": f"UPDATE taxon SET expired = {at} WHERE expired = {FOREVER} AND id IN ({ended})",
        "expire aliases": f"UPDATE alias SET expired = {at} WHERE expired = {FOREVER} AND id IN ({ended})",
        "write taxa": f"INSERT INTO taxon SELECT *, {at}, {FOREVER} FROM ({documents(written)})",
        "write aliases": insert_aliases(at, written),
        "expire edges": f"""UPDATE edge SET expired = {at}
            WHERE expired = {FOREVER} AND child IN (SELECT child FROM edge_delta WHERE before IS NOT NULL)""",
        "write edges": f"""INSERT INTO edge
            SELECT child, now, {at}, {FOREVER} FROM edge_delta WHERE now IS NOT NULL""",
    }


CHECKS = f"""SELECT
    (SELECT count(*) - count(DISTINCT id) FROM node) AS "taxa listed twice",
    (SELECT count(*) FROM (SELECT DISTINCT parent FROM node) AS below ANTI JOIN node ON node.id = below.parent)
        AS "parents that are not listed",
    (SELECT count(*) FROM name WHERE {SCIENTIFIC}) - (SELECT count(*) FROM node) AS "scientific names more than taxa" """


def check(database):
    """What timeweft refuses or reports. An unknown rank fails in reading, a missing name in hashing."""
    cursor = database.execute(CHECKS)
    for column, count in zip(cursor.description, cursor.fetchone()):
        if count:
            raise ValueError(f"{count} {column[0]}")


FIRST_COUNTS = """SELECT (SELECT count(*) FROM taxon) AS new, 0 AS reappeared, 0 AS changed, 0 AS gone, 0 AS merged,
    (SELECT count(*) FROM edge) AS edges_new, 0 AS edges_reappeared, 0 AS edges_gone"""
NEXT_COUNTS = """SELECT
    (SELECT count(*) FROM delta WHERE kind = 'new') - (SELECT count(*) FROM reappeared) AS new,
    (SELECT count(*) FROM reappeared) AS reappeared,
    (SELECT count(*) FROM delta WHERE kind = 'changed') AS changed,
    (SELECT count(*) FROM delta WHERE kind = 'gone') AS gone,
    (SELECT count(*) FROM merge WHERE created = $at) AS merged,
    (SELECT count(*) FROM edge_delta WHERE now IS NOT NULL) - (SELECT count(*) FROM reappeared_edge) AS edges_new,
    (SELECT count(*) FROM reappeared_edge) AS edges_reappeared,
    (SELECT count(*) FROM edge_delta WHERE before IS NOT NULL) AS edges_gone"""


def load(path, folder, version, at, threads):
    """One load; returns its report with the seconds of each step."""
    import duckdb

    before = resource.getrusage(resource.RUSAGE_SELF)
    cpu_before = before.ru_utime + before.ru_stime
    started = last = time.perf_counter()
    steps = {}

    def done(step):
        nonlocal last
        now = time.perf_counter()
        steps[step], last = round(now - last, 3), now

    database = duckdb.connect(str(path), config={"threads": threads, "preserve_insertion_order": False})
    is_first = not database.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'load'").fetchall()
    database.execute("BEGIN")
    if is_first:
        database.execute(SCHEMA)
    done("open")
    for step, sql in {**read(folder), "find strains": STRAINS}.items():
        database.execute(sql)
        done(step)
    check(database)
    done("check")
    for step, sql in (first_load(at) if is_first else next_load(at)).items():
        database.execute(sql)
        done(step)
    cursor = database.execute(FIRST_COUNTS) if is_first else database.execute(NEXT_COUNTS, {"at": at})
    names = [column[0] for column in cursor.description]
    report = dict(zip(names, cursor.fetchone()))
    database.execute("INSERT INTO load VALUES ($1, $2, $3)", [version, at, json.dumps(report)])
    done("count")
    database.execute("COMMIT")
    done("commit")
    database.execute("CHECKPOINT")
    done("checkpoint")
    database.close()
    done("close")
    seconds = time.perf_counter() - started
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu, peak = usage.ru_utime + usage.ru_stime - cpu_before, usage.ru_maxrss * 1024
    size = sum(os.path.getsize(file) for file in path.parent.glob(path.name + "*"))
    return {"version": version, "seconds": round(seconds, 3), "cpu_seconds": round(cpu, 3), **report, "db_bytes": size, "peak_rss": peak, "steps": steps}  # fmt: skip


def verify(report, expected):
    for name in expected.keys() & report.keys() - {"version"}:
        if report[name] != expected[name]:
            raise SystemExit(f"{report['version']}: {report[name]} {name}, expected {expected[name]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of v1, v2, v3")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--database", type=Path, help="file to make (default: a temporary one beside the releases)")
    args = parser.parse_args()
    nothing = dict.fromkeys(
        ["new", "reappeared", "changed", "gone", "merged", "edges_new", "edges_reappeared", "edges_gone"], 0
    )
    expected = {"v4": nothing}
    if (args.folder / "expected.jsonl").exists():
        lines = (args.folder / "expected.jsonl").read_text().splitlines()
        expected |= {line["version"]: line for line in map(json.loads, lines)}
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        path = args.database or Path(folder) / "taxonomy.duckdb"
        for number, (version, release) in enumerate([("v1", "v1"), ("v2", "v2"), ("v3", "v3"), ("v4", "v3")]):
            with spawn.Pool(1) as process:
                at = 100 * (number + 1)
                report = process.apply(load, (path, args.folder / release, version, at, args.threads))
            verify(report, expected.get(version, {}))
            print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
