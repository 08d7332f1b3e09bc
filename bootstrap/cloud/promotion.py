"""A session of the role that changes the next network: whoever approves takes it, and hands it to the build that asked.

The role trusts people alone, never the machine. So between two approvals nothing on the controller can change that network:
there is no key on it with which it could.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bootstrap.errors import UsageError
from bootstrap.values import Secret

VARIABLE = "BOOTSTRAP_SESSION"
"""The environment variable, and the parameter of the question, in which the build gets it."""

SECONDS = 3600  # a session that was taken with another role's cannot be longer
_PARTS = ("AccessKeyId", "SecretAccessKey", "SessionToken")


def take_session(sts: Any, role: str, name: str) -> Secret:
    """A session of the role in the caller's name, as text."""
    given = sts.assume_role(RoleArn=role, RoleSessionName=name, DurationSeconds=SECONDS)["Credentials"]
    return Secret(json.dumps({part: given[part] for part in _PARTS}))


def read_session(environ: Mapping[str, str]) -> tuple[str, str, str] | None:
    """The keys of the session that this process was handed, None where there is none; UsageError for any other text."""
    text = environ.get(VARIABLE, "")
    if not text:
        return None
    try:
        told = json.loads(text)
        return tuple(str(told[part]) for part in _PARTS)  # type: ignore[return-value]
    except (ValueError, KeyError, TypeError):
        raise UsageError(
            f"reading the session in {VARIABLE}",
            "it is not what './bootstrap.py approve' hands over",
            "Start the job again, and approve it with './bootstrap.py approve'.",
        ) from None


def check_session(environ: Mapping[str, str]) -> None:
    """UsageError where no session was handed over: the question was answered otherwise than by 'approve'."""
    if read_session(environ) is None:
        raise UsageError(
            "looking for the session of the approval",
            f"{VARIABLE} is empty: the question was answered on its page, where nobody can hand over a session",
            "Start the job again, and approve it with './bootstrap.py approve'.",
        )
