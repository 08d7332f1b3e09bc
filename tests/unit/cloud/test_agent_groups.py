"""Groups of agents on AWS: their keys, their sizes, and the protection of their instances."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from bootstrap.cloud import agent_groups

NAME = "jenkins-trial-agents-linux"


class Scaling:
    """A group whose instances are in these states; each look shows the next ones, the last again and again."""

    class exceptions:  # noqa: N801 (as the client of boto3 has it)
        ClientError = ClientError

    def __init__(self, *looks: dict[str, str]) -> None:
        self.looks = list(looks)
        self.protected = {member for look in looks for member in look}
        self.sizes: list[dict[str, Any]] = []
        self.calls: list[list[str]] = []

    def __call__(self, service: str) -> Any:
        assert service == "autoscaling"
        return self

    @property
    def states(self) -> dict[str, str]:
        return self.looks[0]

    def describe_auto_scaling_groups(self, *, AutoScalingGroupNames: list[str]) -> Any:  # noqa: N803
        if len(self.looks) > 1 and self.sizes:
            self.looks.pop(0)
        members = [
            {"InstanceId": member, "LifecycleState": state, "ProtectedFromScaleIn": member in self.protected}
            for member, state in self.states.items()
        ]
        known = [{"AutoScalingGroupName": NAME, "Instances": members}]
        return {"AutoScalingGroups": [it for it in known if it["AutoScalingGroupName"] in AutoScalingGroupNames]}

    def update_auto_scaling_group(self, *, AutoScalingGroupName: str, **sizes: Any) -> None:  # noqa: N803
        assert AutoScalingGroupName == NAME
        self.sizes.append(sizes)

    def set_instance_protection(
        self,
        *,
        AutoScalingGroupName: str,  # noqa: N803
        InstanceIds: list[str],  # noqa: N803
        ProtectedFromScaleIn: bool,  # noqa: N803
    ) -> None:
        assert (NAME, False) == (AutoScalingGroupName, ProtectedFromScaleIn)
        assert 1 <= len(InstanceIds) <= 50
        self.calls.append(InstanceIds)
        for member in InstanceIds:
            if self.states[member] not in {"InService", "Standby", "EnteringStandby"}:
                message = f"The instance {member} is not in InService or EnteringStandby or Standby."
                raise ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "SetInstanceProtection")
            self.protected.discard(member)


def test_the_protection_of_every_instance_goes_and_no_new_one_gets_it() -> None:
    ids = {f"i-{number}": "InService" for number in range(120)}
    scaling = Scaling(ids)

    assert 120 == agent_groups.unprotect(scaling, NAME, pytest.fail)

    assert set() == scaling.protected
    assert [50, 50, 20] == [len(each) for each in scaling.calls]
    assert [{"MinSize": 0, "MaxSize": 0, "NewInstancesProtectedFromScaleIn": False}] == scaling.sizes


def test_an_instance_that_starts_is_waited_for() -> None:
    """SetInstanceProtection refuses it until it is in service, and it is protected then."""
    slept: list[float] = []
    scaling = Scaling(
        {"i-1": "InService", "i-2": "Pending"},
        {"i-1": "InService", "i-2": "Pending"},
        {"i-1": "Terminating", "i-2": "Pending:Wait"},
        {"i-2": "InService"},
    )

    assert 2 == agent_groups.unprotect(scaling, NAME, slept.append)

    assert set() == scaling.protected
    assert [5.0, 5.0] == slept


def test_an_instance_that_ends_is_left_alone() -> None:
    scaling = Scaling({"i-1": "Terminating", "i-2": "InService"})

    assert 1 == agent_groups.unprotect(scaling, NAME, pytest.fail)

    assert [["i-2"]] == scaling.calls


def test_an_instance_that_ends_between_look_and_call_is_looked_at_again() -> None:
    class Ending(Scaling):
        def set_instance_protection(self, **asked: Any) -> None:
            if len(self.calls) == 0:
                self.looks[0] = {"i-1": "Terminating", "i-2": "InService"}
            super().set_instance_protection(**asked)

    slept: list[float] = []
    scaling = Ending({"i-1": "InService", "i-2": "InService"})

    assert 1 == agent_groups.unprotect(scaling, NAME, slept.append)

    assert {"i-1"} == scaling.protected
    assert [5.0] == slept


def test_another_refusal_is_an_error() -> None:
    class Refusing(Scaling):
        def set_instance_protection(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "SetInstanceProtection")

    with pytest.raises(ClientError, match="AccessDenied"):
        agent_groups.unprotect(Refusing({"i-1": "InService"}), NAME, pytest.fail)


def test_an_instance_that_never_starts_is_not_waited_for_for_ever() -> None:
    slept: list[float] = []

    assert 0 == agent_groups.unprotect(Scaling({"i-1": "Pending"}), NAME, slept.append)

    assert 300 == sum(slept)


def test_a_group_that_is_gone_has_no_protection() -> None:
    scaling = Scaling({})

    assert 0 == agent_groups.unprotect(scaling, "another", pytest.fail)
    assert [] == scaling.sizes
    assert {} == agent_groups.describe(scaling, ("another",))
    assert {} == agent_groups.describe(pytest.fail, ())


def test_edited_sizes_are_found() -> None:
    good = {"MinSize": 1, "MaxSize": 3, "NewInstancesProtectedFromScaleIn": True, "DesiredCapacity": 2}

    assert {} == agent_groups.find_wrong_sizes(good, 1, 3)
    assert {"MaxSize": (3, 4)} == agent_groups.find_wrong_sizes(good, 1, 4)
    free = good | {"NewInstancesProtectedFromScaleIn": False}
    assert {"NewInstancesProtectedFromScaleIn": (False, True)} == agent_groups.find_wrong_sizes(free, 1, 3)


def test_keys_are_read_where_cloudformation_keeps_them() -> None:
    class Keys:
        def __call__(self, service: str) -> Any:
            self.service = service
            return self

        def get_parameter(self, **asked: Any) -> Any:
            assert ("ssm", {"Name": "/ec2/keypair/key-1", "WithDecryption": True}) == (self.service, asked)
            return {"Parameter": {"Value": "private"}}

        def describe_key_pairs(self, **asked: Any) -> Any:
            assert ("ec2", {"KeyPairIds": ["key-1"], "IncludePublicKey": True}) == (self.service, asked)
            return {"KeyPairs": [{"PublicKey": "ssh-ed25519 AAAA jenkins-trial-agents-linux\n"}]}

    secret = agent_groups.read_private_key(Keys(), "key-1")

    assert "private" == secret.reveal()
    assert "private" not in f"{secret} {secret!r}"
    assert "ssh-ed25519 AAAA" == agent_groups.read_public_key(Keys(), "key-1")
