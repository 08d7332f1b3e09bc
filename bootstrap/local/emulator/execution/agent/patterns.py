"""Ant's file patterns, which builds use to select files."""

from __future__ import annotations

import os
import re
from pathlib import Path

DEFAULT_EXCLUDES = {".git", ".svn", ".hg", ".DS_Store"}


def compile_glob(pattern: str) -> re.Pattern[str]:
    """An Ant file pattern as a regular expression over paths with slashes."""
    pattern = pattern.strip().removeprefix("./")
    if pattern.endswith("/"):
        pattern += "**"
    expression = ""
    index = 0
    while index < len(pattern):
        if pattern.startswith("**/", index):
            expression, index = expression + "(?:[^/]+/)*", index + 3
        elif pattern.startswith("**", index):
            expression, index = expression + ".*", index + 2
        else:
            letter = pattern[index]
            expression += {"*": "[^/]*", "?": "[^/]"}.get(letter, re.escape(letter))
            index += 1
    return re.compile(expression + r"\Z")


def select(workspace: Path, includes: str, excludes: str = "") -> list[str]:
    """Paths of files that match comma-separated Ant patterns, relative to the workspace."""
    wanted = [compile_glob(part) for part in includes.split(",") if part.strip()]
    unwanted = [compile_glob(part) for part in excludes.split(",") if part.strip()]
    selected = []
    for path in sorted(workspace.rglob("*")):
        relative = path.relative_to(workspace)
        # Not by the path itself, which raises where a link leads to what this user may not see.
        if not os.path.isfile(path) or DEFAULT_EXCLUDES & set(relative.parts):  # noqa: PTH113
            continue
        name = relative.as_posix()
        if any(pattern.match(name) for pattern in wanted) and not any(pattern.match(name) for pattern in unwanted):
            selected.append(name)
    return selected
