"""Where mail goes, as a line of the preflight."""

from pathlib import Path

import pytest

from bootstrap.doctor.examine import check_mail
from bootstrap.environment import settings


@pytest.mark.parametrize(
    ("cloud", "more", "health", "words"),
    [
        ("local", "", "ok", "is kept by the local cloud"),
        ("local", "mail: {sandbox: true}\n", "ok", "is kept by the local cloud"),
        (
            "local",
            "mail: {sandbox: true, sender: ci@example.org}\njenkins: {admin_address: on-call@example.org}\n",
            "warning",
            "the sandbox refuses mail to on-call@example.org",
        ),
        ("aws", "", "warning", "no mail server"),
        (
            "aws",
            "mail: {smtp_host: localhost}\n",
            "warning",
            "is localhost, the machine itself, and the machine has none",
        ),
        ("aws", "mail: {smtp_host: 127.0.0.1}\n", "warning", "no mail server"),
        ("aws", "mail: {smtp_host: localhost}\nhost: {extra_packages: [postfix]}\n", "ok", "the machine's own server"),
        ("aws", "host: {extra_packages: [postfix]}\n", "ok", "the machine's own server"),
        ("aws", "mail: {smtp_host: relay.example.org, smtp_port: 587}\n", "ok", "relay.example.org:587"),
    ],
)
def test_doctor_tells_where_mail_goes(tmp_path: Path, cloud: str, more: str, health: str, words: str) -> None:
    (tmp_path / "trial.yaml").write_text(f"environment: trial\ncloud: {cloud}\nowner: a\ncost_center: b\n{more}")

    found = check_mail(settings.load(tmp_path / "trial.yaml"), None)

    assert (health, True) == (str(found.health), words in found.found)
    assert bool(found.remedy) == (health != "ok")
