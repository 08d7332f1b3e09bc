"""House rules of resources: encryption, logs, buckets, what outlives its stack, tags and descriptions."""

import json
from collections.abc import Iterator
from typing import Any

from tests.templates.template_reading import Template, resources, walk

STACK_TAGS = {"Project", "Environment", "Owner", "CostCenter", "ManagedBy", "Commit", "Run"}

# Types that take no stack tags, and why that is right.
TAGLESS = {
    "AWS::IAM::ManagedPolicy": "its type has no tags in CloudFormation",
    "AWS::EC2::LaunchTemplate": "CloudFormation passes it none; Project and Environment stand in its TagSpecifications",
    "AWS::DirectConnect::DirectConnectGatewayAssociation": "a relation",
    "AWS::EC2::NetworkAclEntry": "a line of a network ACL, which is tagged",
    "AWS::EC2::Route": "a line of a route table, which is tagged",
    "AWS::EC2::SecurityGroupEgress": "CloudFormation passes it none; a line of a group, which is tagged",
    "AWS::EC2::SecurityGroupIngress": "CloudFormation passes it none; a line of a group, which is tagged",
    "AWS::EC2::SubnetNetworkAclAssociation": "a relation",
    "AWS::EC2::SubnetRouteTableAssociation": "a relation",
    "AWS::EC2::VPCDHCPOptionsAssociation": "a relation",
    "AWS::EC2::VPCGatewayAttachment": "a relation",
    "AWS::EC2::VPCCidrBlock": "a part of the VPC",
    "AWS::EC2::SubnetCidrBlock": "a part of the subnet",
    "AWS::EC2::VPNConnectionRoute": "a line of a VPN connection, which is tagged",
    "AWS::EC2::VPNGatewayRoutePropagation": "a relation",
    "AWS::EC2::VolumeAttachment": "a relation",
    "AWS::IAM::InstanceProfile": "CloudFormation passes it none; it only wraps the role, which is tagged",
    "AWS::Logs::ResourcePolicy": "CloudFormation passes it none; a permission of log groups, which are tagged",
    "AWS::S3::BucketPolicy": "a setting of a bucket, which is tagged",
    "AWS::Route53::RecordSet": "a line of a zone, which is tagged",
    "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation": "a relation",
}
LASTING = {
    "AWS::EC2::Volume",
    "AWS::SecretsManager::Secret",
    "AWS::S3::Bucket",
    "AWS::EFS::FileSystem",
    "AWS::KMS::Key",
}


def logs_are_complete_and_end(template: Template) -> Iterator[str]:
    for logical, resource in resources(template, "AWS::Logs::LogGroup"):
        if not {"RetentionInDays", "KmsKeyId"} <= set(resource["Properties"]):
            yield f"{logical} keeps its lines for ever, or cannot be encrypted with a key of one's own"
    for logical, resource in resources(template, "AWS::EC2::FlowLog"):
        if resource["Properties"]["TrafficType"] != "ALL":
            yield f"{logical} does not tell all"


def disks_are_encrypted(template: Template) -> Iterator[str]:
    for logical, resource in resources(template):
        properties = resource.get("Properties", {})
        disks = [properties] if resource["Type"] in {"AWS::EC2::Volume", "AWS::EFS::FileSystem"} else []
        disks += [value for key, value in walk(properties) if key == "Ebs" and isinstance(value, dict)]
        if any(disk.get("Encrypted") is not True for disk in disks):
            yield f"{logical} has a disk that is not encrypted"


