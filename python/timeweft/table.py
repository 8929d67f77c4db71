"""Answers by columns."""

from __future__ import annotations

import datetime as dt
import html
import importlib
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import _core

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

_SHOWN_ROWS = 10
_SHOWN_LETTERS = 40
_ITERATED = 4096
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)


class Table:
    """Rows by columns, in Arrow's memory. Every data frame takes it without a copy: `polars.DataFrame(table)`,
    `pyarrow.table(table)`, a DuckDB query; [to_pandas][timeweft.Table.to_pandas] and its like are the short way.

    Ids are `uint64` where every id that the types ever had is a whole number, else text. Times are timestamps in UTC
    of the graph's unit, `int64` in a graph that counts steps; an end that is open is null.

    >>> view.edges("buys").to_polars().filter(pl.col("removed").is_null())
    """

    def __init__(self, columns: _core.Columns) -> None:
        self._columns = columns

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self._columns.names)

    @property
    def schema(self) -> dict[str, str]:
        """The type of each column, as Arrow names it."""
        return dict(zip(self._columns.names, self._columns.types, strict=True))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        columns = self._columns.without_extensions() if _is_asked_by_old_polars() else self._columns
        return columns.__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return len(self._columns)

    def head(self, rows: int = 5) -> Table:
        """The first rows, without a copy."""
        return Table(self._columns.slice(0, max(rows, 0)))

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A column as an array. Raises `KeyError`, which lists the columns.

        | column | array |
        |---|---|
        | numbers | (n,) of their dtype; where nothing is missing, mostly without a copy, and then read-only |
        | times | (n,) datetime64 of the graph's unit, in UTC; `NaT` where there is none |
        | lists of one length | (n, width) |
        | other lists | (n,) object of arrays, `None` where there is none |
        | texts, bytes, lists of texts | (n,) object of `str`, `bytes`, `list`, `None` where there is none |

        A missing float is NaN. Where a whole number or a truth value is missing, the array is a
        `numpy.ma.MaskedArray`: no number stands for nothing.
        """
        self._check(name)
        kind, dtype, width, parts = self._columns.column(name)
        if kind == "objects":
            return _objects([item for values, _, _ in parts for item in values])
        if kind == "lists" and width < 0:
            return _objects([item for part in parts for item in _ragged(part, dtype)])
        shape = (-1, width) if kind == "lists" else (-1,)
        arrays = [values.view(dtype).reshape(shape) for values, _, _ in parts]
        if not arrays:
            return np.empty((0, width) if kind == "lists" else 0, dtype)
        missing = [
            np.zeros(len(array), bool) if valid is None else ~valid
            for array, (_, _, valid) in zip(arrays, parts, strict=True)
        ]
        array = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
        array.flags.writeable = False
        return _with_missing(array, np.concatenate(missing))

    def _check(self, name: str) -> None:
        if name not in self._columns.names:
            raise KeyError(f"no column {name!r}: there are {', '.join(self._columns.names)}")

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Rows as dicts: `None` where there is nothing, times as `datetime` in UTC (as `numpy.datetime64` where a
        datetime cannot hold them exactly), lists as lists.
        """
        names = self._columns.names
        for start in range(0, len(self), _ITERATED):
            part = Table(self._columns.slice(start, _ITERATED))
            for row in zip(*(part._list(name) for name in names), strict=True):
                yield dict(zip(names, row, strict=True))

    def _list(self, name: str) -> list[Any]:
        """The cells of a column as objects of Python."""
        kind, dtype, width, parts = self._columns.column(name)
        cells: list[Any] = []
        for values, offsets, valid in parts:
            if kind == "objects":
                cells.extend(values)
                continue
            if offsets is not None:
                cells.extend(None if row is None else row.tolist() for row in _ragged((values, offsets, valid), dtype))
                continue
            array = values.view(dtype)
            if array.dtype.kind == "M":
                items: list[Any] = _times(array)
            else:
                items = (array.reshape(-1, width) if kind == "lists" else array).tolist()
            cells.extend(items if valid is None else [i if v else None for i, v in zip(items, valid, strict=True)])
        return cells

    def to_arrow(self) -> pa.Table:  # pyright: ignore[reportUnknownMemberType, reportUnknownParameterType]
        """As a table of pyarrow, without a copy. Raises `ImportError` where pyarrow is not installed."""
        return _extra("pyarrow", "pyarrow").table(self)

    def to_polars(self) -> pl.DataFrame:
        """As a frame of polars. Raises `ImportError` where polars is not installed."""
        return _extra("polars", "timeweft[polars]").DataFrame(self)

    def to_pandas(self) -> pd.DataFrame:
        """As a frame of pandas. Texts and times are of pandas' own types. Raises `ImportError` where pandas is not
        installed.
        """
        pandas = _extra("pandas", "pandas")
        data: dict[str, Any] = {}
        for name in self._columns.names:
            array = self[name]
            kind = self.schema[name]
            if kind.startswith("Timestamp"):
                data[name] = pandas.Series(array).dt.tz_localize("UTC")
            elif isinstance(array, np.ma.MaskedArray) and array.ndim == 1:
                values = np.ma.getdata(array)
                dtype = "boolean" if values.dtype.kind == "b" else values.dtype.name.capitalize().replace("Uint", "UInt")
                data[name] = pandas.array(
                    [None if gone else value for value, gone in zip(values.tolist(), np.ma.getmaskarray(array), strict=True)],
                    dtype=dtype,
                )
            elif array.ndim > 1:
                data[name] = self._list(name)
            else:
                data[name] = pandas.Series(array, dtype="str") if kind == "Utf8" else array
        return pandas.DataFrame(data, columns=self._columns.names)

    def to_parquet(self, path: str | os.PathLike[str]) -> None:
        """Writes a Parquet file, which appears whole or not at all. It takes no other package."""
        self._columns.write_parquet(os.fspath(path))

    def __repr__(self) -> str:
        rows = f"{len(self):,} rows" if len(self) != 1 else "1 row"
        names = self._columns.names
        if not len(self):
            return f"Table: no rows; {', '.join(f'{name}: {kind}' for name, kind in self.schema.items())}"
        shown = [[_short(cell) for cell in row.values()] for row in self.head(_SHOWN_ROWS)]
        widths = [max(len(line[at]) for line in [names, *shown]) for at in range(len(names))]
        is_right = [kind.startswith(("Int", "UInt", "Float")) for kind in self.schema.values()]

        def line(cells: list[str]) -> str:
            padded = (
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(cells, widths, is_right, strict=True)
            )
            return "  ".join(padded).rstrip()

        more = [] if len(self) <= _SHOWN_ROWS else [f"... {len(self) - _SHOWN_ROWS:,} more"]
        return "\n".join([f"Table: {rows}", line(list(names)), *(line(cells) for cells in shown), *more])

    def _repr_html_(self) -> str:
        head = "".join(
            f"<th title='{html.escape(kind)}'>{html.escape(name)}</th>" for name, kind in self.schema.items()
        )
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_short(cell))}</td>" for cell in row.values()) + "</tr>"
            for row in self.head(_SHOWN_ROWS)
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table><small>{len(self):,} rows</small>"


