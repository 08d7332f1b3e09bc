"""AES against the vectors of its standards, and the text form of secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.local.emulator.model.cipher import Vault, decrypt, encrypt


def test_first_block_equals_the_vector_of_fips_197() -> None:
    key = bytes(range(16))
    plain = bytes.fromhex("00112233445566778899aabbccddeeff")
    assert encrypt(key, plain, bytes(16))[:16].hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"


def test_chaining_equals_the_vector_of_nist_sp_800_38a() -> None:
    key = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
    plain = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51")
    expected = "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
    assert encrypt(key, plain, bytes(range(16)))[:32].hex() == expected


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 100])
def test_decryption_undoes_encryption_for_any_length(length: int) -> None:
    key, vector, plain = b"k" * 16, b"v" * 16, b"x" * length
    assert decrypt(key, encrypt(key, plain, vector), vector) == plain


def test_wrong_key_is_noticed() -> None:
    sealed = encrypt(b"a" * 16, b"text", b"v" * 16)
    with pytest.raises(ValueError, match="wrong key"):
        decrypt(b"b" * 16, sealed, b"v" * 16)


def test_sealed_secret_opens_with_the_key_of_its_home_alone(tmp_path: Path) -> None:
    first, second = Vault(tmp_path / "one"), Vault(tmp_path / "two")
    sealed = first.seal("pass wörd")
    assert sealed.startswith("{AQAA")
    assert Vault(tmp_path / "one").open(sealed) == "pass wörd"
    assert second.open(sealed) == sealed


def test_keys_are_closed_to_others(tmp_path: Path) -> None:
    Vault(tmp_path)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "secrets").iterdir()}
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert set(modes.values()) == {0o600}


def test_plain_text_is_taken_as_it_is(tmp_path: Path) -> None:
    assert Vault(tmp_path).open("{AQAA not sealed}") == "{AQAA not sealed}"
