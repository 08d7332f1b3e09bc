"""The age of keys: of the SSH key of the machine, and of the caller's own access keys.

A key is old after 90 days (CIS AWS Foundations Benchmark, and control IAM.3 of Security Hub). An old key does not stop a
launch.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from bootstrap.cloud import refusals
from bootstrap.context import Context
from bootstrap.doctor.findings import Finding, make_good, make_warning

OLD_DAYS = 90
_LOGIN_KEY = (
    "It can be read through SSM only, which CloudTrail records. To renew it, give KeyName in cloudformation/data.yaml another "
    "ending and launch: the key is replaced, then the machine; the data stays."
)
_ROTATE = (
    "Better use no access key: 'aws configure sso', or a role. Otherwise: aws iam create-access-key, put it into "
    "~/.aws/credentials; aws iam update-access-key --access-key-id {key} --status Inactive, and later delete-access-key."
)
_UNUSED = "Delete it if it is not needed: aws iam delete-access-key --access-key-id {key}"


def examine(context: Context) -> Iterator[Finding]:
    """A finding for each key."""
    now = datetime.datetime.now(datetime.UTC)
    name = f"{context.settings.project}-{context.settings.name}"
    filters = [{"Name": "key-name", "Values": [name]}]
    for pair in context.world.aws("ec2").describe_key_pairs(Filters=filters)["KeyPairs"]:
        if "CreateTime" in pair:
            yield judge(f"the machine's SSH key '{name}'", pair["CreateTime"], now, _LOGIN_KEY)
    if context.settings.cloud != "local":
        yield from _check_callers_keys(context, now)


def _check_callers_keys(context: Context, now: datetime.datetime) -> Iterator[Finding]:
    """The access keys of the calling user; the credentials of a role or session expire by themselves."""
    arn = context.world.aws("sts").get_caller_identity()["Arn"]
    if ":user/" not in arn:
        is_root = arn.endswith(":root")
        yield make_good(
            "keys",
            "the caller's credentials are the root user's" if is_root else "the caller's credentials are temporary",
        )
        return
    iam = context.world.aws("iam")
    try:
        for key in iam.list_access_keys()["AccessKeyMetadata"]:
            if key["Status"] == "Active":
                last_used = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
                yield check_access_key(key, last_used.get("LastUsedDate"), now)
    except Exception as error:
        if not refusals.is_from_aws(error):
            raise
        remedy = "Allow iam:ListAccessKeys and iam:GetAccessKeyLastUsed to see it."
        yield make_warning(
            "keys", f"the age of the caller's access keys is not known: {refusals.format_error(error)}", remedy
        )


def check_access_key(key: Mapping[str, Any], used: datetime.datetime | None, now: datetime.datetime) -> Finding:
    """One access key of the caller; `used` is when it was last used, None if never. Its id is no secret."""
    name = key["AccessKeyId"]
    if used is None:
        return judge(f"the access key {name}, never used,", key["CreateDate"], now, _UNUSED.format(key=name))
    name_and_use = f"the access key {name}, last used on {used:%Y-%m-%d},"
    return judge(name_and_use, key["CreateDate"], now, _ROTATE.format(key=name))


def judge(name_of_key: str, created_at: datetime.datetime, now: datetime.datetime, remedy: str) -> Finding:
    """Judge one key by its age in days."""
    days = (now - created_at).days
    message = f"{name_of_key} is {days} days old"
    return make_warning("keys", message, remedy) if days > OLD_DAYS else make_good("keys", message)
