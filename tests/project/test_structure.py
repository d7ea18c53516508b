"""The structure that docs/architecture.md describes: packages, imports, sizes and names."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parents[2]
ALLOWED = {
    "line_core": set[str](),
    "line_sandbox": {"line_core"},
    "line_webhook": {"line_core"},
    "tap_line": {"line_core"},
    "target_line": {"line_core"},
}
"""Packages, and the other packages that each may import."""
SANDBOX_USES = {
    *("line_core.api.path_templates", "line_core.api.rate_limit.table", "line_core.errors", "line_core.ids"),
    *("line_core.messages", "line_core.serving"),
}
"""The parts of line_core that the sandbox may import: it must not share the client's reading of LINE's answers."""
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_MODULES_IN_FOLDER = 13
MAX_SHARE_OF_LINE_CORE = 0.30


def name_of(path: Path) -> str:
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {name_of(path): path for package in ALLOWED for path in sorted((PROJECT / package).rglob("*.py"))}
TREES = {name: ast.parse(path.read_text()) for name, path in PATHS.items()}
MODULES = [name for name in PATHS if ".migrations." not in name]


def imported_by(module: str) -> set[str]:
    """The project's modules that a module imports, also for type checking and inside functions."""
    found: set[str] = set()
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                found.add(submodule if submodule in PATHS else node.module)
    return {name for name in found if name in PATHS} - {module}


def package_of(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_only_what_is_below_it(package: str) -> None:
    upward = {
        (module, imported)
        for module in MODULES
        if package_of(module) == package
        for imported in imported_by(module)
        if package_of(imported) not in {package, *ALLOWED[package]}
    }
    assert upward == set()


def test_the_sandbox_uses_few_parts_of_line_core() -> None:
    used = {
        imported
        for module in MODULES
        if package_of(module) == "line_sandbox"
        for imported in imported_by(module)
        if package_of(imported) == "line_core"
    }
    assert {name for name in used if not any(f"{name}.".startswith(f"{part}.") for part in SANDBOX_USES)} == set()


def test_no_modules_import_each_other_in_a_cycle() -> None:
    try:
        TopologicalSorter({module: imported_by(module) for module in MODULES}).prepare()
    except CycleError as error:
        pytest.fail(f"import cycle: {' → '.join(error.args[1])}")


@pytest.mark.parametrize("package", ALLOWED)
def test_no_folders_of_a_package_import_each_other_in_a_cycle(package: str) -> None:
    """A folder stands for all modules directly in it; modules at a package's top level stand for themselves."""

    def folder_of(module: str) -> str:
        parts = module.split(".")
        return ".".join(parts[:2]) if PATHS[module].parent.parent != PROJECT or len(parts) == 1 else module

    graph: dict[str, set[str]] = defaultdict(set)
    for module in MODULES:
        if package_of(module) == package:
            graph[folder_of(module)] |= {
                folder_of(imported) for imported in imported_by(module) if package_of(imported) == package
            }
    for folder, imported_folders in graph.items():
        imported_folders.discard(folder)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"folders import each other: {' → '.join(error.args[1])}")


def test_modules_are_short() -> None:
    lengths = {name: len(path.read_text().splitlines()) for name, path in PATHS.items() if name in MODULES}
    assert {name: length for name, length in lengths.items() if length > MAX_MODULE_LINES} == {}


def functions(module: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_functions_are_short() -> None:
    long = {
        f"{module}:{function.name}": length
        for module in MODULES
        for function in functions(module)
        if (length := (function.end_lineno or function.lineno) - function.lineno + 1) > MAX_FUNCTION_LINES
    }
    assert long == {}


def test_no_folder_has_many_modules() -> None:
    counts = Counter(PATHS[name].parent for name in MODULES if PATHS[name].name != "__init__.py")
    assert {str(folder): count for folder, count in counts.items() if count > MAX_MODULES_IN_FOLDER} == {}


def test_a_class_name_stands_for_one_thing() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for module in MODULES:
        for node in TREES[module].body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(module)
    assert {name: modules for name, modules in places.items() if len(modules) > 1} == {}


def test_line_core_is_the_smaller_part() -> None:
    lines = Counter[str]()
    for module, path in PATHS.items():
        lines[package_of(module)] += len(path.read_text().splitlines())
    assert lines["line_core"] <= MAX_SHARE_OF_LINE_CORE * lines.total()
