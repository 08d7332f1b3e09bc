"""What the operator's machine brings along."""

from pathlib import Path

import pytest

from bootstrap.errors import Missing
from bootstrap.remote import operator_machine

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def test_auto_takes_this_machines_extra_certificates(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.crt").write_text(PEM)
    (tmp_path / "sub" / "b.crt").write_text(PEM)
    (tmp_path / "c.txt").write_text("no")

    assert {"a.crt": PEM, "b.crt": PEM} == operator_machine.read_certificates("auto", tmp_path)


def test_named_certificates_are_named_after_their_file(tmp_path: Path) -> None:
    (tmp_path / "corporate.pem").write_text(PEM)

    assert {"corporate.crt": PEM} == operator_machine.read_certificates([str(tmp_path / "corporate.pem")])


@pytest.mark.parametrize("content", [None, "not a certificate"])
def test_a_certificate_that_is_none_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "corporate.pem"
    if content is not None:
        path.write_text(content)

    with pytest.raises(Missing) as caught:
        operator_machine.read_certificates([str(path)])

    assert str(path) in caught.value.doing


def test_pip_keeps_indexes_that_another_machine_reaches() -> None:
    listed = [
        "global.index-url='https://mirror.example.org/simple'",
        "global.extra-index-url='file:///opt/simple https://second.example.org/simple'",
        ":env:.find-links='/opt/wheels'",
        "global.trusted-host='mirror.example.org'",
        "download.index-url='https://other.example.org/'",
    ]

    found = operator_machine.make_pip_configuration(listed).splitlines()

    assert [
        "[global]",
        "cert = /etc/ssl/certs/ca-certificates.crt",
        "disable-pip-version-check = true",
        "index-url = https://mirror.example.org/simple",
        "extra-index-url = https://second.example.org/simple",
        "trusted-host = mirror.example.org",
    ] == found
