"""Puts the people of the environment file into Jenkins' settings: an account for each, and the permissions of their roles.

The files in `casc/` have the users of the toolkit and the permissions of all that are no people. People are added to the two
lists there, the users of Jenkins' own user database and the entries of the matrix, as text, so that nothing else in the files
changes. Jenkins reads the hash of a password from a file on the machine, not from a variable of its service: so it does not
restart when somebody comes or goes.

Jenkins' own user database has no groups. An entry of the matrix for a group of people is therefore repeated for each of its
members. Where a project's own files choose another user database, such as LDAP, people sign in there: they get no account
and no password here, and their entries in the matrix count for the ids of that database.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bootstrap.environment.people import Person, Role
from bootstrap.errors import CascRejected, Fault
from bootstrap.jenkins.definitions import casc_tree
from bootstrap.jenkins.definitions.casc_tree import Kind, Node
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
_DOING = "putting the people of the environment file into Jenkins' settings"


def add_people(files: Mapping[str, str], people: Mapping[str, Person]) -> dict[str, str]:
    """The settings files with the people in them; the same files if there are none.

    CascRejected if the files have no matrix for the permissions, or a user of the same id.
    """
    if not people:
        return dict(files)
    users, matrix = _find_list(files, "securityRealm", _DATABASES, "users"), None
    matrix = _find_list(files, "authorizationStrategy", _MATRICES, "entries")
    if matrix is None:
        reason = "no file has a matrix ('globalMatrix' or 'projectMatrix' with 'entries'), so roles have no permissions"
        raise CascRejected(_DOING, [Fault("casc", 1, 1, reason)], "Use a matrix in casc/, or take 'people' out.")
    changed = dict(files)
    entries = [*_list_entries(people), *_list_group_entries(matrix[1], people)]
    additions = [(*matrix, entries)]
    if users is not None:
        _refuse_namesakes(*users, people)
        additions.append((*users, list(_list_accounts(people))))
    for name in files:
        # From the end of a file to its begin: what is added moves what follows.
        inserted = [(_find_end(files[name], node), node, added) for file, node, added in additions if file == name]
        for end, node, added in sorted(inserted, key=lambda addition: addition[0], reverse=True):
            changed[name] = _insert(changed[name], end, node, added)
    return changed


def has_accounts(files: Mapping[str, str]) -> bool:
    """Whether people have accounts in Jenkins' own user database, and not in one that a project chose."""
    return _find_list(files, "securityRealm", _DATABASES, "users") is not None


def list_users(files: Mapping[str, str]) -> tuple[str, ...]:
    """The ids of all users of Jenkins' own user database that the files have, people included."""
    found = _find_list(files, "securityRealm", _DATABASES, "users")
    return tuple(_find_text(user, "id") for user in found[1].items) if found else ()


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
            group = _find_text(grant, "name")
            granted = _find_value(grant, "permissions")
            permissions = [permission.meant.text for permission in granted.items] if granted else []
            for name, person in people.items():
                if group in person.groups and permissions:
                    yield {"user": {"name": name, "permissions": permissions}}


def _refuse_namesakes(file: str, users: Node, people: Mapping[str, Person]) -> None:
    faults = [
        Fault(f"casc/{file}", user.line, user.column, f"the user '{name}' is in 'people' of the environment file, too")
        for user in users.items
        if (name := _find_text(user, "id").lower()) in people
    ]
    if faults:
        raise CascRejected(_DOING, faults, "Take the user out of one of the two files.")


def _find_list(files: Mapping[str, str], attribute: str, kinds: frozenset[str], name: str) -> tuple[str, Node] | None:
    """The file and the node of jenkins.ATTRIBUTE.KIND.NAME, if one of the files has it as a list."""
    for file, text in files.items():
        chosen = _find_value(_find_value(casc_tree.parse(text), "jenkins"), attribute)
        for kind, content in chosen.entries if chosen else ():
            found = _find_value(content, name) if kind.meant.text.lower() in kinds else None
            if found is not None and found.kind is Kind.LIST:
                return file, found
    return None


def _find_value(node: Node | None, key: str) -> Node | None:
    entries = node.meant.entries if node else ()
    return next((value.meant for name, value in entries if name.meant.text.lower() == key.lower()), None)


def _find_text(node: Node, key: str) -> str:
    found = _find_value(node, key)
    return found.text if found else ""


def _find_end(text: str, node: Node) -> int:
    """Where an entry is added to a list: before the bracket of one in brackets, else behind the line of its last value."""
    if text[node.start] == "[":
        return node.end - 1
    # A list or mapping in block style ends where the next thing begins, behind the comments between them.
    ended = (it for it in casc_tree.walk(node) if it.kind in {Kind.SCALAR, Kind.ALIAS} or text[it.start] in "[{")
    end = text.find("\n", max(it.end for it in ended) - 1)
    return len(text) if end < 0 else end + 1


def _insert(text: str, end: int, node: Node, added: list[dict[str, Any]]) -> str:
    """The text with these entries in a list; JSON is YAML, whatever the style around it."""
    written = [json.dumps(entry, ensure_ascii=False) for entry in added]
    if text[node.start] == "[":
        is_first = not node.items or text[:end].rstrip().endswith(",")
        return f"{text[:end]}{'' if is_first else ', '}{', '.join(written)}{text[end:]}"
    before = "" if end == 0 or text[end - 1] == "\n" else "\n"
    indentation = " " * (node.column - 1)
    lines = "".join(f"{indentation}- {entry}\n" for entry in written)
    return f"{text[:end]}{before}{lines}{text[end:]}"
