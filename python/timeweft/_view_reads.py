"""What a view answers as tables and as single nodes and edges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from . import _core
from .table import Table

NodeId: TypeAlias = int | str
"""An id as its source gives it; `7` and `"7"` are one."""
FeatureNames: TypeAlias = Sequence[str] | Literal["all"]
"""Names of features, or all that elements of the shown types may have."""


def feature_names(features: FeatureNames) -> list[str] | None:
    """The names; `None` stands for all."""
    if features == "all":
        return None
    return [features] if isinstance(features, str) else list(features)


class ViewReads:
    """Tables of a view."""

    _core: _core.View
    _tick: int

    @property
    def _is_soft(self) -> bool:
        raise NotImplementedError

    def nodes(self, type: str | None = None, *, features: FeatureNames = ()) -> Table:
        """The nodes of a type, or all, by dense number.

        Columns: `node` (uint32, the dense number), `type`, `id`, `created`, `removed`; with `deletes="soft"` also
        `deleted`; then a column for each feature, null where a node has no value. Raises `UnknownError`.

        >>> view.nodes("user", features=["age"]).to_polars()
        """
        return Table(self._core.nodes(self._tick, self._is_soft, type, feature_names(features)))

    def edges(
        self, relation: str | tuple[str, str, str] | None = None, *, features: FeatureNames = ()
    ) -> Table:
        """The edges of a relation, of one edge type (source type, relation, destination type), or all.

        Columns: `edge`, `source`, `destination` (uint32, dense numbers), `source_type`, `source_id`, `relation`,
        `destination_type`, `destination_id`, `key`, `created`, `removed`; with `deletes="soft"` also `deleted`; then a
        column for each feature. Raises `UnknownError`.

        >>> view.edges("buys", features="all").to_pandas()
        """
        return Table(self._core.edges(self._tick, self._is_soft, relation, feature_names(features)))
