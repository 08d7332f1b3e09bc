"""Finding the machine: its state, its login key, its host keys."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from bootstrap.cloud import instance as machine
from bootstrap.errors import Unreachable

CONSOLE = """\
[    1.0] booting
-----BEGIN SSH HOST KEY KEYS-----
ssh-ed25519 AAAAold root@x
-----END SSH HOST KEY KEYS-----
ci-info: -----BEGIN SSH HOST KEY KEYS-----
ci-info: ecdsa-sha2-nistp256 AAAAecdsa root@x
ci-info: ssh-ed25519 AAAAnew root@x
ci-info: -----END SSH HOST KEY KEYS-----
"""


class FakeAws:
    """EC2 and SSM as one machine sees them; `states` are the instance's states, one a look."""

    def __init__(self, states: list[str], console: str = CONSOLE) -> None:
        self.states = states
        self.console = console
        self.latest = console

    def __call__(self, service: str) -> Any:
        assert service in {"ec2", "ssm"}
        return self

    def describe_instances(self, Filters: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        assert [{"Name": "instance-id", "Values": ["i-1"]}] == Filters
        name = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        instance = {"State": {"Name": name}, "InstanceId": "i-1", "PrivateIpAddress": "10.0.0.9"}
        return {"Reservations": [{"Instances": [instance]}] if name != "absent" else []}

    def get_console_output(self, InstanceId: str, Latest: bool = False) -> dict[str, str]:  # noqa: N803
        assert "i-1" == InstanceId
        return {"Output": self.latest if Latest else self.console}

    def get_parameter(self, Name: str, WithDecryption: bool) -> dict[str, Any]:  # noqa: N803
        assert ("/ec2/keypair/key-1", True) == (Name, WithDecryption)
        return {"Parameter": {"Value": "PRIVATE"}}


class Silent:
    def change(self, change: object) -> None: ...

    def progress(self, text: str) -> None: ...

    def notice(self, text: str) -> None: ...


OUTPUTS = {"InstanceId": "i-1"}
DATA = {"KeyPairId": "key-1"}


def test_the_last_blocks_host_keys_count() -> None:
    assert ("ecdsa-sha2-nistp256 AAAAecdsa", "ssh-ed25519 AAAAnew") == machine.parse_host_keys(CONSOLE)


def test_a_console_without_the_block_shows_no_key() -> None:
    assert () == machine.parse_host_keys("ssh-ed25519 AAAAspoofed")


def test_a_running_machine_is_found_with_its_keys() -> None:
    found = machine.find(FakeAws(["running"]), OUTPUTS, DATA)

    assert found is not None
    assert ("i-1", "10.0.0.9", "admin", "PRIVATE") == (
        found.instance_id,
        found.address,
        found.user,
        found.private_key.reveal(),
    )


@pytest.mark.parametrize("aws", [FakeAws(["stopped"]), FakeAws(["absent"]), FakeAws(["running"], console="")])
def test_what_does_not_run_or_shows_no_key_is_not_found(aws: FakeAws) -> None:
    assert machine.find(aws, OUTPUTS, DATA) is None


def test_waiting_ends_when_it_runs() -> None:
    pauses: list[float] = []

    found = machine.wait(
        FakeAws(["pending", "pending", "pending", "pending", "running"]), OUTPUTS, DATA, Silent(), sleep=pauses.append
    )

    assert "10.0.0.9" == found.address
    assert sorted(pauses) == pauses and pauses


def test_waiting_ends_with_the_state_at_the_deadline() -> None:
    with pytest.raises(Unreachable, match="i-1") as caught:
        machine.wait(FakeAws(["pending"]), OUTPUTS, DATA, Silent(), deadline=-1, sleep=lambda _: None)

    assert "it is pending" in caught.value.found


def test_keys_that_scrolled_out_of_the_latest_console_are_found_in_the_kept_one() -> None:
    aws = FakeAws(["running"])
    aws.latest = "[99999.0] long after the boot"

    found = machine.find(aws, OUTPUTS, DATA)

    assert found is not None
    assert 2 == len(found.host_keys)


@pytest.mark.parametrize(("code", "is_expected"), [("UnsupportedOperation", True), ("UnauthorizedOperation", False)])
def test_an_instance_that_has_no_latest_console_shows_the_kept_one(code: str, is_expected: bool) -> None:
    class Xen(FakeAws):
        def get_console_output(self, InstanceId: str, Latest: bool = False) -> dict[str, str]:  # noqa: N803
            if Latest:
                raise ClientError({"Error": {"Code": code, "Message": "only on Nitro"}}, "GetConsoleOutput")
            return super().get_console_output(InstanceId)

    if is_expected:
        assert CONSOLE == machine.read_console(Xen(["running"]), "i-1")
    else:
        with pytest.raises(ClientError):
            machine.read_console(Xen(["running"]), "i-1")


def test_a_bastion_is_the_one_in_service_at_the_address_that_is_asked_for() -> None:
    class Group(FakeAws):
        def __call__(self, service: str) -> Any:
            return self

        def describe_auto_scaling_groups(self, AutoScalingGroupNames: list[str]) -> Any:  # noqa: N803
            assert ["group"] == AutoScalingGroupNames
            members = [("i-0", "Terminating"), ("i-1", "InService")]
            states = [{"InstanceId": name, "LifecycleState": state} for name, state in members]
            return {"AutoScalingGroups": [{"Instances": states}]}

        def describe_instances(self, Filters: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
            found = super().describe_instances(Filters)
            for each in found["Reservations"][0]["Instances"]:
                each["PublicIpAddress"] = "198.51.100.9"
            return found

    public = machine.find_bastion(Group(["running"]), "group", "ec2-user", DATA, by_public=True)
    private = machine.find_bastion(Group(["running"]), "group", "ec2-user", DATA, by_public=False)

    assert public is not None
    assert private is not None
    assert ("i-1", "198.51.100.9", "ec2-user") == (public.instance_id, public.address, public.user)
    assert "10.0.0.9" == private.address
    assert machine.find_bastion(Group(["pending"]), "group", "ec2-user", DATA, by_public=True) is None


def test_a_machine_that_does_not_come_up_tells_the_reason_and_then_its_boot_log() -> None:
    console = "".join(f"line {number}\n\n" for number in range(40)) + "Kernel panic\n"
    with pytest.raises(Unreachable) as caught:
        machine.wait(FakeAws(["running"], console), OUTPUTS, DATA, Silent(), deadline=-1, sleep=lambda _: None)

    reason, heading, *lines = caught.value.found.splitlines()
    assert "no host key" in reason
    assert "boot log, last lines:" == heading
    assert (15, "  Kernel panic") == (len(lines), lines[-1])


def test_a_machine_that_has_said_nothing_has_no_boot_log() -> None:
    assert "" == machine.read_boot_log(FakeAws(["running"], "\n"), "i-1")


def test_the_boot_log_is_found_by_the_stack_and_never_hides_the_error_that_it_goes_with() -> None:
    class Stacks(FakeAws):
        refuses = ""

        def __call__(self, service: str) -> Any:
            return self

        def describe_stack_resource(self, StackName: str, LogicalResourceId: str) -> dict[str, Any]:  # noqa: N803
            assert ("controller", "Instance") == (StackName, LogicalResourceId)
            if self.refuses:
                raise ClientError({"Error": {"Code": self.refuses, "Message": "no"}}, "DescribeStackResource")
            return {"StackResourceDetail": {"PhysicalResourceId": "i-1"}}

    aws = Stacks(["running"], "Kernel panic\n")
    assert "boot log, last lines:\n  Kernel panic" == machine.read_boot_log_of(aws, "controller")
    aws.refuses = "ValidationError"
    assert "" == machine.read_boot_log_of(aws, "controller")
