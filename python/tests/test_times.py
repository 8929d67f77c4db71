"""Times of Python, NumPy and data frames are the ticks that exact arithmetic says, and one between two is the one before."""

from __future__ import annotations

import datetime as dt
import random
import zoneinfo

import numpy as np
import pytest

from timeweft import _core
from timeweft._times import FOREVER, to_tick, to_ticks
from timeweft.errors import TimeError

PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)


def microseconds(time: dt.datetime) -> int:
    delta = time - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 10**6 + delta.microseconds


@pytest.mark.parametrize("unit", PER_SECOND)
def test_datetimes_dates_and_texts_agree_with_exact_arithmetic(unit: str) -> None:
    chance = random.Random(7)
    zones = [dt.timezone.utc, dt.timezone(dt.timedelta(hours=-7, minutes=-30)), zoneinfo.ZoneInfo("UTC")]
    for _ in range(500):
        of = EPOCH + dt.timedelta(microseconds=chance.randint(-6 * 10**15, 6 * 10**15))
        expected = microseconds(of) * PER_SECOND[unit] // 10**6
        assert to_tick(of, unit) == expected
        assert to_tick(of.replace(tzinfo=None), unit) == expected, "naive is UTC"
        assert to_tick(of.astimezone(chance.choice(zones)), unit) == expected
        assert to_tick(np.datetime64(of.replace(tzinfo=None), "us"), unit) == expected
        assert to_tick(of.isoformat(), unit) == expected, "the text that Rust reads"
        midnight = dt.datetime(of.year, of.month, of.day, tzinfo=dt.timezone.utc)
        assert to_tick(of.date(), unit) == microseconds(midnight) * PER_SECOND[unit] // 10**6
        assert to_tick(of.date().isoformat(), unit) == to_tick(of.date(), unit)


@pytest.mark.parametrize("of", ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "25us", "ps"])
@pytest.mark.parametrize("unit", PER_SECOND)
def test_arrays_of_each_unit_are_cut_towards_the_past(unit: str, of: str) -> None:
    chance = random.Random(of + unit)
    near = {"ns": 10**15, "ps": 10**15, "us": 10**15, "25us": 10**13}.get(of, 200)
    counts = [chance.randint(-near, near) for _ in range(200)]
    times = np.array(counts, f"datetime64[{of}]")
    # Picoseconds of one after another, in whole numbers of Python.
    if of in ("Y", "M"):
        days = times.astype("datetime64[D]").astype(np.int64)
        picos = [int(day) * 86_400 * 10**12 for day in days]
    else:
        step, name = np.datetime_data(times.dtype)[1], np.datetime_data(times.dtype)[0]
        one = {"W": 604_800 * 10**12, "D": 86_400 * 10**12, "h": 3_600 * 10**12, "m": 60 * 10**12, "s": 10**12,
               "ms": 10**9, "us": 10**6, "ns": 10**3, "ps": 1}[name] * step  # fmt: skip
        picos = [count * one for count in counts]
    expected = [pico * PER_SECOND[unit] // 10**12 for pico in picos]
    assert to_ticks(times, unit, len(times)).tolist() == expected


def test_pandas_and_polars_columns_are_taken() -> None:
    texts = ["2004-06-01 12:00:00.5", "1969-12-31 23:59:59.25"]
    expected = [1_086_091_200, -1]
    pandas = pytest.importorskip("pandas")
    assert to_tick(pandas.Timestamp(texts[0]), "s") == expected[0]
    assert to_tick(pandas.Timestamp(texts[0], tz="Europe/Berlin"), "s") == expected[0] - 7_200
    assert to_tick(pandas.Timestamp("1970-01-01 00:00:00.000000123"), "ns") == 123
    assert to_ticks(pandas.Series(pandas.to_datetime(texts)), "s", 2).tolist() == expected
    with pytest.raises(TimeError, match="at"):
        to_tick(pandas.NaT, "s", "at")
    polars = pytest.importorskip("polars")
    column = polars.Series([dt.datetime.fromisoformat(text) for text in texts])
    assert to_ticks(column, "s", 2).tolist() == expected


def test_one_time_is_for_all_and_none_is_the_end() -> None:
    assert to_ticks(7, "s", 3).tolist() == [7, 7, 7]
    assert to_ticks(None, "s", 2).tolist() == [FOREVER] * 2
    assert to_ticks(["2004-06-01", None, 3], "s", 3).tolist() == [1_086_048_000, FOREVER, 3]
    assert to_ticks(np.int64(4), "s", 1).tolist() == [4]


def test_ticks_in_one_piece_are_not_copied() -> None:
    times = np.arange(5, dtype=np.int64)
    assert to_ticks(times, "s", 5) is times
    assert np.shares_memory(to_ticks(times, "step", 5), times)


@pytest.mark.parametrize(
    ("time", "unit", "told"),
    [
        ("soon", "s", "at: .*soon"),
        (True, "s", "at: True"),
        (1.5, "s", "at: float"),
        (2**63, "s", "at: 9223372036854775808 does not fit"),
        (dt.datetime(2500, 1, 1), "ns", "at: .*does not fit"),
        (dt.date(2004, 6, 1), "step", "at: .*steps.*int"),
        (np.datetime64("NaT"), "s", r"at\[0\] is NaT"),
        (np.datetime64("2004-06-01"), "step", "at: .*steps"),
    ],
)
def test_what_is_no_time_is_named(time: object, unit: str, told: str) -> None:
    with pytest.raises(TimeError, match=told):
        to_tick(time, unit, "at")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("times", "told"),
    [
        (np.zeros(2), "times: an array of float64"),
        (np.zeros(3, np.int64), r"times: one time for all or 2 .* \(3,\)"),
        (np.array([0, 2**63], np.uint64), r"times\[1\]: 9223372036854775808"),
        (np.array(["2004-06-01", "NaT"], "datetime64[s]"), r"times\[1\] is NaT"),
        (np.array([2**62, 0], "datetime64[D]"), r"times\[0\].*does not fit"),
        ([1, "never"], r"times\[1\]: .*never"),
    ],
)
def test_positions_of_what_is_no_time_are_named(times: object, told: str) -> None:
    with pytest.raises(TimeError, match=told):
        to_ticks(times, "s", 2)


def test_steps_are_whole_numbers() -> None:
    assert _core.parse_time("12", "step") == 12
    assert to_tick(12, "step") == 12 and to_tick("12", "step") == 12
