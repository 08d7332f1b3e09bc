"""The rooms of the emulator import one way, and nothing of the project outside: it is shipped alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

EMULATOR = Path(__file__).resolve().parents[4] / "bootstrap" / "local" / "emulator"
# From the top to the bottom: a room imports from its own and from those that follow.
ROOMS = (
    *("__main__", "supervisor", "web", "command_line", "controller", "steps", "execution", "casc", "model"),
    *("journal", "options", "failures"),
)


def read_imports() -> Iterator[tuple[str, str]]:
    """The pairs of rooms of which the first imports the second; '' is a room outside."""
    for path in EMULATOR.rglob("*.py"):
        parts = path.relative_to(EMULATOR).with_suffix("").parts
        base = parts[:-1]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                source = (*base[: len(base) - node.level + 1], *(node.module.split(".") if node.module else ()))
                outside = node.level > len(base) + 1
                for alias in node.names:
                    yield parts[0], "" if outside else (*source, alias.name)[0]
            elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("bootstrap"):
                yield parts[0], ""


def test_rooms_import_downward_only() -> None:
    wrong = {
        (importer, imported)
        for importer, imported in read_imports()
        if importer != "__init__" and (not imported or ROOMS.index(imported) < ROOMS.index(importer))
    }

    assert set() == wrong


def test_what_keeps_and_what_configures_knows_nothing_that_runs() -> None:
    imported = {below for room, below in read_imports() if room in {"model", "casc"}}

    assert {"model", "casc", "options", "failures"} >= imported


def test_no_import_is_hidden_from_running_code() -> None:
    hidden = [str(path) for path in EMULATOR.rglob("*.py") if "TYPE_CHECKING" in path.read_text(encoding="utf-8")]

    assert [] == hidden
