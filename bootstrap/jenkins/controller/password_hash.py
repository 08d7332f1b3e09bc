"""The hash of a user's password, in the form that Jenkins' own user database keeps and Configuration as Code takes.

Jenkins is handed this and never the text: what the service can read, whoever takes the service over can read, and a text opens
Jenkins from anywhere. The hash must not differ from launch to launch, for a new one would be a change and a restart. So its
salt is made of the name under which the secret is kept, which is another one in each environment and for each user. A salt
need not be secret; it is never made of the password, which would let a guess be tried without bcrypt's work.
"""

from __future__ import annotations

import base64
import hashlib

import bcrypt

from bootstrap.errors import BootstrapError
from bootstrap.values import Secret

_PREFIX = "#jbcrypt:"
_FORM = b"$2a$10$"  # the form and the rounds of Jenkins' own hashes
_MOST = 72  # bytes; bcrypt takes no more of a password
_STANDARD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BCRYPT = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def hash_password(password: Secret, name: str) -> Secret:
    """The hash of the password that is kept under `name`; BootstrapError for one that bcrypt would cut."""
    text = password.reveal().encode()
    if len(text) > _MOST:
        raise BootstrapError(
            f"hashing the password {name}",
            f"it has {len(text)} bytes, and Jenkins (bcrypt) takes at most {_MOST}",
            "Store a shorter password in Secrets Manager, then try again.",
        )
    salt = base64.b64encode(hashlib.sha256(name.encode()).digest()[:16]).rstrip(b"=")
    return Secret(_PREFIX + bcrypt.hashpw(text, _FORM + salt.translate(bytes.maketrans(_STANDARD, _BCRYPT))).decode())
