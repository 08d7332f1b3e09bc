"""The table of generated names: lengths, random parts, and which types it has."""

from __future__ import annotations

import inspect
import re

import pytest

from bootstrap.local.aws.cloudformation import adapters
from bootstrap.local.aws.cloudformation.adapters import generated_names
from bootstrap.local.aws.cloudformation.adapters.table import TableAdapter
from bootstrap.local.aws.cloudformation.template import schemas

FORMS = generated_names.load_forms()
# The recorded stack and the names that its account had, without their random ends (which had 13 characters then).
RECORDED = "Amazon-EKS-EKSStack-1U9I2DE9P7PAE-IamStack-1W9E0EIXHYJ3Z"


def makes_names(kind: str) -> bool:
    """Whether the adapter of a type makes a name: its name may be left out, or its code asks for one."""
    adapter = adapters.find(kind)
    assert adapter is not None
    if isinstance(adapter, TableAdapter) and adapter.entry.name:
        required = (schemas.load(kind, "eu-central-1") or {}).get("required", ())
        return adapter.entry.name not in required
    return type(adapter) is not TableAdapter and "to.generate_name()" in inspect.getsource(type(adapter))


def test_every_type_whose_name_is_made_is_in_the_table_and_no_other() -> None:
    assert {kind for kind in adapters.list_known() if makes_names(kind)} == {*FORMS}


@pytest.mark.parametrize("kind", FORMS)
def test_every_type_has_its_page_as_a_source_and_a_property_of_its_schema(kind: str) -> None:
    form, service_and_name = FORMS[kind], kind.removeprefix("AWS::").lower().replace("::", "-")

    assert form.sources[0].startswith((f"aws-resource-{service_and_name}", f"aws-properties-{service_and_name}"))
    if form.property:
        assert form.property in (schemas.load(kind, "eu-central-1") or {})["properties"]


@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize(("stack", "logical"), [("s", "L"), ("s" * 128, "L" * 255), ("s", "L" * 255), ("s" * 128, "L")])
def test_no_name_is_longer_than_the_limit_of_its_type_and_room_is_used(kind: str, stack: str, logical: str) -> None:
    form = FORMS[kind]
    name = form.make(stack, logical, "seed", dict.fromkeys(form.ends, "true"))

    assert len(name) <= form.limit
    assert re.search(r"[-_][A-Za-z0-9]{12}(\.fifo)?$", name)
    if len(stack) > 1 and len(logical) > 1:
        # A name with the logical id alone is shorter where the limit is longer than that.
        assert len(name) in {form.limit, len(logical) + 13, len(logical) + 17, len(stack) + len(logical) + 14}


@pytest.mark.parametrize(
    ("kind", "stack", "logical", "start"),
    [
        ("AWS::IAM::Role", RECORDED, "DeleteBucketContentsRole", "Amazon-EKS-EKSStack-1U9I2D-DeleteBucketContentsRole"),
        (
            "AWS::IAM::Role",
            RECORDED,
            "LambdaCleanUpFunctionRole",
            "Amazon-EKS-EKSStack-1U9I2-LambdaCleanUpFunctionRole",
        ),
        ("AWS::IAM::Role", RECORDED, "CopyZipsRole", "Amazon-EKS-EKSStack-1U9I2DE9P7PAE-IamS-CopyZipsRole"),
        ("AWS::IAM::Policy", RECORDED, "BastionHostPolicy", "Amazo-Bast"),
        ("AWS::IAM::InstanceProfile", RECORDED, "NodeInstanceProfile", f"{RECORDED}-NodeInstanceProfile"),
        ("AWS::Logs::LogGroup", RECORDED, "BastionMainLogGroup", f"{RECORDED}-BastionMainLogGroup"),
        ("AWS::ElasticLoadBalancingV2::TargetGroup", "Cdkrd1234", "Instances", "Cdkrd1-Insta"),
        ("AWS::SecretsManager::Secret", "any-stack", "DatabaseSecret86DBB7B3", "DatabaseSecret86DBB7B3"),
        ("AWS::SSM::Parameter", "any-stack", "ListAutogenC5DA1CAE", "CFN-ListAutogenC5DA1CAE"),
    ],
)
def test_names_begin_as_those_of_accounts_do(kind: str, stack: str, logical: str, start: str) -> None:
    """Of roles, one character more is left than in the recording: the random end is one shorter since."""
    name = FORMS[kind].make(stack, logical, "seed", {})

    assert start == name[:-13] and "-" == name[-13]


def test_launch_templates_join_by_an_underscore_and_buckets_are_in_lower_case() -> None:
    template = FORMS["AWS::EC2::LaunchTemplate"].make("stack", "ECSLaunchTemplate", "seed", {})
    bucket = FORMS["AWS::S3::Bucket"].make("Stack", "Logs", "seed", {})

    assert re.fullmatch(r"ECSLaunchTemplate_[A-Za-z0-9]{12}", template)
    assert re.fullmatch(r"stack-logs-[a-z0-9]{12}", bucket)


def test_queues_and_topics_in_order_have_their_ending() -> None:
    queue = FORMS["AWS::SQS::Queue"]

    assert queue.make("s", "Q", "seed", {"FifoQueue": "true"}).endswith(".fifo")
    assert queue.make("s", "Q", "seed", {"FifoQueue": True}).endswith(".fifo")
    assert not queue.make("s", "Q", "seed", {"FifoQueue": "false"}).endswith(".fifo")


def test_a_name_is_the_same_again_in_one_operation_and_another_in_the_next() -> None:
    role = FORMS["AWS::IAM::Role"]

    assert role.make("s", "R", "operation-1/R", {}) == role.make("s", "R", "operation-1/R", {})
    assert role.make("s", "R", "operation-1/R", {}) != role.make("s", "R", "operation-2/R", {})
