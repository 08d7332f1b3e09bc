"""The program on its way: one exec, only standard library, found again in whatever else the machine prints."""

import ast
import json
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from bootstrap.remote import program

FOLDER = Path(program.__file__).parent / "converge"
NOTHING = {"results": [], "missing": [], "notes": [], "not_reached": []}


def launched(
    tmp_path: Path, mode: str, resources: list[dict[str, object]]
) -> tuple[subprocess.CompletedProcess[bytes], str]:
    """The program run as the machine runs it, far from this project's own files."""
    stdin, marker = program.make_request(mode, resources, lock=f"{tmp_path}.lock")
    command = [sys.executable, *program.COMMAND[1:]]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=tmp_path, env={}), marker


def test_it_runs_from_standard_input_alone(tmp_path: Path) -> None:
    done, marker = launched(tmp_path, "check", [])
    assert (0, b"") == (done.returncode, done.stderr)
    assert NOTHING == program.parse_answer(done.stdout.decode(), marker)


def test_it_looks_at_resources_and_answers_for_each(tmp_path: Path) -> None:
    resource = {"id": "it", "kind": "file", "path": str(tmp_path / "it"), "content": "x"}
    done, marker = launched(tmp_path, "check", [resource])
    (result,) = program.parse_answer(done.stdout.decode(), marker)["results"]
    assert ("it", True, "add") == (result["id"], result["changed"], result["kind"])
    assert [] == list(tmp_path.iterdir())


def test_a_bug_on_the_machine_is_answered_without_any_content(tmp_path: Path) -> None:
    done, marker = launched(tmp_path, "check", [{"id": "it", "kind": "file", "content": "precious"}])
    crash = program.parse_answer(done.stdout.decode(), marker)["crash"]
    assert "KeyError: 'path'" in crash
    assert b"precious" not in done.stdout + done.stderr


def steps(output: str, marker: str) -> list[tuple[str, str]]:
    told = [program.parse_step(line, marker) for line in output.splitlines()]
    return [(state, result["id"]) for step in told if step for state, result in step.items()]


def test_each_step_is_told_as_it_begins_and_as_it_ends(tmp_path: Path) -> None:
    resources: list[dict[str, object]] = [
        {"id": name, "kind": "file", "path": str(tmp_path / name), "content": name} for name in "ab"
    ]
    done, marker = launched(tmp_path, "apply", resources)
    assert [("begun", "a"), ("done", "a"), ("begun", "b"), ("done", "b")] == steps(done.stdout.decode(), marker)
    assert [True, True] == [
        result["changed"] for result in program.parse_answer(done.stdout.decode(), marker)["results"]
    ]


def test_looking_tells_no_step(tmp_path: Path) -> None:
    done, marker = launched(
        tmp_path, "check", [{"id": "a", "kind": "file", "path": str(tmp_path / "a"), "content": ""}]
    )
    assert [] == steps(done.stdout.decode(), marker)


def test_a_walk_that_nobody_hears_ends_before_its_next_step(tmp_path: Path) -> None:
    wait = {"id": "wait", "kind": "command", "command": ["sleep", "1"], "unless": ["test", "-e", str(tmp_path / "x")]}
    resources = [{"id": name, "kind": "file", "path": str(tmp_path / name), "content": ""} for name in "ab"]
    stdin, _ = program.make_request("apply", [resources[0], wait, resources[1]], lock=f"{tmp_path}.lock")
    command = [sys.executable, *program.COMMAND[1:]]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=tmp_path) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(stdin)
        child.stdin.close()
        while b"begun" not in (line := child.stdout.readline()) or b"wait" not in line:
            assert line
        child.stdout.close()
    assert ["a"] == [path.name for path in tmp_path.iterdir()]


def test_noise_around_the_answer_changes_nothing() -> None:
    assert {"a": 1} == program.parse_answer('motd\n{"a": 2}\n---m---\n{"a": 1}\n', "---m---")


@pytest.mark.parametrize("output", ["", "noise", "\n---m---\n", "\n---m---\n[1]", '\n---other---\n{"a": 1}'])
def test_no_answer_is_told_as_such(output: str) -> None:
    with pytest.raises(program.NoAnswer):
        program.parse_answer(output, "---m---")


def test_the_marker_is_never_the_same() -> None:
    assert program.make_request("check", [])[1] != program.make_request("check", [])[1]


def test_the_request_says_what_to_do() -> None:
    stdin, marker = program.make_request("apply", [{"id": "a"}])
    length, _, rest = stdin.partition(b"\n")
    document = json.loads(zlib.decompress(rest[int(length) :]))
    assert {"mode": "apply", "marker": marker, "resources": [{"id": "a"}], "drain": {}} == document


def test_the_program_is_small_enough_for_a_far_connection() -> None:
    assert len(program.build_archive()) < 44_000


def test_on_the_machine_it_needs_the_standard_library_alone() -> None:
    imported = set()
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
    foreign = {name for name in imported if name.split(".")[0] not in sys.stdlib_module_names}
    assert {name for name in foreign if not name.startswith("bootstrap.remote.converge")} == set()
