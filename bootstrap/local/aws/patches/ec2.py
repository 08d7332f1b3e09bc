"""The changes of moto's EC2: its instances are machines, its volumes and networks theirs.

A launch template's profile, metadata options and disks reach the instance, the console is the machine's, and key pairs are
real and found by their ids.
"""

from __future__ import annotations

import base64
import functools
import inspect
from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.compute import keys, launch
from bootstrap.local.aws.compute.instances import Instances


class Ec2Patches:
    """One method for each module that is changed; `_instances` gives the machines."""

    _instances: Callable[[], Instances]

    def _ec2_models_instances(self, module: Any) -> None:
        run = module.InstanceBackend.run_instances

        @functools.wraps(run)
        def run_instances(backend: Any, image_id: str, count: int, user_data: Any, groups: Any, **wanted: Any) -> Any:
            launch.complete_arguments(backend, image_id, wanted)
            with launch.keep_iops(wanted):
                reservation = run(backend, image_id, count, user_data, groups, **wanted)
            for instance in reservation.instances:
                launch.finish_launch(backend, instance, wanted)
                self._instances().launch_machine(instance)
            return reservation

        module.InstanceBackend.run_instances = run_instances
        module.Instance.add_block_device = launch.add_disk
        module.Instance.setup_defaults = lambda _instance: None  # `launch.complete_arguments` always names the disks
        for method, told in (("start", "start_machine"), ("stop", "stop_machine"), ("reboot", "reboot_machine")):
            _tell(module.Instance, method, functools.partial(self._say, told))
        terminate = module.Instance.terminate

        @functools.wraps(terminate)
        def terminated(instance: Any) -> Any:
            if instance.state in {"terminated", "shutting-down"}:
                return instance._state
            previous = terminate(instance)
            self._instances().terminate_machine(instance)
            return previous

        module.Instance.terminate = terminated

    def _say(self, what: str, instance: Any) -> None:
        getattr(self._instances(), what)(instance)

    def _ec2_models_elastic_block_store(self, module: Any) -> None:
        attach, detach = module.EBSBackend.attach_volume, module.EBSBackend.detach_volume
        delete = module.EBSBackend.delete_volume

        @functools.wraps(attach)
        def attach_volume(backend: Any, volume_id: str, instance_id: str, device_path: str, *rest: Any) -> Any:
            held = backend.get_volume(volume_id).attachment
            if held is not None:
                raise _refusal("VolumeInUse", f"{volume_id} is already attached to an instance")
            attachment = attach(backend, volume_id, instance_id, device_path, *rest)
            instance = backend.get_instance_by_id(instance_id)
            if instance is not None:  # the root disk comes before its instance can be found
                self._instances().attach_volume(volume_id, instance, device_path)
            return attachment

        @functools.wraps(detach)
        def detach_volume(backend: Any, volume_id: str, instance_id: str, device_path: str) -> Any:
            held = backend.get_volume(volume_id).attachment
            if held is None:
                raise _refusal("IncorrectState", f"Volume '{volume_id}' is in the 'available' state.")
            instance_id = instance_id or held.instance.id  # the request may leave it out
            if held.instance.id != instance_id:
                raise _refusal("IncorrectState", f"Volume '{volume_id}' is attached to '{held.instance.id}'")
            attachment = detach(backend, volume_id, instance_id, device_path)
            self._instances().detach_volume(volume_id, instance_id)
            return attachment

        @functools.wraps(delete)
        def delete_volume(backend: Any, volume_id: str) -> Any:
            volume = delete(backend, volume_id)
            self._instances().delete_volume(volume_id)
            return volume

        module.EBSBackend.attach_volume = attach_volume
        module.EBSBackend.detach_volume = detach_volume
        module.EBSBackend.delete_volume = delete_volume

    def _ec2_models_security_groups(self, module: Any) -> None:
        revoke = module.SecurityGroupBackend.revoke_security_group_egress

        @functools.wraps(revoke)
        def revoke_egress(backend: Any, *, ip_ranges: list[Any], **named: Any) -> Any:
            return revoke(backend, ip_ranges=_Kept(ip_ranges), **named)

        module.SecurityGroupBackend.revoke_security_group_egress = revoke_egress
        module.SecurityGroupRule.description = property(_description)
        made = module.SecurityGroupRule.__init__

        @functools.wraps(made)
        def init(rule: Any, *given: Any, **named: Any) -> None:
            made(rule, *given, **named)
            listed = inspect.signature(made).bind(rule, *given, **named).arguments.get("prefix_list_id") or {}
            rule.of_prefix_list = listed.get("Description")

        module.SecurityGroupRule.__init__ = init

    def _ec2_models_subnets(self, module: Any) -> None:
        delete = module.SubnetBackend.delete_subnet

        @functools.wraps(delete)
        def delete_subnet(backend: Any, subnet_id: str) -> Any:
            subnet = delete(backend, subnet_id)
            # An association goes with its subnet; moto would keep the ACL in use.
            for acl in backend.network_acls.values():
                gone = [name for name, it in acl._associations.items() if it.subnet_id == subnet_id]
                for name in gone:
                    del acl._associations[name]
            self._instances().delete_subnet_network(subnet_id)
            return subnet

        module.SubnetBackend.delete_subnet = delete_subnet
        # moto puts the state's whole structure where its name belongs.
        module.Subnet.ipv6_cidr_block_association_set = property(
            lambda subnet: [
                {name: it[name] for name in ("associationId", "ipv6CidrBlock", "ipv6CidrBlockState")}
                for it in subnet.ipv6_cidr_block_associations.values()
                if it["ipv6CidrBlockState"]["State"] == "associated"
            ]
        )

    def _ec2_models_vpcs(self, module: Any) -> None:
        # An endpoint's interface would get any private address; without one given it gets one of its subnet.
        module.random_private_ip = lambda: None

    def _ec2_models_key_pairs(self, module: Any) -> None:
        module.random_ed25519_key_pair = keys.make_ed25519_pair
        module.random_rsa_key_pair = keys.make_rsa_pair

    def _ec2_responses_instances(self, module: Any) -> None:
        parse = module.parse_user_data

        @functools.wraps(parse)
        def parse_user_data(value: Any) -> Any:
            """Bytes come from ModifyInstanceAttribute, which the protocol has decoded already."""
            return parse(base64.b64encode(value) if isinstance(value, bytes) else value)

        module.parse_user_data = parse_user_data

    def _ec2_responses_network_acls(self, module: Any) -> None:
        for name in ("create_network_acl_entry", "replace_network_acl_entry"):
            setattr(module.NetworkACLs, name, _with_icmp(getattr(module.NetworkACLs, name)))

    def _ec2_responses_key_pairs(self, module: Any) -> None:
        describe = module.KeyPairs.describe_key_pairs

        @functools.wraps(describe)
        def describe_key_pairs(response: Any) -> Any:
            asked = response._get_param("KeyPairIds", [])
            answer = describe(response)
            if asked:
                found = [pair for pair in answer.result["KeyPairs"] if pair.id in asked]
                unknown = sorted(set(asked) - {pair.id for pair in found})
                if unknown:
                    text = f"The key pair ID '{unknown[0]}' does not exist"
                    raise _refusal("InvalidKeyPair.NotFound", text)
                answer.result["KeyPairs"] = found
            return answer

        module.KeyPairs.describe_key_pairs = describe_key_pairs

    def _ec2_responses_general(self, module: Any) -> None:
        def get_console_output(response: Any) -> Any:
            instance = response.ec2_backend.get_instance(response._get_param("InstanceId"))
            text = self._instances().read_console(instance.id)
            output = module.Base64EncodedString.from_raw_string(text)
            return module.ActionResult({"InstanceId": instance.id, "Timestamp": module.utcnow(), "Output": output})

        module.General.get_console_output = get_console_output


def _description(rule: Any) -> str | None:
    """Of whichever the rule is about: moto looks at blocks of addresses only."""
    told: str | None = rule.ip_range.get("Description") or rule.source_group.get("Description") or rule.of_prefix_list
    return told


class _Kept(list[Any]):
    """Ranges of addresses of which none is left out."""

    def remove(self, value: Any) -> None:
        """moto takes those of IPv6 out of its list."""


def _tell(owner: Any, method: str, told: Callable[[Any], None]) -> None:
    original = getattr(owner, method)

    @functools.wraps(original)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        told(self)
        return result

    setattr(owner, method, wrapper)


def _with_icmp(answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The request of an entry, with the type and code of ICMP also by their name on the wire, by which moto looks for them."""

    @functools.wraps(answer)
    def answered(request: Any) -> Any:
        request.params["Icmp"] = request.params.get("IcmpTypeCode")
        return answer(request)

    return answered


def _refusal(code: str, message: str) -> Exception:
    from moto.ec2.exceptions import EC2ClientError

    refusal: Exception = EC2ClientError(code, message)
    return refusal
