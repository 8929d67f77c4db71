"""Dense features for tensors: as float32, whatever kind of number they are kept in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ._types import Triple, edge_type_numbers
from .errors import FeatureKindError, UnknownError

if TYPE_CHECKING:
    from .view import View

_DTYPES: dict[str, type[np.generic]] = {
    "u8": np.uint8, "u16": np.uint16, "u32": np.uint32, "u64": np.uint64,
    "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64,
    "f16": np.float16, "f32": np.float32, "f64": np.float64,
}  # fmt: skip


@dataclass(frozen=True)
class DenseFeatures:
    """Features of one type of nodes or edges, and how wide each is."""

    of: Literal["nodes", "edges"]
    parts: tuple[tuple[dict[str, int], type[np.generic] | None], ...]
    """Names and widths, by runs of one kind of number; `None` of what the type does not have."""
    width: int

    def read(
        self, view: View, owners: NDArray[np.uint32], times: NDArray[np.int64] | int, *, before: bool
    ) -> NDArray[np.float32]:
        """(n, width) float32; zeros where an owner has no value at its time."""
        read: list[NDArray[Any]] = []
        for names, dtype in self.parts:
            if dtype is None:
                read.append(np.zeros((len(owners), sum(names.values())), np.float32))
            else:
                read.append(view.features(owners, names, times, of=self.of, dtype=dtype, before=before))
        if len(read) == 1:
            return read[0].astype(np.float32, copy=False)
        return np.concatenate([part.astype(np.float32) for part in read], axis=1)


def node_features(view: View, wanted: Mapping[str, Mapping[str, int]] | None, name: str) -> dict[str, DenseFeatures]:
    """Features of nodes by their types. Raises `UnknownError`, `FeatureKindError`, `ValueError`, which name the argument."""
    known = view._types[0]
    found: dict[str, DenseFeatures] = {}
    for node_type, widths in (wanted or {}).items():
        if node_type not in known:
            raise UnknownError(f"{name}: the graph has no nodes {node_type!r}, it has {known}")
        kinds = view._core.feature_kinds(False, known.index(node_type))
        found[node_type] = _dense("nodes", kinds, widths, f"{name}[{node_type!r}]")
    return found


def edge_features(
    view: View, wanted: Mapping[Any, Mapping[str, int]] | None, name: str
) -> dict[Triple, DenseFeatures]:
    """Features of edges by their types; a relation stands for all types that have it. Raises as `node_features`."""
    known = view._types[1]
    found: dict[Triple, DenseFeatures] = {}
    for relation, widths in (wanted or {}).items():
        for number in edge_type_numbers(known, [relation], name):
            kinds = view._core.feature_kinds(True, number)
            found[known[number]] = _dense("edges", kinds, widths, f"{name}[{relation!r}]")
    return found


def shared_features(
    view: View, edge_types: Sequence[int], wanted: Mapping[str, int], name: str
) -> dict[int, DenseFeatures]:
    """Features that edges of several types share, by the numbers of the types: each must be one of some type. Raises as
    `node_features`.
    """
    of_type = {at: view._core.feature_kinds(True, at) for at in edge_types}
    known = {feature for kinds in of_type.values() for feature, _, _ in kinds}
    _check_known(wanted, known, name)
    return {at: _dense("edges", kinds, wanted, name, may_lack=True) for at, kinds in of_type.items()}


def _check_known(wanted: Mapping[str, int], known: Iterable[str], name: str) -> None:
    for feature in wanted:
        if feature not in known:
            raise UnknownError(f"{name}: there is no feature {feature!r}, there are {sorted(known)}")


def _dense(
    of: Literal["nodes", "edges"],
    kinds: list[tuple[str, str, str | None]],
    widths: Mapping[str, int],
    name: str,
    may_lack: bool = False,
) -> DenseFeatures:
    if not isinstance(widths, Mapping) or not widths:
        raise ValueError(f"{name}: expected features and how wide each is, as {{'taste': 16}}, not {widths!r}")
    known = {feature: (kind, dtype) for feature, kind, dtype in kinds}
    if not may_lack:
        _check_known(widths, known, name)
    parts: list[tuple[dict[str, int], type[np.generic] | None]] = []
    for feature, width in widths.items():
        kind, dtype = known.get(feature, ("", None))
        if feature in known and dtype is None:
            raise FeatureKindError(f"{name}: {feature!r} is {kind}, and only dense numbers become tensors")
        if isinstance(width, bool) or not isinstance(width, int) or width < 1:
            raise ValueError(f"{name}[{feature!r}]: expected how many numbers a value has (1 or more), not {width!r}")
        own = _DTYPES[dtype] if dtype else None
        if parts and parts[-1][1] is own:
            parts[-1][0][feature] = width
        else:
            parts.append(({feature: width}, own))
    return DenseFeatures(of, tuple(parts), sum(widths.values()))
