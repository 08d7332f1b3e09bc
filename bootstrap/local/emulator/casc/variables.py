"""`${NAME}` in Configuration as Code: secret sources, defaults, escapes and helpers.

Facts: SecretSourceResolver of the configuration-as-code plugin. Sources are asked in turn: a file of that name in the
directory SECRETS (default /run/secrets), the properties file SECRETS_FILE, the environment.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

_NAME_END = re.compile(r"[:}]")


class Unresolvable(ValueError):
    """A variable has no value and strict resolution is on, or a helper cannot do its work."""


class Variables:
    """The values that a configuration may use. `warnings` collects what was missing when not strict."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._directory = Path(environment.get("SECRETS") or "/run/secrets")
        self._file = Path(environment.get("SECRETS_FILE") or "/run/secrets/secrets.properties")
        self.is_strict = environment.get("CASC_STRICT_SECRET_RESOLUTION", "").lower() == "true"
        self.warnings: list[str] = []
        self._helpers: dict[str, Callable[[str], str]] = {
            "base64": lambda text: base64.b64encode(text.encode()).decode(),
            "decodeBase64": _decode,
            "readFile": lambda path: self._read(path).decode(),
            "file": lambda path: self._read(path).decode(),
            "readFileBase64": lambda path: base64.b64encode(self._read(path)).decode(),
            "fileBase64": lambda path: base64.b64encode(self._read(path)).decode(),
            "json": _json,
            "trim": lambda text: text.rstrip(),
            "sysProp": lambda name: "",
        }

    def resolve(self, text: str) -> str:
        """The text with every variable replaced; Unresolvable in strict mode when one is unknown."""
        result, index = "", 0
        while index < len(text):
            if text.startswith("^${", index):
                result, index = result + "${", index + 3
                # The escaped expression itself stays as it is written.
                end = text.find("}", index)
                if end != -1:
                    result, index = result + text[index : end + 1], end + 1
            elif text.startswith("${", index):
                end = _closing(text, index + 2)
                if end == -1:
                    return result + text[index:]
                result, index = result + self._evaluate(text[index + 2 : end]), end + 1
            else:
                result, index = result + text[index], index + 1
        return result

    def _evaluate(self, expression: str) -> str:
        helper, separator, argument = expression.partition(":")
        if separator and helper in self._helpers and not argument.startswith("-"):
            return self._helpers[helper](self.resolve(argument))
        name, separator, default = expression.partition(":-")
        name = self.resolve(name)
        value = self._lookup(name)
        if value is not None:
            return value
        if separator:
            return self.resolve(default)
        problem = f"Configuration import: Found unresolved variable '{name}'"
        if self.is_strict:
            raise Unresolvable(f"Unable to resolve variable '{name}'. Aborting configuration reload.")
        self.warnings.append(problem + ". Will default to empty string")
        return ""

    def _lookup(self, name: str) -> str | None:
        if "/" not in name and name not in {"", ".", ".."}:
            path = self._directory / name
            if path.is_dir():
                raise Unresolvable(f"Cannot read secret '{name}': {path} is not a file")
            if path.is_file():
                return path.read_text().strip()
        if self._file.is_file():
            for line in self._file.read_text().splitlines():
                key, separator, value = line.partition("=")
                if separator and key.strip() == name and not line.lstrip().startswith(("#", "!")):
                    return value.strip()
        return self._environment.get(name)

    @staticmethod
    def _read(path: str) -> bytes:
        try:
            return Path(path.strip()).read_bytes()
        except OSError as fault:
            raise Unresolvable(f"Cannot read file {path}: {fault.strerror}") from fault


def _closing(text: str, index: int) -> int:
    depth = 1
    while index < len(text):
        if text.startswith("${", index):
            depth, index = depth + 1, index + 2
            continue
        if text[index] == "}":
            depth -= 1
            if depth == 0:
                return index
        index += 1
    return -1


def _decode(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as fault:
        raise Unresolvable(f"Cannot decode base64: {fault}") from fault


def _json(text: str) -> str:
    key, _, document = text.partition(":")
    try:
        return str(json.loads(document)[key])
    except (ValueError, KeyError, TypeError) as fault:
        raise Unresolvable(f"Cannot read key '{key}' of JSON text") from fault
