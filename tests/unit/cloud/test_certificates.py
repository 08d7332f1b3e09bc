"""What the certificates say, and when they are made anew."""

from __future__ import annotations

import datetime
import ipaddress
import json
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from bootstrap.cloud.certificates import (
    Certificates,
    Subjects,
    format_fingerprint,
    format_json,
    is_good,
    issue,
    parse_json,
)
from bootstrap.values import Secret

NOW = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)


SUBJECTS = Subjects(("ci.example.org",), ("10.77.3.10",), "10.77.0.0/16")
Pair = tuple[Certificates, Secret]


def made(kept: Pair | None = None, now: datetime.datetime = NOW, subjects: Subjects = SUBJECTS) -> Pair:
    return issue(*(kept or (None, None)), subjects, now)


def parsed(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def test_the_root_signs_one_issuer_and_that_servers_alone() -> None:
    certificates, key = made()
    root, issuer = parsed(certificates.authority_pem), parsed(certificates.issuer_pem)

    lengths = [it.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length for it in (root, issuer)]
    usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
    purposes = issuer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert ([1, 0], True, False) == (lengths, usage.key_cert_sign, usage.digital_signature)
    assert [ExtendedKeyUsageOID.SERVER_AUTH] == list(purposes)
    issuer.verify_directly_issued_by(root)
    parsed(certificates.certificate_pem).verify_directly_issued_by(issuer)
    assert issuer.public_key() == load_pem_private_key(key.reveal().encode(), None).public_key() != root.public_key()


@pytest.mark.parametrize(
    ("subjects", "names", "blocks"),
    [
        (SUBJECTS, ["ci.example.org"], ["10.77.0.0/16"]),
        (Subjects((), ("10.77.3.10",), "10.77.0.0/16"), ["invalid"], ["10.77.0.0/16"]),
        (Subjects(("a.b",), ("192.0.2.1", "10.77.3.10"), "10.77.0.0/16"), ["a.b"], ["10.77.0.0/16", "192.0.2.1/32"]),
        (Subjects(("a.b",), (), "10.77.0.0/16"), ["a.b"], ["10.77.0.0/16"]),
    ],
)
def test_both_permit_the_environments_names_and_addresses_and_no_other_kind(
    subjects: Subjects, names: list[str], blocks: list[str]
) -> None:
    certificates, _ = made(subjects=subjects)

    for pem in (certificates.authority_pem, certificates.issuer_pem):
        limits = parsed(pem).extensions.get_extension_for_class(x509.NameConstraints)
        permitted = limits.value.permitted_subtrees or []
        assert limits.critical
        assert [*names, *map(ipaddress.ip_network, blocks)] == [it.value for it in permitted]


def test_the_server_certificate_names_every_name_and_address() -> None:
    names = parsed(made()[0].certificate_pem).extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert ["ci.example.org"] == names.get_values_for_type(x509.DNSName)
    assert [ipaddress.ip_address("10.77.3.10")] == names.get_values_for_type(x509.IPAddress)


def test_lives_are_ten_years_and_397_days() -> None:
    certificates, _ = made()

    every = (certificates.authority_pem, certificates.issuer_pem, certificates.certificate_pem)
    lives = [(it.not_valid_after_utc - it.not_valid_before_utc).days for it in map(parsed, every)]
    assert [3650, 3650, 397] == lives
    assert all(it.not_valid_before_utc < NOW for it in map(parsed, every))  # for a clock a little behind


def test_good_certificates_are_kept() -> None:
    certificates = made()

    assert certificates[0] is made(certificates, NOW + 366 * DAY)[0]
    assert is_good(certificates[0], SUBJECTS, NOW + 366 * DAY)
    assert not is_good(certificates[0], SUBJECTS, NOW + 367 * DAY) and not is_good(None, SUBJECTS, NOW)


def test_a_server_certificate_that_is_due_is_made_anew_by_the_same_authority() -> None:
    before, key = made()

    after, same_key = made((before, key), NOW + 367 * DAY)

    assert (before.authority_pem, before.issuer_pem, key) == (after.authority_pem, after.issuer_pem, same_key)
    assert before.certificate_pem != after.certificate_pem and before.key != after.key
    parsed(after.certificate_pem).verify_directly_issued_by(parsed(after.issuer_pem))


def test_an_address_of_the_same_block_brings_another_server_certificate_by_the_same_authority() -> None:
    before = made()

    after, _ = made(before, subjects=Subjects(("ci.example.org",), ("10.77.3.11",), "10.77.0.0/16"))

    assert before[0].authority_pem == after.authority_pem
    assert before[0].certificate_pem != after.certificate_pem


@pytest.mark.parametrize(
    "subjects",
    [
        Subjects(("other.example.org",), ("10.77.3.10",), "10.77.0.0/16"),
        Subjects(("ci.example.org",), ("10.77.3.10",), "10.77.0.0/17"),
        Subjects(("ci.example.org",), ("192.0.2.1",), "10.77.0.0/16"),
    ],
)
def test_what_the_authority_does_not_permit_takes_another(subjects: Subjects) -> None:
    before = made()

    after, key = made(before, subjects=subjects)

    assert before[0].authority_pem != after.authority_pem and before[1] != key
    assert is_good(after, subjects, NOW)


def test_the_order_of_names_does_not_matter() -> None:
    certificates = made(subjects=Subjects(("a.example.org", "b.example.org"), ("10.0.0.1",), "10.0.0.0/16"))
    turned = Subjects(("b.example.org", "a.example.org"), ("10.0.0.1",), "10.0.0.0/16")

    assert certificates[0] is made(certificates, subjects=turned)[0]


def test_an_authority_that_would_end_before_its_server_certificate_is_replaced() -> None:
    before = made()

    after, key = made(before, NOW + (3650 - 396) * DAY)

    assert before[0].authority_pem != after.authority_pem and before[1] != key
    assert is_good(after, SUBJECTS, NOW + (3650 - 396) * DAY)


def test_keys_and_certificates_that_do_not_belong_together_are_not_kept() -> None:
    (one, key), (other, other_key) = made(), made()
    mixed = replace(one, certificate_pem=other.certificate_pem, key=other.key)
    crossed = replace(one, issuer_pem=other.issuer_pem)
    spoilt = replace(one, certificate_pem="no certificate", key=Secret("no key"))

    assert (True, False) == _kept(one, made((mixed, key))[0])
    assert (False, False) == _kept(one, made((crossed, key))[0])
    assert (True, False) == _kept(one, made((spoilt, key))[0])
    # Without its key the authority can sign nothing more.
    assert (False, False) == _kept(one, made((one, other_key))[0])
    assert (False, False) == _kept(one, issue(one, None, SUBJECTS, NOW)[0])


def _kept(before: Certificates, after: Certificates) -> tuple[bool, bool]:
    return before.authority_pem == after.authority_pem, before.certificate_pem == after.certificate_pem


def test_what_is_kept_as_text_comes_back_equal_and_has_no_key_of_the_authority() -> None:
    certificates, key = made()

    assert certificates == parse_json(format_json(certificates)) == parse_json(format_json(certificates, mark=True))
    assert json.dumps(key.reveal())[1:-1] not in format_json(certificates)
    assert 1 == format_json(certificates).count("BEGIN PRIVATE KEY")


@pytest.mark.parametrize("text", ["{}", "", "nothing yet", "[]", '{"authority": 1}', "null"])
def test_a_text_that_holds_none_gives_none(text: str) -> None:
    assert parse_json(text) is None


def test_keys_never_show() -> None:
    assert "PRIVATE" not in repr(made())


def test_a_certificate_for_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a name or an address"):
        made(subjects=Subjects((), (), "10.77.0.0/16"))


def test_a_fingerprint_reads_as_browsers_show_it() -> None:
    shown = format_fingerprint(made()[0].certificate_pem)

    assert 32 == len(shown.split(":"))
    assert shown == shown.upper()
