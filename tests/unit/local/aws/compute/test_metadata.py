"""What the metadata service says of purchase option, interruption and Auto Scaling group."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from bootstrap.local.aws.compute.metadata import list_folder, list_values
from bootstrap.local.aws.scaling import members


def instance(**more: Any) -> Any:
    """The parts of moto's instance that the metadata service reads."""
    settings: dict[str, Any] = {
        "availability_zone": "eu-central-1a",
        "ec2_backend": SimpleNamespace(region_name="eu-central-1", key_pairs={}),
        "id": "i-1",
        "image_id": "ami-1",
        "instance_type": "t3.small",
        "key_name": None,
        "lifecycle": None,
        "nics": {0: SimpleNamespace(mac_address="02:00:00:00:00:01")},
        "private_dns_name": "ip-10-0-0-4.eu-central-1.compute.internal",
        "private_ip": "10.0.0.4",
        "public_ip": None,
        "security_groups": [],
    }
    return SimpleNamespace(**settings | more)


def test_a_notice_is_there_only_while_the_instance_is_interrupted() -> None:
    values = list_values(instance(lifecycle="spot"))
    assert "spot" == values["instance-life-cycle"]
    assert list_folder("spot", list(values)) is None
    values = list_values(instance(lifecycle="spot", interrupted_at=1796083200.0))
    assert {"action": "terminate", "time": "2026-12-01T00:00:00Z"} == json.loads(values["spot/instance-action"])
    assert "2026-12-01T00:00:00Z" == values["spot/termination-time"]
    assert "instance-action\ntermination-time" == list_folder("spot", list(values))


def test_a_member_of_a_group_knows_where_it_goes() -> None:
    assert "on-demand" == list_values(instance())["instance-life-cycle"]
    assert "autoscaling/target-lifecycle-state" not in list_values(instance())
    goals = {members.PENDING: "InService", members.IN_SERVICE: "InService", members.TERMINATING_WAIT: "Terminated"}
    for state, goal in goals.items():
        held = instance()
        member = SimpleNamespace(instance=held, lifecycle_state=state)
        held.autoscaling_group = SimpleNamespace(instance_states=[member])
        assert goal == list_values(held)["autoscaling/target-lifecycle-state"]
