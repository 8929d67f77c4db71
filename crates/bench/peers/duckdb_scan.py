"""The questions of `bench sql` in DuckDB, on the tables that timeweft exported as Parquet.

    python duckdb_scan.py FOLDER        # FOLDER/user.parquet and edges.parquet

Prints the milliseconds of each question as one JSON object: the files are read by each, as DuckDB reads Parquet, and once
before without a clock. Starting Python is not measured. Needs `pip install duckdb`.
"""

import json
import sys
import time
from pathlib import Path

import duckdb

folder = Path(sys.argv[1])
db = duckdb.connect()
for name in ("user", "edges"):
    db.execute(f"CREATE VIEW \"{name}\" AS SELECT * FROM read_parquet('{folder / name}.parquet')")

QUESTIONS = {
    "scan with filter": 'SELECT count(*) FROM "user" WHERE age > 50',
    "filter by time": 'SELECT count(*) FROM "user" WHERE created >= 500000',
    "group": 'SELECT country, count(*), avg(age) FROM "user" GROUP BY country',
    "join by id": 'SELECT count(*) FROM edges e JOIN "user" u ON e.destination_id = u.id WHERE u.age > 50',
    "one node": "SELECT age FROM \"user\" WHERE id = '77777'",
}

figures = {}
for name, query in QUESTIONS.items():
    db.execute(query).fetchall()
    began = time.perf_counter()
    db.execute(query).fetchall()
    figures[name] = (time.perf_counter() - began) * 1e3
print(json.dumps(figures))
