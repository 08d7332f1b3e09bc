"""The parameters of each stack, made from the settings and the outputs of earlier stacks."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from bootstrap.environment import agent_key, people
from bootstrap.environment.agents import MOST_TYPES, takes_toolkit_jobs
from bootstrap.environment.models import Settings
from bootstrap.environment.network_options import PLACES, PublicZone, Queries, Service, TransitGateway, Vpn
from bootstrap.stacks.composition import AGENTS, ISOLATED, OF_JOBS, PER_ZONE, is_of_toolkit, list_taken
from bootstrap.values import Stack

ENDPOINTS: Mapping[Service, str] = {
    "ssm": "Ssm",
    "ssmmessages": "SsmMessages",
    "ec2messages": "Ec2Messages",
    "secretsmanager": "SecretsManager",
    "logs": "Logs",
    "cloudformation": "CloudFormation",
    "ec2": "Ec2",
    "kms": "Kms",
    "sts": "Sts",
}
"""Each service that can have an interface endpoint, and the parameter of the template of endpoints that chooses it."""


def make_parameters(settings: Settings, name: str, existing: Mapping[str, Stack]) -> dict[str, str]:
    """The parameters of one stack; KeyError if an output that it takes does not exist."""
    outputs = _collect_outputs(existing)
    common = {"Project": settings.project, "Environment": settings.name}
    absent = {} if settings.network.isolated else {ISOLATED: ""}
    inputs = {key: outputs[key] if key not in absent else absent[key] for key in list_taken(name)}
    more = {"JobsRole": _find_jobs_role(settings, existing)} if name == "controller" else {}
    return common | inputs | _cut(settings, inputs) | more | _make_stack_parameters(settings, name, outputs)


def _find_jobs_role(settings: Settings, existing: Mapping[str, Stack]) -> str:
    """The name of the role of the group that runs the toolkit's jobs; '' where they run on the controller's machine."""
    return existing[OF_JOBS].outputs["JobsRole"] if takes_toolkit_jobs(settings.agents) else ""


def make_own_parameters(
    settings: Settings, declared: Mapping[str, str | None], existing: Mapping[str, Stack]
) -> dict[str, str]:
    """The parameters of a stack of one's own: those that it declares and that have a value here, by their names.

    `declared` has the defaults. A zone or a tier that the settings no longer have is not in them, as with the toolkit's stacks.
    """
    own = {key: value for name, it in existing.items() if not is_of_toolkit(name) for key, value in it.outputs.items()}
    outputs = _collect_outputs(existing)
    if not settings.network.isolated:
        outputs.pop(ISOLATED, None)
        own |= {ISOLATED: ""} if declared.get(ISOLATED, "") is None else {}
    values = own | outputs | _cut(settings, outputs) | {"Project": settings.project, "Environment": settings.name}
    return {name: values[name] for name in declared if name in values}


def _cut(settings: Settings, values: Mapping[str, str]) -> dict[str, str]:
    """Those of the values that are a list with one item for each zone, without the zones that the settings no longer have."""
    return {
        key: ",".join(values[key].split(",")[: settings.network.zone_count]) for key in PER_ZONE.intersection(values)
    }


def _collect_outputs(existing: Mapping[str, Stack]) -> dict[str, str]:
    """The outputs of the toolkit's stacks; a stack of one's own cannot replace one of them.

    Not those of groups of agents: the stacks of two groups have outputs of the same names.
    """
    shared = [it for name, it in existing.items() if is_of_toolkit(name) and not name.startswith(AGENTS)]
    return {key: value for it in shared for key, value in it.outputs.items()}


def _make_stack_parameters(settings: Settings, name: str, outputs: Mapping[str, str]) -> dict[str, str]:
    network = settings.network
    match name:
        case "network":
            placed = _make_addresses(settings) | _place_zones(settings, outputs)
            return placed | _make_ways_in_and_out(settings) | _make_ssh(settings) | {"Nat": network.nat}
        case "acls":
            return _make_ways_in_and_out(settings) | {"OperatorSsh": _make_ssh(settings)["OperatorSsh"]}
        case "endpoints":
            return {parameter: "yes" for service, parameter in ENDPOINTS.items() if service in network.endpoints}
        case "data":
            sizes = {"DataGib": str(settings.controller.data_gib)}
            return {"Zone": outputs["ControllerZone"]} | sizes | _make_key(settings)
        case "controller":
            machine = settings.controller
            served = {"FirstNetwork": settings.networks[0], "SecondNetwork": settings.networks[-1]}
            sizes = {"InstanceType": machine.instance_type, "RootGib": str(machine.root_gib)}
            bucket = outputs.get("DistributionBucket", "") if settings.jenkins.bucket else ""
            served |= {"DistributionBucket": bucket}
            return served | sizes | _make_agent_key(settings) | _make_key(settings) | _make_boundary(settings)
        case "names":
            return _make_private_zone(settings, outputs)
        case _ if name.startswith(AGENTS):
            return _make_agents(settings, name.removeprefix(AGENTS))
        case _:
            return _make_optional_parameters(settings, name)


def _make_optional_parameters(settings: Settings, name: str) -> dict[str, str]:
    network = settings.network
    if name == "traffic-logs" and network.flow_logs is not None:
        logs = network.flow_logs
        return {
            "RetentionDays": str(logs.retention_days),
            "QueryLogs": "yes" if logs.queries else "no",
        } | (_make_key(settings, logs.kms_key_arn) | _make_boundary(settings))
    if name == "distribution":
        return _make_key(settings)
    if name == "people":
        return _principals(settings) | _make_boundary(settings)
    if name == "bastion" and network.bastion is not None:
        image = {"ImageId": network.bastion.image} if network.bastion.image else {}
        machine = (
            image | {"InstanceType": network.bastion.instance_type} | _make_key(settings) | _make_boundary(settings)
        )
        return machine | _number_blocks("Allowed", network.bastion.allow)
    if name == "vpn" and network.vpn is not None:
        return _make_vpn(network.vpn)
    if name == "transit-gateway" and network.transit_gateway is not None:
        return {"Zones": str(network.zone_count)} | _make_transit(network.transit_gateway)
    if name == "peering":
        return {"Zones": str(network.zone_count)}
    if name == "public-zone" and network.public_zone is not None:
        return _make_public_zone(settings, network.public_zone)
    return {}


def _principals(settings: Settings) -> dict[str, str]:
    """Who may take each of the roles for people: identities that give a second factor, and roles of IAM Identity Center."""
    named = [(person.aws_role.capitalize(), person.aws) for person in settings.people.values() if person.aws]
    return {
        f"{role}{kind}": ",".join(
            sorted({arn for it, arn in named if it == role and people.is_sso_role(arn) == is_sso})
        )
        for role in ("Operator", "Developer", "Auditor")
        for kind, is_sso in (("Identities", False), ("SsoRoles", True))
    }


def _make_key(settings: Settings, own: str | None = None) -> dict[str, str]:
    """The customer key of a stack: its option's own, else the environment's; '' for the keys of AWS."""
    return {"KmsKeyArn": own or settings.account.kms_key_arn or ""}


def _make_boundary(settings: Settings) -> dict[str, str]:
    """The boundary of the roles in a stack; '' for none."""
    return {"PermissionsBoundary": settings.account.permissions_boundary or ""}


def _make_addresses(settings: Settings) -> dict[str, str]:
    """The blocks: /24 subnets, or smaller ones if the VPC cannot hold eight of them; isolated subnets are half as large."""
    bits = min(8, 29 - int(settings.network.cidr.rpartition("/")[2]))
    return {
        "VpcCidr": settings.network.cidr,
        "SubnetBits": str(bits),
        "DataSubnetBits": str(bits - 1),
        "DomainName": settings.network.private_zone or "",
    }


def _place_zones(settings: Settings, outputs: Mapping[str, str]) -> dict[str, str]:
    """The names of the zones: those of the settings, else those of the existing subnets, so that subnets never move."""
    existing_zones = tuple(it for it in outputs.get("ZoneNames", "").split(",") if it)
    names = (settings.network.zone_names or existing_zones)[: settings.network.zone_count]
    return {f"Zone{place + 1}": name for place, name in enumerate(names)}


def _make_public_zone(settings: Settings, zone: PublicZone) -> dict[str, str]:
    """The parameters of the public hosted zone, except its parent zone, which is looked up in Route 53."""
    queries = zone.queries or Queries()
    makes_group = zone.queries is not None and not queries.log_group
    return (
        {
            "Domain": zone.domain,
            "QueryLogs": "yes" if makes_group else "no",
            "LogGroupArn": queries.log_group or "",
            "RetentionDays": str(queries.retention_days),
        }
        | (_make_key(settings, queries.kms_key_arn) if makes_group else {"KmsKeyArn": ""})
        | _number_blocks("Authority", zone.authorities)
    )


def _make_private_zone(settings: Settings, outputs: Mapping[str, str]) -> dict[str, str]:
    """The parameters of the private hosted zone; with a public hosted zone also its id and domain."""
    public = ("PublicZoneId", "PublicDomain") if settings.network.public_zone else ()
    return {"Domain": settings.network.private_zone or ""} | {key: outputs[key] for key in public}


def _make_ways_in_and_out(settings: Settings) -> dict[str, str]:
    return {
        "Zones": str(settings.network.zone_count),
        **_make_operators(settings.access.operator_cidrs),
        "SmtpPort": str(settings.mail_port),
        "Isolated": "yes" if settings.network.isolated else "no",
        "Ipv6": "yes" if settings.network.ipv6 else "no",
    }


def _make_operators(blocks: Sequence[str]) -> dict[str, str]:
    """The parameters with the operators' blocks; an earlier version of the toolkit had only the first one."""
    return {
        f"OperatorCidr{place or ''}": block for place, block in zip(("", 2, 3, 4), (*blocks, *[""] * 4), strict=False)
    }


