"""Converts the text of a setting to a value of its Java class, as Jenkins' converters do."""

from __future__ import annotations

import re
from typing import Any

from .faults import Unfit
from .permissions import find_permission
from .vocabulary import Attribute

_NUMBERS = {"int", "long", "double", "java.lang.Integer"}
_BOOLEANS = {"boolean", "java.lang.Boolean"}
_SECRETS = {"hudson.util.Secret", "com.cloudbees.plugins.credentials.SecretBytes"}
PERMISSION = "org.jenkinsci.plugins.matrixauth.integrations.casc.PermissionDefinition"
_VERSION = "io.jenkins.plugins.casc.ConfigurationContext$Version"
_SECRET_NAME = re.compile(r"password|secret|passphrase|private_?key|apitoken|token$", re.IGNORECASE)
_ILLEGAL = "java.lang.IllegalArgumentException"


class SecretText(str):
    """A value that is encrypted wherever it is written."""

    __slots__ = ()


def is_secret_name(name: str) -> bool:
    """Whether an attribute of this name has a value that must not be shown."""
    return bool(_SECRET_NAME.search(name))


def convert(text: str, attribute: Attribute) -> Any:
    """The value of an attribute; Unfit where Jenkins' converter throws.

    What is no number is zero, and what is no word of truth is false (commons-beanutils).
    """
    kind = attribute.kind
    if kind in _NUMBERS:
        return int(text) if re.fullmatch(r"[+-]?[0-9]+", text) else 0
    if kind in _BOOLEANS:
        return text.lower() in {"true", "yes", "y", "on", "1"}
    if kind in _SECRETS or (kind == "java.lang.String" and is_secret_name(attribute.name)):
        return SecretText(text)
    if kind == _VERSION:
        if text != "1":
            raise Unfit(_ILLEGAL, f"unsupported version {text}")
    elif attribute.words and text not in attribute.words:
        raise Unfit(_ILLEGAL, f"No enum constant {kind.replace('$', '.')}.{text}")
    elif kind == PERMISSION and find_permission(text) is None:
        raise Unfit(_ILLEGAL, f"Failed to parse '{text}' --- no such permission")
    return text