# What a template encrypts, by type: the property with the key.
ENCRYPTED = {
    "AWS::EC2::Volume": "KmsKeyId",
    "AWS::EFS::FileSystem": "KmsKeyId",
    "AWS::Logs::LogGroup": "KmsKeyId",
    "AWS::S3::Bucket": "BucketEncryption",
    "AWS::SNS::Topic": "KmsMasterKeyId",
    "AWS::SQS::Queue": "KmsMasterKeyId",
    "AWS::SecretsManager::Secret": "KmsKeyId",
}
CUSTOMER_KEY = {"Fn::If": ["HasKmsKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}


def the_customer_key_encrypts_everything(template: Template) -> Iterator[str]:
    """Volumes, the disks of machines, secrets, logs: each has the customer key where one is given."""
    for logical, resource in resources(template):
        properties = resource.get("Properties", {})
        name = ENCRYPTED.get(resource["Type"])
        given = [properties.get(name)] if name else []
        given += [it.get("KmsKeyId") for key, it in walk(properties) if key == "Ebs" and isinstance(it, dict)]
        if any(json.dumps(CUSTOMER_KEY) not in json.dumps(it) for it in given):
            yield f"{logical} is encrypted without the customer key"


def expires(bucket: dict[str, Any]) -> bool:
    """Whether every object of the bucket expires, so that nothing lasts there."""
    rules = bucket["Properties"].get("LifecycleConfiguration", {}).get("Rules", [])
    limits = {"Prefix", "Filter", "TagFilters", "ObjectSizeGreaterThan", "ObjectSizeLessThan"}
    return any("ExpirationInDays" in it and it["Status"] == "Enabled" and not limits & set(it) for it in rules)


def buckets_are_closed(template: Template) -> Iterator[str]:
    """Each bucket is private whatever its policy says, refuses what comes without TLS, and has no access control lists."""
    policies = [json.dumps(it["Properties"]) for _, it in resources(template, "AWS::S3::BucketPolicy")]
    for logical, resource in resources(template, "AWS::S3::Bucket"):
        properties = resource["Properties"]
        block = properties.get("PublicAccessBlockConfiguration", {})
        wanted = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        if not all(block.get(it) is True for it in wanted):
            yield f"{logical} can be made public"
        if {"ObjectOwnership": "BucketOwnerEnforced"} not in properties.get("OwnershipControls", {}).get("Rules", []):
            yield f"{logical} has access control lists"
        own = [json.loads(it) for it in policies if json.loads(it)["Bucket"] == {"Ref": logical}]
        denials = [one for it in own for one in it["PolicyDocument"]["Statement"] if one["Effect"] == "Deny"]
        if not any(
            (one["Principal"], one["Action"], one["Condition"])
            == ("*", "s3:*", {"Bool": {"aws:SecureTransport": "false"}})
            and len(one["Resource"]) == 2
            for one in denials
        ):
            yield f"{logical} takes requests without TLS"


def what_lasts_is_kept(template: Template) -> Iterator[str]:
    for logical, resource in resources(template, *LASTING):
        if resource["Type"] == "AWS::S3::Bucket" and expires(resource):
            continue
        if resource.get("DeletionPolicy") not in {"Retain", "RetainExceptOnCreate", "Snapshot"}:
            yield f"{logical} goes with its stack"
        if resource.get("UpdateReplacePolicy") not in {"Retain", "Snapshot"}:
            yield f"{logical} goes when it is replaced"


def stack_tags_reach_everything(template: Template) -> Iterator[str]:
    """Every type takes tags or is known not to, and no resource sets one of the stack's tags to something else."""
    from bootstrap.local.aws.cloudformation.template import schemas

    for logical, resource in resources(template):
        schema = schemas.load(resource["Type"], "eu-central-1")
        if schema is None or (not schemas.find_tag_property(schema) and not TAGLESS.get(resource["Type"])):
            yield f"{logical} can carry no tags, and nothing says why that is right"
        own = {tag["Key"] for tag in resource.get("Properties", {}).get("Tags", [])}
        if own & STACK_TAGS:
            yield f"{logical} overrides {sorted(own & STACK_TAGS)}"


def everything_is_described(template: Template) -> Iterator[str]:
    for section in ("Parameters", "Outputs"):
        for name, it in template.get(section, {}).items():
            if not it.get("Description"):
                yield f"{section}: {name} says nothing about itself"
    groups = template.get("Metadata", {}).get("AWS::CloudFormation::Interface", {}).get("ParameterGroups", [])
    shown = [name for group in groups for name in group["Parameters"]]
    if sorted(shown) != sorted(template.get("Parameters", {})):
        yield f"the interface shows {sorted(shown)}"


def every_parameter_is_used(template: Template) -> Iterator[str]:
    used = json.dumps([template["Resources"], template.get("Conditions", {}), template.get("Outputs", {})])
    for name in template.get("Parameters", {}):
        if f'"Ref": "{name}"' not in used and f"${{{name}}}" not in used:
            yield f"the parameter {name} decides nothing"
