"""The verify act: runs the acceptance suite, which checks the environment from the network to a build.

The suite runs in a process of its own, which opens the environment by itself: no secret is passed to it, neither as an argument
nor as a variable. The result is its JUnit file, which the job 'verify' of Jenkins archives, too. A failed check is a result;
only a suite that could not run is an error.
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
"""The variable that tells the suite which environment to check."""

FOUND = "found"
"""The property in which a check records what it found, where that is more than that it holds."""

_SECONDS = 900
_RAN = {0, 1}  # pytest's exit codes of a suite that ran: all passed, some failed


def run(environment_file: Path, folder: Path, results: Path, report: Reporter, only: Sequence[str] = ()) -> Verdict:
    """Run the suite in `folder` on an environment; the JUnit file is written to `results`.

    `only` has names of groups (machine, tls, controller, aws), or parts of the names or sentences of checks; a check that fits
    one of them runs. VerifyFailed if the suite could not run at all, or if no check fits.
    """
    sentences = _read_sentences(folder)
    chosen = _choose(sentences, only)
    results.mkdir(parents=True, exist_ok=True)
    junit = results.resolve() / "verify.xml"
    junit.unlink(missing_ok=True)
    command = _build_command(folder.resolve(), junit, chosen)
    environ = os.environ | {
        ENVIRONMENT_VARIABLE: str(environment_file.resolve()),
        # The suite needs no plugin; looking for them costs a third of its start.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": "",
    }
    try:
        completed = subprocess.run(
            command, cwd=folder.resolve().parents[1], env=environ, capture_output=True, text=True, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise _make_suite_failure(f"it had not ended after {_SECONDS} s", error.stdout or b"") from error
    if completed.returncode not in _RAN or not junit.is_file():
        raise _make_suite_failure(f"pytest ended with {completed.returncode}", completed.stdout + completed.stderr)
    verdict = Verdict(_read_checks(junit, sentences), junit)
    report.progress(f"{len(verdict.checks)} checks, {len(verdict.failed)} failed")
    return verdict


def list_checks(folder: Path) -> tuple[str, ...]:
    """The checks of the suite in `folder`, each as 'group: sentence'; a check with parameters is listed once."""
    return tuple(f"{file.removeprefix('test_')}: {sentence}" for (file, _), sentence in _read_sentences(folder).items())


def _choose(sentences: Mapping[tuple[str, str], str], only: Sequence[str]) -> list[str]:
    """The chosen checks as arguments of pytest, or the whole suite if `only` is empty; VerifyFailed if no check fits."""
    if not only:
        return [""]
    chosen = [
        f"{file}.py::{function}"
        for (file, function), sentence in sentences.items()
        if any(_fits(word.lower(), file, function, sentence.lower()) for word in only)
    ]
    if not chosen:
        groups = ", ".join(sorted({file.removeprefix("test_") for file, _ in sentences}))
        raise _make_suite_failure(f"no check is called {' or '.join(only)}; the groups are: {groups}", "")
    return chosen


def _fits(word: str, file: str, function: str, sentence: str) -> bool:
    return bool(word) and (word == file.removeprefix("test_") or word in function or word in sentence)


def _build_command(folder: Path, junit: Path, chosen: Sequence[str]) -> list[str]:
    """The command that runs pytest: without its cache, and with the folder of the suite as import path."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--quiet", "--color=no", "--tb=short"]
    # Differences are shown in full, because the reader has nothing else to find the cause.
    command += ["-o", "verbosity_assertions=2"]
    command += ["--rootdir", str(folder.parents[1]), "--import-mode=importlib", "-o", "addopts="]
    command += ["-o", f"pythonpath={shlex.quote(str(folder.parents[1]))} {shlex.quote(str(folder))}"]
    command += ["-o", "junit_family=xunit1", f"--junitxml={junit}"]
    return [*command, *(str(folder / name) for name in chosen)]


def _read_sentences(folder: Path) -> dict[tuple[str, str], str]:
    """The sentence of each check: (stem of the file, function) to the first line of its docstring."""
    sentences = {}
    for path in sorted(folder.glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                text = ast.get_docstring(node) or node.name.removeprefix("test_").replace("_", " ")
                sentences[path.stem, node.name] = text.splitlines()[0].rstrip(".")
    return sentences


def _read_checks(junit: Path, sentences: Mapping[tuple[str, str], str]) -> tuple[Check, ...]:
    try:
        cases = ElementTree.parse(junit).getroot().iter("testcase")
        return tuple(_read_check(case, sentences) for case in cases)
    except (ElementTree.ParseError, ValueError) as error:
        raise _make_suite_failure(f"its results in {junit} cannot be read: {error}", "") from error


def _read_check(case: ElementTree.Element, sentences: Mapping[tuple[str, str], str]) -> Check:
    file = case.get("classname", "").rsplit(".", 1)[-1]
    function, _, parameter = case.get("name", "").partition("[")
    sentence = sentences.get((file, function), function.removeprefix("test_").replace("_", " "))
    outcome, detail = "passed", _read_property(case, FOUND)
    for child in case:
        if child.tag in {"failure", "error", "skipped"}:
            outcome = {"failure": "failed"}.get(child.tag, child.tag)
            detail = _read_detail(child)
    return Check(
        name=f"{sentence}: {parameter.removesuffix(']')}" if parameter else sentence,
        outcome=outcome,
        seconds=float(case.get("time", "0")),
        detail=detail,
        group=file.removeprefix("test_"),
    )


def _read_property(case: ElementTree.Element, name: str) -> str:
    """What a check recorded under a name with pytest's `record_property`; '' if nothing."""
    values = (each.get("value", "") for each in case.iterfind("properties/property") if each.get("name") == name)
    return next(values, "")


def _read_detail(child: ElementTree.Element) -> str:
    """What a check found: the lines that pytest marks with E; the rest of its text is code of the suite."""
    lines = (child.text or "").splitlines()
    marked = [line[1:].strip() for line in lines if line.startswith("E  ")]
    return "\n".join(marked or [child.get("message") or "", *lines]).strip()


def _make_suite_failure(message: str, output: str | bytes) -> VerifyFailed:
    text = output.decode(errors="replace") if isinstance(output, bytes) else output
    tail = "\n".join(text.strip().splitlines()[-15:])
    return VerifyFailed(
        "running the acceptance suite",
        f"{message}\n{tail}".strip(),
        "An error in the suite itself is not a fault of the machine; run the suite directly to see more: "
        f"{ENVIRONMENT_VARIABLE}=FILE python -m pytest tests/acceptance",
    )
