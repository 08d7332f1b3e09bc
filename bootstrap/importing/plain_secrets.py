"""Recognizes secrets in plain text: user and password in a URL, and the value of a variable that is named after a secret."""

from __future__ import annotations

import re

from bootstrap.jenkins.definitions.casc import is_secret

# A URL ends where the next one begins: lists of them are written with commas.
_URL = re.compile(r"(?<![A-Za-z0-9+.-])([A-Za-z][A-Za-z0-9+.-]{1,20}://)((?:(?![A-Za-z]{2,10}://)\S)*)")
_URL_IN_TEXT = re.compile(
    r"(?<![A-Za-z0-9+.-])([A-Za-z][A-Za-z0-9+.-]{1,20}://)((?:(?![A-Za-z]{2,10}://)[^\s'\"<>`])*)"
)
_AUTHORITY = re.compile(r"[^/?#\\]*")
_PORT = re.compile(r".*:\d*|\[[^\]]*\]")
_REFERENCE = re.compile(r"\$\{[^}]*\}(:\$\{[^}]*\})?")
_REFERENCE_IN_TEXT = re.compile(r"(\$\{[^}]*\}|\$\w+)(:(\$\{[^}]*\}|\$\w+))?|[^:$]*:(\$\{[^}]*\}|\$\w+)")
_VARIABLE = re.compile(r"(apikey|accesskey|passwd)$", re.IGNORECASE)
NAMES = ("id", "name", "key")
VALUES = frozenset({"value", "defaultValue", "default"})
HARMLESS = frozenset({"", "true", "false"})


def remove_user(text: str) -> str:
    """A value with a URL, without the user and password in it; that is the same text if there are none.

    With https, a token can stand in the place of the user, so both go. With other schemes (ssh) only a password goes.
    """
    if "://" not in text or "@" not in text:
        return text
    return _URL.sub(lambda match: match[1] + _cut(match[1], match[2], _REFERENCE), text)


def has_user(text: str) -> bool:
    """Whether a URL somewhere in a longer text seems to have a secret; variables such as `$USER:$TOKEN` are none."""
    if "://" not in text or "@" not in text:
        return False
    return any(_cut(match[1], match[2], _REFERENCE_IN_TEXT) != match[2] for match in _URL_IN_TEXT.finditer(text))


def is_named_after_secret(name: str) -> bool:
    """Whether a variable or parameter has the name of a secret, such as DB_PASSWORD or API_KEY."""
    joined = re.sub(r"[\W_]", "", name)
    return is_secret(joined) or _VARIABLE.search(joined) is not None


def _cut(scheme: str, rest: str, reference: re.Pattern[str]) -> str:
    """What follows the scheme, without user and password."""
    at = _find_end_of_user(rest)
    if at < 0 or reference.fullmatch(rest[:at]):
        return rest
    if scheme.lower().endswith(("http://", "https://")):  # git+https, too
        return rest[at + 1 :]
    user, colon, _ = rest[:at].partition(":")
    return f"{user}{rest[at:]}" if colon else rest


def _find_end_of_user(rest: str) -> int:
    """The place of the '@' behind user and password; -1 if there are none.

    People write passwords as they are, with '/' in them: then the '@' stands behind what looks like a host with a strange port.
    """
    match = _AUTHORITY.match(rest)
    authority = match[0] if match else ""
    at = authority.rfind("@")
    if at < 0 and ":" in authority and not _PORT.fullmatch(authority):
        at = rest.find("@")
    while at >= 0 and (behind := _AUTHORITY.match(rest, at + 1)):
        if "@" in behind[0]:
            at += 1 + behind[0].rfind("@")
        elif not behind[0] and (following := rest.find("@", at + 1)) >= 0:
            at = following
        else:
            break
    return at
