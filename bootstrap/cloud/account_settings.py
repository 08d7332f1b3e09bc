"""Settings of an account without a type in CloudFormation: how each is read, written, and what AWS has where nobody set it.

A value is what JSON can hold, in one form: two values are equal exactly if the settings are the same. None means that the
setting does not exist, as with a password policy that nobody made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Aws = Callable[[str], Any]
"""Gives the client of a service by its name."""

_CONTACTS = ("security", "operations", "billing")
UNBLOCKED = "unblocked"
"""The state in which snapshots and images may be public."""
NO_PREFERENCE: Mapping[str, Any] = {
    "HttpTokens": "no-preference",
    "HttpPutResponseHopLimit": -1,
    "HttpEndpoint": "no-preference",
    "InstanceMetadataTags": "no-preference",
}
"""The defaults of the metadata service where nobody set them, in the form in which they are taken away."""
_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
# What a password policy of IAM has where its field is left out (API_UpdateAccountPasswordPolicy).
_PASSWORD_DEFAULTS: Mapping[str, Any] = {
    "MinimumPasswordLength": 6,
    "RequireSymbols": False,
    "RequireNumbers": False,
    "RequireUppercaseCharacters": False,
    "RequireLowercaseCharacters": False,
    "AllowUsersToChangePassword": False,
    "MaxPasswordAge": 0,
    "PasswordReusePrevention": 0,
    "HardExpiry": False,
}


@dataclass(frozen=True)
class AccountSetting:
    """One setting: `default` is what an account has in which nobody set it.

    `read` returns its value, and `write` sets it; both take the clients and the number of the account.
    """

    name: str
    default: Any
    read: Callable[[Aws, str], Any]
    write: Callable[[Aws, str, Any], None]


def _read_password_policy(aws: Aws, _: str) -> Any:
    iam = aws("iam")
    try:
        found = iam.get_account_password_policy()["PasswordPolicy"]
    except iam.exceptions.NoSuchEntityException:
        return None
    return {key: found.get(key) or default for key, default in _PASSWORD_DEFAULTS.items()}


def _write_password_policy(aws: Aws, account_id: str, value: Any) -> None:
    if value is not None:
        # IAM takes no 0 for these two: left out, passwords do not expire and may be used again.
        unset = {key for key in ("MaxPasswordAge", "PasswordReusePrevention") if not value[key]}
        aws("iam").update_account_password_policy(**{key: it for key, it in value.items() if key not in unset})
    elif _read_password_policy(aws, account_id) is not None:
        aws("iam").delete_account_password_policy()


def _read_volume_encryption(aws: Aws, _: str) -> Any:
    return bool(aws("ec2").get_ebs_encryption_by_default()["EbsEncryptionByDefault"])


def _write_volume_encryption(aws: Aws, _: str, value: Any) -> None:
    if value:
        aws("ec2").enable_ebs_encryption_by_default()
    else:
        aws("ec2").disable_ebs_encryption_by_default()


def _read_bucket_block(aws: Aws, account_id: str) -> Any:
    control = aws("s3control")
    try:
        found = control.get_public_access_block(AccountId=account_id)["PublicAccessBlockConfiguration"]
    except control.exceptions.NoSuchPublicAccessBlockConfiguration:
        return None
    block = {key: bool(found.get(key)) for key in _BLOCKS}
    return block if any(block.values()) else None  # all false blocks nothing, as no block does


def _write_bucket_block(aws: Aws, account_id: str, value: Any) -> None:
    if value is None:
        aws("s3control").delete_public_access_block(AccountId=account_id)
    else:
        aws("s3control").put_public_access_block(AccountId=account_id, PublicAccessBlockConfiguration=value)


def _read_snapshot_block(aws: Aws, _: str) -> Any:
    return str(aws("ec2").get_snapshot_block_public_access_state()["State"])


def _write_snapshot_block(aws: Aws, _: str, value: Any) -> None:
    if value == UNBLOCKED:
        aws("ec2").disable_snapshot_block_public_access()
    else:
        aws("ec2").enable_snapshot_block_public_access(State=value)


def _read_image_block(aws: Aws, _: str) -> Any:
    return str(aws("ec2").get_image_block_public_access_state()["ImageBlockPublicAccessState"])


def _write_image_block(aws: Aws, _: str, value: Any) -> None:
    if value == UNBLOCKED:
        aws("ec2").disable_image_block_public_access()
    else:
        aws("ec2").enable_image_block_public_access(ImageBlockPublicAccessState=value)


def _read_metadata_defaults(aws: Aws, _: str) -> Any:
    found = aws("ec2").get_instance_metadata_defaults().get("AccountLevel", {})
    return {key: found.get(key, unset) for key, unset in NO_PREFERENCE.items()}


def _write_metadata_defaults(aws: Aws, _: str, value: Any) -> None:
    aws("ec2").modify_instance_metadata_defaults(**value)


def _read_serial_console(aws: Aws, _: str) -> Any:
    return bool(aws("ec2").get_serial_console_access_status()["SerialConsoleAccessEnabled"])


def _write_serial_console(aws: Aws, _: str, value: Any) -> None:
    if value:
        aws("ec2").enable_serial_console_access()
    else:
        aws("ec2").disable_serial_console_access()


def _make_contact(kind: str) -> AccountSetting:
    fields = ("Name", "Title", "EmailAddress", "PhoneNumber")

    def read(aws: Aws, _: str) -> Any:
        account = aws("account")
        try:
            found = account.get_alternate_contact(AlternateContactType=kind.upper())["AlternateContact"]
        except account.exceptions.ResourceNotFoundException:
            return None
        return {key: found[key] for key in fields}

    def write(aws: Aws, account_id: str, value: Any) -> None:
        if value is not None:
            aws("account").put_alternate_contact(AlternateContactType=kind.upper(), **value)
        elif read(aws, account_id) is not None:
            aws("account").delete_alternate_contact(AlternateContactType=kind.upper())

    return AccountSetting(f"{kind}-contact", None, read, write)


PASSWORD_POLICY = AccountSetting("password-policy", None, _read_password_policy, _write_password_policy)
VOLUME_ENCRYPTION = AccountSetting("ebs-encryption", False, _read_volume_encryption, _write_volume_encryption)
BUCKET_BLOCK = AccountSetting("s3-public-access-block", None, _read_bucket_block, _write_bucket_block)
# CloudFormation has a type for the first one; its deletion would unblock, whatever was set before.
SNAPSHOT_BLOCK = AccountSetting("snapshot-public-access", UNBLOCKED, _read_snapshot_block, _write_snapshot_block)
IMAGE_BLOCK = AccountSetting("image-public-access", UNBLOCKED, _read_image_block, _write_image_block)
METADATA = AccountSetting("instance-metadata", dict(NO_PREFERENCE), _read_metadata_defaults, _write_metadata_defaults)
SERIAL_CONSOLE = AccountSetting("serial-console", False, _read_serial_console, _write_serial_console)
SETTINGS = {
    it.name: it
    for it in (
        *(PASSWORD_POLICY, VOLUME_ENCRYPTION, BUCKET_BLOCK),
        *(SNAPSHOT_BLOCK, IMAGE_BLOCK, METADATA, SERIAL_CONSOLE),
        *map(_make_contact, _CONTACTS),
    )
}
"""All settings by their names, in the order in which they are changed."""
BLOCK_ALL = dict.fromkeys(_BLOCKS, True)
"""The value of BUCKET_BLOCK with which no bucket can be public."""
