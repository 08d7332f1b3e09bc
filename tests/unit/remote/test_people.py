"""The keys of people on the machine, and what a key of the repository runs."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import wished as made

from bootstrap.environment.models import Settings
from bootstrap.remote.desired.people import list_key_files
from bootstrap.remote.desired.state import list_resources
from bootstrap.values import Secret

FILES = Path(__file__).resolve().parents[3] / "bootstrap" / "remote" / "files"
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
    ],
)
def test_the_launched_branch_is_for_operators_and_only_branches_are_taken(
    reference: str, access: str, is_taken: bool
) -> None:
    found = run("git-update.sh", reference, "0" * 40, "1" * 40, BOOTSTRAP_ACCESS=access, BOOTSTRAP_BRANCH="main")

    assert is_taken == (found.returncode == 0), found.stderr
