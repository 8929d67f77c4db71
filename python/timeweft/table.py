"""Answers by columns."""

from __future__ import annotations

from . import _core


class Table:
    """Rows by columns, in Arrow's memory. Every data frame takes it without a copy: `polars.DataFrame(table)`,
    `pyarrow.table(table)`, a DuckDB query; [to_pandas][timeweft.Table.to_pandas] and its like are the short way.
    """

    def __init__(self, columns: _core.Columns) -> None:
        self._columns = columns

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._columns.__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return len(self._columns)
