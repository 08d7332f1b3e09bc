"""The shell over SSH, against a server on the loopback that really runs what it is sent."""

import os
import pickle
import stat
import time
from pathlib import Path

import pytest
from sshd import FORMAT, Sshd, private_text

from bootstrap.errors import CommandFailed, Missing
from bootstrap.remote import shell as shell_module
from bootstrap.remote.shell import FabricShell
from bootstrap.values import Shell


def test_it_fulfils_the_protocol(shell: FabricShell) -> None:
    fulfilled: Shell = shell
    assert 0 == fulfilled.run(["true"]).exit_code


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("ed25519", FORMAT.OpenSSH),
        ("ed25519", FORMAT.PKCS8),
        ("rsa", FORMAT.TraditionalOpenSSL),
        ("rsa", FORMAT.OpenSSH),
        ("ecdsa", FORMAT.TraditionalOpenSSL),
    ],
)
def test_every_form_of_a_private_key_logs_in(sshd: Sshd, kind: str, form: FORMAT) -> None:
    shell = FabricShell(sshd.machine(private_text(kind, form)), patience=5)
    assert "hello\n" == shell.run(["echo", "hello"]).stdout
    shell.close()


def test_a_text_that_is_no_key_is_refused_without_showing_it(sshd: Sshd) -> None:
    with pytest.raises(Missing) as caught:
        FabricShell(sshd.machine("precious but no key"))
    assert "precious" not in str(caught.value)


def test_arguments_arrive_as_they_are(shell: FabricShell) -> None:
    arguments = ["a b", "$HOME", "`id`", "'", '"', "\\", "", "*", "ä", "line\nbreak", ";ls"]
    assert "".join(f"{it}|" for it in arguments) == shell.run(["printf", "%s|", *arguments]).stdout


def test_exit_code_output_and_error_output_come_back(shell: FabricShell) -> None:
    result = shell.run(["sh", "-c", "echo out; echo err >&2; exit 3"], check=False)
    assert (3, "out\n", "err\n") == (result.exit_code, result.stdout, result.stderr)


def test_a_failing_command_is_an_error_that_tells_its_last_lines(shell: FabricShell) -> None:
    with pytest.raises(CommandFailed) as caught:
        shell.run(["sh", "-c", "echo reason >&2; exit 4"])
    assert 4 == caught.value.result.exit_code
    assert "reason" in caught.value.found


def test_megabytes_go_both_ways_at_once(shell: FabricShell) -> None:
    data = os.urandom(1 << 20).hex().encode() * 2
    assert data.decode() == shell.run(["cat"], stdin=data).stdout


def test_a_command_that_reads_no_input_is_no_error(shell: FabricShell) -> None:
    assert "done\n" == shell.run(["echo", "done"], stdin=b"x" * (4 << 20)).stdout


def test_much_error_output_blocks_nothing(shell: FabricShell) -> None:
    result = shell.run(["sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' e >&2; echo out"])
    assert ("out\n", 3_000_000) == (result.stdout, len(result.stderr))


def test_each_line_is_heard_as_it_comes(shell: FabricShell) -> None:
    heard: list[tuple[str, float]] = []
    script = "echo one; sleep 1; echo two; printf three"
    done = shell.run(["sh", "-c", script], hear=lambda line: heard.append((line, time.monotonic())))
    assert ["one", "two"] == [line for line, _ in heard]
    assert heard[1][1] - heard[0][1] > 0.5
    assert "one\ntwo\nthree" == done.stdout


def test_a_command_that_takes_too_long_is_given_up_and_the_connection_goes_on(shell: FabricShell, sshd: Sshd) -> None:
    with pytest.raises(CommandFailed) as caught:
        shell.run(["sleep", "30"], check=False, timeout=0.3)
    assert 124 == caught.value.result.exit_code
    assert "still\n" == shell.run(["echo", "still"], timeout=5).stdout
    assert 1 == len(sshd.transports)


def test_root_is_asked_for_without_a_password(shell: FabricShell, sshd: Sshd) -> None:
    shell.run(["id", "-u"], sudo=True, check=False)
    assert ["sudo -n -- id -u"] == sshd.commands


def test_a_file_is_put_whole_with_its_mode_and_leaves_nothing_else(shell: FabricShell, tmp_path: Path) -> None:
    target = tmp_path / "a file"
    target.write_text("old")
    content = os.urandom(1 << 20)
    shell.put(content, str(target), 0o640)
    assert (content, 0o640) == (target.read_bytes(), stat.S_IMODE(target.stat().st_mode))
    assert [target] == list(tmp_path.iterdir())


def test_a_file_of_this_machine_is_put_by_its_path(shell: FabricShell, tmp_path: Path) -> None:
    (tmp_path / "here").write_text("content")
    shell.put(tmp_path / "here", str(tmp_path / "there"))
    assert ("content", 0o600) == ((tmp_path / "there").read_text(), stat.S_IMODE((tmp_path / "there").stat().st_mode))


def test_a_put_that_cannot_be_finished_leaves_the_old_file(shell: FabricShell, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(CommandFailed):
        shell.put(b"new", str(tmp_path / "there"))
    assert ["there"] == [path.name for path in tmp_path.iterdir()]


def test_the_key_shows_itself_nowhere(sshd: Sshd) -> None:
    machine = sshd.machine()
    line = private_text("ed25519").splitlines()[2]
    assert line not in repr(machine) + str(machine) + repr(pickle.dumps(machine))
    assert line not in repr(vars(FabricShell(machine)))


def test_only_this_module_knows_the_ssh_libraries() -> None:
    folder = Path(shell_module.__file__).parents[1]
    found = {
        path.name
        for path in folder.rglob("*.py")
        if any(
            line.startswith(("import paramiko", "from paramiko", "import fabric", "from fabric"))
            for line in path.read_text().splitlines()
        )
    }
    assert {"shell.py", "ordered_transport.py", "exec_channel.py", "private_key.py"} == found
