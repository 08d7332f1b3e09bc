"""How some properties are given to a call: policies as text, tokens that make a repeated call one."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To


def policy_text(policy: Any) -> str | None:
    """A policy as JSON text; None stays None."""
    if policy is None or isinstance(policy, str):
        return policy
    return json.dumps(policy)


def token_of(to: To) -> str:
    """A client token that is the same when an operation is taken up again."""
    digest = hashlib.sha256(f"{to.operation}/{to.logical_id}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:32]
