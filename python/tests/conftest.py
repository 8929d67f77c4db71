"""What all tests of the package share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test runs in a folder of its own, so that none leaves a graph behind."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def as_other_user(tmp_path: Path) -> None:
    """Leaves a test out where the rights of files are not looked at: root may write everywhere."""
    if os.name != "posix" or os.geteuid() == 0:
        pytest.skip("rights of files do not hold for root")
