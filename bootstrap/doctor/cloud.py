"""Checks of the account: the caller's identity, the region, the stacks, the names that a launch uses, the certificates."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from cryptography import x509

from bootstrap.cloud import certificates, refusals, secrets
from bootstrap.cloud.certificates import DUE_DAYS, Certificates
from bootstrap.context import Context
from bootstrap.doctor import keys, memory, permissions, quotas
from bootstrap.doctor.findings import Finding, make_bad, make_good, make_warning
from bootstrap.environment.models import Settings
from bootstrap.preconditions import account, boundaries, customer_keys
from bootstrap.stacks import states
from bootstrap.values import Stack
from bootstrap.views import machine_image
from bootstrap.views.machine_image import MachineImage

OLD_DAYS = 90
"""An image that is older, while a newer one is there, is a warning: most of what it brings was updated since."""


def check_identity(context: Context) -> Finding:
    """The identity that calls AWS, and its account."""
    try:
        caller = context.world.aws("sts").get_caller_identity()
    except Exception as error:
        if not refusals.is_from_aws(error):
            raise
        return make_bad("identity", _get_first_line(error), refusals.choose_remedy(error))
    return make_good("identity", f"{caller['Arn']} in account {caller['Account']}")


def examine(context: Context) -> Iterator[Finding]:
    """The lines of the account, for somebody who is known there."""
    for check in (
        _check_region,
        _check_account,
        _check_key,
        _check_permissions,
        _check_stacks,
        _check_names,
        _check_quotas,
        _check_memory,
        _check_image,
        _check_files,
        _check_certificates,
        _check_keys,
    ):
        try:
            yield from check(context)
        except Exception as error:
            if not refusals.is_from_aws(error):
                raise
            name = check.__name__.removeprefix("_check_")
            yield make_warning(
                name,
                f"AWS does not answer: {_get_first_line(error)}",
                "'doctor --policy' prints what the launcher needs.",
            )


def _check_region(context: Context) -> Iterator[Finding]:
    region = context.settings.region
    regions = context.world.aws("ec2").describe_regions(AllRegions=True)["Regions"]
    state = next((it.get("OptInStatus", "opt-in-not-required") for it in regions if it["RegionName"] == region), None)
    if state is None:
        yield make_bad("region", f"there is no region {region}", "Correct 'region' in the environment file.")
    elif state == "not-opted-in":
        yield make_bad("region", f"{region} is not enabled for this account", "Enable it in the account's settings.")
    else:
        yield make_good("region", region)


def _check_account(context: Context) -> Iterator[Finding]:
    """Names in the environment file that only the account can confirm: zones, the parent hosted zone, the peer's network."""
    faults = account.find_faults(context, context.wanted)
    for fault in faults:
        yield make_bad("account", str(fault), "Correct the environment file there.")
    if not faults:
        yield make_good("account", "the account has the zones and networks that the environment file names")


def _check_key(context: Context) -> Iterator[Finding]:
    """The customer keys that are good; keys and a boundary that may not be looked at. Faults are told as the account's."""
    examined = customer_keys.examine(context, context.wanted)
    for arn in examined.good:
        yield make_good("key", f"{arn} is enabled, and the services that use it may")
    if reason := boundaries.examine(context, context.wanted).unknown:
        yield make_warning(
            "boundary", f"not known: {reason}", "Allow iam:GetPolicy, or ask the account's administrator."
        )
    for reason in examined.unknown:
        remedy = "Allow kms:DescribeKey and kms:GetKeyPolicy, or see docs/aws.md for what the key's policy must allow."
        yield make_warning("key", f"not known: {reason}", remedy)


def _check_files(context: Context) -> Iterator[Finding]:
    if context.settings.cloud == "aws":
        yield from judge_files(context.settings)


def judge_files(settings: Settings) -> Iterator[Finding]:
    """How the machine gets the files of Jenkins, where that is not by its own way to the Internet."""
    network = settings.network
    if settings.jenkins.bucket:
        yield make_good("files", "the machine downloads the files of Jenkins from the environment's bucket")
    elif network.nat == "none" and network.transit_gateway is None and network.vpn is None:
        found = "the machine has no way to the source of Jenkins: its files are sent over SSH"
        slow = ", which takes long through Session Manager" if settings.ssh == "session-manager" else ""
        yield make_warning(
            "files", f"{found}{slow}", "Set jenkins.bucket to true: the machine downloads them from S3 then."
        )


def _check_stacks(context: Context) -> Iterator[Finding]:
    for name in context.wanted:
        existing = context.stacks.get(name)
        if existing is not None:
            yield check_stack(existing, _read_tags(context, existing))
    if not context.stacks:
        yield make_good("stacks", "none yet: a launch creates them")


def _read_tags(context: Context, existing: Stack) -> dict[str, str]:
    described = context.world.aws("cloudformation").describe_stacks(StackName=existing.name)["Stacks"][0]
    return {tag["Key"]: tag["Value"] for tag in described.get("Tags", ())}


