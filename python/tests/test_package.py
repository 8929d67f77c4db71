"""What the package promises before anything is opened."""

from __future__ import annotations

import importlib
import importlib.resources
import inspect
import pkgutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import timeweft as tw

ROOT = Path(__file__).resolve().parents[2]
# Their subjects are installed apart, by an extra.
OPTIONAL = {"timeweft.torch": "torch", "timeweft.pyg": "torch_geometric"}


def modules() -> list[str]:
    names = [f"timeweft.{module.name}" for module in pkgutil.iter_modules(tw.__path__)]
    return ["timeweft", *(name for name in names if not name.rsplit(".", 1)[1].startswith("_"))]


def loaded(name: str) -> object:
    if name in OPTIONAL:
        pytest.importorskip(OPTIONAL[name])
    return importlib.import_module(name)


def test_the_import_brings_numpy_and_nothing_else() -> None:
    others = ["torch", "torch_geometric", "pandas", "polars", "pyarrow", "networkx", "matplotlib", "tqdm", "IPython"]
    asked = f"import sys, timeweft; print([name for name in {others!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_version_is_that_of_the_rust_crates() -> None:
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
    assert tw.__version__ == manifest["workspace"]["package"]["version"]


def test_type_checkers_are_told_of_the_types() -> None:
    folder = importlib.resources.files("timeweft")
    assert (folder / "py.typed").is_file()
    assert (folder / "_core.pyi").is_file()


@pytest.mark.parametrize("name", modules())
def test_all_names_what_is_there_and_each_has_its_text(name: str) -> None:
    module = loaded(name)
    assert module.__doc__, f"{name} has no docstring"
    exported = getattr(module, "__all__", None)
    if exported is None:
        own = [key for key, value in vars(module).items() if getattr(value, "__module__", None) == name]
        exported = [key for key in own if not key.startswith("_")]
    for key in exported:
        value = getattr(module, key)
        if inspect.isclass(value) or inspect.isroutine(value) or inspect.ismodule(value):
            assert inspect.getdoc(value), f"{name}.{key} has no docstring"
        if inspect.isclass(value):
            without = [
                f"{name}.{key}.{member}"
                for member, found in inspect.getmembers(value)
                if not member.startswith("_") and (inspect.isroutine(found) or isinstance(found, property))
                # What Python itself brings, as of exceptions and arrays, has its own.
                if found.__doc__ is None and not inspect.isbuiltin(found)
            ]
            assert not without, f"no docstring: {without}"


def test_the_package_exports_in_order_and_only_what_is_there() -> None:
    public = [name for name in tw.__all__ if name != "__version__"]
    assert public == sorted(public), "__all__ is in the order of its names"
    assert all(hasattr(tw, name) for name in tw.__all__)


def test_each_error_is_one_of_ours_and_of_the_kind_that_others_catch() -> None:
    classes = [value for value in vars(tw.errors).values() if inspect.isclass(value) and value.__module__ == tw.errors.__name__]
    assert len(classes) >= 20
    assert all(issubclass(kind, tw.errors.Error) for kind in classes)
    for kind, other in [
        ("TimeError", ValueError),
        ("SampleError", ValueError),
        ("UnknownError", KeyError),
        ("ConfigError", ValueError),
        ("ForkError", RuntimeError),
        ("StoppedError", KeyboardInterrupt),
    ]:
        assert issubclass(getattr(tw.errors, kind), other)


def test_what_rust_gives_is_what_the_stubs_say() -> None:
    """`mypy.stubtest` says more where it is installed; names are looked at everywhere."""
    import ast

    from timeweft import _core

    stub = ast.parse((importlib.resources.files("timeweft") / "_core.pyi").read_text())
    told = {node.name: node for node in stub.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    there = {name for name in dir(_core) if not name.startswith("_")}
    assert there == {name for name in told if not name.startswith("_")}
    for name, node in told.items():
        if not isinstance(node, ast.ClassDef):
            continue
        members = {
            child.name if isinstance(child, ast.FunctionDef) else child.target.id  # type: ignore[union-attr]
            for child in node.body
            if isinstance(child, ast.FunctionDef | ast.AnnAssign)
        }
        found = {member for member in vars(getattr(_core, name)) if not member.startswith("__")}
        assert found == {member for member in members if not member.startswith("__")}, name
