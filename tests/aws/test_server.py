"""The server: instances and their metadata service, real key pairs, and a memory that survives a kill."""

from __future__ import annotations

import base64
import http.client
import io
import json
import time
import urllib.request
import uuid
from typing import Any

import paramiko
import pytest
from botocore.exceptions import ClientError
from server_machine import QUICK, Client, deploy, instance_of


@pytest.fixture(scope="module")
def machine(client: Client) -> dict[str, str]:
    return deploy(client, "127.31")


def test_instance_reads_back_as_its_launch_template_says(client: Client, machine: dict[str, str]) -> None:
    found = instance_of(client, machine["Machine"])
    assert ("running", "t3.large", "required", 1) == (
        found["State"]["Name"],
        found["InstanceType"],
        found["MetadataOptions"]["HttpTokens"],
        found["MetadataOptions"]["HttpPutResponseHopLimit"],
    )
    assert [machine["Group"]] == [group["GroupId"] for group in found["SecurityGroups"]]
    assert found["IamInstanceProfile"]["Arn"].startswith("arn:aws:iam::123456789012:instance-profile/")
    tags = {tag["Key"]: tag["Value"] for tag in found["Tags"]}
    assert ("controller", "jenkins", "Machine") == (
        tags["Name"],
        tags["Project"],
        tags["aws:cloudformation:logical-id"],
    )
    data = client("ec2").describe_instance_attribute(InstanceId=machine["Machine"], Attribute="userData")
    assert b"#cloud-config" == base64.b64decode(data["UserData"]["Value"])


def test_disks_are_encrypted_tagged_and_of_the_size_that_was_asked_for(client: Client, machine: dict[str, str]) -> None:
    found = instance_of(client, machine["Machine"])
    disks = {one["DeviceName"]: one["Ebs"]["VolumeId"] for one in found["BlockDeviceMappings"]}
    assert {"/dev/xvda", "/dev/sdf"} == disks.keys()
    root = client("ec2").describe_volumes(VolumeIds=[disks["/dev/xvda"]])["Volumes"][0]
    assert (True, 16, "gp3", 3000, 125) == tuple(
        root[key] for key in ("Encrypted", "Size", "VolumeType", "Iops", "Throughput")
    )
    assert "jenkins" == {tag["Key"]: tag["Value"] for tag in root["Tags"]}["Project"]
    data = client("ec2").describe_volumes(VolumeIds=[machine["Data"]])["Volumes"][0]
    assert (True, "gp3", machine["Machine"]) == (
        data["Encrypted"],
        data["VolumeType"],
        data["Attachments"][0]["InstanceId"],
    )


def test_security_group_has_the_rules_of_the_template_and_no_other(client: Client, machine: dict[str, str]) -> None:
    group = client("ec2").describe_security_groups(GroupIds=[machine["Group"]])["SecurityGroups"][0]
    ingress, egress = group["IpPermissions"], group["IpPermissionsEgress"]
    assert [(443, 443, [{"CidrIp": "10.0.0.0/8", "Description": "operators"}])] == [
        (one["FromPort"], one["ToPort"], one["IpRanges"]) for one in ingress
    ]
    assert [(443, ["0.0.0.0/0"])] == [(one["FromPort"], [r["CidrIp"] for r in one["IpRanges"]]) for one in egress]


def test_root_disk_has_the_tags_of_its_instance_and_an_attached_volume_keeps_its_own(
    client: Client, machine: dict[str, str]
) -> None:
    """An update of the stack's tags gives both the new ones; the instance's own Name goes to the root disk alone."""
    client("cloudformation").update_stack(
        StackName=machine["Stack"],
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": "Block", "UsePreviousValue": True}],
        Capabilities=["CAPABILITY_IAM"],
        Tags=[{"Key": "Project", "Value": "moved-on"}],
    )
    client("cloudformation").get_waiter("stack_update_complete").wait(StackName=machine["Stack"], WaiterConfig=QUICK)

    of_machine = [{"Name": "attachment.instance-id", "Values": [machine["Machine"]]}]
    volumes = client("ec2").describe_volumes(Filters=of_machine)["Volumes"]
    told = {one["VolumeId"]: {tag["Key"]: tag["Value"] for tag in one["Tags"]} for one in volumes}
    attached = told.pop(machine["Data"])
    (root,) = told.values()
    assert ("moved-on", "controller") == (root["Project"], root["Name"])
    assert "moved-on" == attached["Project"]
    assert "controller" != attached.get("Name")


def test_volume_in_use_is_not_attached_again(client: Client, machine: dict[str, str]) -> None:
    with pytest.raises(ClientError, match="VolumeInUse"):
        client("ec2").attach_volume(VolumeId=machine["Data"], InstanceId=machine["Machine"], Device="/dev/sdg")


