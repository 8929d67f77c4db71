"""Sampled neighbourhoods as `HeteroData` of PyTorch Geometric."""

# Types are checked where PyTorch is not installed, too; PyTorch Geometric has few of its own.
# pyright: standard, reportMissingImports=false, reportAttributeAccessIssue=false

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import HeteroData

from ._dense import DenseFeatures
from ._hood import Hood
from ._times import FOREVER
from ._types import Triple

if TYPE_CHECKING:
    from .view import View


def tensor(array: NDArray[Any]) -> Tensor:
    """An array as a tensor: numbers of nodes and edges become int64, by which PyTorch indexes; others are not copied."""
    if array.dtype.kind in "iu" and array.dtype != np.int64:
        array = array.astype(np.int64)
    return torch.from_numpy(np.ascontiguousarray(array))


def ages(times: NDArray[np.int64], created: NDArray[np.int64]) -> NDArray[np.int64]:
    """How long before their times things were created, (n,) int64; at most the largest that there is."""
    exact = times.view(np.uint64) - created.view(np.uint64)
    return np.minimum(exact, np.uint64(FOREVER)).view(np.int64)


@dataclass(frozen=True)
class Assembly:
    """Which features the batches of a loader have, and whether roots share nodes."""

    view: View
    features: dict[str, DenseFeatures]
    edge_features: dict[Triple, DenseFeatures]
    joint: bool

    def data(self, hood: Hood) -> HeteroData:
        """The batch of a neighbourhood, without what belongs to its roots."""
        data = HeteroData()
        for node_type, own in hood.nodes.items():
            store = data[node_type]
            store.num_nodes = len(own.nodes)
            store.n_id = tensor(own.nodes)
            store.time = tensor(own.times)
            if not self.joint:
                store.batch = tensor(own.roots)
            known = self.features.get(node_type)
            if known is not None:
                store.x = tensor(known.read(self.view, own.nodes, own.times, before=True))
        for triple, edges in hood.edges.items():
            store = data[triple]
            asked = hood.nodes[triple[2]].times[edges.centers]
            ends = np.empty((2, len(edges.edges)), np.int64)
            ends[0], ends[1] = edges.neighbors, edges.centers
            store.edge_index = torch.from_numpy(ends)
            store.e_id = tensor(edges.edges)
            store.edge_time = tensor(edges.created)
            store.dt = tensor(ages(asked, edges.created))
            known = self.edge_features.get(edges.stored)
            if known is not None:
                store.edge_attr = tensor(known.read(self.view, edges.edges, asked, before=True))
        return data

    def of_links(self, stored: Triple, edges: NDArray[np.uint32], times: NDArray[np.int64]) -> Tensor | None:
        """What the links themselves carry from their own time on, (B, F) float32; `None` if no features of them are asked."""
        known = self.edge_features.get(stored)
        return None if known is None else tensor(known.read(self.view, edges, times, before=False))
