"""What the analyser says of the network is what packets meet: between real machines, before and after ten random changes."""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import trial

from bootstrap.local.machines import Machines, ensure_image, flags
from bootstrap.local.machines.podman import podman_info
from bootstrap.network import snapshot
from bootstrap.network.reach import explain

SECOND = 150 + int(trial.NETWORK.split(".")[1]) % 100
VPC = f"10.{SECOND}.0.0/16"
PUBLIC, PRIVATE = f"10.{SECOND}.1.0/24", f"10.{SECOND}.2.0/24"
OUTSIDE = f"198.18.{SECOND}.0/24"  # RFC 2544: for tests of networks, in no VPC
INTERNET = f"198.18.{SECOND}.9"
ENVIRONMENT = f"{trial.NAME}-filter"
PORTS = (22, 443, 8080)
AGREE_SECONDS = 60.0
LISTEN = f"""
import selectors, socket
chosen = selectors.DefaultSelector()
for port in {PORTS[1:]}:
    chosen.register(socket.create_server(("0.0.0.0", port)), selectors.EVENT_READ)
while True:
    for key, _ in chosen.select():
        key.fileobj.accept()[0].close()
"""
TRY = """
import concurrent.futures, json, socket, sys
def opens(end):
    try:
        socket.create_connection(tuple(end), timeout=3).close()
        return True
    except OSError:
        return False
ends = json.loads(sys.argv[1])
with concurrent.futures.ThreadPoolExecutor(len(ends)) as pool:
    print(json.dumps(list(pool.map(opens, ends))))
"""
Matrix = dict[tuple[str, str, int], bool]


@dataclass
class Site:
    """A VPC with bastion, controller and agent, and the container that is the Internet."""

    ec2: Any
    vpc: str
    ends: dict[str, str]  # name to address
    containers: dict[str, str]
    groups: dict[str, str]
    nacls: dict[str, str]
    tables: dict[str, str]
    gateway: str

    def told(self) -> Matrix:
        """What the analyser says of every pair and port."""
        network = snapshot.read(self.ec2, self.vpc, "", None)
        return {
            (a, b, port): explain(network, self.ends[a], self.ends[b], port).verdict == "open"
            for a, b, port in self.asked()
        }

    def met(self) -> Matrix:
        """What a connection meets, for every pair and port."""
        with ThreadPoolExecutor(4) as pool:
            return {key: is_open for found in pool.map(self._met_from, self.ends) for key, is_open in found.items()}

    def _met_from(self, source: str) -> Matrix:
        wanted = [it for it in self.asked() if it[0] == source]
        ends = json.dumps([[self.ends[b], port] for _, b, port in wanted])
        said = execute(self.containers[source], "python3", "-c", TRY, ends)
        return dict(zip(wanted, json.loads(said), strict=True))

    def asked(self) -> list[tuple[str, str, int]]:
        """Every pair of ends of which the second is a machine, with every port."""
        pairs = [(a, b) for a, b in itertools.permutations(self.ends, 2) if b != "internet"]
        return [(a, b, port) for a, b in pairs for port in PORTS]

    def agreed(self) -> Matrix:
        """The matrix on which both agree, soon after a change; the difference where they do not."""
        told, deadline = self.told(), time.monotonic() + AGREE_SECONDS
        while (met := self.met()) != told:
            different = {key: ("told", told[key], "met", met[key]) for key in told if told[key] != met[key]}
            assert time.monotonic() < deadline, different
            time.sleep(0.5)
        return told


def execute(container: str, *command: str, detached: bool = False) -> str:
    """A command inside a container."""
    options = ["--detach"] if detached else []
    done = subprocess.run(
        ["podman", "exec", *options, container, *command], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def ec2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    state = tmp_path_factory.mktemp("cloud")
    ensure_image(print)
    command = [sys.executable, "-m", "bootstrap.local.aws", "--state", str(state), "--port", "0"]
    port = free_port()
    command[-1] = str(port)
    process = subprocess.Popen([*command, "--environment", ENVIRONMENT], cwd=Path(__file__).parents[2])
    try:
        wait_until((state / "endpoint.json").exists, "the server answers")
        yield boto3.client(
            "ec2",
            region_name="eu-central-1",
            endpoint_url=f"http://127.0.0.1:{port}",
            aws_access_key_id="tests",
            aws_secret_access_key="tests",
        )
    finally:
        process.terminate()
        process.wait(60)
        Machines(ENVIRONMENT, state).remove_all(with_volumes=True)
        tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True).stdout
        assert f"bootstrap.{ENVIRONMENT}." not in tables


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.3)


