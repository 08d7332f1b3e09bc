"""What the certificates say, and when they are made anew."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509

from bootstrap.cloud.certificates import Certificates, fingerprint, from_json, issue, to_json
from bootstrap.values import Secret

NOW = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)


def made(kept: Certificates | None = None, now: datetime.datetime = NOW) -> Certificates:
    return issue(kept, ["ci.example.org"], ["10.77.3.10"], now)


def parsed(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def test_the_authority_signs_servers_and_no_further_authorities() -> None:
    extensions = parsed(made().authority_pem).extensions

    assert x509.BasicConstraints(ca=True, path_length=0) == extensions[0].value
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert (True, True, False) == (usage.key_cert_sign, usage.crl_sign, usage.digital_signature)


def test_the_server_certificate_names_every_name_and_address() -> None:
    names = parsed(made().certificate_pem).extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert ["ci.example.org"] == names.get_values_for_type(x509.DNSName)
    assert [ipaddress.ip_address("10.77.3.10")] == names.get_values_for_type(x509.IPAddress)


def test_lives_are_ten_years_and_397_days() -> None:
    certificates = made()

    lives = [
        (it.not_valid_after_utc - it.not_valid_before_utc).days
        for it in map(parsed, (certificates.authority_pem, certificates.certificate_pem))
    ]
    assert [3650, 397] == lives


def test_both_are_valid_for_a_clock_a_little_behind() -> None:
    certificates = made()

    for pem in (certificates.authority_pem, certificates.certificate_pem):
        assert parsed(pem).not_valid_before_utc < NOW


def test_a_client_that_trusts_the_authority_reaches_a_server_of_that_name(tmp_path: Path) -> None:
    certificates = issue(None, ["localhost"], [], datetime.datetime.now(datetime.UTC))
    chain = tmp_path / "server.pem"
    chain.write_text(certificates.certificate_pem + certificates.key.reveal())
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(chain)
    client = ssl.create_default_context(cadata=certificates.authority_pem)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    here, there = socket.socketpair()
    greeting = threading.Thread(target=lambda: server.wrap_socket(there, server_side=True).close())
    greeting.start()

    with client.wrap_socket(here, server_hostname="localhost") as secured:
        greeting.join()

        assert "TLSv1.3" == secured.version()


def test_good_certificates_are_kept() -> None:
    certificates = made()

    assert certificates is made(certificates, NOW + 366 * DAY)


def test_a_server_certificate_that_is_due_is_made_anew_by_the_same_authority() -> None:
    certificates = made()

    renewed = made(certificates, NOW + 367 * DAY)

    assert certificates.authority_pem == renewed.authority_pem
    assert certificates.certificate_pem != renewed.certificate_pem
    assert certificates.key != renewed.key
    parsed(renewed.certificate_pem).verify_directly_issued_by(parsed(renewed.authority_pem))


@pytest.mark.parametrize(
    ("names", "addresses"),
    [(["other.example.org"], ["10.77.3.10"]), (["ci.example.org"], []), (["ci.example.org"], ["10.77.3.11"])],
)
def test_other_names_bring_another_server_certificate(names: list[str], addresses: list[str]) -> None:
    certificates = made()

    renewed = issue(certificates, names, addresses, NOW)

    assert certificates.authority_pem == renewed.authority_pem
    assert certificates.certificate_pem != renewed.certificate_pem


def test_the_order_of_names_does_not_matter() -> None:
    certificates = issue(None, ["a.example.org", "b.example.org"], [], NOW)

    assert certificates is issue(certificates, ["b.example.org", "a.example.org"], [], NOW)


def test_an_authority_that_would_end_before_its_server_certificate_is_replaced() -> None:
    certificates = made()

    renewed = made(certificates, NOW + (3650 - 396) * DAY)

    assert certificates.authority_pem != renewed.authority_pem
    parsed(renewed.certificate_pem).verify_directly_issued_by(parsed(renewed.authority_pem))


def test_keys_and_certificates_that_do_not_belong_together_are_not_kept() -> None:
    one, other = made(), made()
    mixed = Certificates(one.authority_pem, one.authority_key, other.certificate_pem, other.key)
    foreign = Certificates(one.authority_pem, other.authority_key, one.certificate_pem, one.key)
    spoilt = Certificates(one.authority_pem, one.authority_key, "no certificate", Secret("no key"))

    assert (True, False) == _kept(one, made(mixed))
    assert (False, False) == _kept(one, made(foreign))
    assert (True, False) == _kept(one, made(spoilt))


def _kept(before: Certificates, after: Certificates) -> tuple[bool, bool]:
    return before.authority_pem == after.authority_pem, before.certificate_pem == after.certificate_pem


def test_what_is_kept_as_text_comes_back_equal() -> None:
    certificates = made()

    assert certificates == from_json(to_json(certificates))


@pytest.mark.parametrize("text", ["{}", "", "nothing yet", "[]", '{"authority": 1}', "null"])
def test_a_text_that_holds_none_gives_none(text: str) -> None:
    assert from_json(text) is None


def test_keys_never_show() -> None:
    assert "PRIVATE" not in repr(made())


def test_a_certificate_for_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a name or an address"):
        issue(None, [], [], NOW)


def test_a_fingerprint_reads_as_browsers_show_it() -> None:
    shown = fingerprint(made().certificate_pem)

    assert 32 == len(shown.split(":"))
    assert shown == shown.upper()
