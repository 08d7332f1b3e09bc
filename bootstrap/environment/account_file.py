"""Reads an account file: the settings that an AWS account has only once, and by which environment the account is reached.

What the file leaves out, the toolkit leaves alone. A file with faults is refused before anything is touched: SettingsInvalid
has every fault with line and column. `format_schema()` returns the keys as JSON Schema; it is checked in as
`accounts/schema.json`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from bootstrap.environment import settings, yaml_source
from bootstrap.environment.models import Address
from bootstrap.environment.sections import Name, Section
from bootstrap.errors import Fault, SettingsInvalid

Text = Annotated[str, Field(min_length=1, max_length=64)]


class Trail(Section):
    """The trail of CloudTrail that records the calls of all regions into a bucket of its own.

    After `archive_days` records of 128 KB and more move to Glacier Instant Retrieval, after `expire_days` all are deleted.
    """

    archive_days: Annotated[int, Field(ge=1, le=3650)] = 90
    expire_days: Annotated[int, Field(ge=1, le=3650)] = 400

    @model_validator(mode="after")
    def _check_order(self) -> Trail:
        if self.expire_days <= self.archive_days:
            raise ValueError(f"expire_days ({self.expire_days}) must be more than archive_days ({self.archive_days})")
        return self


class PasswordPolicy(Section):
    """The passwords of IAM users, with the bounds of IAM. Without `max_age_days` a password does not expire."""

    minimum_length: Annotated[int, Field(ge=6, le=128)] = 14
    reuse_prevention: Annotated[int, Field(ge=1, le=24)] = 24
    max_age_days: Annotated[int, Field(ge=1, le=1095)] | None = None
    symbols: bool = True
    numbers: bool = True
    uppercase: bool = True
    lowercase: bool = True
    users_may_change: bool = True


class InstanceMetadata(Section):
    """The metadata service of new instances whose launch does not say otherwise; what is left out has no default."""

    tokens: Literal["required", "optional"] | None = "required"
    hop_limit: Annotated[int, Field(ge=1, le=64)] | None = None


class Contact(Section):
    """Whom AWS writes to or calls, beside the owner of the account."""

    name: Text
    title: Annotated[str, Field(min_length=1, max_length=50)]
    email: Annotated[Address, Field(max_length=254)]
    phone: Annotated[str, Field(pattern=r"^[\s0-9()+-]{1,25}$")]


class Contacts(Section):
    """The three alternate contacts of the account."""

    security: Contact | None = None
    operations: Contact | None = None
    billing: Contact | None = None


class AccountSettings(Section):
    """What the account shall have. A key that is left out, and a switch that is false, change nothing."""

    version: Literal[1] = 1
    account: Name
    # The environment of this checkout by which the account is reached: its cloud, region, project and tags.
    environment: Name
    # The account's number; with it, credentials of another account are refused.
    account_id: Annotated[str, Field(pattern=r"^[0-9]{12}$")] | None = None
    trail: Trail | None = None
    password_policy: PasswordPolicy | None = None
    ebs_encryption: bool = False
    s3_public_access_block: bool = False
    # Whether public sharing of snapshots is blocked: of all, or of those that are not public yet.
    snapshot_public_access: Literal["block-all-sharing", "block-new-sharing"] | None = None
    image_public_access: Literal["block-new-sharing"] | None = None
    instance_metadata: InstanceMetadata | None = None
    # 'closed': nobody reaches the serial console of an instance.
    serial_console: Literal["closed"] | None = None
    contacts: Contacts = Contacts()

    @property
    def name(self) -> str:
        """The account's name."""
        return self.account


def format_schema() -> str:
    """The JSON Schema of account files as text; `accounts/schema.json` has exactly this text."""
    return settings.format_model_schema(AccountSettings)


def load(path: Path) -> AccountSettings:
    """Read one account file; SettingsInvalid with every fault in it."""
    doing = f"reading the account file {path}"
    try:
        text = yaml_source.read_text(path)
    except yaml_source.Unreadable as error:
        known = ", ".join(sorted(it.stem for it in path.parent.glob("*.yaml"))) if path.parent.is_dir() else ""
        remedy = f"Name an account; there are: {known or 'none'}."
        raise SettingsInvalid(doing, [Fault(str(path), error.line, 1, str(error))], remedy) from error
    read, faults = settings.read_model(path, text, AccountSettings, "an account file must be a mapping of keys")
    if read is not None and path.stem != read.account:
        message = f"account: the file is called '{path.name}'; write 'account: {path.stem}', or rename it"
        faults = settings.place_faults(path, [(("account",), message)])
    if read is not None and not find_environment_file(path, read).is_file():
        environment_file = find_environment_file(path, read)
        faults += settings.place_faults(path, [(("environment",), f"environment: there is no {environment_file}")])
    if faults or read is None:
        raise SettingsInvalid(doing, faults, "Correct the file; accounts/aws.yaml explains every key.")
    return read


def find_environment_file(path: Path, read: AccountSettings) -> Path:
    """The file of the environment by which the account is reached: in the folder `environments` beside `accounts`."""
    return path.resolve().parent.parent / "environments" / f"{read.environment}.yaml"
