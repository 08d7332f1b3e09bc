"""Settings as values: reads an export or a settings file, and replaces its secrets.

The parser of the toolkit's own settings files reads the export (`casc_tree`): it has the types of YAML 1.1, as Jenkins has, and
does not expand aliases. Here they are expanded, up to a limit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from bootstrap.environment.secret_names import RESERVED, RESERVED_PREFIXES
from bootstrap.importing.findings import Secret, make_variable, shorten
from bootstrap.importing.plain_secrets import HARMLESS, NAMES, VALUES, has_user, is_named_after_secret, remove_user
from bootstrap.jenkins.definitions import casc_tree
from bootstrap.jenkins.definitions.casc import is_secret
from bootstrap.jenkins.definitions.casc_tree import Kind, Node

LARGEST = 4 << 20  # characters of an export
_MOST = 50_000  # values, with all aliases expanded
_DEEPEST = 100
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_UNESCAPED = re.compile(r"(?<!\^)\$\{")
_CIPHERTEXT = re.compile(r"\{AQAA[A-Za-z0-9+/=]+\}|#jbcrypt:\S*|\A\*{8}\Z")
MASK = "***"


class Unusable(ValueError):
    """The text has no settings that can be used; the message says why."""


def parse(text: str) -> dict[str, Any]:
    """The settings in the text as mappings, lists, strings, whole numbers and booleans."""
    if len(text) > LARGEST:
        raise Unusable(f"it has more than {LARGEST} characters")
    try:
        document = casc_tree.parse(text)
    except yaml.YAMLError as error:
        raise Unusable(f"it is not YAML: {getattr(error, 'problem', None) or error}") from error
    except RecursionError as error:
        raise Unusable("it is nested too deeply") from error
    if document is None or document.kind is not Kind.MAPPING:
        raise Unusable("it is not a mapping of settings")
    value: dict[str, Any] = _Expansion().expand(document)
    return value


class _Expansion:
    """Converts nodes to values, and counts them."""

    def __init__(self) -> None:
        self._count = 0

    def expand(self, node: Node, depth: int = 0) -> Any:
        meant = node.meant
        self._count += 1
        if self._count > _MOST:
            raise Unusable(f"it has more than {_MOST} values")
        if depth > _DEEPEST:
            raise Unusable(f"it is nested more than {_DEEPEST} deep")
        if meant.kind is Kind.MAPPING:
            return {key.meant.text: self.expand(value, depth + 1) for key, value in meant.entries}
        if meant.kind is Kind.LIST:
            return [self.expand(item, depth + 1) for item in meant.items]
        if meant.is_null:
            return None
        if meant.is_plain and meant.text.lower() in {"true", "false"}:
            return meant.text.lower() == "true"
        return (
            int(meant.text)
            if meant.is_plain and _INTEGER.fullmatch(meant.text) and len(meant.text) < 19
            else meant.text
        )


def replace_secrets(
    value: Any,
    path: tuple[str, ...],
    replace: Callable[[tuple[str, ...]], str],
    tell: Callable[[tuple[str, ...], str], None] = lambda *_: None,
) -> Any:
    """The value with `replace(path)` in place of each secret; in a path, an entry of a list has the name that it has itself.

    Other texts keep their meaning: what looks like a variable in them is escaped. `tell(path, why)` is called for a URL with a
    user and a password.
    """
    if isinstance(value, Mapping):
        named = any(is_named_after_secret(name) for name in _list_names(value))
        return {
            key: replace((*path, key))
            if named and key in VALUES and isinstance(inner, str) and inner not in HARMLESS
            else replace_secrets(inner, (*path, key), replace, tell)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [
            replace_secrets(inner, (*path, _name_entry(inner, at)), replace, tell) for at, inner in enumerate(value)
        ]
    if not isinstance(value, str) or not value:
        return value
    if _CIPHERTEXT.search(value) or is_secret(path[-1]):
        return replace(path)
    shorter = value if len(value.split()) > 1 else remove_user(value)
    if shorter != value:
        tell(path, "user and password were left out of its URL")
    elif has_user(value):
        tell(path, "a URL there seems to have a password")
    return _UNESCAPED.sub("^${", shorter)


def _list_names(entry: Mapping[Any, Any]) -> list[str]:
    return [name for name in (entry.get(key) for key in NAMES) if isinstance(name, str)]


def _name_entry(entry: Any, at: int) -> str:
    """What an entry of a list is called: `{string: {id: token}}` is 'token'; otherwise its number."""
    inner = _unwrap(entry)
    names = _list_names(inner) if isinstance(inner, Mapping) else []
    return next((name for name in names if name), str(at))


def find_id(entry: Any) -> str:
    """The id of an entry of a list, such as a credential; empty if it has none."""
    inner = _unwrap(entry)
    return str(inner.get("id") or "") if isinstance(inner, Mapping) else ""


def _unwrap(entry: Any) -> Any:
    """The body of an entry that names its kind: `{string: {id: token}}` has the body `{id: token}`."""
    if isinstance(entry, Mapping) and len(entry) == 1 and isinstance(next(iter(entry.values())), Mapping):
        return next(iter(entry.values()))
    return entry


class Variables:
    """Gives each secret the name of a variable, which an environment file takes under `jenkins.secrets`."""

    def __init__(self) -> None:
        self.secrets: list[Secret] = []

    def add(self, path: tuple[str, ...]) -> str:
        """The reference to the variable of the secret at this path."""
        entry = next((part for part in reversed(path[:-1]) if not part.isdigit()), path[0])
        if path[0] == "credentials" and "credentials" in path[1:-2]:
            entry = path[path.index("credentials", 1) + 1]  # the id of the credential
        name = make_variable(entry, path[-1])
        if name in RESERVED or name.startswith(RESERVED_PREFIXES):
            name = f"IMPORTED_{name}"
        taken = {secret.variable for secret in self.secrets}
        unique = next(
            each for each in (name, *(f"{name}_{number}" for number in range(2, 10_000))) if each not in taken
        )
        self.secrets.append(Secret(unique, shorten(".".join(path))))
        return f"${{{unique}}}"
