"""The account on which the tests of the account act work: its file, and what it has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bootstrap.acts import account as act
from bootstrap.acts.account_standing import OpenedAccount, State, read_standings
from bootstrap.cloud.world import World
from bootstrap.environment import account_file, settings
from bootstrap.values import Change
from tests.aws.conftest import ROOT, Cloud

WHOLE = """\
account: trial
environment: local
trail: {expire_days: 200}
password_policy: {minimum_length: 15}
ebs_encryption: true
s3_public_access_block: true
snapshot_public_access: block-all-sharing
image_public_access: block-new-sharing
instance_metadata: {hop_limit: 3}
serial_console: closed
contacts:
  security: {name: A, title: B, email: security@localhost, phone: "+1 2"}
"""
# What a person set in the account before the toolkit came.
FOREIGN_POLICY = {"MinimumPasswordLength": 8, "RequireNumbers": True}
SETTINGS = (
    *("password-policy", "ebs-encryption", "s3-public-access-block", "snapshot-public-access"),
    *("image-public-access", "instance-metadata", "security-contact"),
)


class Report:
    """What was told."""

    def __init__(self) -> None:
        self.notices: list[str] = []
        self.changes: list[Change] = []

    def progress(self, text: str) -> None:
        pass

    def notice(self, text: str) -> None:
        self.notices.append(text)

    def change(self, change: Change) -> None:
        self.changes.append(change)

    @property
    def names(self) -> list[str]:
        return [f"{change.kind} {change.name}" for change in self.changes if change.act == act.ACT]


def open_trial(cloud: Cloud, folder: Path, text: str = WHOLE, project: str = "jenkins") -> OpenedAccount:
    for name in ("accounts", "environments"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "environments" / "local.yaml").write_text((ROOT / "environments" / "local.yaml").read_text())
    path = folder / "accounts" / "trial.yaml"
    path.write_text(text)
    world = World(settings.load(ROOT / "environments" / "local.yaml"), cloud.endpoint)
    return OpenedAccount(account_file.load(path), project, "eu-central-1", world.aws, {"Project": project, "Run": "1"})


def read_states(account: OpenedAccount) -> dict[str, State]:
    return {standing.name: standing.state for standing in read_standings(account)}


def read_values(account: OpenedAccount) -> dict[str, Any]:
    return {standing.name: standing.value for standing in read_standings(account)}
