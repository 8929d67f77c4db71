"""Making batches ahead: by threads, or by processes."""

# Types are checked where PyTorch is not installed, too; PyTorch Geometric has few of its own.
# pyright: standard, reportMissingImports=false

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from ._fork import MESSAGE
from .errors import ForkError

T = TypeVar("T")


def by_threads(make: Callable[[int], T], count: int, threads: int) -> Iterator[T]:
    """What `make` gives for 0, 1, .., `count` - 1, in this order. Up to `threads` of the next are made meanwhile, each on a
    thread of its own. When the iteration ends, or is left, no thread stays.
    """
    if threads == 0:
        yield from map(make, range(count))
        return
    process = os.getpid()
    waiting: deque[Future[T]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="timeweft-loader")
    try:
        for number in range(count + threads):
            # A child that was forked has none of the threads, and would wait for them forever.
            _check_process(process)
            if number < count:
                waiting.append(pool.submit(make, number))
            if len(waiting) > threads or number >= count:
                if waiting:
                    yield waiting.popleft().result()
    finally:
        if os.getpid() == process:
            for future in waiting:
                future.cancel()
            pool.shutdown()


def _check_process(process: int) -> None:
    if os.getpid() != process:
        raise ForkError(MESSAGE)


class ByNumber:
    """Batches of an epoch by their numbers, as a data set for workers."""

    def __init__(self, make: Callable[[int, int], Any], epoch: int, count: int) -> None:
        self._make = make
        self._epoch = epoch
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Any:
        return self._make(self._epoch, number)


def as_it_is(batch: T) -> T:
    """Workers send batches as they are."""
    return batch


def by_workers(make: Callable[[int, int], Any], epoch: int, count: int, workers: int, ahead: int) -> Iterator[Any]:
    """The same by processes, which are started anew (`spawn`: a forked process must not use a graph). `make` is sent to
    them. Each makes `ahead` batches ahead. When the iteration ends, or is left, no process stays.
    """
    from torch.utils.data import DataLoader

    data: Any = ByNumber(make, epoch, count)
    batches: DataLoader[Any] = DataLoader(
        data,
        batch_size=None,
        collate_fn=as_it_is,
        num_workers=workers,
        multiprocessing_context="spawn",
        prefetch_factor=max(ahead, 1),
    )
    process = os.getpid()
    running = iter(batches)
    try:
        for _ in range(count):
            _check_process(process)
            yield next(running)
    finally:
        if os.getpid() == process:
            del running
