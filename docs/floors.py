#!/usr/bin/env python3
"""Draws the floors of the package `bootstrap` with the imports that the code has, and counts them.

Usage: `python docs/floors.py` writes docs/floors.svg (graphviz' `dot` draws it) and prints the numbers of places, arrows,
upward arrows and import circles. A place is a package at most two levels below `bootstrap`, or a module beside them; a package
that holds nothing but packages is none. Every import counts, also those for type checkers alone and those inside of functions.

The table of floors is docs/floors.yaml; tests/unit/test_floors.py holds the code to it with the functions of this module.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
PACKAGE = "bootstrap"
TABLE = DOCS / "floors.yaml"
PICTURE = DOCS / "floors.svg"


@dataclass(frozen=True)
class Arrow:
    """One import: of a module by a module, both by their full names."""

    importer: str
    imported: str


def read_modules(root: Path = ROOT) -> dict[str, Path]:
    """Every module of the package by its full name; a package is its `__init__`."""
    found = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def read_arrows(modules: Mapping[str, Path]) -> set[Arrow]:
    """Every import of a module of the package by another one."""
    arrows = set()
    for name, path in modules.items():
        base = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
        for imported in _read_imports(ast.parse(path.read_text(encoding="utf-8")), base, modules):
            if imported != name:
                arrows.add(Arrow(name, imported))
    return arrows


def _read_imports(tree: ast.Module, base: Sequence[str], modules: Mapping[str, Path]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            above = list(base[: len(base) - node.level + 1]) if node.level else []
            source = ".".join([*above, *(node.module.split(".") if node.module else [])])
            for alias in node.names:
                if f"{source}.{alias.name}" in modules:
                    yield f"{source}.{alias.name}"
                elif source in modules:
                    yield source


def place_of(module: str, modules: Mapping[str, Path], depth: int = 2) -> str:
    """The package, at most `depth` levels below `bootstrap`, that the module is in; a module beside the packages is its own."""
    parts = module.split(".")[1:]
    for level in range(min(depth, len(parts)), 0, -1):
        name = ".".join([PACKAGE, *parts[:level]])
        if name in modules and modules[name].name == "__init__.py":
            return ".".join(parts[:level])
    return parts[0] if parts else PACKAGE


def find_circles(arrows: set[Arrow]) -> list[list[str]]:
    """The sets of modules that import each other in a circle (Tarjan's strongly connected components of two and more)."""
    following: dict[str, list[str]] = {}
    for arrow in sorted(arrows, key=lambda each: (each.importer, each.imported)):
        following.setdefault(arrow.importer, []).append(arrow.imported)
    search = _CircleSearch(following)
    for module in list(following):
        if module not in search.index:
            search.visit(module)
    return sorted(sorted(circle) for circle in search.circles)


class _CircleSearch:
    def __init__(self, following: Mapping[str, Sequence[str]]) -> None:
        self._following = following
        self.index: dict[str, int] = {}
        self._lowest: dict[str, int] = {}
        self._open: list[str] = []
        self.circles: list[list[str]] = []

    def visit(self, module: str) -> None:
        self.index[module] = self._lowest[module] = len(self.index)
        self._open.append(module)
        for imported in self._following.get(module, ()):
            if imported not in self.index:
                self.visit(imported)
                self._lowest[module] = min(self._lowest[module], self._lowest[imported])
            elif imported in self._open:
                self._lowest[module] = min(self._lowest[module], self.index[imported])
        if self._lowest[module] == self.index[module]:
            begin = self._open.index(module)
            circle, self._open[begin:] = self._open[begin:], []
            if len(circle) > 1:
                self.circles.append(circle)


def read_table(path: Path = TABLE) -> dict[str, Any]:
    """The table of floors: `floors` from the top, `private` packages with who may import them, `upward` exceptions."""
    table: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return table


def number_floors(table: Mapping[str, Any]) -> dict[str, int]:
    """The floor of each package of the table; 0 is the top."""
    return {name: number for number, floor in enumerate(table["floors"]) for name in floor["packages"]}


def find_upward(arrows: set[Arrow], modules: Mapping[str, Path], table: Mapping[str, Any]) -> set[tuple[str, str]]:
    """The pairs of places whose import does not lead to a lower floor, each as importer and imported."""
    floor = number_floors(table)
    found = set()
    for arrow in arrows:
        importer, imported = (place_of(each, modules) for each in (arrow.importer, arrow.imported))
        above, below = importer.split(".")[0], imported.split(".")[0]
        if above != below and below != PACKAGE and floor[below] <= floor[above]:
            found.add((importer, imported))
    return found


def count(root: Path = ROOT) -> dict[str, int]:
    """The numbers that tell how the code hangs together: places, arrows between them, upward ones, circles of modules."""
    modules = read_modules(root)
    arrows = read_arrows(modules)
    pairs = {(place_of(each.importer, modules), place_of(each.imported, modules)) for each in arrows}
    return {
        "places": len({place_of(name, modules) for name, path in modules.items() if _holds_code(path)}),
        "arrows": sum(importer != imported for importer, imported in pairs),
        "upward": len(find_upward(arrows, modules, read_table())),
        "circles": len(find_circles(arrows)),
    }


def _holds_code(path: Path) -> bool:
    """Whether a module has more than a docstring."""
    return len(ast.parse(path.read_text(encoding="utf-8")).body) > 1


def describe(root: Path = ROOT) -> str:
    """The picture in graphviz' language: a row for each floor, an arrow for each pair of packages, upward ones in red."""
    modules, table = read_modules(root), read_table()
    arrows = read_arrows(modules)
    upward = {tuple(each.split(".")[0] for each in pair) for pair in find_upward(arrows, modules, table)}
    pairs = {(place_of(each.importer, modules, 1), place_of(each.imported, modules, 1)) for each in arrows}
    lines = [
        "digraph floors {",
        '  graph [rankdir=TB, ranksep=0.35, nodesep=0.4, fontname="Helvetica"]',
        '  node [shape=box, style="rounded,filled", fillcolor="#eef3fb", color="#5b7db1", fontname="Helvetica", fontsize=12]',
        '  edge [color="#9aa7b8", arrowsize=0.6]',
    ]
    for number, floor in enumerate(table["floors"]):
        boxes = " ".join(f'"{name}"' for name in floor["packages"])
        lines.append(
            f'  {{rank=same; "floor {number}" [shape=plaintext, style="", label="{floor["holds"]}"]; {boxes}}}'
        )
        if number:
            lines.append(f'  "floor {number - 1}" -> "floor {number}" [style=invis]')
    for importer, imported in sorted(pairs):
        if importer != imported and PACKAGE not in (importer, imported):
            colour = ' [color="#c0392b", constraint=false]' if (importer, imported) in upward else ""
            lines.append(f'  "{importer}" -> "{imported}"{colour}')
    return "\n".join([*lines, "}", ""])


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the picture and print the numbers."""
    argparse.ArgumentParser(
        description="Draw docs/floors.svg from the imports in the code, and print the numbers."
    ).parse_args(arguments)
    drawn = subprocess.run(["dot", "-Tsvg"], input=describe(), capture_output=True, text=True, check=True)
    PICTURE.write_text(drawn.stdout, encoding="utf-8")
    numbers = count()
    sys.stdout.write(", ".join(f"{number} {name}" for name, number in numbers.items()) + f"; drawn in {PICTURE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
