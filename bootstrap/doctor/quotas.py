"""The quotas that a launch needs: their values, what is used of them, and what this environment adds.

Quota codes are those of Service Quotas ('Amazon VPC' and 'Amazon EC2' endpoints and quotas in the AWS General Reference). The
local cloud has no quotas.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bootstrap.cloud import refusals
from bootstrap.context import Context
from bootstrap.doctor.findings import Finding, make_bad, make_good, make_warning
from bootstrap.stacks import composition

_LIVE = ["pending", "running"]
_NAT = {"none": 0, "one": 1}


@dataclass(frozen=True)
class Need:
    """One quota: its service and code, how many are used now, and how many a launch adds."""

    what: str
    service: str
    code: str
    used: int
    more: int


def examine(context: Context) -> Iterator[Finding]:
    """A finding for each quota that a launch uses."""
    if context.settings.cloud == "local":
        yield make_good("quotas", "the local cloud has none")
        return
    client = context.world.aws("service-quotas")
    for need in list_needs(context):
        if not need.more:
            continue
        try:
            yield judge(need, _read_quota(client, need))
        except Exception as error:
            if not refusals.is_from_aws(error):
                raise
            message = f"{need.what}: {need.used} are used, a launch adds {need.more}; the quota is not known"
            yield make_warning("quotas", f"{message}: {refusals.format_error(error)}", refusals.choose_remedy(error))


def _read_quota(client: Any, need: Need) -> int:
    """The value of the account's quota; AWS' default if the account has no own value."""
    arguments = {"ServiceCode": need.service, "QuotaCode": need.code}
    try:
        return int(client.get_service_quota(**arguments)["Quota"]["Value"])
    except client.exceptions.NoSuchResourceException:
        return int(client.get_aws_default_service_quota(**arguments)["Quota"]["Value"])


def judge(need: Need, quota: int) -> Finding:
    """Whether the quota is enough for what a launch adds."""
    message = f"{need.what}: {need.used} of {quota} are used, a launch adds {need.more}"
    if need.used + need.more <= quota:
        return make_good("quotas", message)
    command = (
        f"aws service-quotas request-service-quota-increase --service-code {need.service} --quota-code {need.code} "
        f"--desired-value {need.used + need.more}"
    )
    return make_bad("quotas", message, f"Delete what is not needed, or request an increase: {command}")


def list_needs(context: Context) -> tuple[Need, ...]:
    """What is used in the region, and what a launch of this environment would add."""
    ec2, network = context.world.aws("ec2"), context.settings.network
    is_new, has_machine = "network" not in context.stacks, "controller" in context.stacks
    gateways = _NAT.get(network.nat, network.zone_count) if is_new else 0
    addresses = len(ec2.describe_addresses()["Addresses"])
    vpcs = sum(len(page["Vpcs"]) for page in ec2.get_paginator("describe_vpcs").paginate())
    return (
        Need("VPCs", "vpc", "L-F678F1CE", vpcs, int(is_new)),
        Need(
            "NAT gateways of a zone",
            "vpc",
            "L-FE5A380F",
            _count_most_gateways(ec2, gateways, network.zone_names),
            min(gateways, 1),
        ),
        Need("public addresses", "ec2", "L-0263D0A3", addresses, gateways),
        Need(
            "vCPUs of standard instances",
            "ec2",
            "L-1216C47A",
            _count_used_vcpus(ec2, is_spot=False),
            _count_vcpus(
                context, [*_list_machines(context, has_machine=has_machine), *_list_agents(context, is_spot=False)]
            ),
        ),
        Need(
            "vCPUs of standard Spot instances",
            "ec2",
            "L-34B43A08",
            _count_used_vcpus(ec2, is_spot=True) if _list_agents(context, is_spot=True) else 0,
            _count_vcpus(context, _list_agents(context, is_spot=True)),
        ),
    )


def _count_most_gateways(ec2: Any, count: int, zone_names: tuple[str, ...] = ()) -> int:
    """The largest number of NAT gateways in one of the zones that would get one: the named zones, or the first `count` ones.

    The order is that of GetAZs. A gateway counts until its deletion ends.
    """
    if not count:
        return 0
    listed = zone_names or sorted(it["ZoneName"] for it in ec2.describe_availability_zones()["AvailabilityZones"])
    zones = listed[:count]
    subnets = [it for page in ec2.get_paginator("describe_subnets").paginate() for it in page["Subnets"]]
    zone_of = {it["SubnetId"]: it["AvailabilityZone"] for it in subnets}
    filters = [{"Name": "state", "Values": ["pending", "available", "deleting"]}]
    gateways = [
        it for page in ec2.get_paginator("describe_nat_gateways").paginate(Filter=filters) for it in page["NatGateways"]
    ]
    return max(sum(bool(zone_of.get(it["SubnetId"]) == zone) for it in gateways) for zone in zones)


def _count_used_vcpus(ec2: Any, *, is_spot: bool) -> int:
    """The number of vCPUs of running instances of the standard families (A, C, D, H, I, M, R, T, Z), Spot or not."""
    filters = [{"Name": "instance-state-name", "Values": _LIVE}]
    pages = ec2.get_paginator("describe_instances").paginate(Filters=filters)
    running = [it for page in pages for reservation in page["Reservations"] for it in reservation["Instances"]]
    of_quota = [it for it in running if (it.get("InstanceLifecycle") == "spot") == is_spot]
    options = [it.get("CpuOptions", {}) for it in of_quota if _is_standard(it["InstanceType"])]
    return sum(it.get("CoreCount", 1) * it.get("ThreadsPerCore", 1) for it in options)


def _is_standard(kind: str) -> bool:
    """Whether an instance type is of the families that share a quota."""
    return kind[0] in "acdhimrtz"


def _list_machines(context: Context, *, has_machine: bool) -> list[str]:
    """The types of the controller and the bastion, if they do not exist yet."""
    settings = context.settings
    if has_machine:
        return []
    bastion = [settings.network.bastion.instance_type] if settings.network.bastion else []
    return [settings.controller.instance_type, *bastion]


def _list_agents(context: Context, *, is_spot: bool) -> list[str]:
    """The types of all instances that groups without a stack may have at a time. Of each group the first type counts."""
    kinds: list[str] = []
    for label, group in context.settings.agents.items():
        if group.spot == is_spot and composition.name_agents_stack(label) not in context.stacks:
            kinds += [group.instance_types[0]] * group.maximum
    return kinds


def _count_vcpus(context: Context, kinds: list[str]) -> int:
    """The number of vCPUs of instances of these types, as far as they are of the standard families."""
    standard = [kind for kind in kinds if _is_standard(kind)]
    if not standard:
        return 0
    types = context.world.aws("ec2").describe_instance_types(InstanceTypes=sorted(set(standard)))["InstanceTypes"]
    by_kind = {it["InstanceType"]: int(it["VCpuInfo"]["DefaultVCpus"]) for it in types}
    return sum(by_kind[kind] for kind in standard)