def _is_asked_by_old_polars() -> bool:
    """Whether polars before 1.36 asks for a stream: it panics at JSON that is marked as such, so it gets text."""
    polars = sys.modules.get("polars")
    if polars is None or not sys._getframe(2).f_globals.get("__name__", "").startswith("polars."):
        return False
    major, minor, *_ = polars.__version__.split(".")
    return (int(major), int(minor)) < (1, 36)


def _extra(module: str, what: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"this takes {module}: pip install {what}") from error


def _objects(items: list[Any]) -> NDArray[Any]:
    array = np.empty(len(items), object)
    array[:] = items if all(not isinstance(item, (list, np.ndarray)) for item in items) else None
    if len(items) and array[0] is None:
        for at, item in enumerate(items):
            array[at] = item
    return array


def _ragged(part: _core.ColumnPart, dtype: str) -> list[NDArray[Any] | None]:
    values, offsets, valid = part
    array, ends = values.view(dtype), offsets.view(np.int32).tolist() if offsets is not None else [0]
    rows: list[NDArray[Any] | None] = [array[start:end] for start, end in zip(ends, ends[1:], strict=False)]
    if valid is not None:
        rows = [row if there else None for row, there in zip(rows, valid, strict=True)]
    return rows


def _with_missing(array: NDArray[Any], missing: NDArray[np.bool_]) -> NDArray[Any]:
    if not missing.any():
        return array
    if array.dtype.kind in "fM":
        array = array.copy()
        array[missing] = np.nan if array.dtype.kind == "f" else np.datetime64("NaT")
        return array
    mask = np.broadcast_to(missing.reshape(-1, *[1] * (array.ndim - 1)), array.shape)
    return np.ma.MaskedArray(array, mask)


def _times(array: NDArray[Any]) -> list[Any]:
    """Times as datetimes in UTC, where they are exact."""
    per_tick = {"s": 1_000_000, "ms": 1_000, "us": 1}.get(np.datetime_data(array.dtype)[0])
    if per_tick is None:
        return list(array)
    times: list[Any] = []
    for tick, time in zip(array.astype(np.int64).tolist(), array, strict=True):
        try:
            times.append(_EPOCH + dt.timedelta(microseconds=tick * per_tick))
        except OverflowError:
            times.append(time)
    return times


def _short(cell: Any) -> str:
    """A cell in a line."""
    if cell is None:
        return ""
    if isinstance(cell, dt.datetime):
        text = cell.replace(tzinfo=None).isoformat(" ").removesuffix(" 00:00:00")
    elif isinstance(cell, float):
        text = f"{cell:.6g}"
    else:
        text = str(cell).replace("\n", "\\n")
    return text if len(text) <= _SHOWN_LETTERS else text[: _SHOWN_LETTERS - 1] + "…"
