"""Security groups, ACLs and routes hold between real machines as the analyser says, through ten random changes."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import flips
import leftovers
import pytest
from filtered import (
    ENVIRONMENT,
    INTERNET,
    LISTEN,
    OUTSIDE,
    PRIVATE,
    PUBLIC,
    VPC,
    Cloud,
    Matrix,
    Site,
    allow,
    execute,
    free_port,
    instance,
    nacl,
    permission,
    states,
    wait_until,
)

from bootstrap.local.aws.access.keys import TOKEN
from bootstrap.local.machines import ensure_image, flags, ids
from bootstrap.local.machines.podman import read_podman_info
from bootstrap.views import enforcement


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    ensure_image(print)
    made = Cloud(tmp_path_factory.mktemp("cloud") / "state", free_port())
    made.state.mkdir()
    try:
        leftovers.sweep(ENVIRONMENT)
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def ec2(cloud: Cloud) -> Any:
    return cloud.ec2


@pytest.fixture(scope="module")
def internet() -> Iterator[str]:
    """A container on a network that is no VPC's."""
    name = f"bootstrap-{ENVIRONMENT}-internet"
    remove = [["podman", "rm", "--force", "--time=0", name], ["podman", "network", "rm", name]]
    for command in remove:
        subprocess.run(command, capture_output=True)
    subprocess.run(["podman", "network", "create", f"--subnet={OUTSIDE}", name], check=True, capture_output=True)
    info = read_podman_info()
    limits = [
        it for it in flags.list_machine_options(info, flags.read_own_limits(), ids.FIRST) if it.startswith("--ulimit")
    ]
    run = [
        "podman",
        *flags.list_runtime_options(info),
        "run",
        "--detach",
        f"--name={name}",
        f"--network={name}",
        *limits,
    ]
    try:
        subprocess.run(
            [*run, f"--ip={INTERNET}", ensure_image(print), "sleep", "infinity"], check=True, capture_output=True
        )
        yield name
    finally:
        for command in remove:
            subprocess.run(command, capture_output=True)


