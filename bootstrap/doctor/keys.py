"""How old the keys are: the one that opens the machine, and the caller's own access keys.

Old means more than 90 days, as the CIS AWS Foundations Benchmark and Security Hub's control IAM.3 count; it stops no launch.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from bootstrap.cloud import refusals
from bootstrap.context import Context
from bootstrap.doctor.findings import Finding, good, warning

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
    """A line for each key."""
    now = datetime.datetime.now(datetime.UTC)
    name = f"{context.settings.project}-{context.settings.name}"
    filters = [{"Name": "key-name", "Values": [name]}]
    for pair in context.world.aws("ec2").describe_key_pairs(Filters=filters)["KeyPairs"]:
        if "CreateTime" in pair:
            yield judge(f"the machine's SSH key '{name}'", pair["CreateTime"], now, _LOGIN_KEY)
    if context.settings.cloud != "local":
        yield from _callers(context, now)


def _callers(context: Context, now: datetime.datetime) -> Iterator[Finding]:
    """The access keys of the calling user; what a role or a session is given ends by itself."""
    arn = context.world.aws("sts").get_caller_identity()["Arn"]
    if ":user/" not in arn:
        root = arn.endswith(":root")
        yield good(
            "keys", "the caller's credentials are the root user's" if root else "the caller's credentials are temporary"
        )
        return
    iam = context.world.aws("iam")
    try:
        for key in iam.list_access_keys()["AccessKeyMetadata"]:
            if key["Status"] == "Active":
                used = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
                yield access_key(key, used.get("LastUsedDate"), now)
    except Exception as error:
        if not refusals.is_awss(error):
            raise
        remedy = "Allow iam:ListAccessKeys and iam:GetAccessKeyLastUsed to see it."
        yield warning("keys", f"the age of the caller's access keys is not known: {refusals.text(error)}", remedy)


def access_key(key: Mapping[str, Any], used: datetime.datetime | None, now: datetime.datetime) -> Finding:
    """One access key of the caller's; it is told by its id, which is no secret."""
    name = key["AccessKeyId"]
    if used is None:
        return judge(f"the access key {name}, never used,", key["CreateDate"], now, _UNUSED.format(key=name))
    told = f"the access key {name}, last used on {used:%Y-%m-%d},"
    return judge(told, key["CreateDate"], now, _ROTATE.format(key=name))


def judge(what: str, made: datetime.datetime, now: datetime.datetime, remedy: str) -> Finding:
    """One key by its age in days."""
    days = (now - made).days
    told = f"{what} is {days} days old"
    return warning("keys", told, remedy) if days > OLD_DAYS else good("keys", told)