@pytest.fixture(scope="module")
def internet() -> Iterator[str]:
    """A container on a network that is no VPC's."""
    name = f"bootstrap-{ENVIRONMENT}-internet"
    remove = [["podman", "rm", "--force", "--time=0", name], ["podman", "network", "rm", name]]
    for command in remove:
        subprocess.run(command, capture_output=True)
    subprocess.run(["podman", "network", "create", f"--subnet={OUTSIDE}", name], check=True, capture_output=True)
    info = podman_info()
    limits = [it for it in flags.machine_options(info, flags.own_limits()) if it.startswith("--ulimit")]
    run = ["podman", *flags.runtime_options(info), "run", "--detach", f"--name={name}", f"--network={name}", *limits]
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
        nacls[tier] = _nacl(ec2, vpc, subnets[tier])
    ec2.create_route(RouteTableId=tables["public"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    groups = {
        role: ec2.create_security_group(GroupName=role, Description=role, VpcId=vpc)["GroupId"]
        for role in ("bastion", "controller", "agent")
    }
    _allow(ec2, groups["bastion"], 22, block=OUTSIDE)
    _allow(ec2, groups["controller"], 22, group=groups["bastion"])
    _allow(ec2, groups["controller"], 443, group=groups["bastion"])
    _allow(ec2, groups["controller"], 8080, group=groups["agent"])
    _allow(ec2, groups["agent"], 22, group=groups["controller"])
    places = {"bastion": "public", "controller": "private", "agent": "private"}
    ids = {role: _instance(ec2, subnets[tier], groups[role], tier == "public") for role, tier in places.items()}
    wait_until(lambda: set(_states(ec2, ids)) == {"running"}, "three machines run")
    told = ec2.describe_instances(InstanceIds=list(ids.values()))["Reservations"]
    addresses = {it["InstanceId"]: it["PrivateIpAddress"] for reservation in told for it in reservation["Instances"]}
    containers = {role: f"bootstrap-{ENVIRONMENT}-{name}" for role, name in ids.items()}
    for container in containers.values():
        execute(container, "python3", "-c", LISTEN, detached=True)
    ends = {role: addresses[name] for role, name in ids.items()} | {"internet": INTERNET}
    return Site(ec2, vpc, ends, {**containers, "internet": internet}, groups, nacls, tables, gateway)


def _nacl(ec2: Any, vpc: str, subnet: str) -> str:
    name = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    for egress in (False, True):
        ec2.create_network_acl_entry(
            NetworkAclId=name, RuleNumber=100, Protocol="-1", RuleAction="allow", Egress=egress, CidrBlock="0.0.0.0/0"
        )
    old = ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])["NetworkAcls"][0]
    held = next(it for it in old["Associations"] if it["SubnetId"] == subnet)
    ec2.replace_network_acl_association(AssociationId=held["NetworkAclAssociationId"], NetworkAclId=name)
    return str(name)


def _permission(port: int, block: str = "", group: str = "") -> list[dict[str, Any]]:
    peer = {"IpRanges": [{"CidrIp": block}]} if block else {"UserIdGroupPairs": [{"GroupId": group}]}
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **peer}]


def _allow(ec2: Any, to: str, port: int, block: str = "", group: str = "") -> None:
    ec2.authorize_security_group_ingress(GroupId=to, IpPermissions=_permission(port, block, group))


