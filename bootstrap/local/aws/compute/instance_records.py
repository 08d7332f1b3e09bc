"""Reads moto's records of instances, and sets their states and reasons."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Iterator
from typing import Any

from bootstrap import wording
from bootstrap.local.aws.compute.machine_interface import MachineSpec
from bootstrap.local.aws.persistence.journal import Record

PENDING, RUNNING, SHUTTING_DOWN, TERMINATED, STOPPING, STOPPED = (
    ("pending", 0),
    ("running", 16),
    ("shutting-down", 32),
    ("terminated", 48),
    ("stopping", 64),
    ("stopped", 80),
)
State = tuple[str, int]


def list_instances() -> Iterator[Any]:
    """All instances of all accounts and regions; none if no request has used EC2 yet."""
    import sys

    # While another thread loads the module, it has no backends yet.
    accounts = getattr(sys.modules.get("moto.ec2.models"), "ec2_backends", {})
    for account in list(accounts.values()):
        for backend in list(account.values()):
            yield from list(backend.all_instances())


def find_gateway(instance: Any) -> str:
    """The address of the gateway in the instance's subnet, which is the subnet's first address; '' without a subnet."""
    if not instance.subnet_id:
        return ""
    cidr = instance.ec2_backend.get_subnet(instance.subnet_id).cidr_block
    return str(ipaddress.ip_network(cidr).network_address + 1)


def make_spec(instance: Any) -> MachineSpec:
    """The specification of the machine for an instance: its network, image, decoded user data, public key and tags."""
    backend = instance.ec2_backend
    pair = backend.key_pairs.get(instance.key_name) if instance.key_name else None
    encoded = str(instance.user_data) if instance.user_data else ""
    return MachineSpec(
        instance_id=instance.id,
        private_ip=instance.private_ip,
        subnet_id=instance.subnet_id or "",
        subnet_cidr=backend.get_subnet(instance.subnet_id).cidr_block if instance.subnet_id else "",
        image_id=instance.image_id or "",
        user_data=base64.b64decode(encoded),
        public_key=pair.public_key.strip() if pair else None,
        tags={tag["key"]: tag["value"] for tag in instance.get_tags()},
        gateway=find_gateway(instance),
    )


def make_reference(instance: Any) -> dict[str, str]:
    """The account, region and id with which an event in the journal names an instance."""
    backend = instance.ec2_backend
    return {"account": backend.account_id, "region": backend.region_name, "instance": instance.id}


def find_instance(record: Record) -> Any:
    """The instance that an event in the journal names. Raises KeyError, or EC2's error for an unknown instance."""
    from moto.ec2.models import ec2_backends

    return ec2_backends[record["account"]][record["region"]].get_instance(record["instance"])


def set_reason(instance: Any, code: str, reason: str) -> None:
    """Set the reason of the instance's state: EC2's code, such as Server.InternalError, and a message.

    The message may quote a program's output. Its control characters are removed: EC2 answers in XML, which cannot hold them.
    """
    from moto.ec2.models.instances import StateReason

    message = f"{code}: {wording.remove_control_characters(reason)}"
    instance._reason = message
    instance.state_reason = StateReason(message, code)


def set_state(instance: Any, state: State) -> None:
    """Set the instance's state, a name and its code as EC2 has them."""
    instance._state.name, instance._state.code = state
