"""People on the machine: the keys with which they reach the repository or log in, and the hashes of their passwords.

The keys are in files of root's that sshd reads for each sign-in. A key of the repository has one command, `serve`, and its user
has `git-shell`: no key of it opens a shell, a terminal or a tunnel. The folders are there without people, too, so that what is
no longer in the environment file is removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bootstrap.environment.agents import takes_toolkit_jobs
from bootstrap.environment.models import Settings
from bootstrap.environment.people import Person
from bootstrap.remote.desired.base import Resources, make_directory, make_file
from bootstrap.remote.desired.inputs import HostInputs
from bootstrap.remote.templates import read_text

GIT_USER = "git"
GIT_HOME = "/srv/git"
REPOSITORY = f"{GIT_HOME}/toolkit.git"
KEYS = "/etc/ssh/people"
"""The folder with the keys of people, in a file for each user of the machine."""
PASSWORDS = "/etc/jenkins/people"
"""The folder with the hash of each person's password, in a file of the person's id."""
_NUMBER = 873
# git-shell runs no command but those of git, and those in this folder of its user's home.
_COMMANDS = f"{GIT_HOME}/git-shell-commands"
_HOOKS = "/usr/local/lib/git-server"
# systemd reads it when the slice starts, with the first session of the user. The files of all folders count in the order of
# their names, and systemd's own user-.slice.d/10-defaults.conf has a TasksMax, too.
_LIMITS = f"/etc/systemd/system/user-{_NUMBER}.slice.d/50-bootstrap.conf"


def list_account_resources() -> Resources:
    """The group and the user to whom the repository belongs."""
    user = {"uid": _NUMBER, "group": GIT_USER, "home": GIT_HOME, "shell": "/usr/bin/git-shell"}
    return [
        {"id": f"group {GIT_USER}", "kind": "group", "name": GIT_USER, "gid": _NUMBER},
        {"id": f"user {GIT_USER}", "kind": "user", "name": GIT_USER, **user},
    ]


def choose_ways(inputs: HostInputs) -> dict[str, bool]:
    """Whether there are people who log in, people who reach the repository, and agents that ask; sshd is closed to others."""
    people = inputs.settings.people.values()
    has_keys = any(person.ssh_keys for person in people)
    return {
        "logs_in": any(it.logs_in for it in people),
        "serves_git": has_keys and inputs.toolkit is not None,
        "answers_jobs": takes_toolkit_jobs(inputs.settings.agents),
    }


def list_key_resources(inputs: HostInputs) -> Resources:
    """What serves the repository to people, and their keys: last, so that no key is there before what bounds it."""
    return [
        make_directory(GIT_HOME),
        make_directory(_COMMANDS),
        make_file("repository's server", f"{_COMMANDS}/serve", read_text("serve-git.sh"), mode="0755"),
        make_directory(_HOOKS),
        make_file("repository's hook", f"{_HOOKS}/update", read_text("git-update.sh"), mode="0755"),
        make_file("repository's limits", _LIMITS, read_text("git-limits.conf")),
        _make_tree("keys of people", KEYS, list_key_files(inputs.settings, inputs.login_user), "0644"),
    ]


def list_key_files(settings: Settings, login_user: str) -> dict[str, str]:
    """The contents of the files with keys, by the user of the machine; no file of a user without keys."""
    logins = {name: person for name, person in settings.people.items() if person.logs_in}
    served = settings.people if settings.repository.url is None else {}
    files = {login_user: _format_keys(logins), GIT_USER: _format_keys(served, settings.repository.branch)}
    return {name: lines for name, lines in files.items() if lines}


def make_passwords(inputs: HostInputs) -> dict[str, Any]:
    """The hashes of the passwords of people, for Jenkins alone; the settings name these files."""
    hashes = {name: secret.reveal() for name, secret in inputs.people_passwords.items()}
    tree = _make_tree("passwords of people", PASSWORDS, hashes, "0440")
    return {**tree, "group": "jenkins", "directory_mode": "0750", "secret": True}


def _format_keys(people: Mapping[str, Person], branch: str = "") -> str:
    """Lines of an AUTHORIZED_KEYS file; with a branch, each key has the command that serves the repository."""
    return "".join(f"{line}\n" for name, person in people.items() for line in _list_lines(name, person, branch))


def _list_lines(name: str, person: Person, branch: str) -> Iterable[str]:
    options = f'restrict,command="serve {name} {person.git_access} {branch}" ' if branch else ""
    return (f"{options}{key} {name}" for key in person.ssh_keys)


def _make_tree(identity: str, path: str, files: Mapping[str, str], mode: str) -> dict[str, Any]:
    return {
        "id": identity,
        "kind": "tree",
        "path": path,
        "owner": "root",
        "group": "root",
        "directory_mode": "0755",
        "files": [{"path": name, "content": content, "mode": mode} for name, content in sorted(files.items())],
    }
