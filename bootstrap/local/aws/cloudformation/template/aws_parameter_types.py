"""Parameters with AWS-specific types: CloudFormation refuses ids of resources that do not exist in the account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.template.template import Template

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html
CALLS = {
    "AWS::EC2::AvailabilityZone::Name": ("describe_availability_zones", "ZoneNames"),
    "AWS::EC2::Image::Id": ("describe_images", "ImageIds"),
    "AWS::EC2::Instance::Id": ("describe_instances", "InstanceIds"),
    "AWS::EC2::KeyPair::KeyName": ("describe_key_pairs", "KeyNames"),
    "AWS::EC2::SecurityGroup::Id": ("describe_security_groups", "GroupIds"),
    "AWS::EC2::Subnet::Id": ("describe_subnets", "SubnetIds"),
    "AWS::EC2::Volume::Id": ("describe_volumes", "VolumeIds"),
    "AWS::EC2::VPC::Id": ("describe_vpcs", "VpcIds"),
}


def check(template: Template, values: dict[str, str], client: Callable[[str], Any]) -> None:
    """Check that the resources in parameters exist; `client` returns the client of a service. Raises Refused."""
    for name, declaration in template.read_section("Parameters").items():
        kind = str(declaration.get("Type", "")).removeprefix("List<").removesuffix(">")
        if kind == "AWS::SSM::Parameter::Name" and name in values:
            _check_ssm(client("ssm"), values[name])
        if kind not in CALLS or name not in values:
            continue
        call, parameter = CALLS[kind]
        for value in [item.strip() for item in values[name].split(",")]:
            if not _exists(getattr(client("ec2"), call), parameter, value):
                raise Refused(
                    f"Parameter validation failed: parameter value {value} for parameter name {name} does not exist"
                )


def _check_ssm(client: Any, name: str) -> None:
    if client.get_parameters(Names=[name])["InvalidParameters"]:
        raise Refused(f"Unable to fetch parameters [{name}] from parameter store for this account.")


def _exists(call: Callable[..., Any], parameter: str, value: str) -> bool:
    from botocore.exceptions import ClientError

    try:
        answer = call(**{parameter: [value]})
    except ClientError:
        return False
    return any(isinstance(listed, list) and listed for listed in answer.values())
