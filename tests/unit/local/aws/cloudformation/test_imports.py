"""The modules of the CloudFormation engine import each other in one direction, imports for type checkers included."""

from __future__ import annotations

import ast
import graphlib
from pathlib import Path

from bootstrap.local.aws import cloudformation

ROOT = Path(cloudformation.__file__).parent


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join((cloudformation.__name__, *(part for part in parts if part != "__init__")))


def imported(path: Path, modules: set[str]) -> set[str]:
    """The modules of the engine that a file imports, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively"
            submodules = {f"{node.module}.{alias.name}" for alias in node.names} & modules
            names |= submodules or {str(node.module)}
    return names & modules


def test_no_circle_of_imports() -> None:
    paths = {module_name(path): path for path in ROOT.rglob("*.py")}
    graph = {name: imported(path, set(paths)) - {name} for name, path in paths.items()}
    assert any(graph.values())
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError with the circle
