"""Whether the settings files still define the credential with which the extended mail step logs in at the mail server.

The step finds its login only by the id of a credential. Where a list of credentials has no such entry, for example a project's
own list, Jenkins accepts the settings, and the mail of every build fails later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from bootstrap.errors import Fault
from bootstrap.jenkins.definitions.casc_variables import Variables

CREDENTIAL = "SMTP_CREDENTIAL"
"""The variable with the id of the credential; it is empty if the mail server has no login."""

_ENTRY = (
    '- usernamePassword: {id: mail, scope: "${SMTP_SCOPE}", username: "${SMTP_USER}", password: "${SMTP_PASSWORD:-}"}'
)


def find_faults(documents: Mapping[str, CommentedMap], variables: Variables) -> Iterator[Fault]:
    """The fault, if a file uses the credential and no file defines it; the documents are the files by their shown paths."""
    identity = variables.values.get(CREDENTIAL, "")
    uses = [(file, place) for file, document in documents.items() for place in _find_uses(document)]
    if not identity or not uses or any(identity in _list_ids(it, variables) for it in documents.values()):
        return
    user, (line, column) = uses[0]
    place = f"{user}:{line}"
    file = user
    for name, document in documents.items():
        system = _descend(document, "credentials", "system")
        if "domainCredentials" in system:
            file, (line, column) = name, system.lc.key("domainCredentials")
            line, column = line + 1, column + 1
    yield Fault(
        file,
        line,
        column,
        f"no file defines the credential '{identity}', with which {place} logs in at the mail server; "
        f"add to the list 'credentials' in 'domainCredentials': {_ENTRY}",
    )


def _find_uses(node: Any) -> Iterator[tuple[int, int]]:
    """The places of the values that are the variable."""
    if isinstance(node, CommentedMap):
        for key, value in node.items():
            if value == f"${{{CREDENTIAL}}}":
                line, column = node.lc.value(key)
                yield line + 1, column + 1
            else:
                yield from _find_uses(value)
    elif isinstance(node, CommentedSeq):
        for value in node:
            yield from _find_uses(value)


def _list_ids(document: CommentedMap, variables: Variables) -> Iterator[str | None]:
    """The ids of the credentials that a file defines for all of Jenkins."""
    for domain in _list_items(_descend(document, "credentials", "system").get("domainCredentials")):
        for credential in _list_items(_descend(domain).get("credentials")):
            for properties in _descend(credential).values():
                yield variables.resolve(str(_descend(properties).get("id", "")))


def _list_items(node: Any) -> list[Any]:
    return list(node) if isinstance(node, CommentedSeq) else []


def _descend(node: Any, *keys: str) -> CommentedMap:
    """The mapping at these keys; an empty one if there is none."""
    for key in keys:
        node = node.get(key) if isinstance(node, CommentedMap) else None
    return node if isinstance(node, CommentedMap) else CommentedMap()
