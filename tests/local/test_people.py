"""People come into a launched environment with the rights of their roles, and go again: then everything is refused."""

import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
from trial import Launched

from bootstrap.remote.desired.people import REPOSITORY

ROLES = ("operator", "developer", "auditor")


@dataclass
class People:
    """People of the environment with their keys, who sign in and call the machine as themselves."""

    launched: Launched
    folder: Path
    passwords: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.launched.context.controller.url

    def add(self, role: str) -> None:
        """Have a person of this role added, with a new key."""
        key = self.folder / role
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "comment", "-f", str(key)]
        subprocess.run(command, check=True)
        named = ("--name", f"First {role}", "--email", f"first.{role}@example.org", "--role", role)
        self.launched.done("people", "add", f"first-{role}", *named, "--key", f"{key}.pub")

    def session(self, role: str, password: str = "") -> requests.Session:
        """A signed-in client of Jenkins, with a crumb for what it changes."""
        session = requests.Session()
        session.trust_env = False  # a certificate bundle of this machine would take the place of the authority
        authority = self.folder / "authority.crt"
        authority.write_text(self.launched.context.controller.authority)
        session.verify = str(authority)
        session.auth = (f"first-{role}", password or self.passwords[role])
        crumb = session.get(f"{self.url}crumbIssuer/api/json", timeout=30)
        if crumb.status_code == 200:
            session.headers[crumb.json()["crumbRequestField"]] = crumb.json()["crumb"]
        return session

    def status(self, role: str, method: str, path: str, password: str = "") -> int:
        """How Jenkins answers a request of this person."""
        session = self.session(role, password)
        return session.request(method, f"{self.url}{path}", timeout=30, allow_redirects=False).status_code

    def ssh_command(self, role: str) -> list[str]:
        """The client of OpenSSH with this person's key alone, and the machine's own host key."""
        machine = self.launched.context.machine
        known = self.folder / "known_hosts"
        known.write_text("".join(f"{machine.address} {key}\n" for key in machine.host_keys))
        options = ("BatchMode=yes", "IdentitiesOnly=yes", "IdentityAgent=none", f"UserKnownHostsFile={known}")
        return ["ssh", "-F", "none", "-i", str(self.folder / role), *(f"-o{option}" for option in options)]

    def ssh(self, role: str, user: str, *command: str) -> subprocess.CompletedProcess[str]:
        called = [*self.ssh_command(role), f"{user}@{self.launched.context.machine.address}", *command]
        return subprocess.run(called, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)

    def git(self, role: str, *arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """One git command as this person; ADDRESS in it is the repository's."""
        address = f"ssh://git@{self.launched.context.machine.address}{REPOSITORY}"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        return subprocess.run(
            ["git", *(word.replace("ADDRESS", address) for word in arguments)],
            cwd=folder or self.folder,
            env={**clean, "GIT_SSH_COMMAND": " ".join(self.ssh_command(role)), "GIT_TERMINAL_PROMPT": "0"},
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture(scope="module")
def people(launched: Launched, tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    """An operator, a developer and an auditor, launched."""
    before = launched.environment_file.read_text()
    made = People(launched, tmp_path_factory.mktemp("people"))
    try:
        for role in ROLES:
            made.add(role)
        assert "passwords of people" in launched.done("launch", "--skip-verify")
        launched.reopen()
        for role in ROLES:
            made.passwords[role] = launched.done("people", "password", f"first-{role}").strip()
        yield made
    finally:
        launched.environment_file.write_text(before)
        launched.done("launch", "--skip-verify")
        launched.reopen()


@pytest.fixture(scope="module")
def clone(people: People) -> Path:
    """A clone of the repository on the machine, with a commit on top."""
    found = people.git("operator", "clone", "--quiet", "ADDRESS", "clone")
    assert 0 == found.returncode, found.stderr
    folder = people.folder / "clone"
    for command in (
        ("config", "user.email", "first.operator@example.org"),
        ("config", "user.name", "First Operator"),
        ("commit", "--quiet", "--allow-empty", "--message", "a change"),
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def test_everybody_has_the_access_of_their_role(people: People) -> None:
    rows = people.launched.done("people", "list").splitlines()

    places = {words[0]: words[-5:] for words in map(str.split, rows) if words and words[0].startswith("first-")}
    assert {
        "first-operator": ["yes", "yes", "yes", "yes", "-"],
        "first-developer": ["yes", "yes", "yes", "-", "-"],
        "first-auditor": ["yes", "yes", "yes", "-", "-"],
    } == places


def test_a_launch_with_people_changes_nothing_the_second_time(people: People) -> None:
    assert "nothing had to change" in people.launched.done("launch", "--skip-verify")


@pytest.mark.parametrize(
    ("role", "method", "path", "status"),
    [
        ("developer", "GET", "job/canary/api/json", 200),
        ("developer", "POST", "job/canary/buildWithParameters?WORD=people", 201),
        ("developer", "GET", "job/canary/config.xml", 403),
        ("developer", "POST", "job/canary/doDelete", 403),
        ("developer", "POST", "scriptText", 403),
        ("operator", "POST", "job/canary/buildWithParameters?WORD=other", 201),
        ("operator", "POST", "job/canary/doDelete", 403),
        ("operator", "GET", "computer/machine/jenkins-agent.jnlp", 403),
        ("operator", "POST", "user/first-auditor/doDelete", 403),
        ("auditor", "GET", "job/canary/api/json", 200),
        ("auditor", "POST", "job/canary/buildWithParameters?WORD=people", 403),
    ],
)
def test_a_role_may_do_what_it_should_and_no_more(
    people: People, role: str, method: str, path: str, status: int
) -> None:
    assert status == people.status(role, method, path)


def test_the_builds_of_people_run(people: People) -> None:
    """A build runs as who started it, and waits for ever where this user may not run on an agent."""
    jenkins, deadline = people.launched.context.jenkins, time.monotonic() + 60
    while queued := jenkins.get_queue_info():
        assert time.monotonic() < deadline, [item["why"] for item in queued]
        time.sleep(0.5)


def test_a_wrong_password_is_refused(people: People) -> None:
    assert 401 == people.status("developer", "GET", "me/api/json", "wrong")


def test_an_operator_pushes_and_rewrites_nothing(people: People, clone: Path) -> None:
    pushed = people.git("operator", "push", "ADDRESS", "HEAD:refs/heads/topic", folder=clone)
    subprocess.run(
        ["git", "commit", "--quiet", "--amend", "--allow-empty", "--message", "another"], cwd=clone, check=True
    )
    forced = people.git("operator", "push", "--force", "ADDRESS", "HEAD:refs/heads/topic", folder=clone)
    deleted = people.git("operator", "push", "ADDRESS", ":refs/heads/topic", folder=clone)
    tagged = people.git("operator", "push", "ADDRESS", "HEAD:refs/tags/one", folder=clone)
    kept = people.git("operator", "push", "ADDRESS", "HEAD:refs/heads/pushed", folder=clone)

    assert 0 == pushed.returncode, pushed.stderr
    assert 0 != forced.returncode and "non-fast-forward" in forced.stderr
    assert 0 != deleted.returncode and "deletion prohibited" in deleted.stderr
    assert 0 != tagged.returncode and "only branches" in tagged.stderr
    assert 0 != kept.returncode and "a launch keeps commits in branches of this name" in kept.stderr


def test_who_may_read_alone_cannot_push(people: People, clone: Path) -> None:
    read = people.git("developer", "ls-remote", "ADDRESS")
    pushed = people.git("developer", "push", "ADDRESS", "HEAD:refs/heads/other", folder=clone)

    assert 0 == read.returncode and "refs/heads/main" in read.stdout
    assert 0 != pushed.returncode and "may read the repository" in pushed.stderr


@pytest.mark.parametrize("command", [(), ("ls",), ("git-upload-pack", "'/etc'"), ("git-shell",)])
def test_a_key_of_the_repository_opens_nothing_else(people: People, command: tuple[str, ...]) -> None:
    found = people.ssh("operator", "git", *command)

    assert 0 != found.returncode
    assert "opens the repository" in found.stderr
    assert "" == found.stdout


def test_a_key_of_the_repository_forwards_nothing(people: People) -> None:
    machine = people.launched.context.machine
    called = [*people.ssh_command("operator"), "-W", "127.0.0.1:8080", f"git@{machine.address}"]
    found = subprocess.run(called, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)

    assert 0 != found.returncode
    assert "" == found.stdout


def test_operators_log_in_and_developers_do_not(people: People) -> None:
    user = people.launched.context.machine.user

    assert "0" == people.ssh("operator", user, "sudo", "id", "-u").stdout.strip()
    assert "Permission denied" in people.ssh("developer", user, "true").stderr


def test_who_goes_loses_every_access_at_the_next_launch(people: People, clone: Path) -> None:
    launched, before = people.launched, people.launched.done("people", "password", "first-operator").strip()
    launched.done("people", "rotate", "first-operator")
    session = people.session("developer")
    made = session.post(
        f"{people.url}me/descriptorByName/jenkins.security.ApiTokenProperty/generateNewToken", timeout=30
    ).json()
    token = made["data"]["tokenValue"]
    assert 200 == people.status("developer", "GET", "me/api/json", token)

    launched.done("people", "remove", "first-developer")
    listed, planned, drifted = launched.run("people", "list"), launched.run("plan"), launched.run("drift")

    assert 2 == listed.returncode
    assert "left over" in next(line for line in listed.stdout.splitlines() if line.startswith("first-developer"))
    assert "user first-developer" in planned.stdout
    assert 2 == drifted.returncode and "first-developer" in drifted.stdout

    told = launched.done("launch", "--skip-verify")
    launched.reopen()

    assert "user first-developer" in told
    assert 401 == people.status("developer", "GET", "me/api/json")
    assert 401 == people.status("developer", "GET", "me/api/json", token)
    assert (
        404
        == people.session("operator", launched.done("people", "password", "first-operator").strip())
        .get(f"{people.url}user/first-developer/api/json", timeout=30)
        .status_code
    )
    assert 0 != people.git("developer", "ls-remote", "ADDRESS").returncode
    assert "Permission denied" in people.ssh("developer", "git").stderr
    assert 0 == launched.run("people", "list").returncode
    # The operator's password was rotated: the launch brought the new one.
    assert 401 == people.status("operator", "GET", "me/api/json", before)


def test_the_checks_hold_with_people(people: People) -> None:
    found = people.launched.run("verify", "--only", "people")

    assert 0 == found.returncode, found.stdout
