"""The keys of `mail`: their defaults, and what contradicts itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.environment import settings
from bootstrap.errors import SettingsInvalid

SES = "smtp_host: email-smtp.eu-central-1.amazonaws.com"
LOGIN = "user: AKIAEXAMPLE, password: {secret: team/ses}"


def load(folder: Path, mail: str, cloud: str = "aws") -> settings.Settings:
    path = folder / "trial.yaml"
    path.write_text(f"environment: trial\ncloud: {cloud}\nowner: a\ncost_center: b\nmail: {{{mail}}}\n")
    return settings.load(path)


@pytest.mark.parametrize(
    ("cloud", "mail", "security", "port"),
    [
        ("local", "", "starttls", 587),
        ("local", "smtp_port: 2525", "starttls", 2525),
        ("local", "smtp_host: relay.example.org", "none", 25),
        ("aws", "", "none", 25),
        ("aws", "smtp_host: relay.example.org", "none", 25),
        ("aws", f"smtp_host: relay.example.org, {LOGIN}", "starttls", 587),
        ("aws", f"smtp_host: relay.example.org, security: tls, {LOGIN}", "tls", 465),
        ("aws", f"{SES}, sender: ci@example.org, {LOGIN}, smtp_port: 2587", "starttls", 2587),
    ],
)
def test_the_defaults_follow_from_the_login(tmp_path: Path, cloud: str, mail: str, security: str, port: int) -> None:
    found = load(tmp_path, mail, cloud)

    assert (security, port) == (found.mail_security, found.mail_port)


@pytest.mark.parametrize(
    ("cloud", "mail", "fault"),
    [
        ("aws", "smtp_host: a.example.org, user: ci", "mail.user: a login needs a password"),
        ("aws", "smtp_host: a.example.org, password: {secret: x}", "mail.password: a login needs the name of the user"),
        ("aws", f"smtp_host: a.example.org, security: none, {LOGIN}", "mail.security: the password would go through"),
        ("aws", f"smtp_host: a.example.org, smtp_port: 465, {LOGIN}", "mail.smtp_port: port 465 speaks TLS"),
        ("aws", "smtp_host: a.example.org, smtp_port: 587, security: tls", "mail.smtp_port: port 587 begins without"),
        ("aws", LOGIN, "mail.user: the mail server on the machine itself takes no login"),
        ("aws", "security: starttls", "mail.security: Jenkins reaches the mail server on the machine itself"),
        ("local", LOGIN, "mail.password: the local cloud's mail server has a login of its own"),
        ("local", "security: none", "mail.security: the local cloud's mail server speaks STARTTLS"),
        ("aws", f"{SES}, sender: ci@example.org", "mail.smtp_host: Amazon SES takes mail only with a login"),
        ("aws", f"{SES}, {LOGIN}", "mail.smtp_host: Amazon SES takes mail only from senders that were verified"),
        ("aws", "sandbox: true", "mail.sandbox: only the local cloud's mail server has it"),
        ("local", "smtp_host: relay.example.org, sandbox: true", "mail.sandbox: only the local cloud's mail server"),
        ("aws", "user: 'two words'", "mail.user: 'two words' does not match"),
        ("aws", "password: word", "mail.password: Input should be"),
    ],
)
def test_what_cannot_send_is_refused_at_its_key(tmp_path: Path, cloud: str, mail: str, fault: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load(tmp_path, mail, cloud)

    assert any(fault in it.message for it in caught.value.faults), caught.value.faults


def test_mail_comes_from_the_sender_or_the_administrator(tmp_path: Path) -> None:
    assert "jenkins@localhost" == load(tmp_path, "").mail_sender
    assert "ci@example.org" == load(tmp_path, "sender: ci@example.org").mail_sender


def test_the_password_is_one_of_the_secrets_that_exist_elsewhere(tmp_path: Path) -> None:
    found = load(tmp_path, f"smtp_host: a.example.org, {LOGIN}").own_secrets

    assert {("mail", "password"): "team/ses"} == {key: source.secret for key, source in found.items()}
