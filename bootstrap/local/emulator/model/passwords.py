"""Hashes passwords as Jenkins' own user database does."""

from __future__ import annotations

import bcrypt

HASHED = "#jbcrypt:"
COST = 10  # the cost that Jenkins uses; each step doubles the work of bcrypt
LONGEST = 72  # bytes that bcrypt takes


def hash_password(plain: str) -> str:
    """The text that Jenkins stores in the place of a password: '#jbcrypt:' and the hash."""
    salt = bcrypt.gensalt(COST, prefix=b"2a")
    return HASHED + bcrypt.hashpw(plain.encode()[:LONGEST], salt).decode()
