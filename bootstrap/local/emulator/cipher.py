"""AES-128-CBC (FIPS 197) and Jenkins' text form of a secret, `{AQAA...}`.

Written out here because the machine gets no cryptography package for the stand-in; it protects secrets at rest in
credentials.xml and in exported configuration, a few hundred bytes at a time, so its speed does not matter.
"""

from __future__ import annotations

import base64
import os
import struct
from itertools import pairwise
from pathlib import Path

BLOCK = 16


def _double(value: int) -> int:
    return ((value << 1) ^ 0x11B) & 0xFF if value & 0x80 else value << 1


def _multiply(left: int, right: int) -> int:
    product = 0
    while right:
        if right & 1:
            product ^= left
        left, right = _double(left), right >> 1
    return product


def _substitution() -> tuple[list[int], list[int]]:
    forward = [0] * 256
    for value in range(256):
        inverse = next((other for other in range(256) if _multiply(value, other) == 1), 0)
        mixed = inverse
        for shift in range(1, 5):
            mixed ^= ((inverse << shift) | (inverse >> (8 - shift))) & 0xFF
        forward[value] = mixed ^ 0x63
    backward = [0] * 256
    for value, image in enumerate(forward):
        backward[image] = value
    return forward, backward


_SUB, _UNSUB = _substitution()
# Column-major state: row r of column c is at 4*c + r; row r moves left by r.
_SHIFT = [(4 * ((index // 4 + index % 4) % 4)) + index % 4 for index in range(16)]
_UNSHIFT = [_SHIFT.index(index) for index in range(16)]
_TIMES = {factor: [_multiply(value, factor) for value in range(256)] for factor in (1, 2, 3, 9, 11, 13, 14)}


def _expand(key: bytes) -> list[bytes]:
    words = [key[index : index + 4] for index in range(0, 16, 4)]
    constant = 1
    for index in range(4, 44):
        word = words[-1]
        if index % 4 == 0:
            turned = word[1:] + word[:1]
            word = bytes(_SUB[octet] for octet in turned)
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = _double(constant)
        words.append(bytes(a ^ b for a, b in zip(words[-4], word, strict=True)))
    return [b"".join(words[index : index + 4]) for index in range(0, 44, 4)]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def _mix(state: bytes, factors: tuple[int, int, int, int]) -> bytes:
    mixed = bytearray()
    for column in range(0, 16, 4):
        for row in range(4):
            value = 0
            for offset in range(4):
                value ^= _TIMES[factors[(offset - row) % 4]][state[column + offset]]
            mixed.append(value)
    return bytes(mixed)


def _encrypt_block(block: bytes, keys: list[bytes]) -> bytes:
    state = _xor(block, keys[0])
    for number in range(1, 11):
        substituted = bytes(_SUB[octet] for octet in state)
        state = bytes(substituted[_SHIFT[index]] for index in range(16))
        if number < 10:
            state = _mix(state, (2, 3, 1, 1))
        state = _xor(state, keys[number])
    return state


def _decrypt_block(block: bytes, keys: list[bytes]) -> bytes:
    state = _xor(block, keys[10])
    for number in range(9, -1, -1):
        shifted = bytes(state[_UNSHIFT[index]] for index in range(16))
        state = _xor(bytes(_UNSUB[octet] for octet in shifted), keys[number])
        if number:
            state = _mix(state, (14, 11, 13, 9))
    return state


def encrypt(key: bytes, plain: bytes, vector: bytes) -> bytes:
    """AES-128-CBC with PKCS#7 padding."""
    keys, padding = _expand(key), BLOCK - len(plain) % BLOCK
    padded, previous, result = plain + bytes([padding]) * padding, vector, b""
    for index in range(0, len(padded), BLOCK):
        previous = _encrypt_block(_xor(padded[index : index + BLOCK], previous), keys)
        result += previous
    return result


def decrypt(key: bytes, data: bytes, vector: bytes) -> bytes:
    """The inverse of `encrypt`; ValueError when the key or the data is not right."""
    if not data or len(data) % BLOCK:
        raise ValueError("not a whole number of blocks")
    keys, blocks = _expand(key), [vector, *(data[index : index + BLOCK] for index in range(0, len(data), BLOCK))]
    plain = b"".join(_xor(_decrypt_block(block, keys), before) for before, block in pairwise(blocks))
    padding = plain[-1]
    if not 1 <= padding <= BLOCK or plain[-padding:] != bytes([padding]) * padding:
        raise ValueError("wrong key or damaged data")
    return plain[:-padding]


class Vault:
    """The key of this home, in secrets/ (0700), and the text form of secrets made with it."""

    def __init__(self, home: Path) -> None:
        folder = home / "secrets"
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        self._key = self._own(folder / "hudson.util.Secret", 16)
        self.salt = self._own(folder / "hudson.security.csrf.DefaultCrumbIssuer.crumbSalt", 32).hex()

    @staticmethod
    def _own(path: Path, size: int) -> bytes:
        if path.exists():
            return path.read_bytes()
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as stream:
            content = os.urandom(size)
            stream.write(content)
        return content

    def seal(self, plain: str) -> str:
        """The secret as `{AQAA...}`: version 1, lengths, vector, data (hudson.util.Secret#getEncryptedValue)."""
        vector = os.urandom(BLOCK)
        data = encrypt(self._key, plain.encode(), vector)
        return "{" + base64.b64encode(struct.pack(">BII", 1, len(vector), len(data)) + vector + data).decode() + "}"

    def open(self, sealed: str) -> str:
        """The plain text of `{AQAA...}`; a text of another form, or sealed with another key, is taken as it is."""
        if not (sealed.startswith("{AQAA") and sealed.endswith("}")):
            return sealed
        try:
            packed = base64.b64decode(sealed[1:-1], validate=True)
            _, length, size = struct.unpack(">BII", packed[:9])
            return decrypt(self._key, packed[9 + length : 9 + length + size], packed[9 : 9 + length]).decode()
        except (ValueError, struct.error):
            return sealed
