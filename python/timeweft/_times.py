"""Times of Python, NumPy and data frames as ticks of a graph, and back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, cast, get_args

import numpy as np
from numpy.typing import NDArray

from . import _core
from ._arrays import is_array
from .errors import TimeError

Unit: TypeAlias = Literal["s", "ms", "us", "ns", "step"]
TimeLike: TypeAlias = int | dt.datetime | dt.date | np.datetime64 | str | None
"""A tick, a time, or ISO text; without a zone it is UTC. `None` is the end of time."""
Times: TypeAlias = NDArray[np.int64] | NDArray[np.datetime64] | TimeLike
"""One time for all, or one for each root."""

FOREVER = np.iinfo(np.int64).max
"""The end of time, in ticks."""

UNITS: tuple[str, ...] = get_args(Unit)

NANOS: dict[str, int] = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)


def to_tick(time: TimeLike, unit: str, name: str = "time") -> int:
    """The tick that a time lies in: one between two ticks is the tick before.

    Raises `TimeError`, which names the argument, if it is no time of this unit.
    """
    if time is None:
        return FOREVER
    if isinstance(time, bool):
        raise TimeError(f"{name}: {time!r} is no time: give ticks, a datetime, or ISO text")
    if isinstance(time, (int, np.integer)):
        return _checked(int(time), unit, name, time)
    if isinstance(time, str):
        try:
            return _core.parse_time(time, unit)
        except TimeError as error:
            raise TimeError(f"{name}: {error}") from None
    if isinstance(time, np.datetime64):
        return int(to_ticks(np.asarray([time]), unit, 1, name)[0])
    nanos = _nanos_of(time)
    if nanos is None:
        raise TimeError(f"{name}: {type(time).__name__} is no time: give ticks, a datetime, or ISO text")
    if unit == "step":
        raise TimeError(f"{name}: the graph counts steps, which have no calendar: give an int")
    return _checked(nanos // NANOS[unit], unit, name, time)


def _nanos_of(time: Any) -> int | None:
    """Nanoseconds since 1970, exactly, or `None` for what is no time."""
    if isinstance(time, dt.datetime):
        if time != time:  # NaT of pandas.
            return None
        # A timestamp of pandas is a datetime that knows nanoseconds, too.
        beyond = int(getattr(time, "nanosecond", 0))
        aware = dt.datetime(
            time.year, time.month, time.day, time.hour, time.minute, time.second, time.microsecond,
            tzinfo=time.tzinfo or dt.timezone.utc, fold=time.fold,
        )  # fmt: skip
        return (aware - _EPOCH) // dt.timedelta(microseconds=1) * 1_000 + beyond
    if isinstance(time, dt.date):
        return (dt.datetime(time.year, time.month, time.day, tzinfo=dt.timezone.utc) - _EPOCH).days * 86_400 * 10**9
    return None


def _checked(tick: int, unit: str, name: str, given: object) -> int:
    if not -(2**63) <= tick < 2**63:
        raise TimeError(f"{name}: {given} does not fit into 64 bits of {unit}")
    return tick


def to_ticks(times: Any, unit: str, n: int, name: str = "times") -> NDArray[np.int64]:
    """`n` ticks, (n,) int64: of one time for all, or of an array with one for each root.

    An `int64` array that lies in one piece is taken as it is, without a copy.
    """
    given = _array_of(times, unit, name)
    if given is None:
        return np.full(n, to_tick(times, unit, name), np.int64)
    if given.ndim == 0:
        return np.full(n, _each(given[None], unit, name)[0], np.int64)
    if given.shape != (n,):
        raise TimeError(f"{name}: one time for all or {n} of them, one each, not an array of shape {given.shape}")
    if given.dtype == object:
        given = _each(given, unit, name)
    if given.dtype.kind == "M":
        return _of_datetime64(given, unit, name)
    if given.dtype.kind not in "iu":
        raise TimeError(f"{name}: an array of {given.dtype} is none of times: give int64 ticks or datetime64")
    if given.dtype == np.uint64 and len(given) and int(given.max()) > FOREVER:
        at = int(np.argmax(given > np.uint64(FOREVER)))
        raise TimeError(f"{name}[{at}]: {given[at]} does not fit into 64 bits of {unit}")
    return np.require(given, np.int64, ["C", "A"])


def _array_of(times: Any, unit: str, name: str) -> NDArray[Any] | None:
    """Several times as an array; `None` for one."""
    if is_array(times):
        return times
    if hasattr(times, "__array__") and not isinstance(times, np.generic):  # A column of a data frame, or a tensor.
        dtype: Any = getattr(times, "dtype", None)
        # pandas gives one object a row for zoned times, unless told that UTC is meant.
        return np.asarray(times) if getattr(dtype, "tz", None) is None else times.to_numpy(f"datetime64[{dtype.unit}]")
    if not isinstance(times, (list, tuple)):
        return None
    listed = cast("Sequence[Any]", times)
    if any(isinstance(time, str) or time is None for time in listed):
        return _each(listed, unit, name)
    array: NDArray[Any] = np.asarray(listed)
    return _each(listed, unit, name) if array.dtype == object else array


def _each(times: Any, unit: str, name: str) -> NDArray[np.int64]:
    """One object after the other: slow, and for a few."""
    return np.array([to_tick(time, unit, f"{name}[{at}]") for at, time in enumerate(times)], np.int64)


def _of_datetime64(times: NDArray[Any], unit: str, name: str) -> NDArray[np.int64]:
    if unit == "step":
        raise TimeError(f"{name}: the graph counts steps, which have no calendar: give integers")
    missing = np.isnat(times)
    if missing.any():
        raise TimeError(f"{name}[{int(np.argmax(missing))}] is NaT: fill it, or leave its row out")
    own, step = np.datetime_data(times.dtype)
    if own in ("Y", "M", "generic"):
        times, own, step = times.astype("datetime64[D]"), "D", 1
    seconds = {"W": 604_800, "D": 86_400, "h": 3_600, "m": 60}
    if own in seconds or own in NANOS:
        nanos = (seconds[own] * 10**9 if own in seconds else NANOS[own]) * step
        ticks = times.astype(np.int64)
        if nanos % NANOS[unit] == 0:
            factor = nanos // NANOS[unit]
            beyond = (ticks > FOREVER // factor) | (ticks < -(FOREVER // factor))
            if beyond.any():
                at = int(np.argmax(beyond))
                raise TimeError(f"{name}[{at}]: {times[at]} does not fit into 64 bits of {unit}")
            return np.ascontiguousarray(ticks * factor)
        if NANOS[unit] % nanos == 0:
            return np.ascontiguousarray(np.floor_divide(ticks, NANOS[unit] // nanos))
    # Finer than a nanosecond, or steps of several: rare, and NumPy's own conversion cuts towards the past too.
    return np.ascontiguousarray(times.astype(f"datetime64[{unit}]").astype(np.int64))
