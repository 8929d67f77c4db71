"""What is taken as numbers, ids and times: read in place, converted once without a loss, or refused."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from histories import History

import timeweft as tw
from timeweft._arrays import to_ids, to_uint32
from timeweft._times import FOREVER, to_tick, to_ticks
from timeweft.errors import TimeError


def test_arrays_of_the_right_type_are_read_in_place() -> None:
    nodes, times = np.arange(8, dtype=np.uint32), np.arange(8, dtype=np.int64)
    assert to_uint32(nodes, "nodes") is nodes
    assert to_ticks(times, "s", 8) is times
    assert to_uint32(nodes[2:5], "nodes").__array_interface__["data"] == nodes[2:5].__array_interface__["data"]


@pytest.mark.parametrize(
    "given",
    [
        np.arange(6, dtype=np.int64), np.arange(6, dtype=np.uint64), np.arange(6, dtype=np.int8), [0, 1, 2, 3, 4, 5],
        np.arange(12, dtype=np.uint32)[::2] // 2, np.arange(6, dtype=">u4"), range(6),
        np.frombuffer(b"\0" + np.arange(6, dtype=np.uint32).tobytes(), np.uint32, offset=1),
    ],
)  # fmt: skip
def test_other_numbers_are_converted_once(given: Any) -> None:
    numbers = to_uint32(given, "nodes")
    assert numbers.dtype == np.uint32
    assert numbers.flags.c_contiguous
    assert numbers.flags.aligned
    assert numbers.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (np.array([1, -1]), OverflowError, r"nodes\[1\] is -1"),
        (np.array([1, 2, 2**32]), OverflowError, r"nodes\[2\] is 4294967296"),
        (np.array([2**63], np.uint64), OverflowError, r"nodes\[0\]"),
        (np.array([1.0]), TypeError, "nodes: expected dense numbers .* not float64"),
        (np.array([np.nan]), TypeError, "not float64"),
        (np.array([True]), TypeError, "not bool"),
        (np.array(["a"]), TypeError, "nodes"),
        (np.zeros((2, 2), np.uint32), TypeError, r"nodes: expected an array of one dimension, not of shape \(2, 2\)"),
        (7, TypeError, "one dimension"),
    ],
)
def test_what_is_no_number_of_a_node_is_refused(given: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        to_uint32(given, "nodes")


def test_the_largest_number_is_taken() -> None:
    assert to_uint32(np.array([2**32 - 1]), "nodes").tolist() == [tw.NO_NODE]
    assert to_uint32([], "nodes").shape == (0,)


def test_ids_are_whole_numbers_or_texts() -> None:
    assert to_ids([1, 2], "ids").dtype == np.uint64  # type: ignore[union-attr]
    assert to_ids(np.array([2**64 - 1], np.uint64), "ids").tolist() == [2**64 - 1]  # type: ignore[union-attr]
    assert to_ids([-1, 2], "ids") == ["-1", "2"]
    assert to_ids(np.array(["a", "7"]), "ids") == ["a", "7"]
    assert to_ids(np.array(["a", 7], object), "ids") == ["a", "7"]
    with pytest.raises(TypeError, match="ids: expected whole numbers or texts, not an array of float64"):
        to_ids(np.array([1.0, np.nan]), "ids")
    with pytest.raises(TypeError, match=r"ids\[1\] is None"):
        to_ids(np.array(["a", None], object), "ids")
    with pytest.raises(TypeError, match=r"ids\[0\] is nan"):
        to_ids(np.array([float("nan"), "a"], object), "ids")


def test_ids_of_data_frames(tmp_path: Path) -> None:
    view = History(0).graph(tmp_path / "g").view()
    expected = view.indices("user", ["0", "1", "17"])
    assert expected[2] == tw.NO_NODE
    assert expected.dtype == np.uint32
    columns: list[Any] = [[0, 1, 17], np.array([0, 1, 17])]
    for name in ("pandas", "polars"):
        frames = pytest.importorskip(name)
        columns += [frames.Series([0, 1, 17]), frames.Series(["0", "1", "17"])]
    arrow = pytest.importorskip("pyarrow")
    columns += [arrow.array([0, 1, 17]), arrow.chunked_array([["0", "1"], ["17"]])]
    for ids in columns:
        np.testing.assert_array_equal(view.indices("user", ids), expected)
    back = view.ids(expected)
    assert back["type"].tolist() == ["user", "user", None]
    assert len(view.ids([])) == 0


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("own", ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "25s", "7ns"])
def test_datetimes_of_all_units_are_cut_towards_the_past(unit: str, own: str) -> None:
    given = np.array([-3, -1, 0, 1, 2], f"datetime64[{own}]")
    nanos = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[unit]
    exact = [int(value.astype("datetime64[ps]").astype(np.int64)) if own == "ps" else None for value in given]
    for at, tick in enumerate(to_ticks(given, unit, 5)):
        if exact[at] is not None:
            assert tick == exact[at] // (1000 * nanos)
        else:
            assert tick == int(given[at].astype("datetime64[ns]").astype(np.int64)) // nanos
        assert tick == to_tick(given[at], unit)


def test_times_of_python_and_data_frames_are_one() -> None:
    naive = dt.datetime(2020, 1, 2, 3, 4, 5, 678_901)
    utc = naive.replace(tzinfo=dt.timezone.utc)
    zoned = utc.astimezone(dt.timezone(dt.timedelta(hours=5, minutes=30)))
    expected = to_tick("2020-01-02T03:04:05.678901Z", "us")
    assert to_tick("2020-01-02 08:34:05.678901+05:30", "us") == expected
    for time in (naive, utc, zoned, np.datetime64(naive)):
        assert to_tick(time, "us") == expected
        assert to_tick(time, "s") == expected // 10**6
        assert to_ticks([time], "us", 1).tolist() == [expected]
        assert to_ticks(time, "us", 3).tolist() == [expected] * 3
    assert to_tick(dt.date(1969, 12, 31), "s") == -86_400
    assert to_tick(None, "s") == FOREVER
    assert to_ticks(["2020-01-02", None, 5], "s", 3).tolist() == [1_577_923_200, FOREVER, 5]
    pandas = pytest.importorskip("pandas")
    polars = pytest.importorskip("polars")
    arrow = pytest.importorskip("pyarrow")
    stamp = pandas.Timestamp(naive) + pandas.Timedelta(1, "ns")
    assert to_tick(stamp, "ns") == expected * 1000 + 1
    columns: list[Any] = [
        pandas.Series([naive]), pandas.Series([zoned]), pandas.Series([utc]).dt.tz_convert("Asia/Kolkata"),
        pandas.DatetimeIndex([zoned]), polars.Series([naive]), polars.Series([utc]),
        arrow.array([utc], arrow.timestamp("us", "UTC")), arrow.chunked_array([[naive]]),
    ]  # fmt: skip
    for column in columns:
        assert to_ticks(column, "us", 1).tolist() == [expected], type(column)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.array(["NaT", "2020"], "datetime64[s]"), r"times\[0\] is NaT"),
        (np.array([1.5, 2.0]), "an array of float64"),
        (np.array([True, False]), "an array of bool"),
        (np.array([1, 2**63], np.uint64), r"times\[1\]: 9223372036854775808 does not fit"),
        (np.array(["9999-01-01", "300000-01-01"], "datetime64[D]"), r"times\[0\]: .* does not fit into 64 bits of ns"),
        (["2020-01-01", "yesterday"], r"times\[1\]"),
        (np.array([object(), 1], object), r"times\[0\]: object is no time"),
        (np.array([1, None], object), None),
        (np.zeros((2, 1), np.int64), r"one time for all or 2 of them"),
        (True, "True is no time"),
        (1.5, "float is no time"),
        (2**63, "does not fit"),
    ],
)
def test_what_is_no_time_is_refused(given: Any, message: str | None) -> None:
    if message is None:
        assert to_ticks(given, "ns", 2).tolist() == [1, FOREVER]
        return
    with pytest.raises(TimeError, match=message):
        to_ticks(given, "ns", 2)


def test_steps_have_no_calendar() -> None:
    assert to_ticks(5, "step", 2).tolist() == [5, 5]
    for time in (dt.date(2020, 1, 1), np.array(["2020", "2021"], "datetime64[s]")):
        with pytest.raises(TimeError, match="steps"):
            to_ticks(time, "step", 2)


def test_a_series_with_nothing_in_a_row_is_refused() -> None:
    pandas = pytest.importorskip("pandas")
    with pytest.raises(TimeError, match="NaT"):
        to_ticks(pandas.Series([pandas.Timestamp("2020"), pandas.NaT]), "s", 2)
    with pytest.raises(TimeError):
        to_ticks(pandas.Series([1, None]), "s", 2)
    with pytest.raises(TimeError):
        to_ticks(pandas.Series([1, None], dtype="Int64"), "s", 2)