def test_private_key_in_ssm_signs_for_the_public_key_of_the_pair(client: Client, machine: dict[str, str]) -> None:
    text = client("ssm").get_parameter(Name=f"/ec2/keypair/{machine['KeyPairId']}", WithDecryption=True)
    assert "SecureString" == text["Parameter"]["Type"]
    private = paramiko.Ed25519Key.from_private_key(io.StringIO(text["Parameter"]["Value"]))
    asked = {"KeyPairIds": [machine["KeyPairId"]], "IncludePublicKey": True}
    (pair,) = client("ec2").describe_key_pairs(**asked)["KeyPairs"]
    assert private.get_base64() == pair["PublicKey"].split()[1]


def test_key_pairs_are_found_by_their_ids_among_others(client: Client) -> None:
    ec2 = client("ec2")
    first, second = (ec2.create_key_pair(KeyName=str(uuid.uuid4()), KeyType="ed25519") for _ in range(2))
    asked = [second["KeyPairId"]]
    assert [second["KeyName"]] == [one["KeyName"] for one in ec2.describe_key_pairs(KeyPairIds=asked)["KeyPairs"]]
    with pytest.raises(ClientError, match=r"InvalidKeyPair\.NotFound.*key-0"):
        ec2.describe_key_pairs(KeyPairIds=[first["KeyPairId"], "key-0"])


def test_group_launches_its_version_of_the_template_and_replaces_the_unhealthy(
    client: Client, machine: dict[str, str]
) -> None:
    ec2, scaling, name = client("ec2"), client("autoscaling"), str(uuid.uuid4())
    subnet = instance_of(client, machine["Machine"])["SubnetId"]
    image = instance_of(client, machine["Machine"])["ImageId"]
    data = {"ImageId": image, "InstanceType": "t3.small", "SecurityGroupIds": [machine["Group"]]}
    made = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)["LaunchTemplate"]
    encoded = base64.b64encode(b"second").decode()
    second = {**data, "UserData": encoded, "KeyName": machine["Stack"], "DisableApiTermination": False}
    ec2.create_launch_template_version(LaunchTemplateId=made["LaunchTemplateId"], LaunchTemplateData=second)
    chosen = {"LaunchTemplateId": made["LaunchTemplateId"], "Version": "$Latest"}
    named = {"AutoScalingGroupName": name}
    sizes = {"MinSize": 0, "MaxSize": 2, "DesiredCapacity": 1, "VPCZoneIdentifier": subnet}
    scaling.create_auto_scaling_group(**named, LaunchTemplate=chosen, **sizes)

    def members() -> list[str]:
        found = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]
        return [one["InstanceId"] for one in found["Instances"]]

    (first,) = members()
    asked = {"InstanceId": first, "Attribute": "userData"}
    assert b"second" == base64.b64decode(ec2.describe_instance_attribute(**asked)["UserData"]["Value"])
    assert [machine["Group"]] == [one["GroupId"] for one in instance_of(client, first)["SecurityGroups"]]
    assert machine["Stack"] == instance_of(client, first)["KeyName"]
    scaling.set_instance_health(InstanceId=first, HealthStatus="Unhealthy")
    ec2.get_waiter("instance_terminated").wait(InstanceIds=[first], WaiterConfig=QUICK)
    end = time.monotonic() + 60
    while first in members() and time.monotonic() < end:  # the one that ends is listed until it has
        time.sleep(0.1)
    (other,) = members()
    assert other != first
    scaling.delete_auto_scaling_group(**named, ForceDelete=True)
    ec2.get_waiter("instance_terminated").wait(InstanceIds=[other], WaiterConfig=QUICK)


def test_object_does_not_wait_for_leave_to_be_sent(client: Client) -> None:
    """S3's clients ask before they send a body, and wait a second for the answer where none comes."""
    s3, bucket = client("s3"), str(uuid.uuid4())
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    took = []
    for number in range(5):
        began = time.monotonic()
        s3.put_object(Bucket=bucket, Key=str(number), Body=b"x" * 4096)
        took.append(time.monotonic() - began)
    assert min(took) < 0.9


def test_image_is_debian_by_its_publisher(client: Client) -> None:
    name = "/aws/service/debian/release/13/latest/amd64"
    image = client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    found = client("ec2").describe_images(Owners=["136693071363"])["Images"]
    assert [image] == [one["ImageId"] for one in found]
    assert found[0]["Name"].startswith("debian-13-amd64-")


def test_stop_start_and_terminate_move_the_state(client: Client) -> None:
    made = deploy(client, "127.32")
    ec2, instance = client("ec2"), made["Machine"]
    ec2.stop_instances(InstanceIds=[instance])
    ec2.get_waiter("instance_stopped").wait(InstanceIds=[instance], WaiterConfig=QUICK)
    ec2.start_instances(InstanceIds=[instance])
    ec2.get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig=QUICK)
    client("cloudformation").delete_stack(StackName=made["Stack"])
    client("cloudformation").get_waiter("stack_delete_complete").wait(StackName=made["Stack"], WaiterConfig=QUICK)
    assert "terminated" == instance_of(client, instance)["State"]["Name"]
    assert [] == ec2.describe_vpcs(Filters=[{"Name": "cidr", "Values": ["127.32.0.0/16"]}])["Vpcs"]


