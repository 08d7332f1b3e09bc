"""The commands about this checkout itself, which open no environment: the schema, the locks, the project's own tests."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from bootstrap.cli import console
from bootstrap.context import ROOT
from bootstrap.environment import settings
from bootstrap.errors import CommandFailed
from bootstrap.runs.journal import start
from bootstrap.values import Result


def schema(_: argparse.Namespace) -> int:
    """The schema of environment files, for editors."""
    sys.stdout.write(settings.schema())
    return 0


def lock(_: argparse.Namespace) -> int:
    """Resolve the locks anew; CommandFailed where one cannot be."""
    for source, target in (
        ("pyproject.toml", "requirements.lock"),
        ("tests/policy/requirements.in", "tests/policy/requirements.lock"),
    ):
        _resolve(source, target)
    return 0


def _resolve(source: str, target: str) -> None:
    """Every version and hash that `source` comes to, into `target`."""
    command = [sys.executable, "-m", "uv", "pip", "compile", source, "--universal", "--python-version", "3.11"]
    command += ["--generate-hashes", "--no-annotate", "--quiet", "--no-emit-index-url", "--upgrade"]
    command += ["--custom-compile-command", "./bootstrap.py lock", "--output-file", target]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        result = Result(" ".join(command[2:]), done.returncode, done.stdout, done.stderr)
        raise CommandFailed(f"resolving {target}", result, f"Is the package index reachable, and {source} whole?")


def test(options: argparse.Namespace) -> int:
    """Run tox, after what the tests need was installed; its exit code."""
    from bootstrap.local import prerequisites

    chosen = options.tox
    if not chosen:  # a part that needs nothing more is run anywhere
        run = start(ROOT / ".bootstrap" / "tests" / "runs", as_json=options.json, is_verbose=True)
        prerequisites.ensure(run, is_agreed=options.yes, ask=console.ask, for_tests=True)
    environ = dict(os.environ, BOOTSTRAP_PYTHON=sys.executable)
    return subprocess.run([sys.executable, "-m", "tox", *chosen], cwd=ROOT, env=environ).returncode
