"""What the tests of enforcement stand on: a cloud of their own, and in it a VPC whose ends are asked and judged."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import leftovers
import trial

from bootstrap.local.aws.access.keys import CREDENTIALS, read_operator_keys
from bootstrap.local.machines import Machines
from bootstrap.network import snapshot
from bootstrap.network.path_explanation import Traffic, explain

SECOND = 150 + int(trial.NETWORK.split(".")[1]) % 100
VPC = f"10.{SECOND}.0.0/16"
PUBLIC, PRIVATE = f"10.{SECOND}.1.0/24", f"10.{SECOND}.2.0/24"
EVERYBODY = "0.0.0.0/0"
OUTSIDE = f"198.18.{SECOND}.0/24"  # RFC 2544: for tests of networks, in no VPC
INTERNET = f"198.18.{SECOND}.9"
ENVIRONMENT = f"{trial.NAME}-filter"
# All below the ports of clients: to deny one of those denies a few replies, of which the analyser promises nothing.
PORTS = (22, 80, 443)
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
BREAKABLE = """#!/bin/sh
if [ -e "{broken}" ]; then echo "Error: Could not process rule: planted" >&2; exit 1; fi
exec {nft} "$@"
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
        network = snapshot.read(self.ec2, self.vpc, "", ())
        return {
            (a, b, port): explain(network, self.ends[a], self.ends[b], Traffic(port)).verdict == "open"
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


@dataclass
class Cloud:
    """A local cloud's server of its own, with a `nft` that fails while `broken` exists."""

    state: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def broken(self) -> Path:
        return self.state.with_name("nft-is-broken")

    @property
    def ec2(self) -> Any:
        keys = read_operator_keys(self.state / CREDENTIALS)
        assert keys is not None
        session = boto3.Session(keys.access_key, keys.secret_key, region_name="eu-central-1")
        return session.client("ec2", endpoint_url=self.endpoint)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        (self.state / "endpoint.json").unlink(missing_ok=True)
        programs = self.state.with_name("programs")
        programs.mkdir(exist_ok=True)
        (programs / "nft").write_text(BREAKABLE.format(broken=self.broken, nft=shutil.which("nft")))
        (programs / "nft").chmod(0o755)
        command = [sys.executable, "-m", "bootstrap.local.aws", "--state", str(self.state), "--port", str(self.port)]
        self.process = subprocess.Popen(
            [*command, "--environment", ENVIRONMENT],
            cwd=Path(__file__).parents[2],
            env=os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"},
        )
        wait_until((self.state / "endpoint.json").exists, "the server answers")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(60)

    def close(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(60)
        Machines(ENVIRONMENT, self.state).remove_all(with_volumes=True)
        assert leftovers.tables(ENVIRONMENT) == []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.3)


def nacl(ec2: Any, vpc: str, subnet: str) -> str:
    name = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    for egress in (False, True):
        ec2.create_network_acl_entry(
            NetworkAclId=name, RuleNumber=100, Protocol="-1", RuleAction="allow", Egress=egress, CidrBlock=EVERYBODY
        )
    old = ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])["NetworkAcls"][0]
    held = next(it for it in old["Associations"] if it["SubnetId"] == subnet)
    ec2.replace_network_acl_association(AssociationId=held["NetworkAclAssociationId"], NetworkAclId=name)
    return str(name)


def permission(port: int, block: str = "", group: str = "") -> list[dict[str, Any]]:
    peer = {"IpRanges": [{"CidrIp": block}]} if block else {"UserIdGroupPairs": [{"GroupId": group}]}
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **peer}]


def allow(ec2: Any, to: str, port: int, block: str = "", group: str = "") -> None:
    ec2.authorize_security_group_ingress(GroupId=to, IpPermissions=permission(port, block, group))


def instance(ec2: Any, subnet: str, group: str, has_public: bool) -> str:
    card = {"DeviceIndex": 0, "SubnetId": subnet, "Groups": [group], "AssociatePublicIpAddress": has_public}
    image = ec2.describe_images()["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, NetworkInterfaces=[card])
    return str(made["Instances"][0]["InstanceId"])


def states(ec2: Any, ids: dict[str, str]) -> list[str]:
    told = ec2.describe_instances(InstanceIds=list(ids.values()))["Reservations"]
    return [it["State"]["Name"] for reservation in told for it in reservation["Instances"]]
