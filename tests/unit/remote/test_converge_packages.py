"""Packages: one transaction, through flaky mirrors, interrupted runs and held-back services."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from scripted import Answer, ScriptedContext

from bootstrap.remote.converge import packages
from bootstrap.remote.converge.core import Failed, Finding

IT = {"id": "packages", "kind": "packages", "names": ["git", "nginx"]}


class Debian:
    """Answers as dpkg-query, dpkg and apt-get do; `outcomes` are those of the installations, in order."""

    def __init__(self, root: Path, *outcomes: Answer) -> None:
        self.installed = ["git"]
        self.agent = ""  # dpkg's status of the agent of Session Manager
        self.is_configurable = True
        self.update_outcomes: list[Answer] = []
        self.outcomes = list(outcomes) or [""]
        self.policy = root / "usr/sbin/policy-rc.d"
        self.policies: list[bool] = []
        self.updates = 0
        for folder in ("usr/sbin", "var/lib/dpkg/updates", "var/lib/apt/lists"):
            (root / folder).mkdir(parents=True)
        (root / "var/lib/apt/lists/mirror_Packages").write_text("")

    def __call__(self, line: str) -> Answer:
        words = line.split()
        if words[0] == "dpkg-query":
            statuses = {
                "nginx": "config-files",
                "amazon-ssm-agent": self.agent,
                **dict.fromkeys(self.installed, "installed"),
            }
            return "".join(f"{name} {status}\n" for name, status in statuses.items() if name in words)
        if words[0] == "dpkg":
            if self.agent and (self.is_configurable or "--force-remove-reinstreq" in words):
                self.agent = "installed" if "--configure" in words else ""
            return (1, "needs to be reinstalled") if self.agent == "half-installed" else ""
        if words[0] == "systemctl":
            return ""
        if words[-1] == "update":
            self.updates += 1
            return self.update_outcomes.pop(0) if self.update_outcomes else ""
        assert "apt-get" == words[0] and "install" in words, line
        self.policies.append(self.policy.exists())
        answer = self.outcomes.pop(0)
        if isinstance(answer, str):
            self.installed += words[words.index("install") + 1 :]
        return answer


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    return slept


def prepared(tmp_path: Path, *outcomes: Answer) -> tuple[ScriptedContext, Debian]:
    debian = Debian(tmp_path, *outcomes)
    return ScriptedContext(root=tmp_path, script=debian), debian


def found(finding: Finding | None) -> Finding:
    assert finding is not None
    return finding


def test_only_what_is_not_fully_installed_is_installed_in_one_transaction(tmp_path: Path) -> None:
    context, debian = prepared(tmp_path)
    finding = found(packages.packages(context, IT))
    assert "nginx" == finding.detail
    finding.act()
    assert (1, 0) == (len(debian.policies), debian.updates)
    assert packages.packages(context, IT) is None


def test_no_service_starts_during_the_installation_and_may_after_it(tmp_path: Path) -> None:
    context, debian = prepared(tmp_path)
    found(packages.packages(context, IT)).act()
    assert ([True], False) == (debian.policies, debian.policy.exists())


def test_a_machines_own_policy_is_left_as_it_is(tmp_path: Path) -> None:
    context, debian = prepared(tmp_path)
    debian.policy.write_text("its own")
    found(packages.packages(context, IT)).act()
    assert "its own" == debian.policy.read_text()


def test_missing_lists_are_fetched_first(tmp_path: Path) -> None:
    context, debian = prepared(tmp_path)
    (tmp_path / "var/lib/apt/lists/mirror_Packages").unlink()
    found(packages.packages(context, IT)).act()
    assert 1 == debian.updates


def test_a_flaky_mirror_is_tried_again_with_fresh_lists_and_growing_pauses(tmp_path: Path, pauses: list[float]) -> None:
    context, debian = prepared(tmp_path, (100, "404 Not Found"), (100, "timed out"), (100, "timed out"), "")
    found(packages.packages(context, IT)).act()
    assert (3, [5.0, 15.0]) == (debian.updates, pauses)


def test_a_mirror_that_stays_down_is_a_failure_with_its_words(tmp_path: Path) -> None:
    context, _ = prepared(tmp_path, *[(100, "E: Failed to fetch")] * 4)
    with pytest.raises(Failed) as caught:
        found(packages.packages(context, IT)).act()
    assert ("apt-get install nginx", 100) == (caught.value.command, caught.value.exit_code)
    assert "E: Failed to fetch" == caught.value.tail
    assert not (tmp_path / "usr/sbin/policy-rc.d").exists()


def test_a_name_that_fresh_lists_lack_fails_at_once(tmp_path: Path, pauses: list[float]) -> None:
    context, debian = prepared(tmp_path, *[(100, "E: Unable to locate package nginx")] * 2)
    with pytest.raises(Failed):
        found(packages.packages(context, IT)).act()
    assert (1, []) == (debian.updates, pauses)


def test_an_interrupted_dpkg_is_repaired_though_nothing_is_missing(tmp_path: Path) -> None:
    context, debian = prepared(tmp_path)
    debian.installed.append("nginx")
    (tmp_path / "var/lib/dpkg/updates/0001").write_text("")
    finding = found(packages.packages(context, IT))
    assert "interrupted dpkg" == finding.detail
    finding.act()
    assert "dpkg --configure -a" in context.ran
    assert [] == debian.policies


def test_a_policy_that_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    context, debian = prepared(tmp_path)
    debian.installed.append("nginx")
    debian.policy.write_text(packages._POLICY_TEXT)
    found(packages.packages(context, IT)).act()
    assert not debian.policy.exists()
    assert packages.packages(context, IT) is None


LOCKED = "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 4711 (apt-get)"


def test_locks_of_the_lists_and_of_the_archives_are_waited_for_and_cost_no_attempt(
    tmp_path: Path, pauses: list[float]
) -> None:
    """As at first boot, when apt's own timer updates the lists: four refusals would end the installation otherwise."""
    archives = LOCKED.replace("lib/apt/lists", "cache/apt/archives")
    context, debian = prepared(tmp_path, *[(100, archives)] * 5, "")
    (tmp_path / "var/lib/apt/lists/mirror_Packages").unlink()
    debian.update_outcomes = [(100, LOCKED)] * 3
    found(packages.packages(context, IT)).act()
    assert (4, 6, [1.0] * 8) == (debian.updates, len(debian.policies), pauses)


