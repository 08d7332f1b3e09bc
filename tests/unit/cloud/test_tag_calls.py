"""The tags of resources that CloudFormation does not tag again: the calls of each service, by botocore's own models."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from bootstrap.cloud import tag_calls

ARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:jenkins-AbCdEf"
TAGS = [{"Key": "Owner", "Value": "a"}, {"Key": "Team", "Value": "b"}]
READ = {"Owner": "a", "Team": "b"}


@pytest.fixture
def services() -> Iterator[tuple[Any, dict[str, Stubber]]]:
    names = ("secretsmanager", "iam", "autoscaling", "ec2")
    made: dict[str, Any] = {
        name: boto3.client(name, region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
        for name in names
    }
    with ExitStack() as stack:
        stubs = {name: stack.enter_context(Stubber(client)) for name, client in made.items()}
        yield SimpleNamespace(aws=made.__getitem__), stubs
        for stub in stubs.values():
            stub.assert_no_pending_responses()


def group_tags(tags: list[dict[str, str]]) -> list[dict[str, Any]]:
    return [
        {**tag, "ResourceId": "linux", "ResourceType": "auto-scaling-group", "PropagateAtLaunch": True} for tag in tags
    ]


def group(tags: list[dict[str, str]]) -> dict[str, Any]:
    fixed = {"MinSize": 0, "MaxSize": 2, "DesiredCapacity": 0, "DefaultCooldown": 1, "HealthCheckType": "EC2"}
    more = {"AvailabilityZones": ["eu-central-1a"], "CreatedTime": 0, "Tags": group_tags(tags)}
    return {"AutoScalingGroupName": "linux", **fixed, **more}


READS: dict[str, tuple[str, str, str, dict[str, Any], dict[str, Any]]] = {
    tag_calls.SECRET: ("secretsmanager", ARN, "describe_secret", {"SecretId": ARN}, {"ARN": ARN, "Tags": TAGS}),
    tag_calls.ROLE: ("iam", "agents", "list_role_tags", {"RoleName": "agents"}, {"Tags": TAGS}),
    tag_calls.GROUP: (
        *("autoscaling", "linux", "describe_auto_scaling_groups", {"AutoScalingGroupNames": ["linux"]}),
        {"AutoScalingGroups": [group(TAGS)]},
    ),
}


@pytest.mark.parametrize("kind", READS)
def test_tags_are_read_from_the_service_of_the_type(services: Any, kind: str) -> None:
    world, stubs = services
    service, physical, call, asked, answer = READS[kind]
    stubs[service].add_response(call, answer, asked)

    assert READ == tag_calls.read_tags(world, kind, physical)


def refuse(call: str, code: str) -> Callable[[Stubber], None]:
    return lambda stub: stub.add_client_error(call, code)


@pytest.mark.parametrize(
    ("kind", "prepare"),
    [
        (tag_calls.SECRET, refuse("describe_secret", "ResourceNotFoundException")),
        (
            tag_calls.SECRET,
            lambda stub: stub.add_response("describe_secret", {"ARN": ARN, "DeletedDate": 0, "Tags": TAGS}),
        ),
        (tag_calls.ROLE, refuse("list_role_tags", "NoSuchEntity")),
        (tag_calls.GROUP, lambda stub: stub.add_response("describe_auto_scaling_groups", {"AutoScalingGroups": []})),
    ],
)
def test_what_is_gone_has_no_tags_but_is_no_fault(services: Any, kind: str, prepare: Callable[[Stubber], None]) -> None:
    world, stubs = services
    prepare(stubs[READS[kind][0]])

    assert tag_calls.read_tags(world, kind, READS[kind][1]) is None


def test_of_a_type_that_is_not_known_nothing_is_asked(services: Any) -> None:
    world, _ = services

    assert tag_calls.read_tags(world, "AWS::EC2::Vpc", "vpc-1") is None


NEW, OLD = [{"Key": "Owner", "Value": "a"}], [{"Key": "Old"}]
PLACE = {"ResourceId": "linux", "ResourceType": "auto-scaling-group"}
WRITES: list[tuple[str, str, str, list[tuple[str, dict[str, Any]]]]] = [
    (
        *(tag_calls.SECRET, ARN, "secretsmanager"),
        [("untag_resource", {"SecretId": ARN, "TagKeys": ["Old"]}), ("tag_resource", {"SecretId": ARN, "Tags": NEW})],
    ),
    (
        *(tag_calls.ROLE, "agents", "iam"),
        [("untag_role", {"RoleName": "agents", "TagKeys": ["Old"]}), ("tag_role", {"RoleName": "agents", "Tags": NEW})],
    ),
    (
        *(tag_calls.GROUP, "linux", "autoscaling"),
        [
            ("delete_tags", {"Tags": [{**PLACE, "Key": "Old"}]}),
            # The instances that the group starts from now on get them, too.
            ("create_or_update_tags", {"Tags": [{**PLACE, "Key": "Owner", "Value": "a", "PropagateAtLaunch": True}]}),
        ],
    ),
    (
        *("AWS::EC2::Volume", "vol-1", "ec2"),
        [
            ("delete_tags", {"Resources": ["vol-1"], "Tags": OLD}),
            ("create_tags", {"Resources": ["vol-1"], "Tags": NEW}),
        ],
    ),
]


@pytest.mark.parametrize(("kind", "physical", "service", "calls"), WRITES, ids=[write[0] for write in WRITES])
def test_old_tags_are_removed_before_new_ones_are_set(
    services: Any, kind: str, physical: str, service: str, calls: list[tuple[str, dict[str, Any]]]
) -> None:
    """A resource has at most 50 tags, so the new ones may have no room before."""
    world, stubs = services
    for call, asked in calls:
        stubs[service].add_response(call, {}, asked)

    tag_calls.write_tags(world, kind, physical, {"Owner": "a"}, ["Old"])


@pytest.mark.parametrize(("kind", "physical"), [write[:2] for write in WRITES], ids=[write[0] for write in WRITES])
def test_without_a_difference_nothing_is_asked(services: Any, kind: str, physical: str) -> None:
    tag_calls.write_tags(services[0], kind, physical, {}, [])
