"""What the account may still have of what a launch makes: its quotas, what is used of them, and what this environment adds.

Quota codes are those of Service Quotas ('Amazon VPC' and 'Amazon EC2' endpoints and quotas in the AWS General Reference). The
AWS on this machine has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bootstrap.cloud import refusals
from bootstrap.context import Context
from bootstrap.doctor.findings import Finding, bad, good, warning

_LIVE = ["pending", "running"]
_NAT = {"none": 0, "one": 1}


@dataclass(frozen=True)
class Need:
    """One quota: its service and code, what is used of it now, and what a launch adds."""

    what: str
    service: str
    code: str
    used: int
    more: int


def examine(context: Context) -> Iterator[Finding]:
    """A line for each quota of which a launch takes something."""
    if context.settings.cloud == "local":
        yield good("quotas", "the local cloud has none")
        return
    client = context.world.aws("service-quotas")
    for need in needs(context):
        if not need.more:
            continue
        try:
            yield judge(need, _quota(client, need))
        except Exception as error:
            if not refusals.is_awss(error):
                raise
            told = f"{need.what}: {need.used} are used, a launch adds {need.more}; the quota is not known"
            yield warning("quotas", f"{told}: {refusals.text(error)}", refusals.remedy(error))


def _quota(client: Any, need: Need) -> int:
    """The account's own quota, or where it never had one of its own, AWS' default."""
    named = {"ServiceCode": need.service, "QuotaCode": need.code}
    try:
        return int(client.get_service_quota(**named)["Quota"]["Value"])
    except client.exceptions.NoSuchResourceException:
        return int(client.get_aws_default_service_quota(**named)["Quota"]["Value"])


def judge(need: Need, quota: int) -> Finding:
    """Whether what a launch adds still fits."""
    told = f"{need.what}: {need.used} of {quota} are used, a launch adds {need.more}"
    if need.used + need.more <= quota:
        return good("quotas", told)
    command = (
        f"aws service-quotas request-service-quota-increase --service-code {need.service} --quota-code {need.code} "
        f"--desired-value {need.used + need.more}"
    )
    return bad("quotas", told, f"Delete what is not needed, or request an increase: {command}")


def needs(context: Context) -> tuple[Need, ...]:
    """What is used in the region, and what this environment does not have yet."""
    ec2, network = context.world.aws("ec2"), context.settings.network
    is_new, has_machine = "network" not in context.stacks, "controller" in context.stacks
    gateways = _NAT.get(network.nat, network.zone_count) if is_new else 0
    addresses = len(ec2.describe_addresses()["Addresses"])
    vpcs = sum(len(page["Vpcs"]) for page in ec2.get_paginator("describe_vpcs").paginate())
    return (
        Need("VPCs", "vpc", "L-F678F1CE", vpcs, int(is_new)),
        Need(
            "NAT gateways of a zone", "vpc", "L-FE5A380F", _fullest(ec2, gateways, network.zone_names), min(gateways, 1)
        ),
        Need("public addresses", "ec2", "L-0263D0A3", addresses, gateways),
        Need("vCPUs of standard instances", "ec2", "L-1216C47A", _used(ec2), 0 if has_machine else _wanted(context)),
    )


def _fullest(ec2: Any, count: int, named: tuple[str, ...] = ()) -> int:
    """How many NAT gateways the fullest of the zones has that would get one: those named, or the first as GetAZs lists them.

    One that is being deleted counts until it is gone.
    """
    if not count:
        return 0
    listed = named or sorted(it["ZoneName"] for it in ec2.describe_availability_zones()["AvailabilityZones"])
    zones = listed[:count]
    subnets = [it for page in ec2.get_paginator("describe_subnets").paginate() for it in page["Subnets"]]
    zone_of = {it["SubnetId"]: it["AvailabilityZone"] for it in subnets}
    filters = [{"Name": "state", "Values": ["pending", "available", "deleting"]}]
    gateways = [
        it for page in ec2.get_paginator("describe_nat_gateways").paginate(Filter=filters) for it in page["NatGateways"]
    ]
    return max(sum(bool(zone_of.get(it["SubnetId"]) == zone) for it in gateways) for zone in zones)


def _used(ec2: Any) -> int:
    """The vCPUs of the standard families (A, C, D, H, I, M, R, T, Z) that run now."""
    filters = [{"Name": "instance-state-name", "Values": _LIVE}]
    pages = ec2.get_paginator("describe_instances").paginate(Filters=filters)
    running = [it for page in pages for reservation in page["Reservations"] for it in reservation["Instances"]]
    options = [it.get("CpuOptions", {}) for it in running if it["InstanceType"][0] in "acdhimrtz"]
    return sum(it.get("CoreCount", 1) * it.get("ThreadsPerCore", 1) for it in options)


def _wanted(context: Context) -> int:
    """The vCPUs of the controller's machine, and of the bastion's where there is to be one."""
    settings = context.settings
    kinds = [settings.controller.instance_type]
    kinds += [settings.network.bastion.instance_type] if settings.network.bastion else []
    told = context.world.aws("ec2").describe_instance_types(InstanceTypes=sorted(set(kinds)))["InstanceTypes"]
    by_kind = {it["InstanceType"]: int(it["VCpuInfo"]["DefaultVCpus"]) for it in told}
    return sum(by_kind[kind] for kind in kinds)
