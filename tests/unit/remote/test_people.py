"""The keys of people on the machine, and what a key of the repository runs."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import wished as made

from bootstrap.environment.models import Settings
from bootstrap.remote.desired.people import list_key_files
from bootstrap.remote.desired.state import list_resources
from bootstrap.values import Secret

FILES = Path(__file__).resolve().parents[3] / "bootstrap" / "remote" / "files"
COMMITS = ("0" * 40, "1" * 40)
BODIES = {
    "administrator": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "operator": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "developer": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "auditor": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
}


def with_people(*, has_keys: bool = True, **more: Any) -> Settings:
    people = {
        f"first-{role}": {"name": "A", "email": "a@example.org", "role": role, "ssh_keys": [key] if has_keys else []}
        for role, key in BODIES.items()
    }
    return Settings.model_validate_json(json.dumps({**made.SETTINGS, "people": people, **more}))


def resources(**changes: Any) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in list_resources(made.inputs(**changes))}


def test_each_key_has_the_command_of_its_role_or_a_login() -> None:
    files = list_key_files(with_people(), "admin")

    assert [f"{BODIES[role]} first-{role}" for role in ("administrator", "operator")] == files["admin"].splitlines()
    access = {"administrator": "write", "operator": "write", "developer": "read", "auditor": "read"}
    assert [
        f'restrict,command="serve first-{role} {access[role]} main" {key} first-{role}' for role, key in BODIES.items()
    ] == files["git"].splitlines()


def test_a_repository_elsewhere_is_not_served_here() -> None:
    settings = with_people(repository={"url": "https://git.example.org/toolkit.git"})

    assert ["admin"] == list(list_key_files(settings, "admin"))
    assert "AllowUsers admin\n" in resources(settings=settings, toolkit=None)["sshd settings"]["content"]


def test_sshd_admits_the_repositorys_user_only_where_people_have_keys() -> None:
    found = resources(settings=with_people())["sshd settings"]["content"]
    keyless = resources(settings=with_people(has_keys=False))["sshd settings"]["content"]

    assert "AllowUsers admin git\n" in found and "AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/people/%u\n" in found
    match = found.partition("Match User git\n")[2]
    assert {"DisableForwarding yes", "PermitTTY no", "AuthorizedKeysFile /etc/ssh/people/git"} <= {
        line.strip() for line in match.splitlines()
    }
    assert resources()["sshd settings"]["content"] == keyless


def test_files_of_people_are_emptied_when_nobody_is_left() -> None:
    found = resources()

    assert [[], []] == [found[name]["files"] for name in ("keys of people", "passwords of people")]
    assert "git" == found["toolkit repository"]["owner"]


def test_hashes_are_for_jenkins_alone_and_restart_nothing() -> None:
    found = resources(people_passwords={"first-operator": Secret("#jbcrypt:precious")})
    tree = found["passwords of people"]

    assert ("root", "jenkins", "0750") == (tree["owner"], tree["group"], tree["directory_mode"])
    assert [{"path": "first-operator", "content": "#jbcrypt:precious", "mode": "0440"}] == tree["files"]
    assert tree["secret"] is True
    assert "passwords of people" not in found["jenkins.service"]["restart_on"]


def run(script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(FILES / script), *arguments],
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=30,
    )


@pytest.mark.parametrize(
    "asked",
    [
        *("", "sh", "git-shell", "git-upload-pack '/etc'", "git-upload-pack '/srv/git/toolkit.git' ; id"),
        *("git-upload-archive '/srv/git/toolkit.git'", "git upload-pack '/srv/git/toolkit.git'", "internal-sftp"),
        *("git-receive-pack '/srv/git/toolkit.git/../toolkit.git'", "git-upload-pack --help"),
    ],
)
def test_a_key_serves_this_repository_alone(asked: str) -> None:
    found = run("serve-git.sh", "first-operator", "write", "main", SSH_ORIGINAL_COMMAND=asked)

    assert (1, "") == (found.returncode, found.stdout)
    assert "this key opens" in found.stderr or "archives are not served" in found.stderr


def test_who_may_read_is_told_that_a_push_is_refused() -> None:
    asked = "git-receive-pack '/srv/git/toolkit.git'"
    found = run("serve-git.sh", "first-developer", "read", "main", SSH_ORIGINAL_COMMAND=asked)

    assert 1 == found.returncode and "may read the repository" in found.stderr


@pytest.mark.parametrize(
    ("reference", "access", "is_taken"),
    [
        ("refs/heads/main", "write", True),
        ("refs/heads/topic", "write", True),
        ("refs/heads/topic", "branches", True),
        ("refs/heads/main", "branches", False),
        ("refs/tags/one", "write", False),
        ("refs/bootstrap/launched", "write", False),
        ("refs/notes/commits", "write", False),
        ("refs/heads/pushed", "write", False),
        ("refs/heads/pushed/one", "write", False),
        ("refs/heads/pushed-one", "write", True),
    ],
)
def test_the_launched_branch_is_for_operators_and_only_branches_are_taken(
    reference: str, access: str, is_taken: bool, tmp_path: Path
) -> None:
    limits = {"BOOTSTRAP_MOST_KIB": "2097152", "GIT_DIR": str(tmp_path)}
    found = run("git-update.sh", reference, *COMMITS, BOOTSTRAP_ACCESS=access, BOOTSTRAP_BRANCH="main", **limits)

    assert is_taken == (found.returncode == 0), found.stderr


def test_keys_come_behind_what_bounds_them() -> None:
    order = list(resources(settings=with_people()))

    bounds = ["repository's server", "repository's hook", "repository's limits", "sshd settings", "user git"]
    assert order.index("keys of people") > max(order.index(name) for name in bounds)
    number = resources()["user git"]["uid"]
    assert f"/etc/systemd/system/user-{number}.slice.d/50-bootstrap.conf" == resources()["repository's limits"]["path"]


@dataclass
class Served:
    """A repository that a copy of the server serves, with the paths of this folder; an operator pushes to it."""

    folder: Path
    hook: Path

    def push(self, branch: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        return subprocess.run(
            ["git", "push", "ssh://git@localhost/toolkit.git", f"HEAD:refs/heads/{branch}"],
            cwd=self.folder / "clone",
            env={**clean, "GIT_SSH_COMMAND": str(self.folder / "ssh"), "GIT_SSH_VARIANT": "ssh"},
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture
def served(tmp_path: Path) -> Served:
    text = (FILES / "serve-git.sh").read_text()
    for path in ("/srv/git", "/usr/local/lib/git-server"):
        assert path in text
        text = text.replace(path, f"{tmp_path}/{path.rpartition('/')[2]}")
    (tmp_path / "serve").write_text(text)
    client = f"#!/bin/sh\nfor last; do :; done\nSSH_ORIGINAL_COMMAND=$last exec sh {tmp_path}/serve first write main\n"
    hook = tmp_path / "git-server" / "update"
    hook.parent.mkdir()
    for path, content in ((tmp_path / "ssh", client), (hook, (FILES / "git-update.sh").read_text())):
        path.write_text(content)
        path.chmod(0o755)
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "git" / "toolkit.git")], check=True)
    subprocess.run(["git", "init", "-q", str(tmp_path / "clone")], check=True)
    commit = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-q", "--allow-empty", "-m", "one"]
    subprocess.run(commit, cwd=tmp_path / "clone", check=True)
    return Served(tmp_path, hook)


def test_a_push_is_taken_but_not_in_the_place_of_a_launch(served: Served) -> None:
    taken, refused = served.push("topic"), served.push("pushed")

    assert 0 == taken.returncode, taken.stderr
    assert 0 != refused.returncode and "push another branch than pushed" in refused.stderr


@pytest.mark.parametrize("is_there", [True, False])
def test_without_a_hook_that_can_be_run_no_push_is_taken(served: Served, is_there: bool) -> None:
    served.hook.chmod(0o644)
    if not is_there:
        served.hook.unlink()

    found = served.push("topic")

    assert 0 != found.returncode and "pushes are not taken now" in found.stderr
    assert [] == list((served.folder / "git" / "toolkit.git" / "refs" / "heads").iterdir())


def test_a_repository_that_is_too_large_takes_no_push(served: Served) -> None:
    script = served.folder / "serve"
    script.write_text(script.read_text().replace("BOOTSTRAP_MOST_KIB=2097152", "BOOTSTRAP_MOST_KIB=1"))

    found = served.push("topic")

    assert 0 != found.returncode and "and may have 1: ask an administrator" in found.stderr
