"""Keys are real, and the same again from what was kept."""

from __future__ import annotations

import io

import paramiko

from bootstrap.local.aws.compute import keys
from bootstrap.local.aws.persistence import randomness


def test_ed25519_pair_is_repeated_from_what_was_kept_and_opens_in_paramiko() -> None:
    kept: list[str] = []
    randomness.record_material(kept)
    first = keys.ed25519()
    randomness.replay_material(kept)
    assert first == keys.ed25519()
    private = paramiko.Ed25519Key.from_private_key(io.StringIO(first["material"].decode()))
    assert private.get_base64() == first["material_public"].decode().split()[1]


def test_rsa_pair_is_repeated_from_what_was_kept() -> None:
    kept: list[str] = []
    randomness.record_material(kept)
    first = keys.rsa_2048()
    randomness.replay_material(kept)
    assert first == keys.rsa_2048()
    private = paramiko.RSAKey.from_private_key(io.StringIO(first["material"].decode()))
    assert private.get_base64() == first["material_public"].decode().split()[1]
