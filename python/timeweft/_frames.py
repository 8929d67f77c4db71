"""Sources of loads: data frames and files, checked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias, cast

from . import _core


class ArrowStreamExportable(Protocol):
    """Rows that any tool takes: a data frame of pyarrow, polars, pandas (2.2 or later), DuckDB, timeweft and others."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A capsule with an Arrow C stream."""
        ...


PathLike: TypeAlias = os.PathLike[str] | str
Frame: TypeAlias = ArrowStreamExportable | PathLike | Sequence[PathLike]
"""A data frame, a file, or a list of files."""

_IN_MEMORY = {"pyarrow", "polars", "pandas", "timeweft"}


def to_source(data: Any, name: str) -> _core.Frame | list[str]:
    """The rows of a data frame, or the paths of files. `name` is that of the argument, for messages."""
    if isinstance(data, (str, os.PathLike)):
        return [_path(cast(PathLike, data))]
    if hasattr(data, "__arrow_c_stream__"):
        return to_frame(cast(object, data), name)
    if isinstance(data, Sequence) and not isinstance(data, (bytes, bytearray)):
        paths = list(cast("Sequence[Any]", data))
        if paths and all(isinstance(path, (str, os.PathLike)) for path in paths):
            return [_path(path) for path in paths]
    raise TypeError(
        f"{name}: expected a data frame (anything with `__arrow_c_stream__`: pyarrow, polars, pandas 2.2, DuckDB), a path "
        f"or a list of paths, not {_name(cast(object, data))}"
    )


def _name(data: object) -> str:
    return type(data).__name__


def to_table(data: Any, name: str) -> _core.Frame | str:
    """The rows of a data frame, or the path of one file."""
    source = to_source(data, name)
    if not isinstance(source, list):
        return source
    if len(source) != 1:
        raise TypeError(f"{name}: expected one file or one data frame, not {len(source)} files: join them first")
    return source[0]


def _path(path: PathLike) -> str:
    return os.fspath(Path(path).expanduser())


def to_frame(data: object, name: str) -> _core.Frame:
    """The rows of a data frame. Raises `TypeError` if they are none."""
    of = type(data)
    package = of.__module__.split(".")[0].lstrip("_")
    # What lies in memory gives the same rows again; a stream, or a query, may not.
    again = package in _IN_MEMORY and hasattr(of, "__len__")
    # A connection of DuckDB answers one relation at a time: each is asked when its rows are read.
    limit = getattr(data, "limit", None) if of.__name__ == "DuckDBPyRelation" else None
    try:
        return _core.Frame(data, f"{name} ({package}.{of.__name__})", again, limit(0) if callable(limit) else None)
    except Exception as error:
        raise TypeError(f"{name}: {package}.{of.__name__} does not give its rows by Arrow: {error}") from error
