"""The one door: what a program says, and what its failure becomes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bootstrap.errors import LocalCloudFailed, Missing
from bootstrap.local.machines.network import compute_gateway
from bootstrap.local.machines.podman import Podman, cut_tail, does_succeed, run

PYTHON = sys.executable


def test_output_is_returned_and_standard_error_ignored() -> None:
    assert (
        run([PYTHON, "-c", "import sys; print('out'); print('harmless', file=sys.stderr)"], doing="trying") == "out\n"
    )


def test_input_reaches_the_program() -> None:
    assert (
        run([PYTHON, "-c", "import sys; print(sys.stdin.read()[::-1], end='')"], doing="trying", stdin=b"abc") == "cba"
    )


def test_failure_tells_command_exit_code_and_last_lines() -> None:
    program = "import sys\nfor n in range(50): print('line', n, file=sys.stderr)\nsys.exit(7)"
    with pytest.raises(LocalCloudFailed) as failure:
        run([PYTHON, "-c", program], doing="trying", remedy="Try again.")
    assert failure.value.doing == "trying"
    assert failure.value.remedy == "Try again."
    assert "exited with 7\n" in failure.value.found
    assert failure.value.found.splitlines()[-1] == "line 49"
    assert "line 30\n" not in failure.value.found


def test_program_that_hangs_is_ended() -> None:
    with pytest.raises(LocalCloudFailed, match="took longer than 0 s"):
        run([PYTHON, "-c", "import time; time.sleep(30)"], doing="trying", timeout=0.3)


def test_program_that_is_not_installed_is_told() -> None:
    with pytest.raises(Missing, match="'no-such-program' is not installed"):
        run(["no-such-program"], doing="trying")


@pytest.mark.parametrize(("code", "expected"), [(0, True), (1, False), (125, False)])
def test_exit_code_answers_a_question(code: int, expected: bool) -> None:
    assert does_succeed([PYTHON, "-c", f"raise SystemExit({code})"]) is expected


def test_tail_is_free_of_carriage_returns() -> None:
    assert cut_tail(b"one\r\ntwo\r\nthree\r\n\r\n", 2) == "two\nthree"


@pytest.mark.parametrize(("cidr", "expected"), [("10.77.0.0/24", "10.77.0.1"), ("10.77.16.128/25", "10.77.16.129")])
def test_gateway_is_the_first_address(cidr: str, expected: str) -> None:
    assert compute_gateway(cidr) == expected


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A podman in the place of the real one, which fails twice as file `says` says; the file `calls` counts."""
    program = f"""#!/bin/sh
echo "$*" >> {tmp_path}/calls
[ $(wc -l < {tmp_path}/calls) -gt 2 ] || {{ cat {tmp_path}/says >&2; exit 125; }}
"""
    (tmp_path / "podman").write_text(program)
    (tmp_path / "podman").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "calls"


def test_a_busy_mount_is_taken_away_by_a_later_call(calls: Path) -> None:
    (calls.parent / "says").write_text("Error: unlinkat /var/x/userdata/shm: device or resource busy\n")
    Podman().run_when_free("rm", "--force", "it", doing="removing it")
    assert ["rm --force it"] * 3 == calls.read_text().splitlines()


def test_another_failure_is_told_at_once(calls: Path) -> None:
    (calls.parent / "says").write_text("Error: no space left on device\n")
    with pytest.raises(LocalCloudFailed, match="no space left"):
        Podman().run_when_free("rm", "it", doing="removing it")
    assert ["rm it"] == calls.read_text().splitlines()
