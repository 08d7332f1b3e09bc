"""The two folders that a command works with: the toolkit's, and the project's. Without a project they are the same.

The entry point (`bootstrap.py`) and the start script of a project hand both over as variables of the environment, so that
child processes (the acceptance suite) have the same ones.
"""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(os.environ.get("BOOTSTRAP_ROOT", Path(__file__).resolve().parents[2]))
"""The toolkit's folder: its code, its acceptance suite, its prices, and the lower layer of settings, jobs and templates."""

PROJECT = Path(os.environ.get("BOOTSTRAP_PROJECT") or ROOT)
"""The folder with the environments and the state, and the upper layer."""


def is_apart() -> bool:
    """Whether the project is a folder of its own, and not the toolkit's."""
    return PROJECT != ROOT


def find(name: str) -> Path:
    """A file by its path in the folders: the project's if it has one, else the toolkit's."""
    own = PROJECT / name
    return own if own.exists() else ROOT / name


def find_own_folder(name: str) -> Path | None:
    """The project's folder of that name, where the project is apart; it need not exist."""
    return PROJECT / name if is_apart() else None


def name_toolkit_path(name: str) -> str:
    """A path in the toolkit's folder as a path in the repository that the jobs check out."""
    return str(Path(os.path.relpath(ROOT, PROJECT)) / name) if is_apart() else name


def list_layered_files(folder: Path, own: Path | None, pattern: str = "*.y*ml") -> list[Path]:
    """The files of the toolkit's folder, then those of the project's; a file of the project takes the place of its namesake."""
    upper = sorted(own.glob(pattern)) if own is not None else []
    names = {path.name for path in upper}
    return [*(path for path in sorted(folder.glob(pattern)) if path.name not in names), *upper]
