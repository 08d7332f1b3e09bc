"""Bad input, case by case as data: refused by the real command line before anything is touched.

`tests/cases/bad-input/*.yaml` holds the cases. Each changes a whole checkout in one way, runs one command and says what must
come of it: the exit code, the place, the cause and the remedy. What holds of every case: no traceback, no lock taken, no cloud
started, no program run, no connection opened, and no file written but the run's own journal and page (and cfn-lint's memory).
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "cases" / "bad-input"
CASES = {
    f"{path.stem}: {case['case']}": case
    for path in sorted(FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text())
}
PARTS = ("casc", "cloudformation", "jobs", "environments", "jenkins.lock.yaml", "jenkins.needs.yaml", "prices.yaml")
TRIAL = """\
environment: trial
cloud: local
owner: someone
cost_center: lab
network: {cidr: 10.99.0.0/16}
jenkins: {source: emulator}
"""


@dataclass
class Entry:
    """The command line over a checkout of the tests' own."""

    checkout: Path
    process: "subprocess.Popen[str]"

    def run(self, *argv: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"argv": argv, "cwd": str(self.checkout)}) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def files(self) -> dict[str, tuple[int, int]]:
        """Every file with its size and its time of change, but for the runs and the memory of what was linted and rendered."""
        found = (path for path in self.checkout.rglob("*") if path.is_file() and ".git" not in path.parts)
        return {
            str(path.relative_to(self.checkout)): (path.stat().st_size, path.stat().st_mtime_ns)
            for path in found
            if not {"runs", "rendered", "linted.json"} & set(path.parts)
        }


def restore(checkout: Path) -> None:
    """The checkout as it was before a case."""
    for name in PARTS:
        at = checkout / name
        if at.is_dir():
            shutil.rmtree(at)
        else:
            at.unlink(missing_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, at)
    (checkout / "environments" / "trial.yaml").write_text(TRIAL)


@pytest.fixture(scope="module")
def entry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Entry]:
    checkout = tmp_path_factory.mktemp("checkout")
    subprocess.run(["git", "init", "--quiet", str(checkout)], check=True)
    (checkout / ".bootstrap").mkdir()
    remembered = ROOT / ".bootstrap" / "linted.json"
    if remembered.is_file():  # templates that are good are not linted again
        shutil.copy(remembered, checkout / ".bootstrap")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BOOTSTRAP_"))}
    environ |= {"BOOTSTRAP_ROOT": str(checkout), "PYTHONPATH": str(ROOT)}
    restore(checkout)
    command = [sys.executable, str(Path(__file__).with_name("refusing.py")), str(checkout)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ) as process:
        yield Entry(checkout, process)
        assert process.stdin is not None
        process.stdin.close()


def change(checkout: Path, case: dict[str, Any]) -> None:
    """Break the checkout in the way that the case says."""
    for name, text in case.get("files", {}).items():
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text(text, encoding=case.get("encoding", "utf-8"))
    for name, (old, new) in case.get("edits", {}).items():
        text = (checkout / name).read_text()
        assert text.count(old) >= 1, f"{name} has no '{old}' any more: the case must follow it"
        (checkout / name).write_text(text.replace(old, new, 1), encoding=case.get("encoding", "utf-8"))
    for name, more in case.get("appends", {}).items():
        (checkout / name).write_text((checkout / name).read_text() + more)
    for name, data in case.get("bytes", {}).items():
        (checkout / name).write_bytes(bytes.fromhex(data))
    for name, times in case.get("grows", {}).items():
        (checkout / name).write_text((checkout / name).read_text() + "# and so on\n" * times)
    for name in case.get("removes", ()):
        (checkout / name).unlink()
    for name in case.get("folders", ()):
        (checkout / name).unlink(missing_ok=True)
        (checkout / name).mkdir()


def edited(checkout: Path, case: dict[str, Any]) -> int:
    """The line in which the first edit of a case begins, or its first appended line: shipped files grow."""
    for name, (_, new) in case.get("edits", {}).items():
        text = (checkout / name).read_text(encoding=case.get("encoding", "utf-8"))
        return text.count("\n", 0, text.index(new)) + 1
    for name, more in case.get("appends", {}).items():
        return (checkout / name).read_text().removesuffix(more).count("\n") + 1
    return 0


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_refused_before_anything_is_touched(entry: Entry, name: str) -> None:
    case = CASES[name]
    restore(entry.checkout)
    change(entry.checkout, case)
    before = entry.files()

    found = entry.run(*case["command"])

    told = (found["err"] + found["out"]).replace(f"{entry.checkout}/", "")
    assert case["exit"] == found["code"], told
    assert [] == found["touched"]
    assert "Traceback" not in told
    assert before == entry.files()
    place = case.get("place", "").replace("{edit}", str(edited(entry.checkout, case)))
    for words in (place, case.get("cause", ""), case.get("remedy", "")):
        assert words in told, told
    if "usage:" not in told:
        assert "try " in told


def test_the_checkout_unbroken_would_go_on_to_the_cloud(entry: Entry) -> None:
    """The cases prove nothing where the command would not get anywhere anyway."""
    restore(entry.checkout)

    assert ["lock"] == entry.run("-e", "trial", "launch")["touched"]
    assert ["cloud for a plan"] == entry.run("-e", "trial", "plan")["touched"]


def test_there_are_enough_cases_and_each_says_what_it_expects() -> None:
    assert len(CASES) >= 90
    assert [] == [
        name for name, case in CASES.items() if not (case.get("cause") and "exit" in case and case["exit"] in {1, 2})
    ]
