"""Names of secrets of one's own (`jenkins.secrets`) that are those of the toolkit's own variables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

RESERVED = frozenset(
    (
        *(
            "ADMIN_PASSWORD",
            "TOOLKIT_PASSWORD",
            "TOOLKIT_TOKEN",
            "NO_PASSWORD",
            "MAIL_REPLY_TO",
            "MAIL_SENDER",
        ),
        *(f"SMTP_{it}" for it in ("CREDENTIAL", "HOST", "PASSWORD", "PORT", "SCOPE", "SSL", "TLS", "USER")),
        *("COLLECTING_METRICS_PERIOD_IN_SECONDS", "HOME", "LANG", "PATH", "SECRETS", "TZ", "USER"),
    )
)
RESERVED_PREFIXES = ("AWS_", "BOOTSTRAP_", "CASC_", "JAVA_", "JENKINS_")
"""The names of the toolkit's own variables and secrets of Jenkins, and how further ones begin."""
_KEY_OF_AGENTS = re.compile("AGENTS_.+_KEY")  # those of groups of agents, whatever their labels


def find_faults(names: Iterable[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """A fault for each name that is the toolkit's."""
    for name in names:
        if name in RESERVED or name.startswith(RESERVED_PREFIXES) or _KEY_OF_AGENTS.fullmatch(name):
            yield ("jenkins", "secrets", name), f"the name {name} is the toolkit's; choose another one"
