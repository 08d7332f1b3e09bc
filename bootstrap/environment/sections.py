"""The base class of the sections of an environment file, and types of values that several sections use."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


class Section(BaseModel):
    """A closed, frozen part of the settings: unknown keys and silent conversions are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _parse_block(text: str) -> ipaddress.IPv4Network:
    try:
        return ipaddress.IPv4Network(text)
    except ValueError as error:
        raise ValueError(f"not an IPv4 block: {error}") from error


def _check_network_block(text: str) -> str:
    """Returns a private IPv4 block for a VPC, /16 to /24 (AWS allows /28, too small for the subnets); ValueError for others."""
    block = _parse_block(text)
    if not 16 <= block.prefixlen <= 24:
        raise ValueError(f"the VPC's block must be a /16 to a /24, not a /{block.prefixlen}")
    if not block.is_private:
        raise ValueError("the VPC's block must be private (10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16)")
    return str(block)


def _check_allowed_block(text: str) -> str:
    """Returns an IPv4 block; ValueError for 0.0.0.0/0."""
    block = _parse_block(text)
    if block.prefixlen == 0:
        raise ValueError("0.0.0.0/0 would open the machine to everybody; name the operators' block")
    return str(block)


_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# It is written into nginx' configuration and into an environment file, so only characters of host names are allowed.
_SERVER_URL = rf"^https://{_LABEL}(\.{_LABEL})*(:[1-9][0-9]{{0,4}})?/$"


def _check_server_url(text: str) -> str:
    """Returns a URL of https://, a host name or IPv4 address, an optional port, and a slash; ValueError for any other text."""
    if not re.fullmatch(_SERVER_URL, text):
        raise ValueError(f"{text!r} is not https://, a host name, perhaps a port, and a slash")
    return text


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}[a-z0-9]$")]
NetworkBlock = Annotated[str, AfterValidator(_check_network_block)]
AllowedBlock = Annotated[str, AfterValidator(_check_allowed_block)]
ServerUrl = Annotated[str, AfterValidator(_check_server_url), Field(json_schema_extra={"pattern": _SERVER_URL})]
# A key, not an alias: the conditions and policies in which it is written compare ARNs of keys.
KeyArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$")]
BoundaryArn = Annotated[
    str, Field(pattern=r"^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/([!-~]+/)?[A-Za-z0-9+=,.@_-]{1,128}$")
]
InstanceType = Annotated[str, Field(pattern=r"^[a-z0-9-]+\.[a-z0-9-]+$")]
SecretName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,127}$")]


class OwnSecret(Section):
    """Where a secret of one's own is: a secret of Secrets Manager (name or ARN), or a parameter of Parameter Store."""

    secret: Annotated[str, Field(min_length=1, max_length=2048)] | None = None
    parameter: Annotated[str, Field(min_length=1, max_length=2048)] | None = None

    @model_validator(mode="after")
    def _check_place(self) -> OwnSecret:
        if (self.secret is None) == (self.parameter is None):
            raise ValueError("write either 'secret' (Secrets Manager) or 'parameter' (Parameter Store)")
        return self
