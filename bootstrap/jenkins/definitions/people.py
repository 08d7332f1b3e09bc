"""Puts the people of the environment file into Jenkins' settings: an account for each, and the permissions of their roles.

The files in `casc/` have the users of the toolkit and the permissions of all that are no people. People are added to the two
lists there, the users of Jenkins' own user database and the entries of the matrix, as text, so that nothing else in the files
changes. Jenkins reads the hash of a password from a file on the machine, not from a variable of its service: so it does not
restart when somebody comes or goes.

Jenkins' own user database has no groups. An entry of the matrix for a group of people is therefore repeated for each of its
members. Where people sign in elsewhere (`sign_in`, or a user database that a project's own files choose), they get no account
and no password here, and their entries in the matrix count for the ids of that database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bootstrap.environment.people import Person, Role
from bootstrap.errors import CascRejected, Fault
from bootstrap.jenkins.definitions import casc_insertion
from bootstrap.jenkins.definitions.casc_insertion import find_text, find_value
from bootstrap.jenkins.definitions.casc_tree import Node
from bootstrap.remote.desired.people import PASSWORDS

DESCRIPTION = "From 'people' in the environment file."
"""The description of the account of a person in Jenkins; by it an account is known as that of a person who is gone."""

NO_PASSWORD = f"#jbcrypt:$2a$10${'.' * 53}"
"""A password hash that no known password has: the form is valid, and salt and hash are zeros."""

_READING = ("Overall/Read", "Job/Discover", "Job/Read", "View/Read")
# Nobody but an administrator configures a job, replays a build or uses a credential outside of builds: who may choose the label
# or the steps of a build could run it with the IAM role of the machine. Nor does anybody else connect an agent: this permission
# reads the secret of each agent, with which a program takes the agent's place and gets its builds with their credentials.
# A build runs as who started it (casc/security.yaml): without Build of Agent it would wait for ever.
PERMISSIONS: Mapping[Role, tuple[str, ...]] = {
    "administrator": ("Overall/Administer",),
    "operator": (
        *_READING,
        *("Agent/Build", "Agent/Disconnect", "Job/Build", "Job/Cancel", "Job/Workspace", "Run/Delete", "Run/Update"),
        *("Credentials/UseItem", "Credentials/View"),
    ),
    "developer": (*_READING, "Agent/Build", "Job/Build", "Job/Cancel", "Job/Workspace", "Credentials/UseItem"),
    "auditor": (*_READING, "Credentials/View"),
}
"""The permissions of each role, by the names that the matrix has for them."""

_DATABASES = frozenset({"local", "hudsonprivate", "hudsonprivatesecurityrealm"})
_MATRICES = frozenset(
    {
        *("globalmatrix", "globalmatrixauthorizationstrategy"),
        *("projectmatrix", "projectmatrixauthorizationstrategy"),
    }
)
_USERS = (("jenkins",), ("securityrealm",), _DATABASES, ("users",))
MATRIX_ENTRIES = (("jenkins",), ("authorizationstrategy",), _MATRICES, ("entries",))
"""The path of the permissions in a settings file, for `casc_insertion.find_list`."""
_DOING = "putting the people of the environment file into Jenkins' settings"


def add_people(files: Mapping[str, str], people: Mapping[str, Person]) -> dict[str, str]:
    """The settings files with the people in them; the same files if there are none.

    CascRejected if the files have no matrix for the permissions, or a user of the same id.
    """
    if not people:
        return dict(files)
    users, matrix = casc_insertion.find_list(files, _USERS), casc_insertion.find_list(files, MATRIX_ENTRIES)
    if matrix is None:
        reason = "no file has a matrix ('globalMatrix' or 'projectMatrix' with 'entries'), so roles have no permissions"
        raise CascRejected(_DOING, [Fault("casc", 1, 1, reason)], "Use a matrix in casc/, or take 'people' out.")
    # The groups of another user database are its own: their members are those that it says.
    of_groups = _list_group_entries(matrix[1], people) if users is not None else ()
    additions: list[casc_insertion.Addition] = [(*matrix, [*_list_entries(people), *of_groups])]
    if users is not None:
        _refuse_namesakes(*users, people)
        additions.append((*users, list(_list_accounts(people))))
    return casc_insertion.add_entries(files, additions)


def has_accounts(files: Mapping[str, str]) -> bool:
    """Whether people have accounts in Jenkins' own user database, and not in one that a project chose."""
    return casc_insertion.find_list(files, _USERS) is not None


def list_users(files: Mapping[str, str]) -> tuple[str, ...]:
    """The ids of all users of Jenkins' own user database that the files have, people included."""
    found = casc_insertion.find_list(files, _USERS)
    return tuple(find_text(user, "id") for user in found[1].items) if found else ()


def list_accounts_of_people(files: Mapping[str, str]) -> frozenset[str]:
    """The ids of the accounts that the toolkit makes for people by these files."""
    found = casc_insertion.find_list(files, _USERS)
    users = found[1].items if found else ()
    return frozenset(find_text(user, "id") for user in users if find_text(user, "description") == DESCRIPTION)


def _list_accounts(people: Mapping[str, Person]) -> Iterator[dict[str, Any]]:
    for name, person in people.items():
        yield {
            "id": name,
            "name": person.name,
            "description": DESCRIPTION,
            # The file is gone before these settings are, if somebody leaves: Jenkins must start then, too.
            "password": f"${{readFile:{PASSWORDS}/{name}:-{NO_PASSWORD}}}",
            "properties": [{"mailer": {"emailAddress": person.email}}],
        }


def _list_entries(people: Mapping[str, Person]) -> Iterator[dict[str, Any]]:
    for name, person in people.items():
        yield {"user": {"name": name, "permissions": list(PERMISSIONS[person.role])}}


def _list_group_entries(matrix: Node, people: Mapping[str, Person]) -> Iterator[dict[str, Any]]:
    """The permissions that the files give to groups of people, for each member."""
    for entry in matrix.items:
        for kind, grant in entry.meant.entries:
            if kind.meant.text not in {"group", "userOrGroup"}:
                continue
            group = find_text(grant, "name")
            granted = find_value(grant, "permissions")
            permissions = [permission.meant.text for permission in granted.items] if granted else []
            for name, person in people.items():
                if group in person.groups and permissions:
                    yield {"user": {"name": name, "permissions": permissions}}


def _refuse_namesakes(file: str, users: Node, people: Mapping[str, Person]) -> None:
    faults = [
        Fault(f"casc/{file}", user.line, user.column, f"the user '{name}' is in 'people' of the environment file, too")
        for user in users.items
        if (name := find_text(user, "id").lower()) in people
    ]
    if faults:
        raise CascRejected(_DOING, faults, "Take the user out of one of the two files.")
