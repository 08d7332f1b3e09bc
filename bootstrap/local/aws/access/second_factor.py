"""Checks the second factor that a user gives with AssumeRole: the serial number of a virtual MFA device, and its code.

The code is computed from the seed of the device (RFC 6238: HMAC-SHA-1, six digits, steps of 30 seconds), as an authenticator
app computes it; the steps before and after this one count, too. A code may be used again here, which AWS refuses.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Any

from bootstrap.local.aws.access.identities import Principal, find_user
from bootstrap.local.aws.access.policies.attached import find_backend
from bootstrap.local.aws.access.policies.parameters import Call
from bootstrap.local.aws.access.refusals import Kind, Refused

_STEP = 30  # seconds
_FAILED = "MultiFactorAuthentication failed"


def check(principal: Principal, call: Call) -> bool:
    """Whether the call has a second factor; raises Refused if the device is not the caller's, or the code is wrong."""
    serial, code = call.find_text("SerialNumber"), call.find_text("TokenCode")
    if not serial and not code:
        return False
    user = find_user(principal.source_arn)
    backend = find_backend("iam", principal.account, "aws")
    device: Any = backend.virtual_mfa_devices.get(serial) if backend is not None else None
    if user is None or device is None or serial not in user.mfa_devices:
        found = (
            "unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user"
        )
        raise Refused(Kind.DENIED, f"{_FAILED}, {found}.")
    now = int(time.time()) // _STEP
    # As bytes: of text, compare_digest takes ASCII alone.
    codes = [compute_code(device.base32_string_seed, now + step).encode() for step in (-1, 0, 1)]
    given = code.encode(errors="replace")
    if not any(hmac.compare_digest(valid, given) for valid in codes):
        raise Refused(Kind.DENIED, f"{_FAILED} with invalid MFA one time pass code. ")
    return True


def compute_code(seed: str, step: int) -> str:
    """The code of a seed (base32) for a step since the epoch."""
    digest = hmac.new(base64.b32decode(seed), step.to_bytes(8), hashlib.sha1).digest()
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4]) & 0x7FFFFFFF
    return f"{number % 10**6:06d}"
