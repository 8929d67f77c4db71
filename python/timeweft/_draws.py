"""Random numbers that follow from what they are for, so that neither batches nor threads show in them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

_MASK = 2**64 - 1


def splitmix64(words: Words) -> Words:
    """One step of splitmix64 for each of an array (Steele, Lea, Flood 2014)."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def keyed(seed: int, *keys: NDArray[np.integer[Any]] | int) -> Words:
    """64 random bits for each position of the keys, which are broadcast to one shape: equal keys have equal bits."""
    words = splitmix64(np.array([seed & _MASK], np.uint64))
    for key in keys:
        own = np.array([key & _MASK], np.uint64) if isinstance(key, int) else key.astype(np.uint64)
        words = splitmix64(words ^ own)
    return words


def seed_of(seed: int, *keys: int) -> int:
    """A seed for something else: equal seeds and keys have equal ones."""
    return int(keyed(seed, *keys)[0])


def shuffled(n: int, seed: int) -> NDArray[np.int64]:
    """The numbers below `n` in random order, (n,) int64."""
    return np.argsort(keyed(seed, np.arange(n, dtype=np.uint64)), kind="stable")
