"""AES-128-CBC and Jenkins' text form of a secret, `{AQAA...}`, for credentials.xml and exported configuration."""

from __future__ import annotations

import base64
import os
import struct
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

BLOCK_BYTES = 16
KEY_BYTES = 16
SALT_BYTES = 32


def encrypt(key: bytes, plain: bytes, vector: bytes) -> bytes:
    """Encrypt with AES-128-CBC and PKCS#7 padding."""
    padder = PKCS7(8 * BLOCK_BYTES).padder()
    encryptor = Cipher(AES(key), CBC(vector)).encryptor()
    return encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()


def decrypt(key: bytes, data: bytes, vector: bytes) -> bytes:
    """Undo `encrypt`; raises ValueError when the key is another one or the data is damaged."""
    if not data or len(data) % BLOCK_BYTES:
        raise ValueError("not a whole number of blocks")
    decryptor = Cipher(AES(key), CBC(vector)).decryptor()
    unpadder = PKCS7(8 * BLOCK_BYTES).unpadder()
    padded = decryptor.update(data) + decryptor.finalize()
    try:
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        raise ValueError("wrong key or damaged data") from None


class Vault:
    """The keys of one Jenkins home, in its folder secrets/ (mode 0700); encrypts secrets as text, and decrypts them."""

    def __init__(self, home: Path) -> None:
        folder = home / "secrets"
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        self._key = _read_or_create(folder / "hudson.util.Secret", KEY_BYTES)
        self.salt = _read_or_create(folder / "hudson.security.csrf.DefaultCrumbIssuer.crumbSalt", SALT_BYTES).hex()
        self.agents_key = _read_or_create(folder / "jenkins.slaves.JnlpSlaveAgentProtocol.secret", SALT_BYTES)

    def seal(self, plain: str) -> str:
        """Encrypt a secret as `{AQAA...}`: version 1, lengths, vector, data (hudson.util.Secret#getEncryptedValue)."""
        vector = os.urandom(BLOCK_BYTES)
        data = encrypt(self._key, plain.encode(), vector)
        return "{" + base64.b64encode(struct.pack(">BII", 1, len(vector), len(data)) + vector + data).decode() + "}"

    def open(self, sealed: str) -> str:
        """Decrypt `{AQAA...}`; a text of another form, or one that was encrypted with another key, is returned unchanged."""
        if not (sealed.startswith("{AQAA") and sealed.endswith("}")):
            return sealed
        try:
            packed = base64.b64decode(sealed[1:-1], validate=True)
            _, length, size = struct.unpack(">BII", packed[:9])
            return decrypt(self._key, packed[9 + length : 9 + length + size], packed[9 : 9 + length]).decode()
        except (ValueError, struct.error):
            return sealed


def _read_or_create(path: Path, size: int) -> bytes:
    if path.exists():
        return path.read_bytes()
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as stream:
        content = os.urandom(size)
        stream.write(content)
    return content
