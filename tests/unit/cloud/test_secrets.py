"""Where the certificates and the authority's key are kept, also when a launch is killed at any moment."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate
from forging import earlier, earlier_text

from bootstrap.cloud import secrets
from bootstrap.cloud.certificates import Subjects, is_good
from bootstrap.cloud.secrets import MOVED_AUTHORITY, NEW_AUTHORITY, Issued, SecretArns, ensure_certificates

SUBJECTS = Subjects(("ci.example.org",), ("10.77.3.10",), "10.77.0.0/16")
OTHER = Subjects(("other.example.org",), ("10.77.3.10",), "10.77.0.0/16")
ARNS = SecretArns("arn:certificates", "arn:key")


class Killed(BaseException):
    """The process ends here."""


class Manager:
    """Secrets Manager, with the current version of each secret and the one before; dies at the write of that number."""

    def __init__(self, **texts: str) -> None:
        self.versions = {"arn:certificates": ["{}"], "arn:key": ["{}"]}
        self.versions |= {f"arn:{name}": [text] for name, text in texts.items()}
        self.writes_left = 99
        self.asked: list[str] = []

    def get_secret_value(self, SecretId: str) -> dict[str, Any]:  # noqa: N803
        self.asked.append(SecretId)
        return {"SecretString": self.versions[SecretId][-1]}

    def put_secret_value(self, SecretId: str, SecretString: str) -> None:  # noqa: N803
        if not self.writes_left:
            raise Killed
        self.writes_left -= 1
        self.versions[SecretId] = [*self.versions[SecretId], SecretString][-2:]

    def ensure(self, subjects: Subjects = SUBJECTS, *, writes: bool = True) -> Issued:
        return ensure_certificates(self, ARNS, subjects, writes=writes)

    @property
    def readable(self) -> str:
        """All that whoever may read the certificates gets."""
        return "".join(self.versions["arn:certificates"])


def is_of(key_text: str, issued: Issued) -> bool:
    key = load_pem_private_key(json.loads(key_text)["key"].encode(), None)
    return key.public_key() == load_pem_x509_certificate(issued.certificates.issuer_pem.encode()).public_key()


def test_the_first_are_issued_and_their_authoritys_key_lies_by_itself() -> None:
    manager = Manager()

    issued = manager.ensure()

    assert (True, "") == (issued.is_new, issued.authority_change)
    assert is_of(manager.versions["arn:key"][-1], issued)
    assert {"authority", "issuer", "certificate", "key"} == set(json.loads(manager.versions["arn:certificates"][-1]))


def test_while_they_are_good_the_key_is_not_even_read() -> None:
    manager = Manager()
    first = manager.ensure()
    manager.asked, manager.writes_left = [], 0

    assert Issued(first.certificates) == manager.ensure()
    assert ["arn:certificates"] == manager.asked


def test_another_name_brings_a_new_authority_and_says_so() -> None:
    manager = Manager()
    manager.ensure()

    issued = manager.ensure(OTHER)

    assert (True, NEW_AUTHORITY) == (issued.is_new, issued.authority_change)
    assert is_of(manager.versions["arn:key"][-1], issued)


def test_a_lost_key_brings_a_new_authority_only_when_it_is_needed() -> None:
    manager = Manager()
    first = manager.ensure()
    manager.versions["arn:key"] = ["{}"]

    assert first.certificates == manager.ensure().certificates
    assert (
        NEW_AUTHORITY == manager.ensure(Subjects(("ci.example.org",), ("10.77.3.11",), "10.77.0.0/16")).authority_change
    )


def test_a_look_writes_nothing() -> None:
    old, key = earlier(SUBJECTS)
    for manager in (Manager(), Manager(certificates=earlier_text(old, key))):
        before, manager.writes_left = dict(manager.versions), 0

        assert manager.ensure(writes=False).certificates.issuer_pem
        assert before == manager.versions


def test_the_key_of_an_earlier_authority_moves_and_its_certificates_go_on() -> None:
    old, key = earlier(SUBJECTS)
    manager = Manager(certificates=earlier_text(old, key))
    assert secrets.has_authority_key(manager, "arn:certificates")

    issued = manager.ensure()

    assert (False, MOVED_AUTHORITY) == (issued.is_new, issued.authority_change)
    assert (old.certificate_pem, old.key) == (issued.certificates.certificate_pem, issued.certificates.key)
    assert is_of(manager.versions["arn:key"][-1], issued)
    assert is_good(issued.certificates, SUBJECTS, datetime.datetime.now(datetime.UTC))
    assert "authority_key" not in manager.readable
    assert Issued(issued.certificates) == manager.ensure()


@pytest.mark.parametrize("number", range(4))
def test_a_move_that_is_killed_goes_on(number: int) -> None:
    old, key = earlier(SUBJECTS)
    manager = Manager(certificates=earlier_text(old, key))
    manager.writes_left = number
    try:
        manager.ensure()
        assert 3 == number
    except Killed:
        assert number < 3
    manager.writes_left = 99

    issued = manager.ensure()

    assert (old.certificate_pem, old.key) == (issued.certificates.certificate_pem, issued.certificates.key)
    assert is_of(manager.versions["arn:key"][-1], issued)
    assert is_of(json.dumps({"key": key.reveal()}), issued)
    assert "authority_key" not in manager.readable
    assert not secrets.has_authority_key(manager, "arn:certificates")


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("then", [SUBJECTS, OTHER])
def test_a_first_or_new_issue_that_is_killed_goes_on(number: int, then: Subjects) -> None:
    manager = Manager()
    if then is OTHER:
        manager.ensure()
    manager.writes_left = number
    try:
        manager.ensure(then)
        assert 2 == number
    except Killed:
        assert number < 2
    manager.writes_left = 99

    issued = manager.ensure(then)

    assert is_of(manager.versions["arn:key"][-1], issued)
    assert is_good(issued.certificates, then, datetime.datetime.now(datetime.UTC))


def test_a_foreign_key_beside_earlier_certificates_is_not_taken_over() -> None:
    old, _ = earlier(SUBJECTS)
    _, foreign = earlier(SUBJECTS)
    manager = Manager(certificates=earlier_text(old, foreign))

    issued = manager.ensure()

    assert (True, NEW_AUTHORITY) == (issued.is_new, issued.authority_change)
    assert "authority_key" not in manager.readable
    assert is_of(manager.versions["arn:key"][-1], issued)
