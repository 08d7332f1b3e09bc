"""The hash of a user's password, in the form of Jenkins' own user database, which Configuration as Code accepts.

Jenkins gets only the hash. An attacker who takes over the service can read what the service can read, and a password in plain
text would let the attacker sign in from anywhere. The hash must be the same in every launch, because another hash would be a
change and a restart. So the salt is computed from the name of the secret, which differs between environments and users. A salt
need not be secret. It is not computed from the password: a guess could then be tested without the work of bcrypt.
"""

from __future__ import annotations

import base64
import hashlib

import bcrypt

from bootstrap.errors import BootstrapError
from bootstrap.values import Secret

_PREFIX = "#jbcrypt:"
_FORM = b"$2a$10$"  # version and cost of Jenkins' own hashes
_MOST = 72  # bytes; bcrypt ignores the rest of a password
_STANDARD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BCRYPT = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def hash_password(password: Secret, name: str) -> Secret:
    """The hash of the password that the secret `name` contains.

    Raises BootstrapError if the password has more bytes than bcrypt uses.
    """
    text = password.reveal().encode()
    if len(text) > _MOST:
        raise BootstrapError(
            f"hashing the password {name}",
            f"it has {len(text)} bytes, and Jenkins (bcrypt) takes at most {_MOST}",
            "Store a shorter password in Secrets Manager, then try again.",
        )
    salt = base64.b64encode(hashlib.sha256(name.encode()).digest()[:16]).rstrip(b"=")
    return Secret(_PREFIX + bcrypt.hashpw(text, _FORM + salt.translate(bytes.maketrans(_STANDARD, _BCRYPT))).decode())
