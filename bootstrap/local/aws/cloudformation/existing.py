"""Parameters of AWS's own types: CloudFormation refuses ids of things that are not in the account."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.template import Template

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html
CALLS = {
    "AWS::EC2::Image::Id": ("describe_images", "ImageIds"),
    "AWS::EC2::Instance::Id": ("describe_instances", "InstanceIds"),
    "AWS::EC2::KeyPair::KeyName": ("describe_key_pairs", "KeyNames"),
    "AWS::EC2::SecurityGroup::Id": ("describe_security_groups", "GroupIds"),
    "AWS::EC2::Subnet::Id": ("describe_subnets", "SubnetIds"),
    "AWS::EC2::Volume::Id": ("describe_volumes", "VolumeIds"),
    "AWS::EC2::VPC::Id": ("describe_vpcs", "VpcIds"),
}


def check(template: Template, values: dict[str, str], client: Any) -> None:
    """Look for what the parameters name; `client` is EC2's. Raises Refused."""
    from botocore.exceptions import ClientError

    for name, declaration in template.section("Parameters").items():
        kind = str(declaration.get("Type", "")).removeprefix("List<").removesuffix(">")
        if kind not in CALLS or name not in values:
            continue
        call, parameter = CALLS[kind]
        for value in [item.strip() for item in values[name].split(",")]:
            try:
                getattr(client, call)(**{parameter: [value]})
            except ClientError:
                raise Refused(
                    f"Parameter validation failed: parameter value {value} for parameter name {name} does not exist"
                ) from None
