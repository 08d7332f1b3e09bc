"""Forms of some parameters: policies as text, and tokens that make a repeated call harmless."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To


def format_policy(policy: Any) -> str | None:
    """Return a policy as JSON text; None stays None."""
    if policy is None or isinstance(policy, str):
        return policy
    return json.dumps(policy)


def make_token(to: To) -> str:
    """Return a client token that is the same whenever this operation repeats the call."""
    digest = hashlib.sha256(f"{to.operation}/{to.logical_id}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:32]
