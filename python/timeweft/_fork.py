"""Forks: the first call of a child to a graph of its parent is a `ForkError`, and never hangs.

A child has none of the threads of its parent, so what hands work to them would wait forever.
"""

from __future__ import annotations

import os
import weakref
from typing import Any, NoReturn

from . import _core
from .errors import ForkError

MESSAGE = (
    "the process was forked after a graph was opened, and the child has none of its threads: use the start method "
    "`spawn` (multiprocessing.get_context('spawn')), or threads"
)

# By their addresses: views that are equal are two.
_holders: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()


def register(holder: Any) -> None:
    """Notes an object whose `_core` must not be asked in a child."""
    _holders[id(holder)] = holder


class _Forked:
    """In place of what a child must not ask."""

    def __getattr__(self, name: str) -> NoReturn:
        raise ForkError(MESSAGE)

    def close(self) -> None:
        """Leaves the graph of the parent as it is."""


def _after_fork_in_child() -> None:
    if _core.after_fork():
        for holder in list(_holders.values()):
            holder._core = _Forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
