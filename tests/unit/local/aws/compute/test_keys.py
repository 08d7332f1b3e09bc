"""Key pairs are real, and a replay returns the recorded ones."""

from __future__ import annotations

import io

import paramiko

from bootstrap.local.aws.compute import keys
from bootstrap.local.aws.persistence import randomness


def test_a_replay_returns_the_same_ed25519_pair_and_paramiko_reads_it() -> None:
    recorded: list[str] = []
    randomness.record_material(recorded)
    first = keys.make_ed25519_pair()
    randomness.replay_material(recorded)
    assert first == keys.make_ed25519_pair()
    private = paramiko.Ed25519Key.from_private_key(io.StringIO(first["material"].decode()))
    assert private.get_base64() == first["material_public"].decode().split()[1]


def test_a_replay_returns_the_same_rsa_pair_and_paramiko_reads_it() -> None:
    recorded: list[str] = []
    randomness.record_material(recorded)
    first = keys.make_rsa_pair()
    randomness.replay_material(recorded)
    assert first == keys.make_rsa_pair()
    private = paramiko.RSAKey.from_private_key(io.StringIO(first["material"].decode()))
    assert private.get_base64() == first["material_public"].decode().split()[1]