def _make_ssh(settings: Settings) -> dict[str, str]:
    """Return the parameters that open port 22 of the controller to operators and to the bastion."""
    by_bastion = settings.ssh != "session-manager" or settings.network.bastion is not None
    return {"OperatorSsh": "yes" if settings.ssh == "direct" else "no", "BastionSsh": "yes" if by_bastion else "no"}


def _make_agents(settings: Settings, label: str) -> dict[str, str]:
    """The parameters of a group of agents, but those that only the cloud knows: image, packages and endpoints."""
    group = settings.agents[label]
    types = (*group.instance_types, *[""] * MOST_TYPES)[:MOST_TYPES]
    sizes = {"Minimum": str(group.minimum), "Maximum": str(group.maximum), "DiskGib": str(group.disk_gib)}
    sizes |= {"Owner": settings.owner, "CostCenter": settings.cost_center}
    kind = {"Label": label, "Spot": _format_flag(group.spot), "Containers": _format_flag(group.containers)}
    kind |= _make_key(settings) | _make_boundary(settings)
    return kind | sizes | {f"InstanceType{place}": name for place, name in enumerate(types, 1)}


def _format_flag(value: bool) -> str:
    return "yes" if value else "no"


def _make_agent_key(settings: Settings) -> dict[str, str]:
    """The public key for the agent of Session Manager, if the settings have one."""
    if settings.ssh != "session-manager" or settings.access.agent_key is None:
        return {}
    return {"AgentKey": base64.b64encode(agent_key.decode_armour(settings.access.agent_key)).decode()}


