"""The options of a network: each section is one option; if it is absent, nothing of it is made.

Bounds are those of the EC2 and CloudWatch Logs API references.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from bootstrap.environment.sections import AllowedBlock, InstanceType, KeyArn, Name, Section

Service = Literal[
    "ssm",
    "ssmmessages",
    "ec2messages",
    "secretsmanager",
    "logs",
    "cloudformation",
    "ec2",
    "kms",
    "sts",
]
Retention = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]
DomainName = Annotated[
    str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$", max_length=200)
]
# The value is a list or a number. The tags are not in the file: `settings._is_in_file` knows them by pydantic's names.
Zones = Annotated[
    Annotated[Literal[2, 3], Tag("literal")]
    | Annotated[tuple[str, ...], Field(min_length=2, max_length=3), Tag("tuple")],
    Discriminator(lambda value: "tuple" if isinstance(value, list | tuple) else "literal"),
]
DirectConnectGateway = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Bandwidth = Literal[
    "50Mbps", "100Mbps", "200Mbps", "300Mbps", "400Mbps", "500Mbps", "1Gbps", "2Gbps", "5Gbps", "10Gbps"
]
QUERY_LOGS_REGION = "us-east-1"
"""The only region to which Route 53 writes query logs of public hosted zones (API reference, CreateQueryLoggingConfig)."""
_LOG_GROUP = rf"^arn:aws[a-z-]*:logs:{QUERY_LOGS_REGION}:[0-9]{{12}}:log-group:[A-Za-z0-9._/#-]+(:\*)?$"
_ZONE_ID = re.compile(r"Z[A-Z0-9]{5,31}")
PLACES = 4  # the most blocks in a list: templates have this number of parameters, because they cannot repeat a resource


def _check_customer_address(text: str) -> str:
    """Returns an IPv4 address that the Internet routes; ValueError for any other text."""
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError as error:
        raise ValueError(f"not an IPv4 address: {error}") from error
    if address.is_loopback or address.is_multicast or address.is_link_local or address.is_unspecified:
        raise ValueError(f"{address} is not a public address; name the customer gateway's address")
    if any(address in ipaddress.IPv4Network(it) for it in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")):
        raise ValueError(f"{address} is private; AWS reaches a customer gateway by its public address")
    return str(address)


def _check_gateway_asn(number: int) -> int:
    """Returns a private autonomous system number, which a VPN gateway accepts; ValueError for any other."""
    if not (64512 <= number <= 65534 or 4200000000 <= number <= 4294967294):
        raise ValueError(f"{number} is not a private ASN: 64512 to 65534, or 4200000000 to 4294967294")
    return number


class FlowLogs(Section):
    """The VPC's flow logs in CloudWatch Logs (accepted and rejected connections); with `queries` the DNS queries, too."""

    retention_days: Retention = 30
    kms_key_arn: KeyArn | None = None
    queries: bool = False


