"""Key pairs and key material that are real, and the same again after a replay.

Symmetric keys come from the request's seed; key pairs cannot be seeded (even the text of an Ed25519 key holds fresh random
bytes), so they are kept with the request in the journal.
"""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519 as ed
from cryptography.hazmat.primitives.asymmetric import rsa

from bootstrap.local.aws.persistence import randomness


class SeededSystem:
    """Stands in for the module `os` where moto takes only randomness from it."""

    urandom = staticmethod(randomness.draw_bytes)


def ed25519() -> dict[str, Any]:
    """An Ed25519 key pair in the form that moto's key pairs have; the private key is in OpenSSH's format."""
    form = serialization.PrivateFormat.OpenSSH
    made = randomness.make_material(lambda: _pem(ed.Ed25519PrivateKey.generate(), form))
    return _details(serialization.load_ssh_private_key(made, None), made, is_imported=True)


def rsa_2048() -> dict[str, Any]:
    """An RSA key pair; the private key is in PKCS#1, as EC2 gives it."""
    form = serialization.PrivateFormat.TraditionalOpenSSL
    made = randomness.make_material(lambda: _pem(rsa.generate_private_key(65537, 2048), form))
    return _details(serialization.load_pem_private_key(made, None), made, is_imported=False)


class KeptGenerator:
    """A key module of cryptography whose `generate_private_key` is kept with the request; the rest is its own."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def generate_private_key(self, *args: Any, **kwargs: Any) -> Any:
        """Generate a key, or give the one again that was generated at the first run."""
        made = randomness.make_material(lambda: _pem(self._module.generate_private_key(*args, **kwargs)))
        return serialization.load_pem_private_key(made, None)


def kept_generator(module: Any) -> KeptGenerator:
    """Wrap a key module."""
    return KeptGenerator(module)


def _pem(private: Any, form: Any = serialization.PrivateFormat.PKCS8) -> bytes:
    made: bytes = private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return made


def _details(private: Any, material: bytes, *, is_imported: bool) -> dict[str, Any]:
    from moto.ec2.utils import public_key_fingerprint, select_hash_algorithm

    public = private.public_key()
    algorithm = select_hash_algorithm(public) if is_imported else select_hash_algorithm(public, is_imported=False)
    return {
        "fingerprint": public_key_fingerprint(public, algorithm),
        "material": material,
        "material_public": public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH),
    }
