"""The few questions that a project asks git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from bootstrap import wording
from bootstrap.errors import BootstrapError, Missing

_OF_ANOTHER_REPOSITORY = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"}


def read_git(folder: Path, *arguments: str) -> str:
    """What git prints about the repository in a folder; '' where it refuses. Missing where there is no git."""
    done = _run(folder, arguments)
    return "" if done.returncode else done.stdout.strip()


def run_git(folder: Path, *arguments: str) -> None:
    """Let git change the repository in a folder; BootstrapError with its words where it refuses."""
    done = _run(folder, arguments)
    if done.returncode:
        raise BootstrapError(f"making the repository {folder}", done.stderr.strip(), "Correct this, then try again.")


def _run(folder: Path, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER_REPOSITORY}
    command = ["git", "-c", "safe.directory=*", *arguments]
    try:
        return subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, errors="replace")
    except FileNotFoundError as error:
        doing = f"looking into the repository {folder}"
        raise Missing(doing, "git is not installed", wording.advise_installation("git")) from error
