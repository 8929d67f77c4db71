"""Loads of whole versions: what one does not list is deleted."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any, cast

from . import _core
from ._frames import Frame
from ._progress import Progress, hearing
from ._tables import EdgesOf, TableOf, Tables, one_of, to_path
from ._times import TimeLike, to_tick
from .report import KEPT_REJECTS, Dangling, LoadReport


class VersionLoads:
    """Loads of whole versions into a graph."""

    _core: _core.Graph

    def load_version(
        self,
        data: os.PathLike[str] | str | None = None,
        *,
        nodes: TableOf | None = None,
        edges: EdgesOf | None = None,
        merges: Frame | None = None,
        namespace: str | None = None,
        version: str | None = None,
        timestamp: TimeLike = None,
        release: TimeLike = None,
        format: str | None = None,
        source_type: str | None = None,
        destination_type: str | None = None,
        id_prefix: str | None = None,
        graph_id: str | None = None,
        root: os.PathLike[str] | str | None = None,
        dangling: Dangling = "reject",
        allow_empty: bool | Sequence[str] = False,
        add_fields: bool = False,
        end_foreign_edges: bool = False,
        back_dated: bool = False,
        max_rejects: int | None = None,
        kept_rejects: int = KEPT_REJECTS,
        dry_run: bool = False,
        progress: Progress = None,
    ) -> LoadReport:
        """Brings a namespace to a whole version, as one commit: what the version does not list is deleted at `timestamp`.

        `data` is a file or a folder: OBO, OBO Graphs JSON, an NCBI taxonomy dump, GTDB, SILVA, RDP, or a TOML file that maps
        tables, in whose `[version]` namespace, version and timestamp may stand instead. `format` names the format where the
        source does not tell it, `id_prefix` and `graph_id` choose among the terms and graphs of an ontology, and `root` is the
        folder of the files of a mapping.

        Or `nodes`, `edges` and `merges` are tables: data frames, or files (Parquet, Arrow, CSV, JSON lines). Nodes have `id`
        and `type`, or are a dict of the table of each type; edges have `source`, `destination`, `relation`, `source_type`,
        `destination_type` and perhaps `key`, or are a dict by relation or by (source type, relation, destination type);
        `source_type` and `destination_type` are those of tables that have no such column. Merges (the first node became the
        second) have `from`, `into` and `type`, or `from_type` and `into_type`. All other columns are features. Each table is
        read once, batch by batch: memory does not grow with a stream, and nothing is held.

        `dangling` says what becomes of edges at nodes that the version does not list: they refuse the load (`reject`), are
        left out (`drop`), or create the nodes (`stub`). `allow_empty` allows a version that lists nothing (`True`), or
        nothing of some types or relations (their names). `add_fields` takes in features that are new to the namespace, which
        are else only reported; those of tables always are taken in. `end_foreign_edges` ends edges of other namespaces at
        nodes that are gone, `back_dated` allows a version before others of its namespace. `dry_run` changes nothing, and the
        report (its `delta`) tells what the load would do.

        Raises `DanglingError`, `VersionTakenError`, `NothingAcceptedError`, `TooManyRejectsError` (each with `.report`, where
        there is one), `LoadError`, `SourceError`, `ValueError` for what is missing, and `StoppedError` after Ctrl-C: nothing is
        loaded then.

        >>> graph.load_version(nodes={"gene": genes}, edges={("gene", "part_of", "gene"): parts}, namespace="genes",
        ...                    version="2024-05", timestamp="2024-05-01")
        """
        common: dict[str, Any] = {
            "namespace": namespace,
            "version": version,
            "dangling": dangling,
            "max_rejects": max_rejects,
            "kept_rejects": kept_rejects,
        }
        unit = self._core.unit
        whole = allow_empty if isinstance(allow_empty, bool) else False
        of_version: dict[str, Any] = {
            "timestamp": None if timestamp is None else to_tick(timestamp, unit, "timestamp"),
            "release": None if release is None else to_tick(release, unit, "release"),
            "format": format,
            "id_prefix": id_prefix,
            "graph_id": graph_id,
            "root": None if root is None else to_path(root, "root"),
            "allow_empty": whole,
            "empty_types": [] if isinstance(allow_empty, bool) else _names(allow_empty),
            "add_fields": add_fields,
            "end_foreign_edges": end_foreign_edges,
            "back_dated": back_dated,
            "dry_run": dry_run,
        }
        if not one_of(data, {"nodes": nodes, "edges": edges, "merges": merges}):
            _nothing({"source_type": source_type, "destination_type": destination_type}, "tables (nodes=, edges=)")
            path = to_path(data, "data")
            with hearing(progress, "load_version") as hears:
                return LoadReport(self._core.load_version(path, common, of_version, hears))
        _nothing({"format": format, "id_prefix": id_prefix, "graph_id": graph_id, "root": root}, "a file (data=)")
        for name, value in {"namespace": namespace, "version": version, "timestamp": timestamp}.items():
            if value is None:
                raise ValueError(f"{name}: it is missing: a whole version needs it")
        tables = Tables(source_type, destination_type)
        tables.nodes(nodes)
        tables.edges(edges)
        tables.merges(merges)
        mapping = json.dumps(tables.mapping)
        with hearing(progress, "load_version") as hears:
            return LoadReport(self._core.load_version_tables(tables.sources, mapping, common, of_version, hears))


def _names(types: Any) -> list[str]:
    is_list = isinstance(types, Sequence) and not isinstance(types, (str, bytes))
    names = list(cast("Sequence[Any]", types)) if is_list else []
    if not names or not all(isinstance(name, str) for name in names):
        raise TypeError(f"allow_empty: expected True, False, or a list of names of types and relations, not {types!r}")
    return names


def _nothing(given: dict[str, Any], kind: str) -> None:
    for name, value in given.items():
        if value is not None:
            raise ValueError(f"{name}: means something for {kind} alone: leave it out")
