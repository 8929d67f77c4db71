"""Types of nodes, edges and features."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Features = Mapping[str, str]
"""The kind of each feature: `f64` (also `f32`, `f16`, `i8` to `i64`, `u8` to `u64`) for a number, `f64[]` for a list of
them, `text`, `category`, `bytes`, `json`, `sparse f32 of rank 2`."""
EdgeType = tuple[str, str, str]

_NUMBER = r"(f16|f32|f64|i8|i16|i32|i64|u8|u16|u32|u64)"


@dataclass(frozen=True)
class Schema:
    """The types of a graph, each with its features.

    >>> schema = tw.Schema({"user": {"age": "f64"}, "item": {}}, {("user", "buys", "item"): {"stars": "f32"}}, closed=True)
    >>> graph = tw.create("shop", unit="s", schema=schema)
    """

    node_types: Mapping[str, Features] = field(default_factory=dict[str, Features])
    """Features of each node type."""
    edge_types: Mapping[EdgeType, Features] = field(default_factory=dict[EdgeType, Features])
    """Features of each edge type: (source type, relation, destination type)."""
    merge_features: Features = field(default_factory=dict[str, str])
    """Features of merges."""
    closed: bool = False
    """Whether loads that bring other types or features are refused."""

    @property
    def features(self) -> dict[str | EdgeType, dict[str, str]]:
        """Features by node type and edge type, without those that have none."""
        owners: list[tuple[str | EdgeType, Features]] = [*self.node_types.items(), *self.edge_types.items()]
        return {owner: dict(features) for owner, features in owners if features}

    def __hash__(self) -> int:
        return hash((tuple(self.node_types), tuple(self.edge_types), self.closed))

    def __repr__(self) -> str:
        nodes = ", ".join(f"{name}{_listed(features)}" for name, features in self.node_types.items())
        edges = ", ".join(f"{_name(of)}{_listed(features)}" for of, features in self.edge_types.items())
        return f"Schema(nodes: {nodes or 'none'}; edges: {edges or 'none'}{'; closed' if self.closed else ''})"

    def _repr_html_(self) -> str:
        owners: list[tuple[str, Features]] = [*self.node_types.items()]
        owners += [(_name(of), features) for of, features in self.edge_types.items()]
        row = "<tr><td>{}</td><td>{}</td></tr>"
        rows = (row.format(html.escape(name), html.escape(_listed(features)[1:-1])) for name, features in owners)
        return f"<table><thead><tr><th>type</th><th>features</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _name(of: EdgeType) -> str:
    return f"{of[0]} -{of[1]}-> {of[2]}"


def _listed(features: Features) -> str:
    return f"({', '.join(f'{name}: {kind}' for name, kind in features.items())})" if features else ""


def to_json(schema: Schema, unit: str) -> str:
    """A schema as the library reads it. Raises `ValueError`, which names the type or feature that is wrong."""
    numbers = {name: at for at, name in enumerate(schema.node_types)}
    edges: list[dict[str, Any]] = []
    for of, features in schema.edge_types.items():
        if len(of) != 3 or of[0] not in numbers or of[2] not in numbers:
            raise ValueError(f"schema: the edge type {of!r} is no (source type, relation, destination type) of node_types")
        ends = {"source": numbers[of[0]], "relation": of[1], "destination": numbers[of[2]]}
        edges.append({**ends, "features": _kinds(features, _name(of))})
    nodes = [{"name": name, "features": _kinds(features, name)} for name, features in schema.node_types.items()]
    merges = _kinds(schema.merge_features, "merges")
    return json.dumps(
        {"unit": unit, "closed": schema.closed, "node_types": nodes, "edge_types": edges, "merge_features": merges}
    )


def _kinds(features: Features, owner: str) -> list[dict[str, Any]]:
    return [{"name": name, **_kind(kind, f"{owner}, feature {name!r}")} for name, kind in features.items()]


def _kind(kind: str, what: str) -> dict[str, Any]:
    if kind in ("text", "category", "bytes", "json"):
        return {"kind": kind}
    if dense := re.fullmatch(_NUMBER + r"(\[\])?", kind):
        return {"kind": "dense", "dtype": dense[1], "scalar": dense[2] is None}
    if sparse := re.fullmatch(rf"sparse {_NUMBER} of rank (\d+)", kind):
        return {"kind": "sparse", "dtype": sparse[1], "rank": int(sparse[2])}
    raise ValueError(f"schema: {what}: {kind!r} is no kind: give f64 or another number, f64[], text, category, bytes, json")


def of_json(text: str) -> Schema:
    """A schema as the library writes it."""
    told = json.loads(text)
    names = [of["name"] for of in told["node_types"]]
    edges = {
        (names[of["source"]], of["relation"], names[of["destination"]]): _read(of["features"])
        for of in told["edge_types"]
    }
    nodes = {of["name"]: _read(of["features"]) for of in told["node_types"]}
    return Schema(nodes, edges, _read(told["merge_features"]), told["closed"])


def _read(features: list[dict[str, Any]]) -> dict[str, str]:
    return {of["name"]: _read_kind(of) for of in features}


def _read_kind(of: dict[str, Any]) -> str:
    if of["kind"] == "dense":
        return of["dtype"] if of["scalar"] else f"{of['dtype']}[]"
    if of["kind"] == "sparse":
        return f"sparse {of['dtype']} of rank {of['rank']}"
    return of["kind"]
