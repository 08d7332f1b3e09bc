"""After an operation there is what the stack has, and nothing else: deletions follow the dependencies."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1]))
from in_process import Cloud


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    return Cloud(tmp_path / "stacks", monkeypatch)


def network(octet: int, *more: str, subnets: str = "abc") -> str:
    """A VPC with subnets; another octet replaces all of them."""
    lines = [f"  Vpc: {{Type: AWS::EC2::VPC, Properties: {{CidrBlock: 10.{octet}.0.0/16}}}}"]
    for number, name in enumerate(subnets):
        block = f"10.{octet}.{number}.0/24"
        lines.append(f"  Net{name}: {{Type: AWS::EC2::Subnet, Properties: {{VpcId: !Ref Vpc, CidrBlock: {block}}}}}")
        lines.append(f"  Use{name}: {{Type: AWS::EC2::Instance, Properties: {{SubnetId: !Ref Net{name}}}}}")
    return "\n".join(["Resources:", *lines, *more])


WRONG = "  Wrong: {Type: AWS::SNS::Topic, DependsOn: [Usea, Useb, Usec], Properties: {TopicName: cannot be made}}"


def status(cloud: Cloud, name: str) -> str:
    return cloud.settle(name).partition("<StackStatus>")[2].partition("<")[0]


def update(cloud: Cloud, name: str, body: str) -> str:
    assert "" == cloud.refusal("UpdateStack", StackName=name, TemplateBody=body)
    return status(cloud, name)


def failed_deletions(cloud: Cloud, name: str) -> bool:
    return "DELETE_FAILED" in cloud.ask("DescribeStackEvents", StackName=name)[1]


def test_a_rollback_deletes_the_replacements_in_the_order_of_their_dependencies(cloud: Cloud) -> None:
    name = cloud.create(network(1))
    before = dict(cloud.living)
    assert "UPDATE_ROLLBACK_COMPLETE" == update(cloud, name, network(2, WRONG))
    assert before == cloud.living
    assert not failed_deletions(cloud, name)


def test_an_update_deletes_what_it_replaced_and_removed_in_the_order_of_their_dependencies(cloud: Cloud) -> None:
    name = cloud.create(network(1))
    assert "UPDATE_COMPLETE" == update(cloud, name, network(2, subnets="a"))
    assert {"vpc-2", "neta-2", "usea-2"} == set(cloud.living)
    assert not failed_deletions(cloud, name)


def test_a_replaced_resource_goes_before_a_removed_one_that_it_depends_on(cloud: Cloud) -> None:
    body = (
        "Resources:\n  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.1.0.0/16}}\n"
        "  Net: {Type: AWS::EC2::Subnet, Properties: {VpcId: %s, CidrBlock: 10.1.0.0/24}}\n"
    )
    name = cloud.create(body % "!Ref Vpc")
    other = (body % "vpc-x").replace("Vpc: {", "Other: {").replace("10.1.0.0/16", "10.2.0.0/16")
    assert "UPDATE_COMPLETE" == update(cloud, name, other)
    assert {"other-1", "net-2"} == set(cloud.living)


def test_a_rollback_deletes_what_is_new_before_the_replacement_that_it_depends_on(cloud: Cloud) -> None:
    name = cloud.create(network(1, subnets="a"))
    before = dict(cloud.living)
    assert "UPDATE_ROLLBACK_COMPLETE" == update(cloud, name, network(2, WRONG))
    assert before == cloud.living


def test_a_creation_that_fails_and_a_deletion_leave_nothing(cloud: Cloud) -> None:
    name = cloud.create(network(1, WRONG))
    assert "ROLLBACK_COMPLETE" == status(cloud, name)
    assert {} == cloud.living
    name = cloud.create(network(1))
    assert "" == cloud.refusal("DeleteStack", StackName=name)
    cloud.engine.wait(cloud.engine.store.list_stacks("us-east-1")[0])
    assert {} == cloud.living
