"""Changes moto's EC2: its instances are machines, with volumes and networks.

An instance gets the profile, the metadata options and the disks of its launch template. The console is that of the machine.
Key pairs are real, and are found by their ids.
"""

from __future__ import annotations

import base64
import functools
import inspect
from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.compute import addresses, keys, launch
from bootstrap.local.aws.compute.instances import Instances
from bootstrap.local.aws.patches import account_defaults


class Ec2Patches:
    """One method for each module that is changed; `_instances` returns the manager of the machines."""

    _instances: Callable[[], Instances]

    def _ec2_models_instances(self, module: Any) -> None:
        run = module.InstanceBackend.run_instances

        @functools.wraps(run)
        def run_instances(backend: Any, image_id: str, count: int, user_data: Any, groups: Any, **options: Any) -> Any:
            launch.complete_arguments(backend, image_id, options)
            with launch.keep_iops(options):
                reservation = run(backend, image_id, count, user_data, groups, **options)
            for instance in reservation.instances:
                launch.finish_launch(backend, instance, options)
                self._instances().launch_machine(instance)
            return reservation

        module.InstanceBackend.run_instances = run_instances
        module.Instance.add_block_device = launch.add_disk
        module.Instance.setup_defaults = lambda _instance: None  # `launch.complete_arguments` always adds the disks
        for method, machine_method in (
            ("start", "start_machine"),
            ("stop", "stop_machine"),
            ("reboot", "reboot_machine"),
        ):
            _call_after(module.Instance, method, functools.partial(self._call_instances, machine_method))
        terminate = module.Instance.terminate

        @functools.wraps(terminate)
        def terminate_instance(instance: Any) -> Any:
            if instance.state in {"terminated", "shutting-down"}:
                return instance._state
            with addresses.hold(instance):
                previous = terminate(instance)
            self._instances().terminate_machine(instance)
            return previous

        module.Instance.terminate = terminate_instance
        reason = module.StateReason
        # A state without a reason has none on AWS; moto would show one with an empty code and an empty message.
        module.StateReason = lambda message="", code="": reason(message, code) if code else None

    def _call_instances(self, method: str, instance: Any) -> None:
        getattr(self._instances(), method)(instance)

    def _ec2_models_elastic_block_store(self, module: Any) -> None:
        attach, detach = module.EBSBackend.attach_volume, module.EBSBackend.detach_volume
        delete = module.EBSBackend.delete_volume
        module.EBSBackend.create_volume = account_defaults.encrypt_by_default(module.EBSBackend.create_volume)

        @functools.wraps(attach)
        def attach_volume(backend: Any, volume_id: str, instance_id: str, device_path: str, *rest: Any) -> Any:
            current = backend.get_volume(volume_id).attachment
            if current is not None:
                raise _make_refusal("VolumeInUse", f"{volume_id} is already attached to an instance")
            attachment = attach(backend, volume_id, instance_id, device_path, *rest)
            instance = backend.get_instance_by_id(instance_id)
            if instance is not None:  # moto attaches the root disk before the instance can be found
                self._instances().attach_volume(volume_id, instance, device_path)
            return attachment

        @functools.wraps(detach)
        def detach_volume(backend: Any, volume_id: str, instance_id: str, device_path: str) -> Any:
            current = backend.get_volume(volume_id).attachment
            if current is None:
                raise _make_refusal("IncorrectState", f"Volume '{volume_id}' is in the 'available' state.")
            instance_id = instance_id or current.instance.id  # the request may leave it out
            if current.instance.id != instance_id:
                raise _make_refusal("IncorrectState", f"Volume '{volume_id}' is attached to '{current.instance.id}'")
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
        def revoke_egress(backend: Any, *, ip_ranges: list[Any], **kwargs: Any) -> Any:
            return revoke(backend, ip_ranges=_CompleteRanges(ip_ranges), **kwargs)

        module.SecurityGroupBackend.revoke_security_group_egress = revoke_egress
        module.SecurityGroupRule.description = property(_find_description)
        original_init = module.SecurityGroupRule.__init__

        @functools.wraps(original_init)
        def init(rule: Any, *args: Any, **kwargs: Any) -> None:
            original_init(rule, *args, **kwargs)
            prefix_list = (
                inspect.signature(original_init).bind(rule, *args, **kwargs).arguments.get("prefix_list_id") or {}
            )
            rule.prefix_list_description = prefix_list.get("Description")

        module.SecurityGroupRule.__init__ = init

    def _ec2_models_subnets(self, module: Any) -> None:
        delete = module.SubnetBackend.delete_subnet

        @functools.wraps(delete)
        def delete_subnet(backend: Any, subnet_id: str) -> Any:
            subnet = delete(backend, subnet_id)
            # An association is deleted together with its subnet; in moto, the ACL would stay in use.
            for acl in backend.network_acls.values():
                association_ids = [
                    association_id
                    for association_id, association in acl._associations.items()
                    if association.subnet_id == subnet_id
                ]
                for association_id in association_ids:
                    del acl._associations[association_id]
            self._instances().delete_subnet_network(subnet_id)
            return subnet

        module.SubnetBackend.delete_subnet = delete_subnet
        module.Subnet.get_available_subnet_ip = addresses.take_next
        module.Subnet.request_ip = addresses.assign_address
        # moto would write the whole structure of the state in the place of its name.
        module.Subnet.ipv6_cidr_block_association_set = property(
            lambda subnet: [
                {name: association[name] for name in ("associationId", "ipv6CidrBlock", "ipv6CidrBlockState")}
                for association in subnet.ipv6_cidr_block_associations.values()
                if association["ipv6CidrBlockState"]["State"] == "associated"
            ]
        )

    def _ec2_models_vpcs(self, module: Any) -> None:
        # moto would give any private address to the interface of an endpoint; with None, the subnet assigns one.
        module.random_private_ip = lambda: None
        delete = module.VPCBackend.delete_vpc

        @functools.wraps(delete)
        def delete_vpc(backend: Any, vpc_id: str) -> Any:
            own = [acl for acl in backend.network_acls.values() if acl.vpc_id == vpc_id]
            if any(not _is_default(acl) for acl in own):
                raise _make_refusal(
                    "DependencyViolation", f"The vpc '{vpc_id}' has dependencies and cannot be deleted."
                )
            vpc = delete(backend, vpc_id)
            for acl in own:  # the default ACL goes with its VPC; in moto it would stay
                backend.network_acls.pop(acl.id, None)
            return vpc

        module.VPCBackend.delete_vpc = delete_vpc

    def _ec2_models_nat_gateways(self, module: Any) -> None:
        create = module.NatGatewayBackend.create_nat_gateway

        @functools.wraps(create)
        def create_nat_gateway(backend: Any, subnet_id: str, allocation_id: str, *rest: Any, **more: Any) -> Any:
            # moto would make the gateway's interface first, and leave it behind.
            for address in backend.address_by_allocation([allocation_id]) if allocation_id else ():
                if address.association_id:
                    raise _make_refusal(
                        "Resource.AlreadyAssociated", f"Resource {address.public_ip} is already associated."
                    )
            return create(backend, subnet_id, allocation_id, *rest, **more)

        module.NatGatewayBackend.create_nat_gateway = create_nat_gateway

    def _ec2_models_key_pairs(self, module: Any) -> None:
        module.random_ed25519_key_pair = keys.make_ed25519_pair
        module.random_rsa_key_pair = keys.make_rsa_pair

    def _ec2_responses_base_response(self, module: Any) -> None:
        from moto.core.responses import ActionResult

        call = module.EC2BaseResponse.call_action

        @functools.wraps(call)
        def call_action(response: Any) -> Any:
            """A dry run changes nothing: the guard has judged the caller, and moto would carry out many calls."""
            if str(response._get_param("DryRun", False)).lower() != "true":
                return call(response)
            _, headers, body = response.serialized(ActionResult(module.DryRunClientError()))
            return 412, {**headers, "status": 412}, body

        module.EC2BaseResponse.call_action = call_action

    def _ec2_responses_instances(self, module: Any) -> None:
        parse = module.parse_user_data

        @functools.wraps(parse)
        def parse_user_data(value: Any) -> Any:
            """Accept bytes, too: the value of ModifyInstanceAttribute is decoded already."""
            return parse(base64.b64encode(value) if isinstance(value, bytes) else value)

        module.parse_user_data = parse_user_data

    def _ec2_responses_network_acls(self, module: Any) -> None:
        for name in ("create_network_acl_entry", "replace_network_acl_entry"):
            setattr(module.NetworkACLs, name, _copy_icmp(getattr(module.NetworkACLs, name)))

    def _ec2_responses_key_pairs(self, module: Any) -> None:
        describe = module.KeyPairs.describe_key_pairs

        @functools.wraps(describe)
        def describe_key_pairs(response: Any) -> Any:
            ids = response._get_param("KeyPairIds", [])
            answer = describe(response)
            if ids:
                pairs = [pair for pair in answer.result["KeyPairs"] if pair.id in ids]
                unknown = sorted(set(ids) - {pair.id for pair in pairs})
                if unknown:
                    message = f"The key pair ID '{unknown[0]}' does not exist"
                    raise _make_refusal("InvalidKeyPair.NotFound", message)
                answer.result["KeyPairs"] = pairs
            return answer

        module.KeyPairs.describe_key_pairs = describe_key_pairs

    def _ec2_responses_general(self, module: Any) -> None:
        def get_console_output(response: Any) -> Any:
            instance = response.ec2_backend.get_instance(response._get_param("InstanceId"))
            text = self._instances().read_console(instance.id)
            output = module.Base64EncodedString.from_raw_string(text)
            return module.ActionResult({"InstanceId": instance.id, "Timestamp": module.utcnow(), "Output": output})

        module.General.get_console_output = get_console_output


def _find_description(rule: Any) -> str | None:
    """The description of a rule for a block, a group or a prefix list; moto finds only that for a block."""
    description: str | None = (
        rule.ip_range.get("Description") or rule.source_group.get("Description") or rule.prefix_list_description
    )
    return description


class _CompleteRanges(list[Any]):
    """A list of address ranges from which moto cannot remove any."""

    def remove(self, value: Any) -> None:
        """Do nothing: moto would remove the ranges of IPv6."""


def _call_after(owner: Any, method: str, call: Callable[[Any], None]) -> None:
    original = getattr(owner, method)

    @functools.wraps(original)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        call(self)
        return result

    setattr(owner, method, wrapper)


def _copy_icmp(handle: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Copy the ICMP type and code in the request to the parameter name under which moto reads them."""

    @functools.wraps(handle)
    def handle_request(request: Any) -> Any:
        request.params["Icmp"] = request.params.get("IcmpTypeCode")
        return handle(request)

    return handle_request


def _is_default(acl: Any) -> bool:
    return str(acl.default).lower() == "true"


def _make_refusal(code: str, message: str) -> Exception:
    from moto.ec2.exceptions import EC2ClientError

    refusal: Exception = EC2ClientError(code, message)
    return refusal