def _make_vpn(vpn: Vpn) -> dict[str, str]:
    # EC2 has another property for an ASN above 2147483647.
    is_large = vpn.customer_asn > 2147483647
    return {
        "GatewayAsn": str(vpn.gateway_asn),
        "CustomerAddress": vpn.customer_address or "",
        "CustomerLargeAsn" if is_large else "CustomerAsn": str(vpn.customer_asn),
        "IsLargeAsn": "yes" if is_large else "no",
        "DirectConnectGatewayId": vpn.direct_connect_gateway or "",
    } | _number_blocks("Route", vpn.routes)


def _make_transit(gateway: TransitGateway) -> dict[str, str]:
    return {
        "TransitGatewayId": gateway.id or "",
        "GatewayAsn": str(gateway.asn),
        "DirectConnectGatewayId": gateway.direct_connect_gateway or "",
    } | _number_blocks("Route", gateway.routes)


def _number_blocks(name: str, blocks: Sequence[str]) -> dict[str, str]:
    """PLACES numbered parameters; those beyond the end of the list are empty."""
    return {f"{name}{place + 1}": blocks[place] if place < len(blocks) else "" for place in range(PLACES)}


def make_peer_parameters(outputs: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a peering, from the outputs of the other environment's network stack."""
    tables = outputs["PrivateRouteTableIds"].split(",")
    return {
        "PeerVpcId": outputs["VpcId"],
        "PeerVpcCidr": outputs["VpcCidr"],
        "PeerControllerGroup": outputs["ControllerSecurityGroupId"],
        "PeerRouteTableIds": ",".join(tables),
        "PeerZones": str(len(tables)),
    }
