"""The tags of every resource of the stacks, as the service of each kind tells them."""

from __future__ import annotations

from dataclasses import dataclass

from subject import Subject, place_of

from bootstrap.cloud.tags import list_tagged
from bootstrap.context import Context
from bootstrap.stacks import composition


@dataclass(frozen=True)
class Resource:
    """A resource of one of the stacks."""

    stack: str
    logical_id: str
    type: str
    physical_id: str

    @property
    def shown(self) -> str:
        """Stack, logical id and kind: 'network Vpc (AWS::EC2::VPC)'."""
        return f"{self.stack} {self.logical_id} ({self.type})"


# Kinds that take no tags of their own, by the CloudFormation resource specification.
UNTAGGED = frozenset(
    f"AWS::{kind}"
    for kind in (
        "DirectConnect::DirectConnectGatewayAssociation",
        "EC2::NetworkAclEntry",
        "EC2::Route",
        "EC2::SecurityGroupEgress",
        "EC2::SecurityGroupIngress",
        "EC2::SubnetCidrBlock",
        "EC2::SubnetNetworkAclAssociation",
        "EC2::SubnetRouteTableAssociation",
        "EC2::VPCCidrBlock",
        "EC2::VPCDHCPOptionsAssociation",
        "EC2::VPCGatewayAttachment",
        "EC2::VPNConnectionRoute",
        "EC2::VPNGatewayRoutePropagation",
        "EC2::VolumeAttachment",
        "IAM::InstanceProfile",
        "IAM::ManagedPolicy",
        "IAM::RolePolicy",
        "Logs::ResourcePolicy",
        "Route53::RecordSet",
        "Route53Resolver::ResolverQueryLoggingConfigAssociation",
        "S3::BucketPolicy",
    )
)


def tags_of_resources(subject: Subject) -> dict[str, dict[str, str]]:
    """Every resource of the stacks that takes tags, as shown to people, with its tags; ValueError for a kind unknown here."""
    context = subject.context
    client = context.world.aws("cloudformation")
    found = [
        Resource(name, it["LogicalResourceId"], it["ResourceType"], it["PhysicalResourceId"])
        for name, stack in context.stacks.items()
        for page in client.get_paginator("list_stack_resources").paginate(StackName=stack.name)
        for it in page["StackResourceSummaries"]
        if it["ResourceType"] not in UNTAGGED
    ]
    by_id = _tags_in_ec2(context, [it for it in found if it.type.startswith("AWS::EC2::")])
    told = {it: by_id[it.physical_id] if it.physical_id in by_id else _tags(context, it) for it in found}
    # Which kinds a stack of one's own has is not known, so that one without any tag may be one that takes none.
    return {it.shown: tags for it, tags in told.items() if tags or composition.is_of_toolkit(it.stack)}


def _tags_in_ec2(context: Context, resources: list[Resource]) -> dict[str, dict[str, str]]:
    """Tags by physical id, in one request; where CloudFormation's id is not EC2's own, it is looked up first."""
    ec2 = context.world.aws("ec2")
    own = {it.physical_id: it.physical_id for it in resources}
    for it in resources:
        if it.type == "AWS::EC2::KeyPair":
            (pair,) = ec2.describe_key_pairs(KeyNames=[it.physical_id])["KeyPairs"]
            own[it.physical_id] = pair["KeyPairId"]
        if it.type == "AWS::EC2::EIP":
            (address,) = ec2.describe_addresses(PublicIps=[it.physical_id])["Addresses"]
            own[it.physical_id] = address["AllocationId"]
    pages = ec2.get_paginator("describe_tags").paginate(Filters=[{"Name": "resource-id", "Values": list(own.values())}])
    told = [tag for page in pages for tag in page["Tags"]]
    return {
        physical: {tag["Key"]: tag["Value"] for tag in told if tag["ResourceId"] == real}
        for physical, real in own.items()
    }


def _tags(context: Context, resource: Resource) -> dict[str, str]:
    match resource.type:
        case "AWS::SecretsManager::Secret":
            told = context.world.aws("secretsmanager").describe_secret(SecretId=resource.physical_id)
        case "AWS::IAM::Role":
            told = context.world.aws("iam").list_role_tags(RoleName=resource.physical_id)
        case "AWS::Logs::LogGroup":
            told = context.world.aws("logs").list_tags_log_group(logGroupName=resource.physical_id)
            return dict(told["tags"])
        case "AWS::Route53::HostedZone":
            asked = {"ResourceType": "hostedzone", "ResourceId": resource.physical_id}
            told = context.world.aws("route53").list_tags_for_resource(**asked)["ResourceTagSet"]
        case "AWS::S3::Bucket":
            told = {"Tags": context.world.aws("s3").get_bucket_tagging(Bucket=resource.physical_id)["TagSet"]}
        case "AWS::AutoScaling::AutoScalingGroup":
            mine = [{"Name": "auto-scaling-group", "Values": [resource.physical_id]}]
            told = context.world.aws("autoscaling").describe_tags(Filters=mine)
        case "AWS::Route53Resolver::ResolverQueryLoggingConfig":
            partition, region, account = place_of(context)
            arn = f"arn:{partition}:route53resolver:{region}:{account}:resolver-query-log-config/{resource.physical_id}"
            told = context.world.aws("route53resolver").list_tags_for_resource(ResourceArn=arn)
        case _ if not composition.is_of_toolkit(resource.stack):
            return _tags_of_own(context, resource)
        case _:
            raise ValueError(f"{resource.shown}: this suite does not know how to ask for the tags of that kind")
    return {tag["Key"]: tag["Value"] for tag in told.get("Tags", ())}


def _tags_of_own(context: Context, resource: Resource) -> dict[str, str]:
    """The tags of a resource of any kind, as the tagging service tells them; {} where it does not know the resource."""
    mine = {"Environment": context.settings.name}
    ends = (f":{resource.physical_id}", f"/{resource.physical_id}")
    told = (
        it for it in list_tagged(context.world.aws, mine) if it.arn == resource.physical_id or it.arn.endswith(ends)
    )
    return next((dict(it.tags) for it in told), {})
