"""Keys and token of the operator are read where the cloud is this environment's own, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.cloud import local_control
from bootstrap.cloud.world import World
from bootstrap.environment import settings
from bootstrap.local import mail_login
from bootstrap.local.aws.access import keys

OWN = "http://127.0.0.1:4000"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "port").write_text("4000")
    keys.ensure_operator_keys(tmp_path)
    keys.ensure_control_token(tmp_path)
    return tmp_path


def test_they_are_those_that_the_server_made(folder: Path) -> None:
    made = keys.ensure_operator_keys(folder)
    assert (made.access_key, made.secret_key) == local_control.read_keys(OWN, folder)
    assert keys.ensure_control_token(folder) == local_control.read_token(OWN, folder)


@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:4001", "http://10.0.0.1:4000", "https://aws", "nonsense"])
def test_they_are_for_no_other_cloud(folder: Path, endpoint: str | None) -> None:
    assert (None, None) == (local_control.read_keys(endpoint, folder), local_control.read_token(endpoint, folder))


def test_what_cannot_be_read_is_none(tmp_path: Path, folder: Path) -> None:
    assert local_control.read_keys(OWN, tmp_path / "nowhere") is None
    (folder / "credentials").write_text("broken")
    assert local_control.read_keys(OWN, folder) is None


@pytest.mark.parametrize(
    ("endpoint", "mail", "is_read"),
    [
        (OWN, "", True),
        (OWN, "mail: {smtp_host: relay.example.org}\n", False),
        ("http://127.0.0.1:4001", "", False),
    ],
)
def test_the_mail_servers_login_is_read_where_it_takes_the_mail(
    folder: Path, tmp_path: Path, endpoint: str, mail: str, is_read: bool
) -> None:
    login = mail_login.ensure(folder, "jenkins")
    (tmp_path / "trial.yaml").write_text(f"environment: trial\ncloud: local\nowner: a\ncost_center: b\n{mail}")
    world = World(settings.load(tmp_path / "trial.yaml"), endpoint, cloud=folder)

    password, authority = world.local_mail_password, world.local_mail_authority

    assert (login.password if is_read else None) == (password.reveal() if password else None)
    assert (authority or "").startswith("-----BEGIN CERTIFICATE-----") == is_read
