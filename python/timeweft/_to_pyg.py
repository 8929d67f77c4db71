"""Views as data of PyTorch Geometric."""

# Types are checked where PyTorch is not installed, too; PyTorch Geometric has few of its own.
# pyright: standard, reportMissingImports=false, reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch_geometric.data import HeteroData, TemporalData

from ._dense import edge_features as dense_of_edges
from ._dense import node_features as dense_of_nodes
from ._dense import shared_features
from ._hetero import tensor
from ._types import Triple, edge_type_numbers

if TYPE_CHECKING:
    from .view import View


def to_pyg(
    view: View,
    node_features: Mapping[str, Mapping[str, int]] | None,
    edge_features: Mapping[str | Triple, Mapping[str, int]] | None,
    relabel: bool,
) -> HeteroData:
    """The graph at the view's time."""
    of_nodes = dense_of_nodes(view, node_features, "node_features")
    of_edges = dense_of_edges(view, edge_features, "edge_features")
    data = HeteroData()
    places = _add_nodes(view, data, of_nodes)
    numbers, types, sources, destinations, created, removed = view._core.edge_columns(view._tick, view._is_soft)
    for at, triple in enumerate(view._types[1]):
        own = types == at
        store = data[triple]
        ends = np.empty((2, int(own.sum())), np.int64)
        ends[0], ends[1] = sources[own], destinations[own]
        store.edge_index = torch.from_numpy(places[ends] if relabel else ends)
        store.e_id = tensor(numbers[own])
        store.time = tensor(created[own])
        if view._is_soft:
            store.removed = tensor(removed[own])
        known = of_edges.get(triple)
        if known is not None:
            store.edge_attr = tensor(known.read(view, numbers[own], _now(view, own), before=False))
    return data


def _add_nodes(view: View, data: HeteroData, features: Mapping[str, Any]) -> NDArray[np.int64]:
    """Adds the nodes of each type; says where each dense number stands among those of its type."""
    numbers, types, created, removed = view._core.node_columns(view._tick, view._is_soft)
    places = np.full(int(numbers.max(initial=0)) + 1, -1, np.int64)
    for at, name in enumerate(view._types[0]):
        own = types == at
        places[numbers[own]] = np.arange(int(own.sum()))
        store = data[name]
        store.num_nodes = int(own.sum())
        store.n_id = tensor(numbers[own])
        store.created = tensor(created[own])
        if view._is_soft:
            store.removed = tensor(removed[own])
        known = features.get(name)
        if known is not None:
            store.x = tensor(known.read(view, numbers[own], _now(view, own), before=False))
    return places


def _now(view: View, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.full(int(rows.sum()), view._tick, np.int64)


def to_temporal_data(
    view: View, relations: str | Sequence[str | Triple] | None, msg: Mapping[str, int] | None, actions: str
) -> TemporalData:
    """Events of edges up to the view's time."""
    if actions not in ("create", "all"):
        raise ValueError(f"actions: expected 'create' or 'all', not {actions!r}")
    wanted = edge_type_numbers(view._types[1], relations, "relations")
    times, what, edges, types, sources, destinations = view._core.edge_events(wanted, view._tick)
    if actions == "create":
        rows = what == 0
        times, what, edges, types = times[rows], what[rows], edges[rows], types[rows]
        sources, destinations = sources[rows], destinations[rows]
    features = shared_features(view, wanted, msg, "msg") if msg else {}
    carried = np.zeros((len(times), sum(msg.values()) if msg else 0), np.float32)
    for at, known in features.items():
        rows = np.flatnonzero(types == at)
        carried[rows] = known.read(view, edges[rows], times[rows], before=False)
    data = TemporalData(
        src=tensor(sources), dst=tensor(destinations), t=tensor(times), msg=tensor(carried), e_id=tensor(edges)
    )
    if actions == "all":
        data.action = tensor(what)
    if len(wanted) > 1:
        data.relation = tensor(types)
    return data
