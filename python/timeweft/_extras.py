"""Packages that are only needed for a part of what this one does."""

from __future__ import annotations

import importlib
from types import ModuleType


def need(module: str, extra: str | None = None) -> ModuleType:
    """Imports a module of another package. Raises `ImportError`, which names what to install, where it is not there: an
    extra of this package, or the other one itself.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != package:
            raise  # The package is there, and lacks something itself.
        wanted = package if extra is None else f"'timeweft[{extra}]'"
        raise ImportError(f"{package} is not installed: pip install {wanted}", name=package) from error
