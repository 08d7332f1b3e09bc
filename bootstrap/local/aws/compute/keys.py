"""Makes real key pairs and key material, which are the same after a replay.

Symmetric keys come from the request's seed. Key pairs cannot come from a seed: even the text of an Ed25519 key has new random
bytes. So they are recorded with the request in the journal.
"""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519 as ed
from cryptography.hazmat.primitives.asymmetric import rsa

from bootstrap.local.aws.persistence import randomness


class SeededSystem:
    """Replaces the module `os` in those modules of moto that use only `os.urandom`."""

    urandom = staticmethod(randomness.draw_bytes)


def make_ed25519_pair() -> dict[str, Any]:
    """Make an Ed25519 key pair, as the dictionary that moto expects; the private key is in OpenSSH's format."""
    form = serialization.PrivateFormat.OpenSSH
    pem = randomness.make_material(lambda: _encode(ed.Ed25519PrivateKey.generate(), form))
    return _describe_pair(serialization.load_ssh_private_key(pem, None), pem, is_imported=True)


def make_rsa_pair() -> dict[str, Any]:
    """Make an RSA key pair of 2048 bits, as the dictionary that moto expects; the private key is in PKCS#1, as in EC2."""
    form = serialization.PrivateFormat.TraditionalOpenSSL
    pem = randomness.make_material(lambda: _encode(rsa.generate_private_key(65537, 2048), form))
    return _describe_pair(serialization.load_pem_private_key(pem, None), pem, is_imported=False)


class RecordedGenerator:
    """A module of `cryptography` whose `generate_private_key` records its keys with the request."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def generate_private_key(self, *args: Any, **kwargs: Any) -> Any:
        """Generate a key; in a replay, return the key of the first run."""
        pem = randomness.make_material(lambda: _encode(self._module.generate_private_key(*args, **kwargs)))
        return serialization.load_pem_private_key(pem, None)


def wrap_module(module: Any) -> RecordedGenerator:
    """Wrap a module of `cryptography` that has `generate_private_key`, such as `rsa`."""
    return RecordedGenerator(module)


def _encode(private: Any, form: Any = serialization.PrivateFormat.PKCS8) -> bytes:
    pem: bytes = private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return pem


def _describe_pair(private: Any, material: bytes, *, is_imported: bool) -> dict[str, Any]:
    from moto.ec2.utils import public_key_fingerprint, select_hash_algorithm

    public = private.public_key()
    algorithm = select_hash_algorithm(public) if is_imported else select_hash_algorithm(public, is_imported=False)
    return {
        "fingerprint": public_key_fingerprint(public, algorithm),
        "material": material,
        "material_public": public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH),
    }
