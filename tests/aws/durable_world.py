"""The world of the durability test: what its stacks are made of, and how it looks afterwards to clients.

Each stack has resources whose versions are altered in place, replaced, added and dropped, one in a nested stack, and a bucket
that gets objects. A standing bucket holds the nested template; what every region has from the start is left out.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

STANDING = "standing"
TRUSTED = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}
CHILD = {
    "Parameters": {"Version": {"Type": "String"}, "Parity": {"Type": "String"}},
    "Resources": {
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::Sub": "version ${Version}"}}},
        "Log": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": {"Fn::Sub": "${AWS::StackName}-${Parity}"}, "RetentionInDays": 7},
        },
    },
}


def _policy(version: int) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::version-{version}/*"}
    return {"PolicyName": "read", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}


def body(number: int, version: int, endpoint: str, *, broken: bool) -> str:
    """A template whose versions alter, replace, add and remove some resources."""
    second = 200 + number % 50
    child = {"Version": str(version), "Parity": str(version % 2)}
    resources: dict[str, Any] = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": f"10.{second}.0.0/16"}},
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": f"10.{second}.{version % 200}.0/24"},
        },
        "Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"GroupDescription": f"of version {version % 2}", "VpcId": {"Ref": "Vpc"}},
        },
        "Pair": {"Type": "AWS::EC2::KeyPair", "Properties": {"KeyName": f"k{number}", "KeyType": "ed25519"}},
        "Secret": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"GenerateSecretString": {"PasswordLength": 20}},
        },
        "Note": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Type": "String", "Value": {"Fn::Sub": f"${{Subnet}} {version}"}},
        },
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 30 + version % 9}},
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {"VersioningConfiguration": {"Status": ("Enabled", "Suspended")[version % 2]}},
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": TRUSTED, "Policies": [_policy(version)]},
        },
        "Disk": {
            "Type": "AWS::EC2::Volume",
            "Properties": {
                "AvailabilityZone": {"Fn::Select": [0, {"Fn::GetAZs": ""}]},
                "Size": 1 + version,
                "VolumeType": "gp3",
            },
        },
        "Key": {
            "Type": "AWS::KMS::Key",
            "Properties": {"Description": f"of version {version}", "KeyPolicy": KEY_POLICY},
        },
        "Child": {
            "Type": "AWS::CloudFormation::Stack",
            "Properties": {"TemplateURL": f"{endpoint}/{STANDING}/child.json", "Parameters": child},
        },
        f"Extra{version % 3}": {"Type": "AWS::EC2::InternetGateway"},
    }
    if broken:
        wrong = {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "192.168.0.0/24"}
        resources["Wrong"] = {"Type": "AWS::EC2::Subnet", "DependsOn": ["Note", "Child"], "Properties": wrong}
    return json.dumps({"Resources": resources, "Outputs": {"Bucket": {"Value": {"Ref": "Bucket"}}}})


KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"}
    ],
}


def prepare(own_cloud: Any) -> None:
    """Create the permanent bucket with the nested template."""
    s3 = own_cloud.client("s3")
    s3.create_bucket(Bucket=STANDING, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket=STANDING, Key="child.json", Body=json.dumps(CHILD).encode())


def _all(own_cloud: Any, service: str, operation: str, result: str) -> list[Any]:
    found: list[Any] = own_cloud.client(service).get_paginator(operation).paginate().build_full_result()[result]
    return found


def every_physical_thing(own_cloud: Any) -> dict[str, list[str]]:
    """The ids of the resources that the services list, by type."""
    ec2, kms = own_cloud.client("ec2"), own_cloud.client("kms")
    groups = ec2.describe_security_groups()["SecurityGroups"]
    parameters = _all(own_cloud, "ssm", "describe_parameters", "Parameters")
    kept = [one["Name"] for one in parameters if one["Name"].startswith("/ec2/keypair/")]
    keys = [one["KeyId"] for one in kms.list_keys()["Keys"]]
    stacks = own_cloud.client("cloudformation").describe_stacks()["Stacks"]
    buckets = own_cloud.client("s3").list_buckets()["Buckets"]
    return {
        "AWS::EC2::VPC": [one["VpcId"] for one in ec2.describe_vpcs()["Vpcs"] if not one["IsDefault"]],
        "AWS::EC2::Subnet": [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"] if not one["DefaultForAz"]],
        "AWS::EC2::SecurityGroup": [one["GroupId"] for one in groups if one["GroupName"] != "default"],
        "AWS::EC2::InternetGateway": [
            one["InternetGatewayId"] for one in ec2.describe_internet_gateways()["InternetGateways"]
        ],
        "AWS::EC2::Volume": [one["VolumeId"] for one in ec2.describe_volumes()["Volumes"]],
        "AWS::EC2::KeyPair": [one["KeyName"] for one in ec2.describe_key_pairs()["KeyPairs"]],
        "private keys": [name.rpartition("/")[2] for name in kept],
        "AWS::SecretsManager::Secret": [
            one["ARN"] for one in _all(own_cloud, "secretsmanager", "list_secrets", "SecretList")
        ],
        "AWS::SSM::Parameter": [one["Name"] for one in parameters if one["Name"] not in kept],
        "AWS::SQS::Queue": own_cloud.client("sqs").list_queues().get("QueueUrls", []),
        "AWS::S3::Bucket": [one["Name"] for one in buckets if one["Name"] != STANDING],
        "AWS::IAM::Role": [one["RoleName"] for one in _all(own_cloud, "iam", "list_roles", "Roles")],
        "AWS::KMS::Key": [one for one in keys if kms.describe_key(KeyId=one)["KeyMetadata"]["KeyState"] == "Enabled"],
        "AWS::SNS::Topic": [one["TopicArn"] for one in own_cloud.client("sns").list_topics()["Topics"]],
        "AWS::Logs::LogGroup": [
            one["logGroupName"] for one in own_cloud.client("logs").describe_log_groups()["logGroups"]
        ],
        "AWS::CloudFormation::Stack": [one["StackId"] for one in stacks if "ParentId" in one],
    }


def every_named_thing(own_cloud: Any) -> dict[str, list[str]]:
    """The physical ids of the resources of the existing stacks and nested stacks, by type."""
    cloudformation = own_cloud.client("cloudformation")
    found: dict[str, list[str]] = {}
    for stack in cloudformation.describe_stacks()["Stacks"]:
        for one in cloudformation.list_stack_resources(StackName=stack["StackId"])["StackResourceSummaries"]:
            found.setdefault(one["ResourceType"], []).append(one["PhysicalResourceId"])
    return found


def _secrets(own_cloud: Any) -> dict[str, str]:
    """The secrets by ARN, without those that an operation in progress deletes meanwhile."""
    secrets, found = own_cloud.client("secretsmanager"), {}
    for one in secrets.list_secrets()["SecretList"]:
        with contextlib.suppress(secrets.exceptions.ResourceNotFoundException):
            found[one["ARN"]] = secrets.get_secret_value(SecretId=one["ARN"])["SecretString"]
    return found


def _objects(own_cloud: Any) -> dict[str, tuple[Any, ...]]:
    """Every object by bucket and key: content, version, time; without buckets that are deleted meanwhile."""
    s3, found = own_cloud.client("s3"), {}
    for bucket in [one["Name"] for one in s3.list_buckets()["Buckets"]]:
        with contextlib.suppress(s3.exceptions.NoSuchBucket):
            for one in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
                got = s3.get_object(Bucket=bucket, Key=one["Key"])
                found[f"{bucket}/{one['Key']}"] = (got["Body"].read(), got.get("VersionId"), got["LastModified"])
    return found


def _change_sets(own_cloud: Any) -> dict[str, str]:
    """The changes of the change sets that can be executed, by id."""
    cloudformation, found = own_cloud.client("cloudformation"), {}
    for stack in cloudformation.describe_stacks()["Stacks"]:
        for one in cloudformation.list_change_sets(StackName=stack["StackId"])["Summaries"]:
            if one["ExecutionStatus"] == "AVAILABLE":
                with contextlib.suppress(cloudformation.exceptions.ChangeSetNotFoundException):
                    told = cloudformation.describe_change_set(ChangeSetName=one["ChangeSetId"])
                    found[one["ChangeSetId"]] = json.dumps(
                        [told["Changes"], told.get("Tags"), str(told["CreationTime"])]
                    )
    return found


def remembered(own_cloud: Any) -> dict[str, dict[str, Any]]:
    """Ids, addresses, secrets, objects and waiting change sets as clients see them."""
    ec2 = own_cloud.client("ec2")
    return {
        "vpcs": {one["VpcId"]: one["CidrBlock"] for one in ec2.describe_vpcs()["Vpcs"]},
        "subnets": {one["SubnetId"]: (one["CidrBlock"], one["VpcId"]) for one in ec2.describe_subnets()["Subnets"]},
        "pairs": {one["KeyPairId"]: one["KeyFingerprint"] for one in ec2.describe_key_pairs()["KeyPairs"]},
        "volumes": {one["VolumeId"]: str(one["CreateTime"]) for one in ec2.describe_volumes()["Volumes"]},
        "roles": {
            one["RoleName"]: (one["RoleId"], one["Arn"], str(one["CreateDate"]))
            for one in _all(own_cloud, "iam", "list_roles", "Roles")
        },
        "secrets": _secrets(own_cloud),
        "objects": _objects(own_cloud),
        "change sets": _change_sets(own_cloud),
    }


def bucket_of(own_cloud: Any, stack: str) -> str:
    """The bucket that a stack made."""
    asked = {"StackName": stack, "LogicalResourceId": "Bucket"}
    told = own_cloud.client("cloudformation").describe_stack_resource(**asked)["StackResourceDetail"]
    return str(told["PhysicalResourceId"])


def put_into_bucket_of(own_cloud: Any, stack: str, key: str) -> None:
    """One more object for the bucket of a stack."""
    own_cloud.client("s3").put_object(Bucket=bucket_of(own_cloud, stack), Key=key, Body=key.encode() * 100)


def empty_bucket_of(own_cloud: Any, stack: str) -> None:
    """Delete every version of every object, so that the bucket can be deleted."""
    s3, bucket = own_cloud.client("s3"), bucket_of(own_cloud, stack)
    found = s3.list_object_versions(Bucket=bucket)
    for one in found.get("Versions", []) + found.get("DeleteMarkers", []):
        s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])


def written(own_cloud: Any, folder: str) -> dict[str, bytes]:
    """The objects under a folder of the permanent bucket."""
    s3 = own_cloud.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=STANDING, Prefix=f"{folder}/")
    keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
    return {key: s3.get_object(Bucket=STANDING, Key=key)["Body"].read() for key in keys}
