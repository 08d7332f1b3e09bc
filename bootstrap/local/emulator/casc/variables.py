"""`${NAME}` in Configuration as Code: secret sources, defaults, escapes and helpers.

Facts: SecretSourceResolver of the configuration-as-code plugin. Sources are asked in turn: a file of that name in the
directory SECRETS (default /run/secrets), the properties file SECRETS_FILE, the properties of the JVM, the environment.
"""

from __future__ import annotations

import base64
import binascii
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from .substitution import CyclicError, substitute


class Unresolvable(ValueError):
    """A variable has no value and strict resolution is on, or a helper cannot do its work; `kind` is Java's exception."""

    def __init__(self, message: str, kind: str = "java.lang.IllegalStateException") -> None:
        super().__init__(message)
        self.kind = kind


class Variables:
    """The values that a configuration may use. `warnings` collects what was missing when not strict."""

    def __init__(self, environment: Mapping[str, str], properties: Mapping[str, str] | None = None) -> None:
        self._environment = environment
        home = environment.get("HOME", "")
        self._properties = {"java.io.tmpdir": tempfile.gettempdir(), "user.home": home, **(properties or {})}
        self._directory = Path(environment.get("SECRETS") or "/run/secrets")
        self._file = Path(environment.get("SECRETS_FILE") or "/run/secrets/secrets.properties")
        strict = environment.get("CASC_STRICT_SECRET_RESOLUTION", "")
        self.is_strict = self._properties.get("casc.strict.secret.resolution", strict).lower() == "true"
        self.warnings: list[str] = []
        helpers: dict[str, Callable[[str], str | None]] = {
            "base64": lambda text: base64.b64encode(text.encode()).decode(),
            "decodeBase64": _decode,
            "readFile": self._read_text,
            "file": self._read_text,
            "readFileBase64": self._read_encoded,
            "fileBase64": self._read_encoded,
            "json": self._read_key,
            "trim": lambda text: text.rstrip(),
            "sysProp": self._read_property,
        }
        self._helpers = {name.lower(): helper for name, helper in helpers.items()}

    def resolve(self, text: str) -> str:
        """The text with every variable replaced; Unresolvable in strict mode when one is unknown."""
        if "${" not in text:
            return text
        try:
            known = substitute(text, self._look_up, replaces_inside=True, keeps_escapes=True)
            return substitute(known, self._replace_unknown, replaces_inside=False, keeps_escapes=False)
        except CyclicError as fault:
            raise Unresolvable(str(fault)) from fault

    def _look_up(self, name: str) -> str | None:
        helper, separator, argument = name.partition(":")
        help_with = self._helpers.get(helper.lower()) if separator else None
        value = help_with(argument) if help_with else None
        return self._reveal(name) if value is None else value

    def _replace_unknown(self, name: str) -> str:
        if self.is_strict:
            raise Unresolvable(f"Unable to resolve variable '{name}'. Aborting configuration reload.")
        self._warn(f"Found unresolved variable '{name}'. Will default to empty string")
        return ""

    def _warn(self, message: str) -> None:
        self.warnings.append(f"Configuration import: {message}")

    def _reveal(self, name: str) -> str | None:
        if not name.strip():
            return None
        path = Path(f"{self._directory}/{name}")
        if path.is_file():
            return path.read_text(encoding="utf-8", errors="replace").strip()
        if path.exists():
            raise Unresolvable(f"Cannot load non-file {path}", "java.io.IOException")
        if self._file.is_file():
            for line in self._file.read_text(errors="replace").splitlines():
                key, separator, value = line.partition("=")
                if separator and key.strip() == name and not line.lstrip().startswith(("#", "!")):
                    return value.strip()
        return self._properties.get(name, self._environment.get(name))

    def _read_text(self, path: str) -> str | None:
        try:
            return Path(path).read_text(encoding="utf-8", errors="replace")
        except (OSError, ValueError):
            self._warn(f"Error looking up file '{path}' with UTF-8 encoding. Will default to empty string")
            return None

    def _read_encoded(self, path: str) -> str | None:
        try:
            return base64.b64encode(Path(path).read_bytes()).decode()
        except (OSError, ValueError):
            self._warn(f"Error looking up file '{path}'. Will default to empty string")
            return None

    def _read_key(self, text: str) -> str:
        key, separator, document = text.partition(":")
        if not separator:
            raise Unresolvable("Index 1 out of bounds for length 1", "java.lang.ArrayIndexOutOfBoundsException")
        try:
            value = json.loads(document)[key]
        except KeyError:
            self._warn(f"JSON secret did not contain the specified key '{key}'. Will default to empty string.")
            return ""
        except (ValueError, TypeError) as fault:
            raise Unresolvable(
                f"A JSONObject text must begin with '{{': {document[:40]}", "org.json.JSONException"
            ) from fault
        return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))

    def _read_property(self, name: str) -> str:
        value = self._properties.get(name)
        if value is None:
            message = f"System Properties did not contain the specified key '{name}'. Will default to empty string."
            self._warn(message)
        return value or ""


def _decode(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except binascii.Error as fault:
        raise Unresolvable(f"Illegal base64: {fault}", "java.lang.IllegalArgumentException") from fault
