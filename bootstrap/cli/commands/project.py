"""`schema`, `lock` and `test`: about this checkout itself; they open no environment."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from bootstrap.cli.command import Command

_LOCKS = (
    ("pyproject.toml", "requirements.lock"),
    ("tests/policy/requirements.in", "tests/policy/requirements.lock"),
)


def schema(_: argparse.Namespace) -> int:
    """Print the schema of environment files, for editors."""
    from bootstrap.environment import settings

    sys.stdout.write(settings.schema())
    return 0


def lock(_: argparse.Namespace) -> int:
    """Resolve the locks anew; CommandFailed when one cannot be."""
    for source, target in _LOCKS:
        _resolve(source, target)
    return 0


def _resolve(source: str, target: str) -> None:
    """Write every version and hash that `source` comes to into `target`."""
    from bootstrap.context import ROOT
    from bootstrap.errors import CommandFailed
    from bootstrap.values import Result

    command = [sys.executable, "-m", "uv", "pip", "compile", source, "--universal", "--python-version", "3.11"]
    command += ["--generate-hashes", "--no-annotate", "--quiet", "--no-emit-index-url", "--upgrade"]
    command += ["--custom-compile-command", "./bootstrap.py lock", "--output-file", target]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        result = Result(" ".join(command[2:]), done.returncode, done.stdout, done.stderr)
        raise CommandFailed(f"resolving {target}", result, f"Is the package index reachable, and {source} whole?")


def test(options: argparse.Namespace) -> int:
    """Install what the tests need, then run tox; the exit code is tox's."""
    from bootstrap.cli import console
    from bootstrap.context import ROOT
    from bootstrap.local import prerequisites
    from bootstrap.runs.journal import start

    chosen = options.tox
    if not chosen:  # a part that needs nothing more is run anywhere
        run = start(ROOT / ".bootstrap" / "tests" / "runs", as_json=options.json, is_verbose=True)
        prerequisites.ensure(run, is_agreed=options.yes, ask=console.ask, for_tests=True)
    environ = dict(os.environ, BOOTSTRAP_PYTHON=sys.executable)
    return subprocess.run([sys.executable, "-m", "tox", *chosen], cwd=ROOT, env=environ).returncode


def _add_test_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tox", nargs=argparse.REMAINDER, help="what to hand to tox, e.g. -e unit")


COMMANDS = (
    Command(
        "schema",
        190,
        "print the JSON Schema of environment files",
        schema,
        (("schema > environments/schema.json", "editors complete keys by it"),),
    ),
    Command(
        "lock",
        200,
        "resolve requirements.lock again from pyproject.toml",
        lock,
        (("lock", "after a change of pyproject.toml"),),
    ),
    Command(
        "test",
        210,
        "run the project's tests through tox",
        test,
        (
            ("test", "lint, types and every test"),
            ("test -e unit -- -k drift", "a part of it, and what pytest takes"),
        ),
        _add_test_arguments,
        passes_on=True,
    ),
)
