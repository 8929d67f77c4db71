"""Notebooks as they are kept: without outputs, with pictures and checks, each told of. `.ci/python` runs them."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def cells(path: Path, kind: str) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind]


def test_the_readme_of_the_folder_names_each() -> None:
    told = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert NOTEBOOKS
    assert [path.name for path in NOTEBOOKS if f"]({path.name})" not in told] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs_and_checks_itself(path: Path) -> None:
    code = cells(path, "code")
    assert [cell["id"] for cell in code if cell["outputs"] or cell["execution_count"] is not None] == []
    source = "\n".join("".join(cell["source"]) for cell in code)
    asserted = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assert)]
    assert len(asserted) >= 3, "a notebook checks some of its answers"
    assert source.count("plt.show()") >= 2, "a notebook shows pictures"
    told = cells(path, "markdown")
    assert "".join(told[0]["source"]).startswith("# ") and len(told) >= 5
