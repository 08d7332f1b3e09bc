"""The environment's lock: one changing run at a time, who holds it is told, and a dead holder's lock is taken over."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.environment import lock
from bootstrap.errors import EnvironmentLocked
from bootstrap.runs.journal import Journal, Run

ROOT = Path(__file__).resolve().parents[3]
HOLDER = """
import sys, time
from collections.abc import Iterator
from pathlib import Path
from bootstrap.environment import lock as environment_lock
from bootstrap.runs.journal import Journal, Run
run = Run("run-one", Journal(Path(sys.argv[1]) / "runs" / "run-one"))
with environment_lock.hold_lock(Path(sys.argv[1]), "launch", run, run.run_id):
    print("held", flush=True)
    time.sleep(60)
"""


def a_run(state: Path) -> Run:
    return Run("run-two", Journal(state / "runs" / "run-two"))


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the environment in `tmp_path`."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert "held\n" == process.stdout.readline()
    yield process
    process.kill()
    process.wait()


def test_the_second_is_refused_and_told_who_the_first_is(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    run = a_run(tmp_path)

    with pytest.raises(EnvironmentLocked) as refused, lock.hold_lock(tmp_path, "destroy", run, run.run_id):
        pytest.fail("two hold the environment")

    assert f"(process {other.pid}) with 'launch', run run-one, since 20" in refused.value.found
    assert "@" in refused.value.found
    assert 1 == refused.value.exit_code


def test_who_only_looks_sees_the_holder(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    found = lock.read_holder(tmp_path)

    assert found is not None
    assert (other.pid, "launch", "run-one") == (found.pid, found.command, found.run)


def test_a_dead_holders_lock_is_taken_over_and_said(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    other.send_signal(signal.SIGKILL)
    other.wait()
    run = a_run(tmp_path)

    assert lock.read_holder(tmp_path) is None
    with lock.hold_lock(tmp_path, "destroy", run, run.run_id):
        pass

    assert 1 == len(run.notices)
    assert f"(process {other.pid}) with 'launch', run run-one" in run.notices[0]


def test_a_run_that_failed_lets_go_and_leaves_nothing_to_take_over(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    with pytest.raises(RuntimeError), lock.hold_lock(tmp_path, "launch", run, run.run_id):
        raise RuntimeError("no")

    with lock.hold_lock(tmp_path, "launch", run, run.run_id):
        pass

    assert [] == run.notices
    assert lock.read_holder(tmp_path) is None


def test_a_half_written_holder_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / lock.FILE).write_text('{"user": "a')
    run = a_run(tmp_path)

    with lock.hold_lock(tmp_path, "launch", run, run.run_id):
        held = lock.read_holder(tmp_path)

    assert held is not None
    assert "run-two" == held.run
