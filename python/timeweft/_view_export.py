"""A view as graphs of other libraries."""

# Types are checked where PyTorch is not installed, too; PyTorch Geometric has few of its own.
# pyright: standard, reportMissingImports=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, cast

from ._extras import need
from ._types import Triple

if TYPE_CHECKING:
    import networkx as nx
    from torch_geometric.data import HeteroData, TemporalData

    from .view import View


class ViewExport:
    """The whole graph at the view's time, or all that happened until then."""

    def to_pyg(
        self,
        *,
        node_features: Mapping[str, Mapping[str, int]] | None = None,
        edge_features: Mapping[str | Triple, Mapping[str, int]] | None = None,
        relabel: bool = True,
    ) -> HeteroData:
        """The graph at the view's time as a `HeteroData` of PyTorch Geometric, with all its types, empty or not.

        | where | what |
        |---|---|
        | `data[type]` | `n_id (n,) int64`: dense numbers, ascending, for `view.ids`; `created (n,) int64`, in ticks; `x (n, F) float32`, if features are asked for |
        | `data[source, relation, destination]` | `edge_index (2, m) int64`; `e_id (m,) int64`: dense numbers of the edges; `time (m,) int64`: when each was created; `edge_attr (m, F) float32`, if features are asked for |

        With `deletes="soft"` both have `removed (n,) int64`, the largest int64 where there is no end.

        Args:
            node_features: Dense features and how wide each is: `{"user": {"taste": 16}}`. Shorter values have zeros behind
                them, missing ones are zeros.
            edge_features: The same by relation or triple.
            relabel: Whether `edge_index` holds positions in `n_id`, as PyTorch Geometric wants it, or dense numbers.

        Raises `ImportError` where PyTorch Geometric is not installed, `UnknownError`, `FeatureKindError`, `ValueError`.

        >>> data = view.to_pyg(node_features={"user": {"taste": 16}})
        """
        need("torch", "pyg")
        need("torch_geometric", "pyg")
        from ._to_pyg import to_pyg

        return to_pyg(cast("View", self), node_features, edge_features, relabel)

    def to_temporal_data(
        self,
        relations: str | Sequence[str | Triple] | None = None,
        *,
        msg: Mapping[str, int] | None = None,
        actions: Literal["create", "all"] = "create",
    ) -> TemporalData:
        """Events of edges up to the view's time, in order of time, as a `TemporalData` of PyTorch Geometric: `src`, `dst`
        and `t (m,) int64`, dense numbers and ticks; `msg (m, F) float32`; and `e_id (m,) int64`, which edge it is.

        With `actions="all"` there are updates and deletes, too, and `action (m,) int64`: 0 create, 1 update, 2 delete. Where
        `relations` (names, triples, or all) are of several edge types, `relation (m,) int64` says by its place in the order
        of the schema which one an event is of. Edges that end when they begin have no events.

        `msg` gives features of edges and how wide each is, `{"stars": 1}`: as of the time of the event, when all events of
        that time have happened; zeros where there is nothing then, as at a delete. Without it `msg` is (m, 0).

        Raises `ImportError` where PyTorch Geometric is not installed, `UnknownError`, `FeatureKindError`, `ValueError`.

        >>> data = view.to_temporal_data("buys", msg={"stars": 1})
        """
        need("torch", "pyg")
        need("torch_geometric", "pyg")
        from ._to_pyg import to_temporal_data

        return to_temporal_data(cast("View", self), relations, msg, actions)

    def to_networkx(self) -> nx.MultiDiGraph[tuple[str, int | str]]:
        """The graph at the view's time as a `MultiDiGraph` of NetworkX, for graphs that fit into Python's objects.

        Nodes are `(type, id)` with the attributes `node` (the dense number), `created` and `removed` (ticks; `None`
        without an end), and their features. Edges have the key `relation`, or `(relation, key)` where the edge has one, and
        the attributes `relation`, `edge`, `created`, `removed`, and theirs. A feature that has the name of one of these
        attributes is left out. With `deletes="soft"` there is `deleted`, too.

        Raises `ImportError` where NetworkX is not installed.

        >>> nx.shortest_path(view.to_networkx(), ("user", "ann"), ("item", 1))
        """
        need("networkx")
        from ._to_networkx import to_networkx

        return to_networkx(cast("View", self))
