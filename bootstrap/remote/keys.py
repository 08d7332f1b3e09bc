"""SSH keys as texts: fingerprints as ssh-keygen shows them."""

from __future__ import annotations

import base64
import hashlib


def format_fingerprint(public_key: str) -> str:
    """The SHA-256 fingerprint of an 'ssh-ed25519 AAAA... comment' line, with its type before it."""
    kind, blob = public_key.split()[:2]
    digest = base64.b64encode(hashlib.sha256(base64.b64decode(blob)).digest()).decode().rstrip("=")
    return f"{kind} SHA256:{digest}"
