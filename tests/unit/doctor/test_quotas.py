"""What the account may still have; the answers are those of the services' own models, by botocore's Stubber."""

from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from bootstrap.doctor import quotas
from bootstrap.doctor.findings import Health
from bootstrap.doctor.quotas import Need
from bootstrap.environment.models import Settings
from bootstrap.values import Stack

SETTINGS = {"environment": "trial", "cloud": "aws", "owner": "a", "cost_center": "b", "network": {"nat": "per-zone"}}
RUNNING = {"InstanceType": "m5.large", "CpuOptions": {"CoreCount": 1, "ThreadsPerCore": 2}}


@pytest.fixture
def services() -> Iterator[tuple[Any, dict[str, Stubber]]]:
    made: dict[str, Any] = {
        name: boto3.client(name, region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
        for name in ("ec2", "service-quotas")
    }
    with ExitStack() as stack:
        stubs = {name: stack.enter_context(Stubber(client)) for name, client in made.items()}
        yield made, stubs
        for stub in stubs.values():
            stub.assert_no_pending_responses()


def context(clients: Any, **more: Any) -> Any:
    world = SimpleNamespace(aws=clients.__getitem__)
    stacks = {name: Stack(name, "CREATE_COMPLETE") for name in more.pop("stacks", ())}
    return SimpleNamespace(settings=Settings.model_validate(SETTINGS | more), stacks=stacks, world=world)


def in_use(ec2: Stubber, *, is_new: bool = False) -> None:
    ec2.add_response("describe_addresses", {"Addresses": [{"PublicIp": "198.51.100.1"}] * 4})
    ec2.add_response("describe_vpcs", {"Vpcs": [{"VpcId": "vpc-1"}] * 5})
    if is_new:
        gateways(ec2)
    ec2.add_response(
        "describe_instances", {"Reservations": [{"Instances": [RUNNING, {"InstanceType": "p4d.24xlarge"}]}]}
    )


def gateways(ec2: Stubber) -> None:
    """Zone c is full of them, and gets none of a launch in two zones; one of zone b is being deleted."""
    zones = [{"ZoneName": f"eu-central-1{letter}"} for letter in "cab"]
    subnets = [{"SubnetId": f"subnet-{letter}", "AvailabilityZone": f"eu-central-1{letter}"} for letter in "abc"]
    ec2.add_response("describe_availability_zones", {"AvailabilityZones": zones})
    ec2.add_response("describe_subnets", {"Subnets": subnets})
    there = [{"SubnetId": f"subnet-{letter}"} for letter in "abbccccc"]
    ec2.add_response("describe_nat_gateways", {"NatGateways": there})


def test_a_first_launch_is_held_against_each_quota(services: Any) -> None:
    clients, stubs = services
    in_use(stubs["ec2"], is_new=True)
    sizes = {"InstanceTypes": [{"InstanceType": "t3.large", "VCpuInfo": {"DefaultVCpus": 2}}]}
    stubs["ec2"].add_response("describe_instance_types", sizes)
    for value in (5.0, 3.0, 6.0, 32.0):
        stubs["service-quotas"].add_response("get_service_quota", {"Quota": {"Value": value}})

    found = list(quotas.examine(context(clients)))

    assert [Health.BAD, Health.GOOD, Health.GOOD, Health.GOOD] == [it.health for it in found]
    assert "VPCs: 5 of 5 are used, a launch adds 1" == found[0].found
    assert "--service-code vpc --quota-code L-F678F1CE --desired-value 6" in found[0].remedy
    assert "NAT gateways of a zone: 2 of 3 are used, a launch adds 1" == found[1].found
    assert "public addresses: 4 of 6 are used, a launch adds 2" == found[2].found
    assert "vCPUs of standard instances: 2 of 32 are used, a launch adds 2" == found[3].found


def test_a_quota_that_was_never_changed_is_the_default_and_one_that_is_not_told_hides_no_other(services: Any) -> None:
    clients, stubs = services
    in_use(stubs["ec2"])
    sizes = {"InstanceTypes": [{"InstanceType": "t3.large", "VCpuInfo": {"DefaultVCpus": 2}}]}
    stubs["ec2"].add_response("describe_instance_types", sizes)
    asked = stubs["service-quotas"]
    asked.add_client_error("get_service_quota", "AccessDeniedException", "no")
    asked.add_client_error("get_service_quota", "NoSuchResourceException")
    asked.add_response("get_aws_default_service_quota", {"Quota": {"Value": 5.0}})

    vpcs, processors = list(quotas.examine(context(clients, network={"nat": "none"})))

    told = "VPCs: 5 are used, a launch adds 1; the quota is not known: AccessDeniedException: no"
    assert (Health.WARNING, told) == (vpcs.health, vpcs.found)
    assert "vCPUs of standard instances: 2 of 5 are used, a launch adds 2" == processors.found


def test_an_environment_that_stands_takes_nothing_more(services: Any) -> None:
    clients, stubs = services
    in_use(stubs["ec2"])

    assert [] == list(quotas.examine(context(clients, stacks=("network", "controller"))))


def test_the_aws_on_this_machine_has_none(services: Any) -> None:
    (found,) = quotas.examine(context(services[0], cloud="local"))

    assert Health.GOOD == found.health


def test_exactly_enough_is_enough() -> None:
    assert Health.GOOD == quotas.judge(Need("VPCs", "vpc", "L-1", 4, 1), 5).health
    assert Health.BAD == quotas.judge(Need("VPCs", "vpc", "L-1", 5, 1), 5).health


GROUPS = {
    "linux": {"instance_types": ("m5.large",), "maximum": 3},
    "cheap": {"instance_types": ("c5.large", "c5.xlarge"), "maximum": 4, "spot": True},
    "graphics": {"instance_types": ("g5.large",), "maximum": 9},
}
WITHOUT_AGENTS = ("network", "controller")


def types(ec2: Stubber, kind: str, count: int) -> None:
    answer = {"InstanceTypes": [{"InstanceType": kind, "VCpuInfo": {"DefaultVCpus": count}}]}
    ec2.add_response("describe_instance_types", answer, {"InstanceTypes": [kind]})


def test_every_instance_that_a_group_may_have_counts_for_its_own_quota(services: Any) -> None:
    """Spot instances, and those of other families, have quotas of their own."""
    clients, stubs = services
    spot = {**RUNNING, "InstanceLifecycle": "spot", "CpuOptions": {"CoreCount": 4, "ThreadsPerCore": 2}}
    ec2 = stubs["ec2"]
    in_use(ec2)
    types(ec2, "m5.large", 2)
    ec2.add_response("describe_instances", {"Reservations": [{"Instances": [RUNNING, spot]}]})
    types(ec2, "c5.large", 2)

    needs = quotas.list_needs(context(clients, stacks=WITHOUT_AGENTS, agents=GROUPS))

    of_vcpus = [(it.code, it.used, it.more) for it in needs if "vCPUs" in it.what]
    assert [("L-1216C47A", 2, 3 * 2), ("L-34B43A08", 8, 4 * 2)] == of_vcpus


def test_a_group_that_exists_adds_nothing(services: Any) -> None:
    clients, stubs = services
    in_use(stubs["ec2"])
    there = [f"agents-{label}" for label in GROUPS]

    needs = quotas.list_needs(context(clients, stacks=(*WITHOUT_AGENTS, *there), agents=GROUPS))

    assert [0, 0] == [it.more for it in needs if "vCPUs" in it.what]
