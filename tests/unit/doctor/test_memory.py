"""Whether Jenkins' heap fits into the instance."""

from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from bootstrap.doctor import memory
from bootstrap.doctor.findings import Health
from bootstrap.environment.models import Settings


@pytest.mark.parametrize(
    ("heap", "mebibytes", "health"),
    [
        ("2g", 8192, Health.GOOD),
        ("800m", 2048, Health.WARNING),
        ("1g", 2048, Health.BAD),
        ("2g", 2048, Health.BAD),
        ("870m", 2048, Health.WARNING),  # just fits
        ("871m", 2048, Health.BAD),
    ],
)
def test_a_heap_is_judged_by_the_share_of_the_service(heap: str, mebibytes: int, health: Health) -> None:
    assert health == memory.judge(heap, "t3.small", mebibytes).health


def context(**more: Any) -> Any:
    settings = {"environment": "trial", "cloud": "aws", "owner": "a", "cost_center": "b"} | more
    client = boto3.client("ec2", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    return SimpleNamespace(settings=Settings.model_validate(settings), world=SimpleNamespace(aws={"ec2": client}.get))


def test_the_instance_type_is_asked_for_its_memory() -> None:
    asked = context(controller={"instance_type": "t3.small"}, jenkins={"heap": "4g"})
    with Stubber(asked.world.aws("ec2")) as stub:
        told = {"InstanceTypes": [{"InstanceType": "t3.small", "MemoryInfo": {"SizeInMiB": 2048}}]}
        stub.add_response("describe_instance_types", told, {"InstanceTypes": ["t3.small"]})
        (found,) = memory.examine(asked)
    assert Health.BAD == found.health
    assert "t3.small" in found.found


def test_the_local_cloud_is_not_asked() -> None:
    assert [] == list(memory.examine(context(cloud="local")))
