"""A session of the IAM role that changes the second network: the person who approves takes it and passes it to the build.

The role trusts people only, never the machine. So between two approvals nothing on the controller can change that network,
because there are no credentials for it on the machine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bootstrap.errors import UsageError
from bootstrap.values import Secret

VARIABLE = "BOOTSTRAP_SESSION"
"""The name of the build's environment variable with the session, and of the parameter of the build's question."""

SECONDS = 3600  # the longest session that AWS allows for role chaining
_PARTS = ("AccessKeyId", "SecretAccessKey", "SessionToken")


def take_session(sts: Any, role: str, name: str) -> Secret:
    """Assume the role with this session name; returns the keys of the session as JSON."""
    credentials = sts.assume_role(RoleArn=role, RoleSessionName=name, DurationSeconds=SECONDS)["Credentials"]
    return Secret(json.dumps({part: credentials[part] for part in _PARTS}))


def read_session(environ: Mapping[str, str]) -> tuple[str, str, str] | None:
    """The keys of the session in this process' environment; None if there is none, UsageError for any other text."""
    text = environ.get(VARIABLE, "")
    if not text:
        return None
    try:
        content = json.loads(text)
        return tuple(str(content[part]) for part in _PARTS)  # type: ignore[return-value]
    except (ValueError, KeyError, TypeError):
        raise UsageError(
            f"reading the session in {VARIABLE}",
            "the value is not a session of './bootstrap.py approve'",
            "Start the job again, and approve it with './bootstrap.py approve'.",
        ) from None


def check_session(environ: Mapping[str, str]) -> None:
    """Raise UsageError if there is no session, because the question was answered in another way than by 'approve'."""
    if read_session(environ) is None:
        raise UsageError(
            "looking for the session of the approval",
            f"{VARIABLE} is empty: the question was answered on its page in Jenkins, which passes no session to the build",
            "Start the job again, and approve it with './bootstrap.py approve'.",
        )
