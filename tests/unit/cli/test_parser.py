"""The command line: its help, its exit codes, and failures without a traceback."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap.cli import parser
from bootstrap.cli.commands import find_commands

ROOT = Path(__file__).resolve().parents[3]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bootstrap", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_help_shows_every_command_and_examples() -> None:
    shown = run("--help")

    assert 0 == shown.returncode
    assert [] == [name for name in find_commands() if f"    {name} " not in shown.stdout]
    assert "examples:" in shown.stdout


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from bootstrap.cli import parser; parser.build_parser().format_help(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True).stdout.split()

    assert [] == [name for name in ("boto3", "pydantic", "rich", "moto", "fabric", "jenkins") if name in loaded]


@pytest.mark.parametrize(
    ("given", "environment", "toxs"),
    [
        (["test"], "local", []),
        (["test", "-e", "unit"], "local", ["-e", "unit"]),
        (["test", "--", "-e", "unit"], "local", ["-e", "unit"]),
        (["--yes", "-e", "test", "test", "-e", "unit", "--", "-k", "x"], "test", ["-e", "unit", "--", "-k", "x"]),
    ],
)
def test_what_follows_test_is_toxs(given: list[str], environment: str, toxs: list[str]) -> None:
    parsed = parser.parse(given)

    assert ("test", environment, toxs) == (parsed.command, parsed.environment, parsed.tox)


def test_an_unknown_command_is_a_usage_error() -> None:
    assert 2 == run("lunch").returncode


def test_an_unknown_environment_is_told_without_a_traceback() -> None:
    shown = run("-e", "nowhere", "status")

    assert 2 == shown.returncode
    assert "SettingsInvalid" in shown.stderr
    assert "there are: aws, local" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_a_broken_environment_file_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "trial.yaml"
    path.write_text("environment: trial\ncloud: lokal\nowner: a\ncost_center: b\n")

    shown = run("-e", str(path), "launch")

    assert 2 == shown.returncode
    assert f"{path}:2:8: cloud: Input should be 'local' or 'aws', not 'lokal'" in shown.stderr


def test_a_command_on_what_was_never_launched_names_the_launch(tmp_path: Path) -> None:
    path = tmp_path / "never.yaml"
    path.write_text("environment: never\ncloud: local\nowner: a\ncost_center: b\nnetwork:\n  cidr: 10.99.0.0/16\n")

    shown = run("-e", str(path), "status")

    assert 1 == shown.returncode
    assert "StackMissing" in shown.stderr
    assert "launch" in shown.stderr


@pytest.mark.parametrize("command", find_commands())
def test_each_command_has_help_of_its_own(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parser.build_parser().parse_args([command, "--help"])

    assert 0 == left.value.code
    assert find_commands()[command].summary[1:] in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("command", ["", *find_commands()])
def test_every_help_ends_with_examples_that_the_command_line_takes(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parser.build_parser().parse_args([command, "--help"] if command else ["--help"])
    shown = capsys.readouterr().out.split("examples:\n")[1].splitlines()

    examples = find_commands()[command].examples if command else parser.EXAMPLES
    assert [typed for typed, _ in examples] == [line.removeprefix("  ./bootstrap.py ").split("  ")[0] for line in shown]
    for typed, _ in examples:
        options = parser.parse(shlex.split(typed.split(" > ")[0]))
        assert command in {"", options.command}


def test_a_protected_environment_is_not_destroyed_without_saying_so(tmp_path: Path) -> None:
    path = tmp_path / "guarded.yaml"
    path.write_text("environment: guarded\ncloud: aws\nowner: a\ncost_center: b\nprotect: true\n")

    shown = run("-e", str(path), "destroy")

    assert 1 == shown.returncode
    assert "EnvironmentProtected" in shown.stderr
    assert "--unprotect" in shown.stderr


def test_doctor_tells_a_broken_environment_file_as_its_first_line(tmp_path: Path) -> None:
    path = tmp_path / "trial.yaml"
    path.write_text("environment: trial\ncloud: lokal\nowner: a\ncost_center: b\n")

    shown = run("-e", str(path), "--json", "doctor")

    assert 1 == shown.returncode
    assert '"name": "environment", "health": "failed"' in shown.stdout


def test_doctor_makes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "unborn.yaml"
    text = "environment: unborn\ncloud: local\nowner: a\ncost_center: b\nnetwork: {cidr: 10.98.0.0/16}\n"
    path.write_text(text + "jenkins: {source: emulator}\n")

    shown = run("-e", str(path), "doctor")

    assert "routes" in shown.stdout
    assert "a launch starts it" in shown.stdout
    assert not (ROOT / ".bootstrap" / "unborn").exists()


@pytest.mark.parametrize("given", [["--json", "-v", "plan"], ["plan", "--json", "-v"], ["--json", "plan", "-v"]])
def test_flags_may_stand_before_the_command_and_behind_it(given: list[str]) -> None:
    parsed = parser.parse(given)

    assert (True, True, False) == (parsed.json, parsed.verbose, parsed.yes)


def test_what_follows_ssh_is_the_commands_own() -> None:
    parsed = parser.parse(["--json", "ssh", "ls", "-v", "--json", "-y"])

    assert ["ls", "-v", "--json", "-y"] == parsed.remote
    assert (True, False, False) == (parsed.json, parsed.verbose, parsed.yes)


@pytest.mark.parametrize(
    ("cloud", "arguments", "words"),
    [
        ("aws", [], "sends its mail through localhost:25; the local cloud does not keep it"),
        ("local", ["7"], "there is no message 7"),
    ],
)
def test_mail_that_is_not_here_is_told(tmp_path: Path, cloud: str, arguments: list[str], words: str) -> None:
    (tmp_path / "trial.yaml").write_text(f"environment: trial\ncloud: {cloud}\nowner: a\ncost_center: b\n")

    found = run("-e", str(tmp_path / "trial.yaml"), "mail", *arguments)

    assert 2 == found.returncode
    assert words in found.stderr
    assert "Traceback" not in found.stderr


@pytest.mark.parametrize(
    ("cloud", "code", "words"),
    [("aws", 2, "'trial' is launched on AWS"), ("local", 1, "has none that this user may read")],
)
def test_keys_that_are_not_here_are_told(tmp_path: Path, cloud: str, code: int, words: str) -> None:
    (tmp_path / "trial.yaml").write_text(f"environment: trial\ncloud: {cloud}\nowner: a\ncost_center: b\n")

    found = run("-e", str(tmp_path / "trial.yaml"), "cloud", "credentials")

    assert code == found.returncode
    assert words in found.stderr
    assert "" == found.stdout
    assert "Traceback" not in found.stderr


def test_keys_are_lines_for_a_shell(tmp_path: Path) -> None:
    (tmp_path / "trial.yaml").write_text("environment: trial\ncloud: local\nowner: a\ncost_center: b\n")
    state = tmp_path / ".bootstrap" / "trial" / "cloud"
    state.mkdir(parents=True)
    (state / "port").write_text("4000")
    (state / "credentials").write_text("[default]\naws_access_key_id = AKIA\naws_secret_access_key = a-secret\n")
    told = subprocess.run(
        ["sh", "-c", f'eval "$({sys.executable} -m bootstrap -e {tmp_path}/trial.yaml cloud credentials)"; env'],
        cwd=ROOT,
        env={**os.environ, "BOOTSTRAP_ROOT": str(tmp_path), "AWS_PROFILE": "work"},
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    assert {
        "AWS_ENDPOINT_URL=http://127.0.0.1:4000",
        "AWS_ACCESS_KEY_ID=AKIA",
        "AWS_SECRET_ACCESS_KEY=a-secret",
    } <= set(told)
    assert [] == [line for line in told if line.startswith("AWS_PROFILE")]