def _check_parent_zone(text: str) -> str:
    """Returns the parent zone: its domain or its id in Route 53; ValueError for any other text."""
    if not (_ZONE_ID.fullmatch(text) or re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", text)):
        raise ValueError(f"'{text}' is neither a domain nor the id of a hosted zone, for example Z0123456789ABCDEFGHIJ")
    return text


class Queries(Section):
    """Query logs of the public hosted zone, in a new or an existing log group in us-east-1."""

    retention_days: Retention = 30
    kms_key_arn: KeyArn | None = None
    log_group: Annotated[str, Field(pattern=_LOG_GROUP)] | None = None

    @model_validator(mode="after")
    def _check_log_group(self) -> Queries:
        if self.log_group is not None and self.model_fields_set - {"log_group"}:
            raise ValueError("'log_group' is an existing group: its retention and its key are set there, not here")
        return self


class PublicZone(Section):
    """A public hosted zone, in which the controller's name resolves to its private address.

    `parent` is the parent zone if this account has it: the launch adds the delegation there. `authorities` are the certificate
    authorities that may issue certificates for the domain (CAA, RFC 8659); if empty, none may.
    """

    domain: DomainName
    parent: Annotated[str, AfterValidator(_check_parent_zone)] | None = None
    authorities: Annotated[tuple[DomainName, ...], Field(max_length=PLACES)] = ()
    queries: Queries | None = None

    @model_validator(mode="after")
    def _check_parent(self) -> PublicZone:
        is_named = self.parent is not None and not _ZONE_ID.fullmatch(self.parent)
        if is_named and not self.domain.endswith(f".{self.parent}"):
            raise ValueError(f"'{self.domain}' is not below its parent '{self.parent}'")
        return self


class Bastion(Section):
    """A bastion, reached by Session Manager, and by SSH from the blocks of `allow`; if that is empty, SSH is closed."""

    allow: Annotated[tuple[AllowedBlock, ...], Field(max_length=PLACES)] = ()
    instance_type: InstanceType = "t3.micro"
    image: Annotated[str, Field(pattern=r"^/aws/service/[A-Za-z0-9._/-]+$")] | None = None

    @property
    def user(self) -> str:
        """The user that cloud-init makes in the image: that of Debian or Ubuntu, else that of Amazon Linux."""
        users = {"/aws/service/debian/": "admin", "/aws/service/canonical/": "ubuntu"}
        return next((user for start, user in users.items() if (self.image or "").startswith(start)), "ec2-user")

    @property
    def brings_agent(self) -> bool:
        """Whether the image is known to contain the agent of Session Manager: Amazon Linux (the default) and Ubuntu."""
        known = ("/aws/service/ami-amazon-linux-latest/", "/aws/service/canonical/")
        return self.image is None or self.image.startswith(known)


class Vpn(Section):
    """A VPN gateway with a site-to-site connection, a Direct Connect gateway, or both."""

    gateway_asn: Annotated[int, AfterValidator(_check_gateway_asn)] = 64512
    customer_address: Annotated[str, AfterValidator(_check_customer_address)] | None = None
    customer_asn: Annotated[int, Field(ge=1, le=4294967294)] = 65000
    routes: Annotated[tuple[AllowedBlock, ...], Field(max_length=PLACES)] = ()
    direct_connect_gateway: DirectConnectGateway | None = None

    @model_validator(mode="after")
    def _check_connections(self) -> Vpn:
        if self.customer_address is None and self.direct_connect_gateway is None:
            raise ValueError("a VPN gateway needs 'customer_address' or 'direct_connect_gateway'")
        if self.routes and self.customer_address is None:
            raise ValueError("'routes' belong to a VPN connection; add its 'customer_address'")
        if self.customer_address is not None and self.customer_asn == self.gateway_asn:
            raise ValueError(f"both sides have the ASN {self.gateway_asn}; BGP needs different ones")
        return self


class TransitGateway(Section):
    """A transit gateway that the VPC is attached to: the environment's own, or by `id` an existing or shared one.

    `routes` are the blocks that the private subnets reach by it. A Direct Connect gateway that is associated with it must have
    another ASN (Direct Connect User Guide, 'Transit gateway associations').
    """

    id: Annotated[str, Field(pattern=r"^tgw-[0-9a-f]{8,17}$")] | None = None
    asn: Annotated[int, AfterValidator(_check_gateway_asn)] = 64512
    routes: Annotated[tuple[AllowedBlock, ...], Field(min_length=1, max_length=PLACES)]
    direct_connect_gateway: DirectConnectGateway | None = None

    @model_validator(mode="after")
    def _check_asn(self) -> TransitGateway:
        if self.id is not None and "asn" in self.model_fields_set:
            raise ValueError(f"'asn' is for a new gateway; {self.id} has its own")
        return self


class DirectConnect(Section):
    """A virtual interface to a Direct Connect gateway: created on a `connection`, or a hosted `interface` that is accepted.

    The owner of a connection offers a hosted interface and chooses its VLAN, ASNs and MTU. 'private' interfaces are for VPN
    gateways, 'transit' ones for transit gateways. The MTU of a private interface is 1500 or 9001, of a transit interface 1500
    or 8500 (Direct Connect API reference).
    """

    connection: Annotated[str, Field(pattern=r"^dxcon-[0-9a-z]{8}$")] | None = None
    interface: Annotated[str, Field(pattern=r"^dxvif-[0-9a-z]{8}$")] | None = None
    gateway: DirectConnectGateway
    vlan: Annotated[int, Field(ge=1, le=4094)] | None = None
    customer_asn: Annotated[int, Field(ge=1, le=4294967294)] = 65000
    type: Literal["private", "transit"] = "private"
    mtu: Literal[1500, 8500, 9001] = 1500
    # The bandwidth of a hosted connection of this account, as the API names it; used only to estimate its cost.
    bandwidth: Bandwidth | None = None

    @model_validator(mode="after")
    def _check_connection_or_interface(self) -> DirectConnect:
        chosen = sorted(self.model_fields_set & {"connection", "vlan", "customer_asn", "mtu", "bandwidth"})
        if self.interface is not None and chosen:
            raise ValueError(
                f"the owner of a hosted 'interface' sets its properties; remove {' and '.join(map(repr, chosen))}"
            )
        if self.interface is None and (self.connection is None or self.vlan is None):
            raise ValueError(
                "name a 'connection' and a 'vlan' to create an interface, or a hosted 'interface' to accept"
            )
        return self

    @model_validator(mode="after")
    def _check_mtu(self) -> DirectConnect:
        largest = 9001 if self.type == "private" else 8500
        if self.mtu not in {1500, largest}:
            raise ValueError(f"a {self.type} virtual interface has an MTU of 1500 or {largest}, not {self.mtu}")
        return self


class Peering(Section):
    """Peering with another environment, whose controller may reach this controller by HTTPS; the reverse is closed."""

    environment: Name
