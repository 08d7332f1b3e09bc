"""Real connections between the environment's machines, compared with what the analyser says of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bootstrap.context import Context
from bootstrap.network.model import Network
from bootstrap.network.path_explanation import Traffic, explain
from bootstrap.values import Shell
from bootstrap.views import network_reading

PORTS = (22, 25, 443, 8080, 50000)
OWN_FIREWALL = frozenset(
    {22, 443}
)  # what the controller's own packet filter lets in: it may close more than the network does
_SECONDS = 4
# A refusal came from the machine itself, so the network let it through; no answer at all is what groups and ACLs give.
_TRY = """
for port in {ports}; do
  ( said=$(LC_ALL=C timeout {seconds} bash -c "exec 3<>/dev/tcp/{address}/$port" 2>&1) && said=open
    case "$said" in open|*refused*) echo "$port open";; *) echo "$port closed";; esac ) &
done; wait
"""


@dataclass(frozen=True)
class Tried:
    """One connection: `told` is whether the analyser lets it through, `met` whether it came through."""

    source: str
    destination: str
    port: int
    told: bool
    met: bool

    @property
    def agrees(self) -> bool:
        """Whether both say the same, or only the controller's own packet filter says less."""
        is_own = self.destination == "controller" and self.port not in OWN_FIREWALL
        return self.told == self.met or (is_own and not self.met)

    def __str__(self) -> str:
        words = {True: "open", False: "closed"}
        return f"{self.source} -> {self.destination}:{self.port} is told {words[self.told]}, met {words[self.met]}"


def unreachable(context: Context) -> str:
    """Why there is no second machine to try from, '' where there is one."""
    bastion = context.settings.network.bastion
    if bastion is None:
        return "there is one machine only: the environment has no network.bastion"
    if context.world.is_on_machine:
        return "these checks run on the controller, which has no login on the bastion"
    if context.settings.cloud == "aws" and context.settings.ssh == "direct" and not bastion.allow:
        return "SSH goes directly, and the bastion lets nobody in by it: network.bastion.allow is empty"
    return ""


def tried(context: Context) -> tuple[Tried, ...]:
    """Every port in both directions."""
    network = network_reading.read(context)
    controller, bastion = context.machine, context.bastion
    private = context.world.aws("ec2").describe_instances(InstanceIds=[bastion.instance_id])
    ends = {
        "controller": (controller.instance_id, controller.address, context.shell),
        "bastion": (
            bastion.instance_id,
            private["Reservations"][0]["Instances"][0]["PrivateIpAddress"],
            context.world.open_shell(bastion),
        ),
    }
    found: list[Tried] = []
    for source, destination in (("bastion", "controller"), ("controller", "bastion")):
        met = dict(_met(ends[source][2], ends[destination][1]))
        ids = ends[source][0], ends[destination][0]
        found += [Tried(source, destination, port, _told(network, *ids, port), met[port]) for port in PORTS]
    return tuple(found)


def _told(network: Network, source: str, destination: str, port: int) -> bool:
    return explain(network, source, destination, Traffic(port)).verdict == "open"


def _met(shell: Shell, address: str) -> Iterator[tuple[int, bool]]:
    line = _TRY.format(ports=" ".join(map(str, PORTS)), seconds=_SECONDS, address=address)
    for told in shell.run(["bash", "-c", line]).stdout.splitlines():
        port, _, state = told.partition(" ")
        yield int(port), state == "open"
