"""Replaces `${NAME}` in settings files as Jenkins' SecretSourceResolver does, if the value is known before a launch."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

# ^${X} is the literal string ${X}; ${X:-text} has a default.
VARIABLE = re.compile(r"(?<!\^)\$\{([^{}:]+)(:-[^{}]*|:[^{}]*)?\}")
HELPERS = frozenset(
    "base64 decodeBase64 readFile file readFileBase64 fileBase64 json trim sysProp".split()  # noqa: SIM905
)


@dataclass(frozen=True)
class Variables:
    """The variables of `${NAME}`: all names that have a provider, and the values that are known and not secret."""

    provided: Collection[str] = ()
    values: Mapping[str, str] = field(default_factory=dict)

    def resolve(self, text: str) -> str | None:
        """The text with all variables replaced, as Jenkins reads it; None if it contains a secret or a helper function."""
        parts, rest = [], 0
        for match in VARIABLE.finditer(text):
            value = self._find_value(match[1], match[2] or "")
            if value is None or "${" in value:
                return None
            parts += [text[rest : match.start()], value]
            rest = match.end()
        parts.append(text[rest:])
        replaced = "".join(parts)
        if re.search(r"(?<!\^)\$\{", replaced):
            return None
        return replaced.replace("^${", "${")

    def _find_value(self, name: str, rest: str) -> str | None:
        if name in self.values:
            return self.values[name]
        if name not in self.provided and rest.startswith(":-"):
            return rest.removeprefix(":-")
        return None
