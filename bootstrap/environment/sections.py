"""What the sections of an environment file are made of: closed models, and the kinds of values that several of them take."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A closed, frozen part of the settings: unknown keys and silent conversions are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _block(text: str) -> ipaddress.IPv4Network:
    try:
        return ipaddress.IPv4Network(text)
    except ValueError as error:
        raise ValueError(f"not an IPv4 block: {error}") from error


def _network_block(text: str) -> str:
    """A canonical private IPv4 block that AWS takes for a VPC (a /16 to a /28; here at most /24, to hold the subnets)."""
    block = _block(text)
    if not 16 <= block.prefixlen <= 24:
        raise ValueError(f"the VPC's block must be a /16 to a /24, not a /{block.prefixlen}")
    if not block.is_private:
        raise ValueError("the VPC's block must be private (10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16)")
    return str(block)


def _allowed_block(text: str) -> str:
    """Any IPv4 block but the whole world."""
    block = _block(text)
    if block.prefixlen == 0:
        raise ValueError("0.0.0.0/0 would open the machine to everybody; name the operators' block")
    return str(block)


_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# It becomes text of nginx' configuration and of an environment file: nothing but the letters that a host name may have.
_SERVER_URL = rf"^https://{_LABEL}(\.{_LABEL})*(:[1-9][0-9]{{0,4}})?/$"


def _server_url(text: str) -> str:
    """https://, a host name or an IPv4 address, perhaps a port, and a slash."""
    if not re.fullmatch(_SERVER_URL, text):
        raise ValueError(f"{text!r} is not https://, a host name, perhaps a port, and a slash")
    return text


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}[a-z0-9]$")]
NetworkBlock = Annotated[str, AfterValidator(_network_block)]
AllowedBlock = Annotated[str, AfterValidator(_allowed_block)]
ServerUrl = Annotated[str, AfterValidator(_server_url), Field(json_schema_extra={"pattern": _SERVER_URL})]
InstanceType = Annotated[str, Field(pattern=r"^[a-z0-9-]+\.[a-z0-9-]+$")]
