"""Toolkits and projects as repositories of git, in folders of a test."""

import os
import re
import subprocess
import sys
from pathlib import Path

from bootstrap.projects import pin

ROOT = Path(__file__).resolve().parents[3]
ENTRY = """\
import os, sys
print("toolkit", "VERSION", "project", os.environ["BOOTSTRAP_PROJECT"], *sys.argv[1:])
"""


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@localhost"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(toolkit: Path, version: str) -> str:
    """A commit of a toolkit whose entry point says which version runs for which project."""
    (toolkit / "bootstrap" / "projects").mkdir(parents=True, exist_ok=True)
    (toolkit / "bootstrap" / "projects" / "__init__.py").touch()
    (toolkit / "bootstrap.py").write_text(ENTRY.replace("VERSION", version))
    (toolkit / "CHANGELOG.md").write_text(f"- news of {version}\n")
    git(toolkit, "add", ".")
    git(toolkit, "commit", "-qm", version)
    return git(toolkit, "rev-parse", "HEAD")


def run(script: Path, *arguments: str, cwd: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("BOOTSTRAP_")}
    command = [sys.executable, str(script), *arguments]
    return subprocess.run(
        command, cwd=cwd or script.parent, env=own | environ, capture_output=True, text=True, timeout=60
    )


def set_version(project: Path, version: str) -> None:
    """Change the one line that has the version."""
    text = (project / pin.NAME).read_text()
    (project / pin.NAME).write_text(re.sub(r"(?m)^version = .*$", f'version = "{version}"', text))
