"""Loads of lives: nodes and edges with the times from when to when they are there."""

from __future__ import annotations

import json
import os
from typing import Any, TypedDict, Unpack

from . import _core
from ._frames import Frame
from ._progress import Progress, hearing
from ._tables import EdgesOf, TableOf, Tables, one_of, to_path
from .report import KEPT_REJECTS, Dangling, LoadReport


class IntervalOptions(TypedDict, total=False):
    """How files of intervals are written; all but `feature_types` of edge lists alone."""

    feature_types: os.PathLike[str] | str
    """Of `deepgnn`: a TOML file that tells what the bytes of each feature are."""
    temporal: bool
    """Lines have the columns created_at and removed_at."""
    created_at: int
    """When everything begins, in ticks; the column is not there."""
    removed_at: int
    """When everything ends, -1 for never; the column is not there."""
    delimiter: str
    """Character between cells, a comma if it is not given."""
    length_delimiter: str
    """Character between the numbers of values and of dimensions, `/` if it is not given."""
    binary_escape: str
    """Character before a delimiter that belongs to a text, a backslash if it is not given."""
    node_type: int
    """Type of all nodes; the column is not there."""
    node_weight: float
    """Weight of all nodes; the column is not there."""
    node_features: str
    """Types and lengths that node lines leave out, as in `float32:3,uint8:2/4,binary:1`."""
    edge_type: int
    """Type of all edges; the column is not there."""
    edge_weight: float
    """Weight of all edges; the column is not there."""
    edge_features: str
    """Types and lengths that edge lines leave out."""


class IntervalLoads:
    """Loads of intervals into a graph."""

    _core: _core.Graph

    def load_intervals(
        self,
        data: os.PathLike[str] | str | None = None,
        *,
        nodes: TableOf | None = None,
        edges: EdgesOf | None = None,
        format: str | None = None,
        source_type: str | None = None,
        destination_type: str | None = None,
        namespace: str = "intervals",
        dangling: Dangling | None = None,
        max_rejects: int | None = None,
        kept_rejects: int = KEPT_REJECTS,
        progress: Progress = None,
        **options: Unpack[IntervalOptions],
    ) -> LoadReport:
        """One commit of nodes and edges with lives, visible whole or not at all.

        `data` is a file (temporal JSON, an edge list, TSV) or a folder of DeepGNN; `format` (`json`, `edge-list`, `tsv`,
        `deepgnn`) and the options of [IntervalOptions][timeweft._load_intervals.IntervalOptions] are those of the command
        line.

        Or `nodes` and `edges` are tables: data frames, or files (Parquet, Arrow, CSV, JSON lines). Nodes have the columns `id`,
        `created`, `removed` and `type`, or are a dict of the table of each type. Edges have `source`, `destination`, `created`,
        `removed`, `relation`, `source_type`, `destination_type` and perhaps `key`, which tells parallel edges apart; or they are
        a dict by relation or by (source type, relation, destination type). `source_type` and `destination_type` are those of
        tables that have no such column. All other columns are features. A row holds in `[created, removed)`; where `removed` is
        empty, null or NaN, it holds for ever. Rows of one element are its lives where there are gaps between them, and changes
        of its features where there are none; two that hold at one time are rejected. An edge ends with its ends. Rows may
        stand in any order. Tables are read three times: what can be read only once (a stream, a relation of DuckDB) is held in
        memory.

        `dangling` is of tables: edges at missing nodes are left out (`drop`), create them (`stub`), or refuse the load
        (`reject`). Left out, it is `drop` where there are `nodes`, and else `stub`.

        Raises `NothingAcceptedError`, `TooManyRejectsError`, `DanglingError`, `SourceError`, `ValueError` for columns that
        are not there, and `StoppedError` after Ctrl-C: nothing is loaded then.

        >>> graph.load_intervals(nodes=users, edges=follows, source_type="user", destination_type="user")
        """
        common: dict[str, Any] = {
            "namespace": namespace,
            "version": None,
            "dangling": dangling,
            "max_rejects": max_rejects,
            "kept_rejects": kept_rejects,
        }
        if not one_of(data, {"nodes": nodes, "edges": edges}):
            given = {"dangling": dangling, "source_type": source_type, "destination_type": destination_type}
            for name, value in given.items():
                if value is not None:
                    raise ValueError(f"{name}: means something for tables (nodes=, edges=) alone: leave it out")
            path = to_path(data, "data")
            with hearing(progress, "load_intervals") as hears:
                return LoadReport(self._core.load_intervals(path, common, _of_files(format, options), hears))
        if format is not None or options:
            raise ValueError(f"{next(iter(options), 'format')}: means something for a file (data=) alone: leave it out")
        tables = Tables(source_type, destination_type)
        tables.nodes(nodes)
        tables.edges(edges)
        common["dangling"] = dangling or ("stub" if nodes is None else "drop")
        mapping = {"changes": {"format": "intervals"}, "nodes": tables.mapping["nodes"], "edges": tables.mapping["edges"]}
        with hearing(progress, "load_intervals") as hears:
            return LoadReport(self._core.load_changes(tables.sources, json.dumps(mapping), common, hears))


def _of_files(format: str | None, options: IntervalOptions) -> dict[str, Any]:
    known: dict[str, Any] = dict.fromkeys(IntervalOptions.__annotations__)
    unknown = next((name for name in options if name not in known), None)
    if unknown is not None:
        raise TypeError(f"load_intervals() got an unexpected keyword argument {unknown!r}: the options are {', '.join(known)}")
    for name in ("delimiter", "length_delimiter", "binary_escape"):
        value: Any = options.get(name)
        if value is not None and (not isinstance(value, str) or len(value) != 1):
            raise ValueError(f"{name}: expected one character, not {value!r}")
    types: Any = options.get("feature_types")
    paths = {} if types is None else {"feature_types": to_path(types, "feature_types")}
    return known | {"temporal": False} | dict(options) | paths | {"format": format}


__all__ = ["Frame", "IntervalLoads", "IntervalOptions"]
