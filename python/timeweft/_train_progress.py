"""Where a training stands, drawn or told."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

Tell = Callable[[dict[str, Any]], None]


@contextmanager
def following(progress: bool | Callable[[dict[str, Any]], object] | None) -> Generator[Tell | None, None, None]:
    """What a training tells its progress to, if anything."""
    if progress is None:
        progress = sys.stderr.isatty() or "ipykernel" in sys.modules
    if progress is False:
        yield None
    elif callable(progress):
        hears = progress

        def tell(said: dict[str, Any]) -> None:
            if said.pop("what") == "epoch":
                hears(said)

        yield tell
    elif progress is True:
        lines = _Lines()
        try:
            yield lines.tell
        finally:
            lines.close()
    else:
        raise TypeError(f"progress: expected True, False, None or a callable, not {progress!r}")


class _Lines:
    """A line an epoch: with tqdm, where it is installed, it moves."""

    def __init__(self) -> None:
        try:
            from tqdm.auto import tqdm  # type: ignore[import-untyped]
        except ImportError:
            tqdm = None
        self._tqdm: Any = tqdm
        self._bar: Any = None

    def tell(self, said: dict[str, Any]) -> None:
        if said["what"] == "training":
            self._move(said)
        elif said["what"] == "epoch":
            self._end(said)

    def _move(self, said: dict[str, Any]) -> None:
        if self._tqdm is None:
            return
        if self._bar is None:
            self._bar = self._tqdm(total=said["of"], desc=f"epoch {said['epoch']}/{said['epochs']}", unit="link")
        self._bar.set_postfix(loss=f"{said['loss']:.3f}", refresh=False)
        self._bar.update(said["done"] - self._bar.n)

    def _end(self, said: dict[str, Any]) -> None:
        figures = {key: f"{said[key]:.3f}" for key in ("loss", "mrr", "hits10")}
        if self._bar is not None:
            self._bar.set_postfix(figures, refresh=False)
            self._bar.update(self._bar.total - self._bar.n)
            self.close()
            return
        told = "  ".join(f"{key} {figure}" for key, figure in figures.items())
        print(f"epoch {said['epoch']}  {told}  {said['links_per_second']:.0f} links/s", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
