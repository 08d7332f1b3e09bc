"""The groups of agents on AWS: their keys, which EC2 made, and their instances.

CloudFormation keeps the private key of a pair that EC2 made in the parameter /ec2/keypair/<id> (user guide of CloudFormation,
AWS::EC2::KeyPair).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bootstrap.values import Secret

_MOST = 50  # instances in one call of SetInstanceProtection, by its reference
# SetInstanceProtection refuses an instance in any other state, with ValidationError and the names of these three.
_CHANGEABLE = frozenset({"InService", "EnteringStandby", "Standby"})
_LOOKS, _PAUSE = 60, 5.0  # an instance that starts is waited for: five minutes


def read_private_key(aws: Callable[[str], Any], pair_id: str) -> Secret:
    """The private key of a pair, in the format of OpenSSH. Raises ClientError."""
    answer = aws("ssm").get_parameter(Name=f"/ec2/keypair/{pair_id}", WithDecryption=True)
    return Secret(answer["Parameter"]["Value"])


def read_public_key(aws: Callable[[str], Any], pair_id: str) -> str:
    """The public key of a pair: its type and its value, as in known_hosts. Raises ClientError."""
    pairs = aws("ec2").describe_key_pairs(KeyPairIds=[pair_id], IncludePublicKey=True)["KeyPairs"]
    return " ".join(pairs[0]["PublicKey"].split()[:2])


def describe(aws: Callable[[str], Any], names: tuple[str, ...]) -> dict[str, Mapping[str, Any]]:
    """What Auto Scaling knows of these groups, by their names; a group that does not exist is not in it. Raises ClientError."""
    answer = aws("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=list(names)) if names else {}
    return {group["AutoScalingGroupName"]: group for group in answer.get("AutoScalingGroups", ())}


def find_wrong_sizes(group: Mapping[str, Any], minimum: int, maximum: int) -> dict[str, tuple[Any, Any]]:
    """What somebody changed of a group, by the name of the attribute: what it is, and what it should be."""
    wished = {"MinSize": minimum, "MaxSize": maximum, "NewInstancesProtectedFromScaleIn": True}
    return {key: (group.get(key), value) for key, value in wished.items() if group.get(key) != value}


def set_sizes(aws: Callable[[str], Any], name: str, minimum: int, maximum: int) -> None:
    """Give a group its limits, and its new instances their protection. Raises ClientError."""
    aws("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=name, MinSize=minimum, MaxSize=maximum, NewInstancesProtectedFromScaleIn=True
    )


def unprotect(aws: Callable[[str], Any], name: str, sleep: Callable[[float], None] = time.sleep) -> int:
    """Let a group end all of its instances; returns how many were protected. Raises ClientError.

    CloudFormation deletes a group by setting its size to 0, which ends no protected instance: the deletion would fail. An
    instance that starts is protected already, and can be changed only when it is in service: it is waited for.
    """
    group = describe(aws, (name,)).get(name)
    if group is None:
        return 0
    scaling = aws("autoscaling")
    # A new instance would be protected again, and Jenkins may ask for one until it is gone.
    scaling.update_auto_scaling_group(
        AutoScalingGroupName=name, MinSize=0, MaxSize=0, NewInstancesProtectedFromScaleIn=False
    )
    count = 0
    for _ in range(_LOOKS):
        # Again, for an instance may have come since the first look.
        group = describe(aws, (name,)).get(name)
        members = [it for it in group["Instances"] if it["ProtectedFromScaleIn"]] if group else []
        ready = [it["InstanceId"] for it in members if it["LifecycleState"] in _CHANGEABLE]
        try:
            for ids in _split(ready):
                scaling.set_instance_protection(AutoScalingGroupName=name, InstanceIds=ids, ProtectedFromScaleIn=False)
                count += len(ids)
        except scaling.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise  # else one of them ended meanwhile
        else:
            if not any(it["LifecycleState"].startswith("Pending") for it in members):
                break
        sleep(_PAUSE)
    return count


def _split(ids: list[str]) -> Iterator[list[str]]:
    for begin in range(0, len(ids), _MOST):
        yield ids[begin : begin + _MOST]
