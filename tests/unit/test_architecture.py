"""How the packages may know of each other: downward only, vendors not at all, and pure where values are worked on."""

from __future__ import annotations

import ast
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import promptstore

SOURCE = Path(promptstore.__file__).parent
LAYERS = ("errors", "model", "merge", "store", "vendors", "sync", "daemon", "serve", "cli")
"""From the bottom up: each may import those before it."""

VENDORS = sorted(path.parent.name for path in SOURCE.glob("vendors/*/__init__.py") if "\nVENDOR = " in path.read_text())
PURE = ["model", "merge", *(f"vendors/{vendor}/lens" for vendor in VENDORS), "sync/planner"]
OUTSIDE = {"os", "io", "pathlib", "time", "random", "uuid", "secrets", "socket", "subprocess", "threading", "tempfile"}
OUTSIDE |= {"shutil", "sqlite3", "httpx", "git", "keyring", "watchdog", "asyncio", "platform"}
"""Modules by which a function could see or do more than its values say."""


@cache
def imported(file: Path) -> frozenset[str]:
    """The modules that a file imports, wherever in it, be it for types alone."""
    found: set[str] = set()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative imports hide the layer"
            found |= {_module_of(str(node.module), alias.name) for alias in node.names}
    return frozenset(found)


def _module_of(module: str, name: str) -> str:
    """What ``from module import name`` imports: a module of a package, or something in the module itself."""
    place = SOURCE.parent.joinpath(*module.split("."), name)
    return f"{module}.{name}" if place.is_dir() or place.with_suffix(".py").exists() else module


def files_of(path: str) -> list[Path]:
    place = SOURCE / path
    return sorted(place.rglob("*.py")) if place.is_dir() else [place if place.suffix else place.with_suffix(".py")]


def vendors_known_to(file: Path) -> set[str]:
    names = (name.split(".") for name in imported(file))
    return {parts[2] for parts in names if parts[:2] == ["promptstore", "vendors"] and len(parts) > 2} & {*VENDORS}


def test_there_is_something_to_look_at() -> None:
    assert {"basalt", "braintrust", "promptlayer"} <= {*VENDORS}
    assert all(files_of(path)[0].exists() for path in PURE)
    assert {path.name.removesuffix(".py") for path in SOURCE.iterdir() if path.name[0] not in "._p"} <= {*LAYERS}


@pytest.mark.parametrize("layer", [layer for layer in LAYERS if layer != "daemon" or (SOURCE / layer).exists()])
def test_imports_run_downward(layer: str) -> None:
    below = {*LAYERS[: LAYERS.index(layer) + 1]}
    for file in files_of(layer):
        tops = {name.split(".")[1] for name in imported(file) if name.startswith("promptstore.")}
        assert tops & {*LAYERS} <= below, f"{file.relative_to(SOURCE)} imports upward"


@pytest.mark.parametrize("vendor", VENDORS)
def test_no_vendor_knows_another(vendor: str) -> None:
    for file in files_of(f"vendors/{vendor}"):
        assert vendors_known_to(file) <= {vendor}, f"{file.relative_to(SOURCE)} imports another vendor"


def test_what_vendors_share_knows_none_of_them() -> None:
    for file in sorted(SOURCE.glob("vendors/*.py")):
        assert not vendors_known_to(file), f"{file.relative_to(SOURCE)} imports a vendor"


def test_nothing_outside_a_vendors_folder_imports_it() -> None:
    for layer in LAYERS:
        for file in files_of(layer) if (SOURCE / layer).exists() and layer != "vendors" else ():
            assert not vendors_known_to(file), f"{file.relative_to(SOURCE)} imports a vendor instead of asking for it"


@pytest.mark.parametrize("layer", ["model", "merge", "store", "vendors", "sync", "serve"])
def test_modules_of_a_layer_import_each_other_in_no_circle(layer: str) -> None:
    names = {_module(file): file for file in files_of(layer)}
    graph = {name: (imported(file) & names.keys()) - {name} for name, file in names.items()}
    tuple(TopologicalSorter(graph).static_order())  # raises CycleError, which shows the circle


def _module(file: Path) -> str:
    parts = file.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", PURE)
def test_pure_code_has_no_way_outside(path: str) -> None:
    for file in files_of(path):
        tops = {name.split(".")[0] for name in imported(file)}
        assert not tops & OUTSIDE, f"{file.relative_to(SOURCE)} can do more than its values say"


def test_the_outside_is_spelled_right() -> None:
    third_party = {"httpx", "git", "keyring", "watchdog"}
    assert OUTSIDE - third_party <= sys.stdlib_module_names
