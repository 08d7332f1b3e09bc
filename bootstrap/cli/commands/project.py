"""`schema`, `lock` and `test`: about this checkout itself; they open no environment."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys

from bootstrap.cli.command import Command

_LOCKS = (
    ("pyproject.toml", "requirements.lock"),
    ("tests/policy/requirements.in", "tests/policy/requirements.lock"),
)

# Parts at once. The order in tox.ini lets at most two of them launch environments; more make their timing unreliable. The long
# suite has benchmarks, which measure best with few beside them.
_SIDE_BY_SIDE = {"all": "3", "quick": "3", "long": "2"}


def schema(options: argparse.Namespace) -> int:
    """Print the schema of environment files, or of account files, for editors."""
    from bootstrap.environment import account_file, settings
    from bootstrap.runs import terminal

    terminal.write(account_file.format_schema() if options.of == "account" else settings.format_schema())
    return 0


def _add_schema_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "of",
        nargs="?",
        choices=("environment", "account"),
        default="environment",
        help="which files: those in environments/ or in accounts/ (default: environment)",
    )


def lock(_: argparse.Namespace) -> int:
    """Resolve the locks anew; CommandFailed when one cannot be."""
    _refuse_project("lock")
    for source, target in _LOCKS:
        _resolve(source, target)
    return 0


def _refuse_project(command: str) -> None:
    """UsageError in a project: these commands are about the toolkit itself, whose pinned version stays as it is."""
    from bootstrap.errors import UsageError
    from bootstrap.projects import folders

    if folders.is_apart():
        remedy = "Call it in a clone of the toolkit, outside of every project."
        raise UsageError(
            f"calling '{command}'", f"it is about the toolkit, and this is the project {folders.PROJECT}", remedy
        )


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
        raise CommandFailed(f"resolving {target}", result, f"Is the package index reachable, and is {source} valid?")


def test(options: argparse.Namespace) -> int:
    """Run the tests: all, the quick ones, the long ones, or what is handed to tox; the exit code is tox's.

    What the tests need is installed first, but for a part that is named: it runs with what is there.
    """
    from bootstrap.cli import console
    from bootstrap.cli.junit_summary import read_outcomes, summarize
    from bootstrap.context import ROOT
    from bootstrap.local import prerequisites
    from bootstrap.runs import terminal
    from bootstrap.runs.journal import start
    from bootstrap.runs.state_folder import make_private

    _refuse_project("test")
    chosen = list(options.tox)
    suite = chosen.pop(0).removeprefix("--") if chosen[:1] in (["--quick"], ["--long"]) else "all"
    results = ROOT / ".bootstrap" / "tests" / "junit"
    shutil.rmtree(results, ignore_errors=True)
    environ = dict(os.environ, BOOTSTRAP_PYTHON=sys.executable)
    tox = [sys.executable, "-m", "tox"]
    if chosen:
        return subprocess.run([*tox, *chosen], cwd=ROOT, env=environ).returncode
    make_private(ROOT / ".bootstrap")
    run = start(ROOT / ".bootstrap" / "tests" / "runs", as_json=options.json, is_verbose=True)
    if suite != "quick":  # which needs no root, so that it installs nothing
        prerequisites.ensure(run, is_agreed=options.yes, ask=console.ask, for_tests=True)
    command = [*tox, "run-parallel", "-m", suite, "--parallel", _SIDE_BY_SIDE[suite], "--parallel-no-spinner"]
    done = subprocess.run(command, cwd=ROOT, env=environ)
    terminal.write(f"{summarize(read_outcomes(results))}\n")
    return done.returncode


def _add_test_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "tox",
        nargs=argparse.REMAINDER,
        help="--quick (lint, types, unit, templates), --long (long repetitions and benchmarks), or arguments for tox",
    )


COMMANDS = (
    Command(
        "schema",
        190,
        "print the JSON Schema of environment files",
        schema,
        (
            ("schema > environments/schema.json", "editors use it to complete keys"),
            ("schema account > accounts/schema.json", "the same for account files"),
        ),
        _add_schema_arguments,
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
            ("test --quick", "lint, types, unit tests and templates, in a few minutes"),
            ("test --long", "more random trials, every kill point, and benchmarks"),
            ("test -e unit -- -k drift", "one part, with arguments for pytest"),
        ),
        _add_test_arguments,
        passes_on=True,
    ),
)
