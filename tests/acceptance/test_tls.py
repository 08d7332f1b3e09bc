"""TLS: Jenkins is reached only with encryption and under its own name."""

from __future__ import annotations

from cryptography import x509
from handshake import REFUSED, Place, Spoken

from bootstrap.context import Context
from bootstrap.preconditions import host_inputs

DAYS = 30


def test_the_certificate_is_ours(spoken: Spoken) -> None:
    """The environment's authority signed the certificate."""
    # The connection came about, and it trusts that authority alone.
    assert spoken.protocol.startswith("TLS")


def test_the_authority_is_limited(context: Context) -> None:
    """The environment's authority signs for the names and addresses of the environment alone."""
    authority = x509.load_pem_x509_certificate(context.controller.authority.encode())
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints)

    assert limits.critical
    assert set(host_inputs.list_subjects(context).permitted) == set(limits.value.permitted_subtrees or ())


def test_jenkins_answers_at_its_url(spoken: Spoken) -> None:
    """Jenkins answers at its URL."""
    assert (200, True) == (spoken.status, "x-jenkins" in spoken.headers)


def test_the_certificate_names_the_url(spoken: Spoken, place: Place) -> None:
    """The certificate is for the URL's host."""
    assert place.name in spoken.names


def test_the_certificate_lasts(spoken: Spoken) -> None:
    """The certificate is valid for at least 30 more days."""
    assert spoken.days_left > DAYS


def test_current_tls_is_spoken(offers: dict[str, str]) -> None:
    """TLS 1.2 and 1.3 are supported."""
    assert {"TLSv1.2", "TLSv1.3"} == {offers["TLSv1_2"], offers["TLSv1_3"]}


def test_old_tls_is_refused(offers: dict[str, str]) -> None:
    """TLS 1.0 and 1.1 are refused."""
    assert {REFUSED} == {offers["TLSv1"], offers["TLSv1_1"]}


def test_browsers_are_told_to_stay_encrypted(spoken: Spoken) -> None:
    """Strict-Transport-Security is set for a year."""
    told = dict(part.strip().lower().partition("=")[::2] for part in _header(spoken, "strict-transport-security"))

    assert int(told.get("max-age", "0")) >= 365 * 24 * 3600


def _header(spoken: Spoken, name: str) -> list[str]:
    return spoken.headers.get(name, "").split(";")


def test_the_server_does_not_tell_its_version(spoken: Spoken) -> None:
    """The web server does not disclose its version."""
    assert not any(character.isdigit() for character in spoken.headers.get("server", ""))


def test_sessions_stay_encrypted(signed_in: Spoken) -> None:
    """Session cookies are Secure and HttpOnly."""
    # Names of its attributes alone: the session itself is not for anybody's eyes.
    cookie = {part.strip().lower() for part in _header(signed_in, "set-cookie")[1:]}

    assert 200 == signed_in.status
    assert {"secure", "httponly"} <= cookie


def test_no_other_door_is_open(open_ports: dict[int, bool]) -> None:
    """Plain HTTP and Jenkins' own port cannot be reached over the network."""
    assert {80: False, 8080: False} == open_ports
