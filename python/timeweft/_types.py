"""Types of nodes and edges by their names and numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from .errors import UnknownError

Triple: TypeAlias = tuple[str, str, str]
"""A type of edges: source type, relation, destination type."""


def edge_type_numbers(known: list[Triple], wanted: Iterable[str | Triple] | None, name: str) -> list[int]:
    """Numbers of the edge types that are wanted, ascending: each is a relation, which may be of several types, or a triple.
    `None` means all. Raises `UnknownError`, which names the argument.
    """
    if wanted is None:
        return list(range(len(known)))
    if isinstance(wanted, str):
        wanted = [wanted]
    found: set[int] = set()
    for one in wanted:
        own = [at for at, triple in enumerate(known) if one in (triple[1], triple)]
        if not own:
            raise UnknownError(f"{name}: the graph has no edges {one!r}, it has {known}")
        found.update(own)
    return sorted(found)


def reverse_names(triples: list[Triple]) -> list[Triple]:
    """What edges of each type are called when they are followed from source to destination: a message goes from the
    destination to the source then. As PyTorch Geometric's `ToUndirected` names them: `("item", "rev_buys", "user")`.
    """
    names: list[Triple] = []
    for source, relation, destination in triples:
        reverse = f"rev_{relation}"
        while (destination, reverse, source) in triples:
            reverse = f"rev_{reverse}"
        names.append((destination, reverse, source))
    return names
