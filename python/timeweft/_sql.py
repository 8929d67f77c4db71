"""Arguments of questions in SQL."""

from __future__ import annotations

from ._view_base import Deletes


def is_soft(deletes: Deletes) -> bool:
    """Whether what was deleted is shown. Raises `ValueError` for another word."""
    if deletes not in ("hard", "soft"):
        raise ValueError(f"deletes: expected 'hard' or 'soft', not {deletes!r}")
    return deletes == "soft"


def positive(limit: int | None) -> int | None:
    """How many rows at most. Raises `ValueError` for fewer than none."""
    if limit is not None and limit < 0:
        raise ValueError(f"limit: expected a number of rows from 0, not {limit}")
    return limit
