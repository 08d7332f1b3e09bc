"""Public SSH keys, as a person writes them into an environment file: one line of OpenSSH's form (sshd(8), AUTHORIZED_KEYS).

Refused are private keys, options before a key, certificates, and keys that are weak or damaged: the machine would admit whoever
has them.
"""

from __future__ import annotations

import base64
import binascii
import struct

SMALLEST_RSA = 2048  # bits
_RSA = "ssh-rsa"
# How many fields a key of a type has, and the place and length in bytes of the one that is looked at (RFC 4253, 6.6; RFC 5656,
# 3.1; RFC 8709, 4; OpenSSH's PROTOCOL.u2f).
_FORMS = {
    "ssh-ed25519": (2, 1, 32),
    "sk-ssh-ed25519@openssh.com": (3, 1, 32),
    _RSA: (3, 0, len(_RSA)),
    "ecdsa-sha2-nistp256": (3, 2, 65),
    "ecdsa-sha2-nistp384": (3, 2, 97),
    "ecdsa-sha2-nistp521": (3, 2, 133),
    "sk-ecdsa-sha2-nistp256@openssh.com": (4, 2, 65),
}
_LONGEST = 16384  # characters


def check(text: str) -> str:
    """Returns the key as 'TYPE BASE64', without its comment; ValueError for what is no usable public key."""
    if "PRIVATE KEY" in text:
        raise ValueError(
            "this is a private key: take it out of the file, make another one, and write its public half (*.pub) here"
        )
    words = text.split(None, 2)
    if len(text) > _LONGEST or "\n" in text.strip() or len(words) < 2:
        raise ValueError("not a public SSH key on one line, such as 'ssh-ed25519 AAAA... comment' (the file *.pub)")
    kind, body = words[0], words[1]
    if kind == "ssh-dss":
        raise ValueError("DSA keys are weak, and sshd refuses them; make one with: ssh-keygen -t ed25519")
    if "-cert-v01@" in kind:
        raise ValueError("this is a certificate, not a key: write the public key itself")
    if kind not in _FORMS:
        raise ValueError(f"'{kind[:60]}' is no type of key here; a line begins with one of {', '.join(_FORMS)}")
    fields = _read_fields(body)
    count, place, length = _FORMS[kind]
    if len(fields) != count or fields[0] != kind.encode() or len(fields[place]) != length:
        raise ValueError(
            f"the key is damaged, or it is no key of the type {kind}: copy the whole line of the file *.pub"
        )
    if kind == _RSA and (bits := int.from_bytes(fields[2]).bit_length()) < SMALLEST_RSA:
        raise ValueError(f"the RSA key has {bits} bits, at least {SMALLEST_RSA} are needed; or: ssh-keygen -t ed25519")
    return f"{kind} {body}"


def _read_fields(body: str) -> list[bytes]:
    """The fields of a key, each with its length before it; empty if it is none."""
    try:
        data = base64.b64decode(body, validate=True)
    except binascii.Error:
        return []
    fields = []
    while data:
        if len(data) < 4 or len(data) < 4 + (length := struct.unpack(">I", data[:4])[0]):
            return []
        fields.append(data[4 : 4 + length])
        data = data[4 + length :]
    return fields
