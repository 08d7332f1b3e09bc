"""What breaks under a running launch: the machine, the connection, the cloud, the disk, the mirror, the service.

After each the same command ends as an undisturbed one, or fails with an error that names the remedy, and ends well once
that is done.
"""

import json
import os
import random
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from killing import Step, watched
from state import state_of, without_strangers
from trial import NAME, Launched

from bootstrap.environment import lock

HERE = Path(__file__).parent
# What the machine is made to lack, so that the host act has something to do that takes a moment.
UNDO = """
set -eu
rm -rf /usr/local/lib/jenkins-emulator/jenkins_emulator
rm -f /etc/nginx/sites-enabled/* /etc/nftables.conf /etc/jenkins/jenkins.env
touch /etc/systemd/system/jenkins.service
"""
PACKAGE = "python3-croniter"
MIRROR, MIRROR_LOG, MIRROR_SETTING = "/run/flaky_mirror.py", "/run/flaky_mirror.log", "/etc/apt/apt.conf.d/99flaky"


@pytest.fixture(scope="module")
def undisturbed(launched: Launched) -> dict[str, Any]:
    launched.done("launch", "--skip-verify")
    without_strangers(launched)
    return state_of(launched)


def root(launched: Launched, script: str) -> str:
    return launched.reopen().shell.run(["sh", "-c", script], sudo=True).stdout


def arm(launched: Launched, *faults: dict[str, Any]) -> list[dict[str, Any]]:
    """Arm these faults of the cloud, in the place of all others; returns those with what they have met."""
    url = f"{launched.endpoint}/_bootstrap/faults"
    with urllib.request.urlopen(url, timeout=30) as answer:
        met: list[dict[str, Any]] = json.loads(answer.read())["faults"]
    data = json.dumps({"faults": faults} if faults else {}).encode()
    request = urllib.request.Request(url, data, method="POST")
    request.add_header("Authorization", f"Bearer {(launched.state / 'cloud' / 'control-token').read_text()}")
    with urllib.request.urlopen(request, timeout=30):
        return met


def once(wanted: Callable[[Step], bool], do: Callable[[], object]) -> tuple[Callable[[Step], bool], list[Step]]:
    """Something to be done at the first step that is wanted, instead of killing the tool there."""
    done: list[Step] = []

    def at(reached: Step) -> bool:
        if not done and wanted(reached):
            done.append(reached)
            do()
        return False

    return at, done


def ends_undisturbed(launched: Launched, undisturbed: dict[str, Any]) -> str:
    shown = launched.done("launch", "--skip-verify")
    there = state_of(launched)
    for part, wished in undisturbed.items():
        assert wished == there[part], part
    return shown


def test_a_machine_that_loses_power_while_it_is_converged(launched: Launched, undisturbed: dict[str, Any]) -> None:
    root(launched, UNDO)
    kill = ["podman", "kill", "--signal=KILL", f"bootstrap-{NAME}-{launched.context.machine.instance_id}"]
    launched.close()
    at, done = once(lambda it: it[:2] == ("host", "change"), lambda: subprocess.run(kill, check=True))

    ended = watched(launched, ["launch", "--skip-verify"], at)

    assert done
    assert 1 == ended.code
    assert "try " in ended.output
    assert "was stopped: starting it" in ends_undisturbed(launched, undisturbed)


@pytest.mark.parametrize(("act", "most"), [("host", 4000), ("casc", 1500), ("jobs", 1500)])
def test_a_connection_that_is_cut_at_a_random_byte(
    launched: Launched, undisturbed: dict[str, Any], act: str, most: int
) -> None:
    if act == "jobs":
        launched.reopen().jenkins.delete_job("canary")
    else:
        root(launched, UNDO if act == "host" else "rm -f /etc/jenkins/casc.applied")
    launched.close()
    place = random.randint(1, most)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BOOTSTRAP_"))}
    arguments = [act, str(place), "-e", NAME, "--yes", "launch", "--skip-verify"]

    ended = subprocess.run(
        [sys.executable, str(HERE / "cutting.py"), *arguments],
        cwd=launched.checkout,
        env={**environ, "PYTHONPATH": str(launched.checkout)},
        capture_output=True,
        text=True,
        timeout=900,
    )

    assert f"cut in {act} after {place} bytes" in ended.stderr, ended.stdout + ended.stderr
    # A connection that carried nothing is opened anew; one that carried something is told to be broken.
    assert 0 == ended.returncode or "try " in ended.stderr, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    ends_undisturbed(launched, undisturbed)


def test_a_cloud_that_stumbles(launched: Launched, undisturbed: dict[str, Any]) -> None:
    arm(
        launched,
        {"call": "cloudformation.DescribeStacks", "do": "throttle", "times": 2},
        {"call": "cloudformation.CreateChangeSet", "do": "error"},
        {"call": "cloudformation.CreateChangeSet", "do": "lost", "nth": 3, "seconds": 1},
        {"call": "cloudformation.DescribeChangeSet", "do": "timeout", "seconds": 1},
        {"call": "ec2.DescribeInstances", "do": "lost", "seconds": 1},
    )
    try:
        found = launched.run("launch", "--skip-verify")
    finally:
        met = arm(launched)

    assert (0, True) == (found.returncode, "nothing had to change" in found.stdout), found.stdout + found.stderr
    assert all(fault["met"] >= fault["nth"] for fault in met), met


