"""What the cloud asks of AWS, and how its failures are worded."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from bootstrap.local.emulator.execution.fleet import aws
from bootstrap.local.emulator.execution.fleet.aws import TAG, Aws, AwsFailed
from tests.contract.cloud_agents import GROUP, Cloud, running_cloud


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with running_cloud() as made:
        made.make_group()
        yield made


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def reach(cloud: Cloud, region: str = "", endpoint: str = "") -> Aws:
    return Aws(region, endpoint, {"AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL": cloud.endpoint})


def test_a_group_grows_is_tagged_and_shrinks(cloud: Cloud, keys: None) -> None:
    door = reach(cloud)
    door.resize_group(GROUP, 0, 3, 2)
    state = door.describe_group(GROUP)

    assert (2, 2, "active") == (state.desired, len(state.instances), state.status)
    described = door.describe_instances(state.instances | {"i-0123456789abcdef0"})
    assert {"127.0.0.1"} == {instance.private_address for instance in described.values()}
    assert state.instances == described.keys()
    door.tag(sorted(state.instances), "linux")
    tags = cloud.ec2.describe_tags(Filters=[{"Name": "key", "Values": [TAG]}])["Tags"]
    assert ["linux", "linux"] == [tag["Value"] for tag in tags]

    door.resize_group(GROUP, 0, 3, 1)
    for instance in sorted(door.describe_group(GROUP).instances)[:1]:
        door.terminate(instance)
    after = door.describe_group(GROUP)
    assert 1 == after.desired and after.instances < state.instances
    assert after.instances == door.describe_instances(state.instances).keys()


def test_the_failures_have_the_words_of_jenkins(cloud: Cloud, keys: None) -> None:
    with pytest.raises(AwsFailed, match=r"^java\.lang\.IllegalArgumentException: Cannot find auto scaling group"):
        reach(cloud).describe_group("no")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(
        AwsFailed, match=r"SdkClientException: Unable to execute HTTP request: Connect to .* Connection refused"
    ):
        reach(cloud, endpoint=endpoint).describe_group(GROUP)
    with pytest.raises(AwsFailed, match="Unable to load region from any of the providers"):
        Aws("", "", {}).describe_group(GROUP)


def test_credentials_that_come_later_are_used(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    aws._load_library.cache_clear()
    aws._make_client.cache_clear()
    with pytest.raises(AwsFailed, match="Unable to load credentials from any of the providers in the chain"):
        reach(cloud).describe_group(GROUP)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")

    assert reach(cloud).describe_group(GROUP).status == "active"


def test_a_region_of_the_settings_names_the_public_endpoint(cloud: Cloud) -> None:
    assert "https://ec2.eu-west-1.amazonaws.com" == reach(cloud, "eu-west-1")._find_endpoint("ec2")
    assert "https://ec2.cn-north-1.amazonaws.com.cn" == reach(cloud, "cn-north-1")._find_endpoint("ec2")
    assert "http://given" == reach(cloud, "eu-west-1", "http://given")._find_endpoint("ec2")
    assert cloud.endpoint == reach(cloud)._find_endpoint("autoscaling")
