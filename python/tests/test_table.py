"""Tables: columns as arrays, rows as dicts, frames of other packages, and how they are shown."""

from __future__ import annotations

import datetime as dt
import sys
from typing import Any

import numpy as np
import pytest
import timeweft as tw

from graphs import load, node, shop

pa = pytest.importorskip("pyarrow")


def _utc(second: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(second, dt.timezone.utc)


def test_columns_are_arrays_of_their_types() -> None:
    nodes = shop().view(35).nodes(features="all")
    assert nodes.columns == ["node", "type", "id", "created", "removed", "age", "taste", "name", "doc"]
    assert len(nodes) == 4
    assert nodes["node"].dtype == np.uint32
    assert nodes["node"].tolist() == [0, 1, 2, 3]
    assert nodes["type"].tolist() == ["user", "user", "item", "item"]
    assert nodes["id"].tolist() == ["ann", "bo", "1", "2"], "users have names, so all ids of this column are texts"
    assert nodes["created"].dtype == np.dtype("M8[s]")
    assert nodes["created"].tolist() == [_utc(10).replace(tzinfo=None)] * 4
    removed = nodes["removed"]
    assert np.isnat(removed[[0, 2, 3]]).all() and removed[1] == np.datetime64(60, "s")
    age = nodes["age"]
    assert age[0] == 31.0 and np.isnan(age[1:]).all()
    assert nodes["taste"].shape == (4, 2)
    assert nodes["taste"][:2].tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert nodes["name"].tolist() == [None, None, "tea", "cup"]
    assert nodes["doc"][3] == '{"parts":[1,2]}'


def test_ids_that_all_are_numbers_are_numbers() -> None:
    view = shop().view()
    assert view.nodes("item")["id"].dtype == np.uint64
    edges = view.edges("buys")
    assert edges["source_id"].dtype == object
    assert edges["destination_id"].tolist() == [1]


def test_a_column_of_numbers_is_not_copied() -> None:
    graph = tw.create("many", unit="step")
    load(graph, [node(1, "n", at) for at in range(70_000)])
    nodes = graph.view().nodes()
    first, second = nodes["node"], nodes["node"]
    assert first.tolist() == list(range(70_000)), "in more than one batch"
    address = first.__array_interface__["data"][0]
    assert address == second.__array_interface__["data"][0]
    assert not first.flags.writeable
    with pytest.raises(ValueError):
        first[0] = 1
    theirs = pa.table(nodes).column("node").chunk(0).buffers()[1].address
    assert theirs == address, "pyarrow looks at the same memory"
    table = nodes
    del nodes
    assert first[69_999] == 69_999 and len(table) == 70_000


def test_an_array_outlives_its_table() -> None:
    array = shop().view().nodes()["created"]
    assert array.tolist() == [_utc(10).replace(tzinfo=None)] * 3


def test_missing_whole_numbers_are_masked() -> None:
    steps = shop("steps", "step").view(35)
    removed = steps.nodes()["removed"]
    assert isinstance(removed, np.ma.MaskedArray)
    assert removed.dtype == np.int64 and removed.tolist() == [None, 60, None, None]


def test_rows_are_dicts() -> None:
    rows = list(shop().view(35).edges("buys", features="all"))
    assert len(rows) == 3
    gift = next(row for row in rows if row["key"] == "gift")
    assert gift["created"] == _utc(30) and gift["removed"] == _utc(50)
    assert (gift["source_id"], gift["destination_id"], gift["stars"]) == ("bo", 2, 1.0)
    plain = next(row for row in rows if row["source_id"] == "ann")
    assert plain["key"] is None and plain["removed"] is None
    assert next(iter(shop("n", "ns").view().nodes()))["created"] == np.datetime64(10, "ns")


def test_frames_have_the_same_rows() -> None:
    polars, pandas = pytest.importorskip("polars"), pytest.importorskip("pandas")
    nodes = shop().view(35).nodes(features="all")
    rows = list(nodes)
    assert nodes.to_arrow().to_pylist() == rows
    frame = nodes.to_polars()
    assert frame.columns == nodes.columns and frame.height == 4
    assert frame["id"].to_list() == ["ann", "bo", "1", "2"]
    assert frame["removed"].to_list() == [None, _utc(60), None, None]
    assert frame["taste"].dtype == polars.Array(polars.Float64, 2)
    data = nodes.to_pandas()
    assert list(data.columns) == nodes.columns
    assert data["created"].dt.tz is not None
    assert data["removed"].isna().tolist() == [True, False, True, True]
    if hasattr(pandas.DataFrame, "from_arrow"):  # From pandas 3 on.
        assert pandas.DataFrame.from_arrow(nodes).shape == data.shape
    steps = shop("steps", "step").view(35).nodes().to_pandas()
    assert steps["removed"].dtype == "Int64" and steps["removed"][1] == 60


def test_duckdb_asks_a_table() -> None:
    duckdb = pytest.importorskip("duckdb")
    edges = shop().view(35).edges()
    found = duckdb.sql("select source_id, count(*) n from edges group by all order by all").fetchall()
    assert found == [("ann", 1), ("bo", 2)]
    assert len(edges) == 3


def test_parquet_is_read_back() -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    nodes = shop().view(35).nodes(features="all")
    nodes.to_parquet("nodes.parquet")
    # pyarrow before 25 cannot read a list of one length that is missing.
    columns = [name for name in nodes.columns if name != "taste" or int(pa.__version__.split(".")[0]) > 24]
    expected = [{name: row[name] for name in columns} for row in nodes]
    assert parquet.read_table("nodes.parquet", columns=columns).to_pylist() == expected
    with pytest.raises(FileNotFoundError):
        nodes.to_parquet("nowhere/nodes.parquet")


def test_a_table_is_shown_with_its_first_rows() -> None:
    nodes = shop().view(35).nodes("user", features=["age", "taste"])
    assert repr(nodes).splitlines() == [
        "Table: 2 rows",
        "node  type  id   created              removed              age  taste",
        "   0  user  ann  1970-01-01 00:00:10                        31  [1.0, 2.0]",
        "   1  user  bo   1970-01-01 00:00:10  1970-01-01 00:01:00       [3.0, 4.0]",
    ]
    page = nodes._repr_html_()
    assert page.count("<tr>") == 3 and "1970-01-01 00:01:00" in page
    assert repr(nodes.head(0)).startswith("Table: no rows; node: UInt32")


def test_empty_tables_have_columns() -> None:
    nodes = shop().view(5).nodes(features="all")
    assert len(nodes) == 0 and list(nodes) == []
    assert nodes["node"].shape == (0,) and nodes["id"].shape == (0,)
    assert nodes.to_arrow().num_rows == 0


def test_an_unknown_column_is_named() -> None:
    with pytest.raises(KeyError, match="no column 'nod': there are node, type"):
        shop().view().nodes()["nod"]


@pytest.mark.parametrize(("method", "module"), [("to_polars", "polars"), ("to_arrow", "pyarrow"), ("to_pandas", "pandas")])
def test_a_package_that_is_missing_is_named(method: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes: Any = shop().view().nodes()
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=f"this takes {module}: pip install"):
        getattr(nodes, method)()