def test_a_cloud_that_refuses_for_good_is_told_with_what_to_do(launched: Launched, undisturbed: dict[str, Any]) -> None:
    arm(launched, {"call": "cloudformation.DescribeStacks", "do": "fail", "code": "AccessDenied", "times": 0})
    try:
        found = launched.run("launch", "--skip-verify")
    finally:
        arm(launched)

    assert 1 == found.returncode
    assert "AccessDenied" in found.stderr
    assert "try " in found.stderr


def test_a_full_disk_is_told_and_the_same_command_finishes_once_there_is_room(
    launched: Launched, undisturbed: dict[str, Any]
) -> None:
    folder = "/usr/local/lib/jenkins-emulator"
    root(launched, f"mount -t tmpfs -o size=64k,mode=0755 tmpfs {folder}")
    try:
        found = launched.run("launch", "--skip-verify")
    finally:
        root(launched, f"umount {folder}")

    assert 1 == found.returncode
    assert "No space left on device" in found.stderr
    assert "Free space on the machine" in found.stderr
    ends_undisturbed(launched, undisturbed)


def test_a_mirror_that_fails_twice_is_asked_again(launched: Launched, undisturbed: dict[str, Any]) -> None:
    told = root(
        launched,
        f"dpkg --remove --force-depends {PACKAGE} >&2; apt-get clean; apt-get update >&2 || true; "
        f"apt-get download --print-uris {PACKAGE}; apt-config shell UPSTREAM Acquire::http::Proxy",
    )
    if not told.startswith("'http:"):
        launched.done("launch", "--skip-verify")
        pytest.skip(f"the machine's mirror is not reached by plain HTTP, so nothing can stand in between: {told}")
    launched.context.shell.put((HERE / "flaky_mirror.py").read_bytes(), MIRROR, sudo=True)
    upstream = told.partition("UPSTREAM='")[2].partition("'")[0]
    root(
        launched,
        f"systemd-run --unit flaky-mirror python3 {MIRROR} 3142 {MIRROR_LOG} {upstream}; "
        f"echo 'Acquire::http::Proxy \"http://127.0.0.1:3142\";' > {MIRROR_SETTING}",
    )
    try:
        shown = launched.done("launch", "--skip-verify")
        answered = root(launched, f"cat {MIRROR_LOG}").split()
    finally:
        root(launched, f"systemctl stop flaky-mirror; rm -f {MIRROR} {MIRROR_LOG} {MIRROR_SETTING}")

    assert PACKAGE in shown
    assert ["404", "404", "200"] == answered
    ends_undisturbed(launched, undisturbed)


def test_a_jenkins_that_does_not_start_is_told_with_its_log(launched: Launched, undisturbed: dict[str, Any]) -> None:
    taker = "python3 -m http.server --bind 127.0.0.1 8080"
    root(launched, f"systemctl stop jenkins; systemd-run --unit port-taker {taker}; sleep 1")
    try:
        found = launched.run("launch", "--skip-verify")
    finally:
        root(launched, "systemctl stop port-taker")

    assert 1 == found.returncode
    assert "jenkins.service" in found.stderr.splitlines()[0]
    assert "address already in use" in found.stderr.lower()
    assert "./bootstrap.py logs" in found.stderr
    ends_undisturbed(launched, undisturbed)


def test_a_second_launch_is_refused_and_told_who_holds_the_environment(launched: Launched) -> None:
    refused: list[subprocess.CompletedProcess[str]] = []

    def second() -> None:
        holder = lock.read_holder(launched.state)
        assert holder is not None
        os.kill(holder.pid, signal.SIGSTOP)  # else it may have ended before the second one asks
        try:
            refused.append(launched.run("launch", "--skip-verify"))
        finally:
            os.kill(holder.pid, signal.SIGCONT)

    at, done = once(lambda it: it[:2] == ("stack", "act-began"), second)
    root(launched, UNDO)  # so that the first one still runs when a loaded machine notices that its act began

    ended = watched(launched, ["launch", "--skip-verify"], at)

    assert done
    assert 0 == ended.code, ended.output
    assert 1 == refused[0].returncode
    told = refused[0].stderr
    assert "EnvironmentLocked" in told
    assert "with 'launch', run " in told
    assert "since " in told


def test_the_lock_of_a_launch_that_was_killed_is_taken_over_and_said(launched: Launched) -> None:
    killed = watched(launched, ["launch", "--skip-verify"], lambda it: it[:2] == ("stack", "act-began"))
    assert killed.killed_at is not None

    shown = launched.done("launch", "--skip-verify")

    assert "ended without releasing the environment lock" in shown
    assert "nothing had to change" in shown
