"""Instance types and Spot Instances of groups, and how a Spot Instance is interrupted: a notice, then the termination."""

from __future__ import annotations

import datetime
import json
import signal
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError
from scaled import Group, until

from bootstrap.local.aws.compute import spot


def mixed(group: Group, base: int, percent: int, *types: dict[str, Any]) -> dict[str, Any]:
    """A MixedInstancesPolicy as a parameter of a request."""
    template = {"LaunchTemplateSpecification": group.template, "Overrides": list(types)}
    shares = {"OnDemandBaseCapacity": base, "OnDemandPercentageAboveBaseCapacity": percent}
    distribution = {**shares, "SpotAllocationStrategy": "price-capacity-optimized"}
    return {"MixedInstancesPolicy": {"LaunchTemplate": template, "InstancesDistribution": distribution}}


def options(group: Group, count: int) -> list[tuple[str, str]]:
    """The purchase option and the type of each member, oldest first."""
    shown = [group.instance(name) for name in group.settle(count)]
    return [(one.get("InstanceLifecycle", "on-demand"), one["InstanceType"]) for one in shown]


def test_a_mixed_group_launches_its_base_on_demand_and_the_rest_by_its_share(group: Group) -> None:
    types = [{"InstanceType": "t3.small"}, {"InstanceType": "t3.medium"}]
    group.create(most=5, desired=5, **mixed(group, 1, 50, *types))
    assert ["on-demand"] * 3 + ["spot"] * 2 == [option for option, _ in options(group, 5)]
    assert {"t3.small"} == {kind for _, kind in options(group, 5)}
    group.update(MinSize=0)  # a request without a policy keeps it
    assert "MixedInstancesPolicy" in group.shown


def test_a_group_of_spot_instances_alone(group: Group) -> None:
    group.create(desired=2, **mixed(group, 0, 0, {"InstanceType": "t3.small"}))
    assert [("spot", "t3.small")] * 2 == options(group, 2)


def test_weights_count_for_the_capacity(group: Group) -> None:
    group.create(most=5, desired=4, **mixed(group, 0, 100, {"InstanceType": "t3.small", "WeightedCapacity": "2"}))
    group.settle(2)
    assert {"2"} == {one["WeightedCapacity"] for one in group.members}
    group.resize(3)
    time.sleep(0.7)
    assert 2 == len(group.states)
    group.resize(2)
    until(lambda: len(group.states) == 1, "it did not shrink")


def test_a_launch_template_makes_spot_instances_and_attributes_are_refused(cloud: Any) -> None:
    group = Group(cloud, InstanceMarketOptions={"MarketType": "spot"})
    try:
        group.create(desired=1)
        assert [("spot", "t3.nano")] == options(group, 1)
    finally:
        group.delete()
    wanted = {"InstanceRequirements": {"VCpuCount": {"Min": 1}, "MemoryMiB": {"Min": 512}}}
    other = Group(cloud)
    with pytest.raises(ClientError, match="The local cloud does not model InstanceRequirements"):
        other.create(**mixed(other, 0, 0, wanted))
    assert {} == other.shown


def refuse(cloud: Any, asked: dict[str, Any]) -> str:
    """The words with which a control request is refused."""
    with pytest.raises(urllib.error.HTTPError) as refusal:
        cloud.control("spot", asked)
    assert 400 == refusal.value.code
    return str(json.load(refusal.value)["error"])


def test_an_interrupted_spot_instance_ends_after_its_notice_and_is_replaced(own_cloud: Any) -> None:
    group = Group(own_cloud)
    group.create(desired=2, **mixed(group, 1, 0, {"InstanceType": "t3.small"}))
    on_demand, interrupted = group.settle(2)
    assert "no Spot Instance" in refuse(own_cloud, {"interrupt": on_demand})
    assert "has the key 'interrupt'" in refuse(own_cloud, {"stop": interrupted})
    assert "'seconds' is a number" in refuse(own_cloud, {"interrupt": interrupted, "seconds": "soon"})
    answer = own_cloud.control("spot", {"interrupt": interrupted})["spot"]
    end = datetime.datetime.fromisoformat(answer[0]["time"]).timestamp()
    assert abs(end - time.time() - spot.NOTICE_SECONDS) < 10
    assert "is being interrupted already" in refuse(own_cloud, {"interrupt": interrupted})
    own_cloud.end(signal.SIGKILL)
    own_cloud.start()
    assert answer == own_cloud.control("spot")["spot"]
    assert "running" == group.state(interrupted)

    (other,) = group.settle(2)[1:]
    group.resize(3)
    last = group.settle(3)[-1]
    own_cloud.control("spot", {"interrupt": last, "seconds": 0.2})
    until(lambda: last not in group.states, "it was not replaced")
    group.settle(3)
    reason = group.instance(last)["StateReason"]
    assert ("Server.SpotInstanceTermination", other) == (reason["Code"], interrupted)
