"""The private key of SSH as paramiko wants it, from the text that the cloud keeps."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from bootstrap.errors import Missing
from bootstrap.values import Secret


def read_private_key(secret: Secret) -> paramiko.PKey:
    """The private key out of any text form (OpenSSH, PKCS#1, PKCS#8), never written anywhere."""
    text = secret.reveal().strip().encode() + b"\n"
    try:
        load = serialization.load_ssh_private_key if b"OPENSSH" in text else serialization.load_pem_private_key
        key: Any = load(text, None)
        openssh = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        ).decode()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _make_missing_key() from error
    for kind in (paramiko.Ed25519Key, paramiko.RSAKey, paramiko.ECDSAKey):
        with contextlib.suppress(paramiko.SSHException):
            return kind.from_private_key(io.StringIO(openssh))
    raise _make_missing_key()


def _make_missing_key() -> Missing:
    return Missing(
        "reading the machine's private key",
        "its parameter contains no usable ed25519, RSA or ECDSA key",
        "Check the parameter /ec2/keypair/<id>; deleting the data stack's key pair and launching again makes a new one.",
    )
