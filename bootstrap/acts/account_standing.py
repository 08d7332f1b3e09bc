"""Reads how an account stands: who holds it, and for each thing that an account has only once who set it and to what.

The state of a setting follows from three facts: its value, what AWS has where nobody set it, and whether the toolkit has a
record of changing it. A value that is not AWS' own and that no record explains is somebody else's.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bootstrap.acts import stack
from bootstrap.cloud import account_claim, account_records, account_trails
from bootstrap.cloud.account_claim import Claim
from bootstrap.cloud.account_records import Record
from bootstrap.cloud.account_settings import (
    BLOCK_ALL,
    BUCKET_BLOCK,
    IMAGE_BLOCK,
    METADATA,
    NO_PREFERENCE,
    PASSWORD_POLICY,
    SERIAL_CONSOLE,
    SETTINGS,
    SNAPSHOT_BLOCK,
    VOLUME_ENCRYPTION,
    AccountSetting,
    Aws,
)
from bootstrap.cloud.account_trails import FoundTrail
from bootstrap.environment.account_file import AccountSettings
from bootstrap.values import Stack

TRAIL = "trail"
NAMES = (TRAIL, *SETTINGS)
"""Everything that an account file can have, by the names that the commands use."""


class State(enum.StrEnum):
    """Whose something is: the toolkit's, taken over by it, somebody else's, or not there at all."""

    OWNED = "owned"
    ADOPTED = "adopted"
    FOREIGN = "foreign"
    ABSENT = "absent"


@dataclass(frozen=True)
class Standing:
    """How one setting stands. `value` is what the account has; `wish` what the file says, if `is_wished`."""

    setting: AccountSetting
    state: State
    value: Any
    wish: Any
    is_wished: bool
    record: Record | None

    @property
    def name(self) -> str:
        """The name of the setting."""
        return self.setting.name

    @property
    def is_as_wished(self) -> bool:
        """Whether the account has what the file says, whoever set it."""
        return not self.is_wished or self.value == self.wish

    @property
    def is_edited(self) -> bool:
        """Whether somebody changed the value after the toolkit wrote it."""
        return self.record is not None and self.value not in (self.record.written, self.record.previous)


class OpenedAccount:
    """One account: its file, the clients that reach it, and the tags of its stack; what it has is read when it is asked for."""

    def __init__(
        self, settings: AccountSettings, project: str, region: str, aws: Aws, tags: Mapping[str, str] | None = None
    ) -> None:
        self.settings = settings
        self.project = project
        self.region = region
        self.aws = aws
        self.tags = {**(tags or {}), "Account": settings.name}

    @property
    def stack_name(self) -> str:
        """The full name of the account's stack."""
        return f"{self.project}-account"

    @property
    def own_claim(self) -> Claim:
        """The claim as this account file makes it."""
        return Claim(self.project, self.settings.name, self.region)

    @cached_property
    def account_id(self) -> str:
        """The number of the account that the credentials belong to."""
        return str(self.aws("sts").get_caller_identity()["Account"])

    @cached_property
    def stack(self) -> Stack | None:
        """The account's stack; None if there is none."""
        return stack.read(self.aws("cloudformation"), self.stack_name)

    def forget(self) -> None:
        """Read the stack again: something changed it."""
        self.__dict__.pop("stack", None)

    def read_claim(self) -> Claim | None:
        """Who holds the account; None if nobody does."""
        return account_claim.read_claim(self.aws("iam"))

    def find_users(self) -> tuple[str, ...]:
        """The environments that use the account."""
        return account_records.find_users(self.aws("ssm"), self.project)


def list_wishes(settings: AccountSettings) -> dict[str, Any]:
    """The values that the account file says, by the names of the settings; only those that it has."""
    wishes: dict[str, Any] = {}
    policy = settings.password_policy
    if policy is not None:
        wishes[PASSWORD_POLICY.name] = {
            "MinimumPasswordLength": policy.minimum_length,
            "RequireSymbols": policy.symbols,
            "RequireNumbers": policy.numbers,
            "RequireUppercaseCharacters": policy.uppercase,
            "RequireLowercaseCharacters": policy.lowercase,
            "AllowUsersToChangePassword": policy.users_may_change,
            "MaxPasswordAge": policy.max_age_days or 0,
            "PasswordReusePrevention": policy.reuse_prevention,
            # With it, who lets a password expire is locked out.
            "HardExpiry": False,
        }
    if settings.ebs_encryption:
        wishes[VOLUME_ENCRYPTION.name] = True
    if settings.s3_public_access_block:
        wishes[BUCKET_BLOCK.name] = BLOCK_ALL
    if settings.snapshot_public_access is not None:
        wishes[SNAPSHOT_BLOCK.name] = settings.snapshot_public_access
    if settings.image_public_access is not None:
        wishes[IMAGE_BLOCK.name] = settings.image_public_access
    if settings.instance_metadata is not None:
        metadata = settings.instance_metadata
        said = {"HttpTokens": metadata.tokens, "HttpPutResponseHopLimit": metadata.hop_limit}
        wishes[METADATA.name] = {**NO_PREFERENCE, **{key: it for key, it in said.items() if it is not None}}
    if settings.serial_console is not None:
        wishes[SERIAL_CONSOLE.name] = False
    for kind in ("security", "operations", "billing"):
        contact = getattr(settings.contacts, kind)
        if contact is not None:
            wishes[f"{kind}-contact"] = {
                "Name": contact.name,
                "Title": contact.title,
                "EmailAddress": contact.email,
                "PhoneNumber": contact.phone,
            }
    return wishes


def read_standings(account: OpenedAccount) -> tuple[Standing, ...]:
    """How every setting stands, also those that the file does not have."""
    wishes = list_wishes(account.settings)
    records = account_records.read_records(account.aws("ssm"), account.project)
    standings = []
    for setting in SETTINGS.values():
        value, record = setting.read(account.aws, account.account_id), records.get(setting.name)
        untouched = State.ABSENT if value == setting.default else State.FOREIGN
        state = untouched if record is None else State(record.origin)
        is_wished = setting.name in wishes
        standings.append(Standing(setting, state, value, wishes.get(setting.name), is_wished, record))
    return tuple(standings)


def read_trails(account: OpenedAccount) -> tuple[FoundTrail | None, tuple[FoundTrail, ...]]:
    """The trail of the account's stack, or None; and the trails of others."""
    own_arn = account.stack.outputs.get("TrailArn") if account.stack else None
    trails = account_trails.find_trails(account.aws("cloudtrail"))
    own = next((it for it in trails if it.arn == own_arn), None)
    return own, tuple(it for it in trails if it.arn != own_arn)


def format_value(value: Any) -> str:
    """A value for a reader, on one line."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, dict):
        return ", ".join(f"{key} {json.dumps(it)}" for key, it in value.items())
    return str(value)