@pytest.fixture(scope="module")
def site(ec2: Any, internet: str) -> Site:
    vpc = ec2.create_vpc(CidrBlock=VPC)["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway)
    subnets, tables, nacls = {}, {}, {}
    for tier, block in (("public", PUBLIC), ("private", PRIVATE)):
        subnets[tier] = ec2.create_subnet(VpcId=vpc, CidrBlock=block)["Subnet"]["SubnetId"]
        tables[tier] = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.associate_route_table(SubnetId=subnets[tier], RouteTableId=tables[tier])
        nacls[tier] = nacl(ec2, vpc, subnets[tier])
    ec2.create_route(RouteTableId=tables["public"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    groups = {
        role: ec2.create_security_group(GroupName=role, Description=role, VpcId=vpc)["GroupId"]
        for role in ("bastion", "controller", "agent")
    }
    allow(ec2, groups["bastion"], 22, block=OUTSIDE)
    allow(ec2, groups["controller"], 22, group=groups["bastion"])
    allow(ec2, groups["controller"], 443, group=groups["bastion"])
    allow(ec2, groups["controller"], 80, group=groups["agent"])
    allow(ec2, groups["agent"], 22, group=groups["controller"])
    places = {"bastion": "public", "controller": "private", "agent": "private"}
    ids = {role: instance(ec2, subnets[tier], groups[role], tier == "public") for role, tier in places.items()}
    wait_until(lambda: set(states(ec2, ids)) == {"running"}, "three machines run")
    told = ec2.describe_instances(InstanceIds=list(ids.values()))["Reservations"]
    addresses = {it["InstanceId"]: it["PrivateIpAddress"] for reservation in told for it in reservation["Instances"]}
    containers = {role: f"bootstrap-{ENVIRONMENT}-{name}" for role, name in ids.items()}
    for container in containers.values():
        execute(container, "python3", "-c", LISTEN, detached=True)
    ends = {role: addresses[name] for role, name in ids.items()} | {"internet": INTERNET}
    return Site(ec2, vpc, ends, {**containers, "internet": internet}, groups, nacls, tables, gateway)


def test_connections_between_machines_are_what_the_analyser_says(site: Site) -> None:
    open_ones = {key for key, is_open in site.agreed().items() if is_open}
    assert open_ones == {
        ("internet", "bastion", 22),
        ("bastion", "controller", 22),
        ("bastion", "controller", 443),
        ("agent", "controller", 80),
        ("controller", "agent", 22),
    }


def test_sources_are_not_hidden_between_subnets(site: Site) -> None:
    said = execute(
        site.containers["bastion"],
        "bash",
        "-c",
        f"exec 3<>/dev/tcp/{site.ends['controller']}/22; sleep 5 & wait",
        detached=True,
    )
    assert said is not None
    seen = f"ss --no-header --numeric state established sport = :22 | grep -c {site.ends['bastion']}"
    wait_until(lambda: execute(site.containers["controller"], "bash", "-c", f"{seen} || true").strip() == "1", seen, 60)


def test_ten_random_changes_are_met_as_told(site: Site) -> None:
    seed = int(os.environ.get("FLIP_SEED") or random.SystemRandom().randrange(10**6))
    print(f"FLIP_SEED={seed}")
    chance = random.Random(seed)
    before, changed, undone = site.agreed(), 0, []
    for number, kind in enumerate(chance.sample(flips.KINDS, len(flips.KINDS))):
        old = site.told()
        made = flipped(site, chance, kind, old)
        if made is None:  # so much is closed by now that one more makes no difference
            while undone:
                undone.pop()()
            old = site.agreed()
            made = flipped(site, chance, kind, old)
        assert made is not None, f"no {kind.__name__} makes a difference to the world as it began"
        what, undo = made
        print(number, what)
        found = site.agreed()
        changed += found != old
        assert kind is not flips.six or found == old, "IPv6 rules change nothing for IPv4"
        if chance.random() < 0.5:
            undo()
            assert site.told() == old
        else:
            undone.append(undo)
    while undone:
        undone.pop()()
    assert site.agreed() == before
    assert changed == len(flips.KINDS) - 1, "all but the one of IPv6 make a difference"


def flipped(site: Site, chance: random.Random, kind: Callable[..., flips.Flip], old: Matrix) -> flips.Flip | None:
    """A change of that kind that the analyser says makes a difference, of those that are tried."""
    for _ in range(30):
        what, undo = kind(site, chance)
        if kind is flips.six or site.told() != old:
            return what, undo
        undo()
    return None


def test_after_a_kill_the_server_sets_the_rules_again(site: Site, cloud: Cloud) -> None:
    before = site.agreed()
    cloud.kill()
    (table,) = leftovers.tables(ENVIRONMENT)
    subprocess.run(["nft", "delete", "table", "ip", table], check=True)
    assert site.met() != before

    cloud.start()

    wait_until(lambda: leftovers.tables(ENVIRONMENT) == [table], "the table is there again")
    assert site.agreed() == before


def test_rules_that_something_else_changed_are_told_and_set_again(site: Site, cloud: Cloud) -> None:
    wait_until(lambda: told(cloud).problems == (), "all is well")
    (table,) = leftovers.tables(ENVIRONMENT)
    subprocess.run(["nft", "flush", "chain", "ip", table, "groups"], check=True)
    assert "has other rules than were set" in str(told(cloud))

    found = enforcement.read_enforcement(cloud.endpoint, settle_by=(cloud.state / TOKEN).read_text())

    assert found is not None
    assert found.problems == ()
    assert found.rules > 20


def test_a_filter_that_cannot_be_set_is_told_and_set_once_it_can(site: Site, cloud: Cloud) -> None:
    before = site.agreed()
    cloud.broken.touch()
    allow(site.ec2, site.groups["agent"], 80, block="0.0.0.0/0")
    try:
        wait_until(lambda: "planted" in str(told(cloud)), "the failure is told", 60)
    finally:
        cloud.broken.unlink()

    wait_until(lambda: told(cloud).problems == (), "it is set though nothing changed since", 60)
    assert site.agreed()["bastion", "agent", 80]
    site.ec2.revoke_security_group_ingress(GroupId=site.groups["agent"], IpPermissions=permission(80, "0.0.0.0/0"))
    assert site.agreed() == before


def told(cloud: Cloud) -> enforcement.Enforced:
    found = enforcement.read_enforcement(cloud.endpoint)
    assert found is not None
    return found


def test_machines_have_no_way_past_the_rules_by_ipv6(site: Site) -> None:
    for role in ("bastion", "controller", "agent"):
        assert execute(site.containers[role], "ip", "-6", "address", "show", "dev", "eth0") == ""
