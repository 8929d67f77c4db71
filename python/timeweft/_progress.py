"""Progress of loads: a callable that hears of it, or a bar of tqdm."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeAlias

Hears: TypeAlias = Callable[[int, int, int | None], object]
"""Hears of records and bytes that were read, and of the size in bytes where that is known."""
Progress: TypeAlias = bool | Hears | None


@contextmanager
def hearing(progress: Progress, what: str) -> Generator[Hears | None, None, None]:
    """What hears of the progress. `True` draws a bar where tqdm is installed; `None` and `False` are silent."""
    if progress is None or progress is False:
        yield None
    elif progress is True:
        yield from _bar(what)
    elif callable(progress):
        yield progress
    else:
        raise TypeError(f"progress: expected True, False or a callable (records, bytes, size), not {type(progress).__name__}")


def _bar(what: str) -> Generator[Hears | None, None, None]:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        yield None
        return
    bar: Any = tqdm(desc=what, unit=" records", unit_scale=True)

    def hears(records: int, read: int, size: int | None) -> None:
        if size:
            bar.set_postfix_str(f"{min(read / size, 1):.0%}", refresh=False)
        if records < bar.n:  # What is not in order of time is read again.
            bar.reset()
        bar.update(records - bar.n)

    with bar:
        yield hears