class Machine:
    """What a machine sees: requests from its own address to the gateway of its subnet."""

    def __init__(self, address: str, gateway: str, port: int) -> None:
        self._where = (gateway, port)
        self._source = (address, 0)

    def ask(self, method: str, path: str, **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(*self._where, timeout=10, source_address=self._source)
        named = {f"X-aws-ec2-metadata-{name.replace('_', '-')}": value for name, value in headers.items()}
        connection.request(method, path, headers=named)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.fixture
def inside(cloud: Any, machine: dict[str, str]) -> Machine:
    return Machine(machine["Address"], "127.31.1.1", cloud.port)


def test_metadata_needs_a_token_and_an_instance_address(cloud: Any, inside: Machine) -> None:
    assert 401 == inside.ask("GET", "/latest/meta-data/instance-id")[0]
    assert 401 == inside.ask("GET", "/latest/meta-data/instance-id", token="made-up")[0]
    assert 400 == inside.ask("PUT", "/latest/api/token")[0]
    assert 403 == Machine("127.0.0.9", "127.0.0.1", cloud.port).ask("GET", "/latest/meta-data/instance-id")[0]


def test_metadata_tells_the_instance_who_it_is(inside: Machine, machine: dict[str, str]) -> None:
    _, token = inside.ask("PUT", "/latest/api/token", token_ttl_seconds="60")

    def get(path: str) -> str:
        status, text = inside.ask("GET", f"/latest/{path}", token=token)
        assert 200 == status
        return text

    assert machine["Machine"] == get("meta-data/instance-id")
    assert machine["Address"] == get("meta-data/local-ipv4")
    assert "eu-central-1a" == get("meta-data/placement/availability-zone")
    assert "eu-central-1" == get("meta-data/placement/region")
    assert machine["Machine"] == json.loads(get("dynamic/instance-identity/document"))["instanceId"]
    assert "Success" == json.loads(get("meta-data/iam/info"))["Code"]
    assert 404 == inside.ask("GET", "/latest/meta-data/nothing", token=token)[0]


def test_metadata_credentials_are_the_roles_and_are_accepted(
    endpoint: str, inside: Machine, machine: dict[str, str]
) -> None:
    import boto3

    _, token = inside.ask("PUT", "/latest/api/token", token_ttl_seconds="60")
    _, role = inside.ask("GET", "/latest/meta-data/iam/security-credentials/", token=token)
    assert machine["Role"] == role
    _, text = inside.ask("GET", f"/latest/meta-data/iam/security-credentials/{role}", token=token)
    given = json.loads(text)
    sts = boto3.client(
        "sts",
        endpoint_url=endpoint,
        region_name="eu-central-1",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["Token"],
    )
    assert f"assumed-role/{role}/{machine['Machine']}" in sts.get_caller_identity()["Arn"]


def test_fault_that_was_asked_for_fails_the_resource(own_cloud: Any) -> None:
    assert {"AWS::EC2::InternetGateway": 1} == own_cloud.control("faults", {"AWS::EC2::InternetGateway": 1})
    cloudformation = own_cloud.client("cloudformation")
    gateway = '{"Resources":{"A":{"Type":"AWS::EC2::InternetGateway"}}}'
    cloudformation.create_stack(StackName="faulty", TemplateBody=gateway, OnFailure="DELETE")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="faulty", WaiterConfig=QUICK)
    cloudformation.create_stack(StackName="faulty", TemplateBody=gateway)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="faulty", WaiterConfig=QUICK)


def test_stand_ins_are_declared_and_their_events_say_so(client: Client, endpoint: str) -> None:
    with urllib.request.urlopen(f"{endpoint}/_bootstrap/stand-ins") as answer:
        types = json.loads(answer.read())["types"]
    assert "AWS::AccessAnalyzer::Analyzer" in types
    name = f"paper-{uuid.uuid4().hex[:6]}"
    analyzer = {"Type": "AWS::AccessAnalyzer::Analyzer", "Properties": {"Type": "ACCOUNT"}}
    cloudformation = client("cloudformation")
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"A": analyzer}}))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=QUICK)
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    said = [one.get("ResourceStatusReason", "") for one in events if one["ResourceStatus"] == "CREATE_COMPLETE"]
    assert any(text.startswith("STAND-IN") for text in said)


def test_what_moto_lacks_is_a_client_error(client: Client) -> None:
    with pytest.raises(ClientError, match="InternalFailure"):
        client("ec2").describe_verified_access_groups()
