"""The verify act: the acceptance suite says whether all of it, from the network to a build, is as it should be.

The suite runs in a process of its own, which opens the environment by itself: no secret is handed over, neither by argument
nor by variable. What comes back is its JUnit file, which is also what Jenkins' own verify job keeps; a check that does not hold
is a result, and only a suite that could not run is an error.
"""

from __future__ import annotations

import ast
import os
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from pathlib import Path

from bootstrap.errors import VerifyFailed
from bootstrap.values import Check, Reporter, Verdict

ENVIRONMENT_VARIABLE = "BOOTSTRAP_ENVIRONMENT_FILE"
"""How the suite learns which environment to look at."""

_SECONDS = 900
_RAN = {0, 1}  # pytest's exit codes of a suite that ran: all passed, some failed


def run(environment_file: Path, folder: Path, results: Path, report: Reporter, only: Sequence[str] = ()) -> Verdict:
    """Run the suite in `folder` on that environment; the JUnit file is left in `results`.

    `only` names groups (machine, tls, controller, aws), or has parts of the checks' names or sentences; a check that fits
    one of them runs.
    Raises VerifyFailed when the suite could not run at all.
    """
    sentences = _sentences(folder)
    chosen = _chosen(sentences, only)
    results.mkdir(parents=True, exist_ok=True)
    junit = results.resolve() / "verify.xml"
    junit.unlink(missing_ok=True)
    command = _command(folder.resolve(), junit, chosen)
    environ = os.environ | {
        ENVIRONMENT_VARIABLE: str(environment_file.resolve()),
        # The suite needs no plugin; looking for them costs a third of its start.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": "",
    }
    try:
        done = subprocess.run(
            command, cwd=folder.resolve().parents[1], env=environ, capture_output=True, text=True, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise _failed(f"it had not ended after {_SECONDS} s", error.stdout or b"") from error
    if done.returncode not in _RAN or not junit.is_file():
        raise _failed(f"pytest ended with {done.returncode}", done.stdout + done.stderr)
    verdict = Verdict(_checks(junit, sentences), junit)
    report.progress(f"{len(verdict.checks)} checks, {len(verdict.failed)} failed")
    return verdict


def checks(folder: Path) -> tuple[str, ...]:
    """What the suite in `folder` would look at, each as 'group: sentence'; one that runs over several things stands once."""
    return tuple(f"{file.removeprefix('test_')}: {said}" for (file, _), said in _sentences(folder).items())


def _chosen(sentences: Mapping[tuple[str, str], str], only: Sequence[str]) -> list[str]:
    """The checks that are asked for, as pytest names them; the whole suite where nothing is."""
    if not only:
        return [""]
    chosen = [
        f"{file}.py::{function}"
        for (file, function), sentence in sentences.items()
        if any(_fits(word.lower(), file, function, sentence.lower()) for word in only)
    ]
    if not chosen:
        groups = ", ".join(sorted({file.removeprefix("test_") for file, _ in sentences}))
        raise _failed(f"no check is called {' or '.join(only)}; the groups are: {groups}", "")
    return chosen


def _fits(word: str, file: str, function: str, sentence: str) -> bool:
    return bool(word) and (word == file.removeprefix("test_") or word in function or word in sentence)


def _command(folder: Path, junit: Path, chosen: Sequence[str]) -> list[str]:
    """pytest without a cache beside the suite, its modules found in the folder itself."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--quiet", "--color=no", "--tb=short"]
    # A difference is told whole: it is what the reader has to go by.
    command += ["-o", "verbosity_assertions=2"]
    command += ["--rootdir", str(folder.parents[1]), "--import-mode=importlib", "-o", "addopts="]
    command += ["-o", f"pythonpath={shlex.quote(str(folder.parents[1]))} {shlex.quote(str(folder))}"]
    command += ["-o", "junit_family=xunit1", f"--junitxml={junit}"]
    return [*command, *(str(folder / name) for name in chosen)]


def _sentences(folder: Path) -> dict[tuple[str, str], str]:
    """What each check says: (file's stem, function) to the first line of its docstring."""
    found = {}
    for path in sorted(folder.glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                said = (ast.get_docstring(node) or node.name.removeprefix("test_").replace("_", " ")).splitlines()[0]
                found[path.stem, node.name] = said.rstrip(".")
    return found


def _checks(junit: Path, sentences: Mapping[tuple[str, str], str]) -> tuple[Check, ...]:
    try:
        cases = ElementTree.parse(junit).getroot().iter("testcase")
        return tuple(_check(case, sentences) for case in cases)
    except (ElementTree.ParseError, ValueError) as error:
        raise _failed(f"its results in {junit} cannot be read: {error}", "") from error


def _check(case: ElementTree.Element, sentences: Mapping[tuple[str, str], str]) -> Check:
    file = case.get("classname", "").rsplit(".", 1)[-1]
    function, _, parameter = case.get("name", "").partition("[")
    sentence = sentences.get((file, function), function.removeprefix("test_").replace("_", " "))
    outcome, detail = "passed", ""
    for child in case:
        if child.tag in {"failure", "error", "skipped"}:
            outcome = {"failure": "failed"}.get(child.tag, child.tag)
            detail = _detail(child)
    return Check(
        name=f"{sentence}: {parameter.removesuffix(']')}" if parameter else sentence,
        outcome=outcome,
        seconds=float(case.get("time", "0")),
        detail=detail,
        group=file.removeprefix("test_"),
    )


def _detail(child: ElementTree.Element) -> str:
    """What was found instead: the lines that pytest marks with E, for the rest of its text shows the suite's own code."""
    lines = (child.text or "").splitlines()
    marked = [line[1:].strip() for line in lines if line.startswith("E  ")]
    return "\n".join(marked or [child.get("message") or "", *lines]).strip()


def _failed(found: str, output: str | bytes) -> VerifyFailed:
    text = output.decode(errors="replace") if isinstance(output, bytes) else output
    tail = "\n".join(text.strip().splitlines()[-15:])
    return VerifyFailed(
        "running the acceptance suite",
        f"{found}\n{tail}".strip(),
        "An error in the suite itself is no fault of the machine; run the suite directly to see more: "
        f"{ENVIRONMENT_VARIABLE}=FILE python -m pytest tests/acceptance",
    )