def _instance(ec2: Any, subnet: str, group: str, has_public: bool) -> str:
    card = {"DeviceIndex": 0, "SubnetId": subnet, "Groups": [group], "AssociatePublicIpAddress": has_public}
    image = ec2.describe_images()["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, NetworkInterfaces=[card])
    return str(made["Instances"][0]["InstanceId"])


def _states(ec2: Any, ids: dict[str, str]) -> list[str]:
    told = ec2.describe_instances(InstanceIds=list(ids.values()))["Reservations"]
    return [it["State"]["Name"] for reservation in told for it in reservation["Instances"]]


def test_connections_between_machines_are_what_the_analyser_says(site: Site) -> None:
    open_ones = {key for key, is_open in site.agreed().items() if is_open}
    assert open_ones == {
        ("internet", "bastion", 22),
        ("bastion", "controller", 22),
        ("bastion", "controller", 443),
        ("agent", "controller", 8080),
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
    before, seen, undone = site.agreed(), set(), []
    for number in range(10):
        what, undo = chance.choice((flip_group, flip_group, flip_nacl, flip_route))(site, chance)
        print(number, what)
        matrix = site.agreed()
        seen.add(tuple(sorted(matrix.items())))
        if chance.random() < 0.6:
            undo()
            site.agreed()
        else:
            undone.append(undo)
    for undo in reversed(undone):
        undo()
    assert site.agreed() == before
    assert len(seen) > 1, "no change made a difference"


Flip = tuple[str, Callable[[], Any]]


def flip_group(site: Site, chance: random.Random) -> Flip:
    """A group opens or closes a port, to a group or a block."""
    ec2, to, port = site.ec2, site.groups[chance.choice(sorted(site.groups))], chance.choice(PORTS)
    group = next(it for it in ec2.describe_security_groups(GroupIds=[to])["SecurityGroups"])
    if group["IpPermissions"] and chance.random() < 0.5:
        rule = [chance.choice(group["IpPermissions"])]
        ec2.revoke_security_group_ingress(GroupId=to, IpPermissions=rule)
        return f"{group['GroupName']} loses {rule}", lambda: ec2.authorize_security_group_ingress(
            GroupId=to, IpPermissions=rule
        )
    block = chance.choice(("0.0.0.0/0", OUTSIDE, PUBLIC, PRIVATE, f"{site.ends['agent']}/32"))
    wanted = _permission(port, block)
    held = {(it["FromPort"], peer["CidrIp"]) for it in group["IpPermissions"] for peer in it["IpRanges"]}
    if (port, block) in held:
        return f"{group['GroupName']} keeps {port} for {block}", lambda: None
    ec2.authorize_security_group_ingress(GroupId=to, IpPermissions=wanted)
    return f"{group['GroupName']} opens {port} to {block}", lambda: ec2.revoke_security_group_ingress(
        GroupId=to, IpPermissions=wanted
    )


def flip_nacl(site: Site, chance: random.Random) -> Flip:
    """An entry before the others denies a port, or everything, of some block."""
    tier, egress, number = chance.choice(("public", "private")), chance.random() < 0.5, chance.randrange(1, 99)
    block = chance.choice(("0.0.0.0/0", OUTSIDE, PUBLIC, PRIVATE))
    port = chance.choice((None, *PORTS))
    which = {"Protocol": "-1"} if port is None else {"Protocol": "6", "PortRange": {"From": port, "To": port}}
    key = {"NetworkAclId": site.nacls[tier], "RuleNumber": number, "Egress": egress}
    held = {
        it["RuleNumber"]
        for it in site.ec2.describe_network_acls(NetworkAclIds=[site.nacls[tier]])["NetworkAcls"][0]["Entries"]
    }
    if number in held:
        return f"{tier} keeps entry {number}", lambda: None
    site.ec2.create_network_acl_entry(**key, **which, RuleAction="deny", CidrBlock=block)
    way = "to" if egress else "from"
    return f"{tier} entry {number} denies {port} {way} {block}", lambda: site.ec2.delete_network_acl_entry(**key)


def flip_route(site: Site, chance: random.Random) -> Flip:
    """A tier's way to the Internet is taken away, or given."""
    tier = chance.choice(("public", "private"))
    key = {"RouteTableId": site.tables[tier], "DestinationCidrBlock": "0.0.0.0/0"}
    routes = site.ec2.describe_route_tables(RouteTableIds=[site.tables[tier]])["RouteTables"][0]["Routes"]
    if any(it["DestinationCidrBlock"] == "0.0.0.0/0" for it in routes):
        site.ec2.delete_route(**key)
        return f"{tier} has no way out", lambda: site.ec2.create_route(**key, GatewayId=site.gateway)
    site.ec2.create_route(**key, GatewayId=site.gateway)
    return f"{tier} has a way out", lambda: site.ec2.delete_route(**key)
