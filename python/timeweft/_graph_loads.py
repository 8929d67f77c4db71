"""Loads: data frames and files into the graph, each as one commit."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

from . import _core
from ._frames import Frame, to_source, to_table
from ._load_git import GitLoads
from ._load_intervals import IntervalLoads
from ._load_versions import VersionLoads
from ._progress import Progress, hearing
from ._times import TimeLike, to_tick
from .report import KEPT_REJECTS, Dangling, LoadReport

Repeats: TypeAlias = Literal["reject", "parallel"]


class GraphLoads(IntervalLoads, VersionLoads, GitLoads):
    """Loads of a graph."""

    _core: _core.Graph

    def load_events(
        self,
        data: Frame | Mapping[str, Frame],
        *,
        columns: Mapping[str, str] | None = None,
        mapping: Mapping[str, Any] | os.PathLike[str] | str | None = None,
        source_type: str | None = None,
        destination_type: str | None = None,
        relation: str | None = None,
        time: TimeLike = None,
        namespace: str = "events",
        version: str | None = None,
        dangling: Dangling | None = None,
        repeats: Repeats | None = None,
        late: Literal["place", "reject"] | None = None,
        max_rejects: int | None = None,
        kept_rejects: int = KEPT_REJECTS,
        progress: Progress = None,
    ) -> LoadReport:
        """One commit of events, visible whole or not at all.

        `data` is a data frame (pyarrow, polars, pandas, DuckDB, a [Table][timeweft.Table]; anything with
        `__arrow_c_stream__`), a file, or a list of files. `columns` maps our names (`time`, `action`, `entity`, `source`,
        `destination`, `source_type`, `relation`, `destination_type`, `key`) to yours. Without `action` each row is a created
        edge; then edges that repeat are parallel, and their nodes are created. All columns that are not mapped are features
        of the edge: fixed-size lists are dense, text is text, structs are JSON. Rows are read in order, batch by batch;
        memory does not grow with the table.

        `source_type` and `destination_type` (else `node`) and `relation` (else `link`) are those of rows that have none of
        their own; `time` is that of a table without a column for it. `version` names the load: loaded again, it changes
        nothing. `progress` is `True`, or a callable that gets `(records, bytes, size)`.

        `mapping` says that the rows are changes of tables: of Debezium, of dbt snapshots, or of slowly changing dimensions
        (SCD2). It is a dict with the keys of `docs/change-rows.md`, or the path of a TOML file. `data` may then also be a
        folder with the files that the mapping names, or (with a dict) a dict of frames and files by these names; a DuckDB
        relation of intervals is held in memory. Options of columns and types mean nothing beside it, and raise `ValueError`.

        Raises `NothingAcceptedError`, `TooManyRejectsError`, `VersionTakenError`, `DanglingError`, each with `.report` where
        there is one, `SourceError`, and `StoppedError` after Ctrl-C: nothing is loaded then.

        >>> graph.load_events(frame, columns={"time": "ts", "source": "from_user", "destination": "to_user"})
        >>> users = {"type": "user", "id": "user_id", "features": {"city": "category"}}
        >>> graph.load_events(relation, mapping={"changes": {"format": "scd2"}, "nodes": [users]})
        """
        common: dict[str, Any] = {
            "namespace": namespace,
            "version": version,
            "dangling": dangling,
            "max_rejects": max_rejects,
            "kept_rejects": kept_rejects,
        }
        of_events: dict[str, Any] = {
            "columns": _pairs(columns),
            "source_type": source_type,
            "destination_type": destination_type,
            "relation": relation,
            "time": None if time is None else to_tick(time, self._core.unit, "time"),
            "repeats": repeats,
            "late": late,
            "mapping": _mapping(mapping),
        }
        of_columns: dict[str, Any] = {"columns": columns, "source_type": source_type}
        of_columns |= {"destination_type": destination_type, "relation": relation, "time": time}
        given = [name for name, value in of_columns.items() if value is not None]
        if mapping is not None and given:
            raise ValueError(f"{given[0]}: means nothing beside `mapping`, which says it of each table: leave it out")
        if isinstance(data, Mapping):
            if mapping is None:
                raise ValueError("data: a dict of tables needs `mapping`, which says what their rows are")
            source = [(str(name), to_table(table, f"data[{name!r}]")) for name, table in data.items()]
        else:
            source = to_source(data, "data")
        with hearing(progress, "load_events") as hears:
            return LoadReport(self._core.load_events(source, common, of_events, hears))


def _mapping(mapping: Mapping[str, Any] | os.PathLike[str] | str | None) -> tuple[str, bool] | None:
    """JSON, or the path of a TOML file; and whether it is JSON."""
    if mapping is None:
        return None
    if isinstance(mapping, (str, os.PathLike)):
        return os.fspath(Path(mapping).expanduser()), False
    if not isinstance(mapping, Mapping):
        raise TypeError(f"mapping: expected a dict or the path of a TOML file, not {type(mapping).__name__}")
    try:
        return json.dumps(mapping, default=dict, allow_nan=False), True
    except (TypeError, ValueError) as error:
        raise TypeError(f"mapping: expected dicts, lists, texts, numbers and truth values: {error}") from None


def _pairs(columns: Mapping[str, str] | None) -> list[tuple[str, str]]:
    if columns is None:
        return []
    if not isinstance(columns, Mapping):
        raise TypeError(f"columns: expected a mapping of our names to yours, not {type(columns).__name__}")
    for ours, theirs in columns.items():
        if not (isinstance(ours, str) and isinstance(theirs, str)):
            raise TypeError(f"columns: expected texts, not {ours!r}: {theirs!r}")
    return list(columns.items())