def test_a_lock_that_is_held_for_ever_is_a_failure_with_apts_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "_LOCK_WAIT", -1.0)
    context, _ = prepared(tmp_path, *[(100, LOCKED)] * 4)
    with pytest.raises(Failed) as caught:
        found(packages.packages(context, IT)).act()
    assert LOCKED == caught.value.tail


@pytest.mark.parametrize("status", ["unpacked", "half-configured"])
def test_a_half_configured_agent_is_configured(tmp_path: Path, status: str) -> None:
    context, debian = prepared(tmp_path)
    debian.installed.append("nginx")
    debian.agent = status
    finding = found(packages.packages(context, IT))
    assert "half-installed amazon-ssm-agent" == finding.detail
    finding.act()
    assert ("installed", []) == (debian.agent, debian.policies)
    assert packages.packages(context, IT) is None


def test_an_agent_that_cannot_be_configured_is_removed_and_its_unit_begins_again(tmp_path: Path) -> None:
    """apt refuses every installation while a package that is in no archive is half-installed."""
    context, debian = prepared(tmp_path)
    debian.agent, debian.is_configurable = "half-installed", False
    found(packages.packages(context, IT)).act()
    assert "" == debian.agent
    begun = context.ran.index("systemctl restart --no-block session-agent.service")
    assert [] != [it for it in context.ran[begun:] if it.startswith("apt-get") and it.endswith("install nginx")]
    assert packages.packages(context, IT) is None


@pytest.mark.parametrize("name", ["dpkg/lock-frontend", "dpkg/lock", "apt/lists/lock", "../cache/apt/archives/lock"])
def test_a_lock_that_another_process_holds_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    context, debian = prepared(tmp_path)
    (tmp_path / "var/cache/apt/archives").mkdir(parents=True)
    lock = tmp_path / "var/lib" / name
    lock.write_text("")
    holds = (
        "import fcntl,sys; f=open(sys.argv[1],'r+'); fcntl.lockf(f,fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", holds, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdin is not None
        holder.stdout.readline()

        def let_go(_seconds: float) -> None:
            assert [] == debian.policies
            assert holder.stdin is not None
            holder.stdin.close()
            holder.wait()

        monkeypatch.setattr(time, "sleep", let_go)
        found(packages.packages(context, IT)).act()
    assert 1 == len(debian.policies)
