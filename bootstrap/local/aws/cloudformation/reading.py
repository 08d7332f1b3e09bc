"""Reads resources back as properties, in the template's form, for drift and imports: tables of calls, and a few functions.

A type without a table cannot be read by property. `READS` gives for each type its calls; in what a call is asked, '@id' is the
physical id and '#Name' a property. The first call of a type tells whether the resource is there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Context, at
from bootstrap.local.aws.cloudformation.errors import Gone
from bootstrap.local.aws.cloudformation.reading_rules import (
    attached,
    from_arn,
    group_rules,
    ids,
    inline,
    sse_rules,
    state_is,
)

Way = str | Callable[[Any, Context], Any]


@dataclass(frozen=True)
class Read:
    """One call, and where in its answer each property is; `root` leads every path, and must be there."""

    service: str
    method: str
    asks: dict[str, Any]
    root: str = ""
    same: tuple[str, ...] = ()
    ways: dict[str, Way] = field(default_factory=dict)


def _ec2(method: str, ask: str, root: str, *same: str, **ways: Way) -> Read:
    return Read("ec2", method, {ask: ["@id"]}, f"{root}.0", same, dict(ways))


def _attribute(method: str, ask: str, attribute: str, name: str) -> Read:
    key = attribute[0].upper() + attribute[1:]
    return Read("ec2", method, {ask: "@id", "Attribute": attribute}, ways={name: f"{key}.Value"})


ALARM = (
    "Namespace MetricName Dimensions Statistic Period EvaluationPeriods DatapointsToAlarm Threshold ComparisonOperator "
    "AlarmActions OKActions InsufficientDataActions AlarmDescription ActionsEnabled TreatMissingData"
)
QUEUE = (
    "VisibilityTimeout MessageRetentionPeriod DelaySeconds MaximumMessageSize ReceiveMessageWaitTimeSeconds KmsMasterKeyId "
    "SqsManagedSseEnabled RedrivePolicy"
)

ATTACHMENT = ("VolumeId", "InstanceId", "Device")
PARAMETER = ("Name", "Type", "Value", "DataType")

READS: dict[str, tuple[Read, ...]] = {
    "AWS::EC2::VPC": (
        _ec2("describe_vpcs", "VpcIds", "Vpcs", "CidrBlock", "InstanceTenancy"),
        _attribute("describe_vpc_attribute", "VpcId", "enableDnsSupport", "EnableDnsSupport"),
        _attribute("describe_vpc_attribute", "VpcId", "enableDnsHostnames", "EnableDnsHostnames"),
    ),
    "AWS::EC2::Subnet": (
        _ec2(
            "describe_subnets", "SubnetIds", "Subnets", "CidrBlock", "VpcId", "AvailabilityZone", "MapPublicIpOnLaunch"
        ),
    ),
    "AWS::EC2::SecurityGroup": (
        _ec2(
            "describe_security_groups",
            "GroupIds",
            "SecurityGroups",
            "GroupName",
            "VpcId",
            GroupDescription="Description",
            SecurityGroupIngress=group_rules("IpPermissions", "Ingress"),
            SecurityGroupEgress=group_rules("IpPermissionsEgress", "Egress"),
        ),
    ),
    "AWS::EC2::InternetGateway": (_ec2("describe_internet_gateways", "InternetGatewayIds", "InternetGateways"),),
    "AWS::EC2::RouteTable": (_ec2("describe_route_tables", "RouteTableIds", "RouteTables", "VpcId"),),
    "AWS::EC2::NetworkAcl": (_ec2("describe_network_acls", "NetworkAclIds", "NetworkAcls", "VpcId"),),
    "AWS::EC2::EIP": (_ec2("describe_addresses", "PublicIps", "Addresses", "Domain", "InstanceId"),),
    "AWS::EC2::NatGateway": (
        _ec2(
            "describe_nat_gateways",
            "NatGatewayIds",
            "NatGateways",
            "SubnetId",
            "ConnectivityType",
            AllocationId="NatGatewayAddresses.0.AllocationId",
        ),
    ),
    "AWS::EC2::VPCEndpoint": (
        _ec2(
            "describe_vpc_endpoints",
            "VpcEndpointIds",
            "VpcEndpoints",
            *[
                "VpcId",
                "ServiceName",
                "VpcEndpointType",
                "RouteTableIds",
                "SubnetIds",
                "PrivateDnsEnabled",
                "PolicyDocument",
            ],
        ),
    ),
    "AWS::EC2::FlowLog": (
        _ec2(
            "describe_flow_logs",
            "FlowLogIds",
            "FlowLogs",
            *[
                "ResourceId",
                "TrafficType",
                "LogGroupName",
                "LogDestinationType",
                "LogDestination",
                "MaxAggregationInterval",
            ],
            DeliverLogsPermissionArn="DeliverLogsPermissionArn",
        ),
    ),
    "AWS::EC2::KeyPair": (
        Read("ec2", "describe_key_pairs", {"KeyNames": ["@id"]}, "KeyPairs.0", ("KeyName", "KeyType")),
    ),
    "AWS::EC2::LaunchTemplate": (
        Read(
            "ec2",
            "describe_launch_template_versions",
            {"LaunchTemplateId": "@id", "Versions": ["$Latest"]},
            "LaunchTemplateVersions.0",
            ("LaunchTemplateName", "LaunchTemplateData"),
        ),
    ),
    "AWS::EC2::Instance": (
        _ec2(
            "describe_instances",
            "InstanceIds",
            "Reservations.0.Instances",
            *["InstanceType", "ImageId", "SubnetId", "KeyName", "PrivateIpAddress", "EbsOptimized", "SourceDestCheck"],
            Monitoring=state_is("Monitoring.State", "enabled"),
            SecurityGroupIds=ids("SecurityGroups", "GroupId"),
            IamInstanceProfile=from_arn("IamInstanceProfile.Arn"),
        ),
        _attribute("describe_instance_attribute", "InstanceId", "disableApiTermination", "DisableApiTermination"),
        _attribute("describe_instance_attribute", "InstanceId", "userData", "UserData"),
    ),
    "AWS::EC2::Volume": (
        _ec2(
            "describe_volumes",
            "VolumeIds",
            "Volumes",
            *["Size", "VolumeType", "AvailabilityZone", "Encrypted", "Iops", "Throughput", "KmsKeyId", "SnapshotId"],
        ),
    ),
    "AWS::EC2::VolumeAttachment": (
        Read(
            "ec2",
            "describe_volumes",
            {"VolumeIds": ["#VolumeId"]},
            "Volumes.0.Attachments.0",
            ("VolumeId", "InstanceId", "Device"),
        ),
    ),
    "AWS::EC2::NetworkInterface": (
        _ec2(
            "describe_network_interfaces",
            "NetworkInterfaceIds",
            "NetworkInterfaces",
            *["SubnetId", "Description", "PrivateIpAddress", "SourceDestCheck", "InterfaceType"],
            GroupSet=ids("Groups", "GroupId"),
        ),
    ),
    "AWS::IAM::Role": (
        Read(
            "iam",
            "get_role",
            {"RoleName": "@id"},
            "Role",
            ("RoleName", "Path", "Description", "MaxSessionDuration", "AssumeRolePolicyDocument"),
            {"PermissionsBoundary": "PermissionsBoundary.PermissionsBoundaryArn"},
        ),
        Read("iam", "list_attached_role_policies", {"RoleName": "@id"}, ways={"ManagedPolicyArns": attached}),
        Read("iam", "list_role_policies", {"RoleName": "@id"}, ways={"Policies": inline}),
    ),
    "AWS::IAM::InstanceProfile": (
        Read(
            "iam",
            "get_instance_profile",
            {"InstanceProfileName": "@id"},
            "InstanceProfile",
            ("InstanceProfileName", "Path"),
            {"Roles": ids("Roles", "RoleName")},
        ),
    ),
    "AWS::SecretsManager::Secret": (
        Read("secretsmanager", "describe_secret", {"SecretId": "@id"}, "", ("Name", "Description", "KmsKeyId")),
        Read("secretsmanager", "get_secret_value", {"SecretId": "@id"}, "", ("SecretString",)),
    ),
    "AWS::SSM::Parameter": (
        Read(
            "ssm",
            "get_parameter",
            {"Name": "@id", "WithDecryption": True},
            "Parameter",
            ("Name", "Type", "Value", "DataType"),
        ),
    ),
    "AWS::KMS::Key": (
        Read(
            "kms",
            "describe_key",
            {"KeyId": "@id"},
            "KeyMetadata",
            ("Description", "Enabled", "KeySpec", "KeyUsage", "MultiRegion"),
        ),
        Read("kms", "get_key_rotation_status", {"KeyId": "@id"}, ways={"EnableKeyRotation": "KeyRotationEnabled"}),
        Read("kms", "get_key_policy", {"KeyId": "@id", "PolicyName": "default"}, ways={"KeyPolicy": "Policy"}),
    ),
    "AWS::Logs::LogGroup": (
        Read(
            "logs",
            "describe_log_groups",
            {"logGroupNamePrefix": "@id"},
            "logGroups.0",
            (),
            {"LogGroupName": "logGroupName", "RetentionInDays": "retentionInDays", "KmsKeyId": "kmsKeyId"},
        ),
    ),
    "AWS::S3::Bucket": (
        Read("s3", "get_bucket_versioning", {"Bucket": "@id"}, ways={"VersioningConfiguration": ""}),
        Read("s3", "get_bucket_encryption", {"Bucket": "@id"}, ways={"BucketEncryption": sse_rules}),
        Read("s3", "get_public_access_block", {"Bucket": "@id"}, "", ("PublicAccessBlockConfiguration",)),
        Read("s3", "get_bucket_ownership_controls", {"Bucket": "@id"}, "", ("OwnershipControls",)),
    ),
    "AWS::S3::BucketPolicy": (
        Read("s3", "get_bucket_policy", {"Bucket": "#Bucket"}, ways={"PolicyDocument": "Policy"}),
    ),
    "AWS::SNS::Topic": (
        Read("sns", "get_topic_attributes", {"TopicArn": "@id"}, "Attributes", ("DisplayName", "KmsMasterKeyId")),
    ),
    "AWS::SQS::Queue": (
        Read(
            "sqs",
            "get_queue_attributes",
            {"QueueUrl": "@id", "AttributeNames": ["All"]},
            "Attributes",
            tuple(QUEUE.split()),
        ),
    ),
    "AWS::CloudWatch::Alarm": (
        Read("cloudwatch", "describe_alarms", {"AlarmNames": ["@id"]}, "MetricAlarms.0", tuple(ALARM.split())),
    ),
    "AWS::Route53::HostedZone": (
        Read("route53", "get_hosted_zone", {"Id": "@id"}, "HostedZone", ("Name",), {"HostedZoneConfig": "Config"}),
    ),
}


def readable(kind: str) -> frozenset[str]:
    """The properties of a type that can be read back."""
    return frozenset(name for read in READS.get(kind, ()) for name in (*read.same, *read.ways))


def properties(to: Context) -> dict[str, Any]:
    """What the resource's properties are in its service, as far as they can be read; raises Gone."""
    found: dict[str, Any] = {}
    for number, read in enumerate(READS[to.type]):
        try:
            answer = to.call(read.service, read.method, **{key: _asked(value, to) for key, value in read.asks.items()})
        except Gone:
            if number == 0:
                raise
            answer = {}  # one part of it is not set
        part = at(answer, read.root) if read.root else answer
        if part is None and number == 0:
            raise Gone(f"{to.physical_id} does not exist")
        for name, way in (dict(zip(read.same, read.same, strict=True)) | read.ways).items():
            value = way(part, to) if callable(way) else at(part, way) if way else part
            if value is not None:
                found[name] = value
    return found


def _asked(value: Any, to: Context) -> Any:
    if isinstance(value, list):
        return [_asked(item, to) for item in value]
    if value == "@id":
        return to.physical_id
    return to.get(value[1:]) if isinstance(value, str) and value.startswith("#") else value