def check_stack(existing: Stack, tags: Mapping[str, str]) -> Finding:
    """One stack: whether this toolkit made it, and whether it can be changed."""
    status = existing.status
    if tags.get("ManagedBy") != "jenkins-bootstrap":
        remedy = "Choose another 'project' or 'environment': a launch would change a foreign stack."
        return make_bad("stacks", f"{existing.name} exists and was not created by this toolkit", remedy)
    if status in states.UPDATE_STOPPED:
        return make_warning("stacks", f"{existing.name} is {status}", states.choose_remedy(status, existing.name))
    if status in states.CREATION_FAILED:
        return make_warning("stacks", f"{existing.name} is {status}", "A launch deletes it and creates it again.")
    if states.is_busy(status):
        return make_warning(
            "stacks", f"{existing.name} is {status}", "Another operation changes it now; a launch waits for that."
        )
    if status not in states.STEADY:
        return make_bad("stacks", f"{existing.name} is {status}", states.choose_remedy(status, existing.name))
    return make_good("stacks", f"{existing.name} is {status}")


def _check_names(context: Context) -> Iterator[Finding]:
    """Whether the name of the key pair is free; CloudFormation generates all other names."""
    name = f"{context.settings.project}-{context.settings.name}"
    filters = [{"Name": "key-name", "Values": [name]}]
    pairs = context.world.aws("ec2").describe_key_pairs(Filters=filters)["KeyPairs"]
    if pairs and "data" not in context.stacks:
        remedy = f"Delete it if it is not needed: aws ec2 delete-key-pair --key-name {name}; or choose another name."
        yield make_bad("key pair", f"a key pair '{name}' exists, and no stack of this environment has it", remedy)
    else:
        yield make_good("key pair", f"the name '{name}' is {'taken by this environment' if pairs else 'free'}")


def _check_permissions(context: Context) -> Iterator[Finding]:
    yield from permissions.examine(context)


def _check_keys(context: Context) -> Iterator[Finding]:
    yield from keys.examine(context)


def _check_quotas(context: Context) -> Iterator[Finding]:
    yield from quotas.examine(context)


def _check_memory(context: Context) -> Iterator[Finding]:
    yield from memory.examine(context)


def _check_image(context: Context) -> Iterator[Finding]:
    yield judge_image(
        machine_image.read_machine_image(context), datetime.datetime.now(datetime.UTC).date(), context.tool
    )


def judge_image(images: MachineImage, today: datetime.date, tool: str) -> Finding:
    """The age of the machine's image, and whether a newer one is there; before the first launch, those of the newest one."""
    newest, pinned = images.newest, images.pinned
    if newest is None:
        return _judge_without_newest(images, tool)
    if pinned is None:
        return make_good("image", f"a launch takes the newest one: {machine_image.describe_age(newest, today)}")
    upgrade = f"Run: {tool} image upgrade. It takes {newest} and replaces the machine; the data stays."
    if not pinned.is_available:
        return make_warning("image", f"{pinned}: the machine runs on, but cannot be replaced", upgrade)
    if images.is_newest:
        return make_good("image", f"{machine_image.describe_age(pinned, today)}; it is the newest one")
    text = f"{machine_image.describe_age(pinned, today)}; a newer one is there: {newest}"
    return (
        make_warning("image", text, upgrade)
        if machine_image.count_days(pinned, today) > OLD_DAYS
        else make_good("image", text)
    )


def _judge_without_newest(found: MachineImage, tool: str) -> Finding:
    if found.pinned is None:
        return make_bad("image", found.unknown, "Choose another 'region' in the environment file.")
    text = f"{found.pinned}; whether a newer one is there is not known: {found.unknown}"
    return make_bad(
        "image", text, f"Name an image of Debian 13 if the machine needs another one: {tool} image upgrade --to AMI"
    )


def _check_certificates(context: Context) -> Iterator[Finding]:
    data = context.stacks.get("data")
    arn = data.outputs.get("CertificatesSecret") if data else None
    stored = secrets.read_certificates(context.world.aws("secretsmanager"), arn) if arn else None
    if stored is None:
        yield make_good("certificates", "none yet: a launch issues them")
    else:
        yield from check_days_left(stored, datetime.datetime.now(datetime.UTC))


def check_days_left(stored: Certificates, now: datetime.datetime) -> Iterator[Finding]:
    """How many days the certificates of the server and of its authority are still valid; a finding for each."""
    due = {"server": DUE_DAYS, "authority": certificates.SERVER_DAYS}
    for name, pem in {"server": stored.certificate_pem, "authority": stored.authority_pem}.items():
        ends = x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc
        days = (ends - now).total_seconds() / 86400
        message = f"the {name}'s certificate is valid for {days:.0f} days, until {ends:%Y-%m-%d}"
        if days <= 0:
            yield make_bad(
                "certificates", f"the {name}'s certificate expired on {ends:%Y-%m-%d}", "A launch issues a new one."
            )
        elif days <= due[name]:
            yield make_warning("certificates", message, "It ends soon: a launch issues a new one.")
        else:
            yield make_good("certificates", message)


def _get_first_line(error: Any) -> str:
    return str(error).strip().splitlines()[0]
