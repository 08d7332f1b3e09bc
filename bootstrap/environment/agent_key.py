"""The public key with which Amazon signs the agent of Session Manager, as the environment file has it.

Amazon renews the key every year or two and publishes it on one page only ("Verifying the signature of SSM Agent" in the user
guide of Systems Manager). So a person copies it from there, and it is no part of this repository.
"""

from __future__ import annotations

import base64
import binascii
import hashlib

LARGEST = 3072  # bytes; the key is a CloudFormation parameter in base64, which has at most 4096 characters
_BEGIN, _END = "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----"
_PUBLIC_KEY = 6  # RFC 9580, 5: the tag of a public key packet, which is the first packet of a block


def decode_armour(text: str) -> bytes:
    """The key without its ASCII armour; ValueError if the text is not one armoured OpenPGP public key (RFC 9580, 6)."""
    lines = [line.strip() for line in text.strip().splitlines()]
    if not lines or lines[0] != _BEGIN or lines[-1] != _END:
        raise ValueError(f"not an armored OpenPGP public key, which goes from '{_BEGIN}' to '{_END}'")
    # Headers end at the first empty line; the checksum is the line that begins with '='.
    body = lines[lines.index("") + 1 : -1] if "" in lines else lines[1:-1]
    try:
        key = base64.b64decode("".join(line for line in body if not line.startswith("=")), validate=True)
    except binascii.Error as error:
        raise ValueError(f"the armored key is damaged: {error}") from error
    if len(key) > LARGEST:
        raise ValueError(f"the key has {len(key)} bytes; a parameter of a template holds {LARGEST}")
    _read_first_packet(key)
    return key


def check_agent_key(text: str) -> str:
    """Returns the text if it is such a key; ValueError if not."""
    decode_armour(text)
    return text


def format_fingerprint(text: str) -> str:
    """The fingerprint as GnuPG and Amazon's page show it: 40 hexadecimal digits (RFC 9580, 5.5.4.2).

    ValueError as `decode_armour`.
    """
    body = _read_first_packet(decode_armour(text))
    return hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body, usedforsecurity=False).hexdigest().upper()


def _read_first_packet(data: bytes) -> bytes:
    """The body of the first packet; ValueError if it is no version 4 public key. Packet headers have two formats."""
    header = data[0] if data else 0
    is_new = bool(header & 0x40)
    tag = header & 0x3F if is_new else (header & 0x3C) >> 2
    start, length = _read_new_length(data) if is_new else _read_old_length(data)
    body = data[start : start + length]
    if not header & 0x80 or tag != _PUBLIC_KEY or len(body) < length or body[:1] != b"\x04":
        raise ValueError("the block contains no version 4 OpenPGP public key")
    return body


def _read_new_length(data: bytes) -> tuple[int, int]:
    if len(data) > 2 and 192 <= data[1] < 224:
        return 3, ((data[1] - 192) << 8) + data[2] + 192
    return 2, data[1] if len(data) > 1 else 0


def _read_old_length(data: bytes) -> tuple[int, int]:
    width = 1 << (data[0] & 0x03) if data and data[0] & 0x03 < 3 else 1
    return 1 + width, int.from_bytes(data[1 : 1 + width], "big")
