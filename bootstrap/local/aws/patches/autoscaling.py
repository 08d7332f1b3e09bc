"""Changes moto's Auto Scaling: the package `scaling` decides how a group keeps its size; moto keeps the groups.

Hooks keep all their settings, notifications and activities exist, and a member shows the launch template that it came from.
"""

from __future__ import annotations

import copy
import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bootstrap.local.aws.patches import lifecycle_hooks
from bootstrap.local.aws.scaling import activities, capacity, checks, requests, targets

SCALING_NAMES: dict[str, tuple[str, ...]] = {
    "moto.ec2.models.launch_templates": (
        "LaunchTemplateBackend.create_launch_template",
        "LaunchTemplateVersion.user_data.fget",
    ),
    "moto.autoscaling.models": (
        "FakeAutoScalingGroup.set_desired_capacity",
        "FakeAutoScalingGroup.active_instances",
        "InstanceState.launch_template.fget",
        "AutoScalingBackend.create_auto_scaling_group",
        "AutoScalingBackend.update_auto_scaling_group",
        "AutoScalingBackend.set_desired_capacity",
        "AutoScalingBackend.attach_instances",
        "AutoScalingBackend.detach_instances",
        "AutoScalingBackend.enter_standby_instances",
        "AutoScalingBackend.describe_auto_scaling_instances",
        "AutoScalingBackend.notify_terminate_instances",
        "AutoScalingBackend.update_attached_target_groups",
    ),
    "moto.autoscaling.responses": (
        "AutoScalingResponse.put_lifecycle_hook",
        "AutoScalingResponse.create_auto_scaling_group",
        "AutoScalingResponse.update_auto_scaling_group",
        "AutoScalingResponse.delete_auto_scaling_group",
        "AutoScalingResponse.set_desired_capacity",
        "AutoScalingResponse.set_instance_health",
        "AutoScalingResponse.set_instance_protection",
        "AutoScalingResponse.suspend_processes",
        "AutoScalingResponse.resume_processes",
        "AutoScalingResponse.terminate_instance_in_auto_scaling_group",
        "AutoScalingResponse.describe_scaling_activities",
    ),
}


def _get_models() -> Any:
    return sys.modules["moto.autoscaling.models"]


@contextmanager
def _convert_refusals() -> Iterator[None]:
    """Make an error of moto's from what `checks` refuses."""
    try:
        yield
    except checks.Refused as refusal:
        error = _get_models().ValidationError(str(refusal))
        error.code = refusal.code
        raise error from None


def _change_sizes(module: Any) -> None:
    group_class, backend_class = module.FakeAutoScalingGroup, module.AutoScalingBackend

    def set_desired_capacity(group: Any, new_capacity: int | None) -> None:
        """Size a group that is being created; otherwise moto calls this after it has changed the desired capacity itself."""
        if group.autoscaling_backend.autoscaling_groups.get(group.name) is not group:
            requests.create_size(group, new_capacity)
            return
        group.desired_capacity = new_capacity
        capacity.converge(group)

    def set_backend_capacity(backend: Any, group_name: str, desired_capacity: int | None) -> None:
        """The new capacity of a scaling policy, within the bounds of the group."""
        group = checks.find_group(backend, group_name)
        bounded = min(max(int(desired_capacity or 0), int(group.min_size)), int(group.max_size))
        requests.set_desired(group, bounded, "a user request executed a scaling policy")

    create = backend_class.create_auto_scaling_group

    @functools.wraps(create)
    def create_group(backend: Any, **settings: Any) -> Any:
        with _convert_refusals():
            checks.check_new(backend, settings["name"])
            group = create(backend, **settings)
            if settings["health_check_period"] is None:
                group.health_check_grace_period = 0  # the API's default; moto has that of the console
            return group

    def update_group(backend: Any, name: str, **settings: Any) -> Any:
        if sum(bool(settings[key]) for key in ("launch_config_name", "launch_template", "mixed_instances_policy")) > 1:
            text = "Valid requests must contain either LaunchTemplate, LaunchConfigurationName or MixedInstancesPolicy"
            raise module.ValidationError(f"{text} parameter.")
        group = backend.autoscaling_groups.get(name)
        if group is None:
            raise module.ValidationError("AutoScalingGroup name not found - null")
        with _convert_refusals():
            requests.update(group, settings)
        return group

    group_class.set_desired_capacity = set_desired_capacity
    backend_class.set_desired_capacity = set_backend_capacity
    backend_class.create_auto_scaling_group = create_group
    backend_class.update_auto_scaling_group = update_group


def _change_members(module: Any) -> None:
    backend_class = module.AutoScalingBackend
    register, attach = backend_class.update_attached_target_groups, backend_class.attach_instances
    detach, enter = backend_class.detach_instances, backend_class.enter_standby_instances

    @functools.wraps(register)
    def update_attached_target_groups(backend: Any, group_name: str) -> None:
        group = backend.autoscaling_groups[group_name]
        all_members = group.instance_states
        group.instance_states = targets.list_in_service(group)
        try:
            register(backend, group_name)
        finally:
            group.instance_states = all_members

    @functools.wraps(attach)
    def attach_instances(backend: Any, group_name: str, instance_ids: list[str]) -> None:
        attach(backend, group_name, instance_ids)
        for member in backend.autoscaling_groups[group_name].instance_states:
            if member.instance.id in instance_ids:
                member.is_booted = True

    @functools.wraps(detach)
    def detach_instances(backend: Any, group_name: str, instance_ids: list[str], should_decrement: bool) -> Any:
        with _convert_refusals():
            group = checks.find_group(backend, group_name)
            checks.check_protection(group, instance_ids)
        return detach(backend, group_name, instance_ids, should_decrement)

    @functools.wraps(enter)
    def enter_standby(backend: Any, group_name: str, instance_ids: list[str], should_decrement: bool) -> Any:
        with _convert_refusals():
            checks.check_protection(checks.find_group(backend, group_name), instance_ids)
        return enter(backend, group_name, instance_ids, should_decrement)

    def describe_instances(backend: Any, instance_ids: list[str]) -> list[Any]:
        chosen = []
        for group in backend.autoscaling_groups.values():
            for member in group.instance_states:
                if not instance_ids or member.instance.id in instance_ids:
                    shown = copy.copy(member)
                    shown.health_status = member.health_status.upper()  # this operation alone writes it so
                    chosen.append(shown)
        return chosen

    module.InstanceState.launch_template = property(lambda state: getattr(state, "source_template", None))
    module.FakeAutoScalingGroup.active_instances = targets.list_in_service
    backend_class.update_attached_target_groups = update_attached_target_groups
    backend_class.attach_instances = attach_instances
    backend_class.detach_instances = detach_instances
    backend_class.enter_standby_instances = enter_standby
    backend_class.describe_auto_scaling_instances = describe_instances
    # EC2's TerminateInstances calls this; here as on AWS, health checks notice that the instance is gone.
    backend_class.notify_terminate_instances = lambda _backend, _ids: None


def _answer_activities(module: Any, response: Any) -> Any:
    group, count = response._get_param("AutoScalingGroupName") or "", response._get_int_param("MaxRecords") or 100
    with_deleted = bool(response._get_bool_param("IncludeDeletedGroups", False))
    backend, ids = response.autoscaling_backend, response._get_param("ActivityIds", [])
    if group and not with_deleted:
        with _convert_refusals():
            checks.find_group(backend, group)
    listed = activities.list_described(backend, group, ids, with_deleted=with_deleted)
    token = response._get_param("NextToken")
    start = next((place for place, one in enumerate(listed) if one.activity_id == token), 0) if token else 0
    rest = listed[start + count :]
    found = {"Activities": listed[start : start + count], "NextToken": rest[0].activity_id if rest else None}
    return module.ActionResult(found)


def _change_group_requests(module: Any) -> None:
    """The operations on one group whose parameters moto does not read, or does not check."""
    response_class = module.AutoScalingResponse

    def change_group(work: Callable[[Any, Any], None]) -> Callable[[Any], Any]:
        def answer(self: Any) -> Any:
            with _convert_refusals():
                work(self, checks.find_group(self.autoscaling_backend, self._get_param("AutoScalingGroupName")))
            return module.EmptyResult()

        return answer

    def set_desired(self: Any, group: Any) -> None:
        desired = self._get_int_param("DesiredCapacity")
        checks.check_desired(group, desired)
        requests.set_desired(group, desired)

    def set_protection(self: Any, group: Any) -> None:
        is_protected = bool(self._get_bool_param("ProtectedFromScaleIn"))
        requests.protect(group, self._get_param("InstanceIds", []), is_protected=is_protected)

    response_class.set_desired_capacity = change_group(set_desired)
    response_class.set_instance_protection = change_group(set_protection)
    response_class.suspend_processes = change_group(
        lambda self, group: requests.suspend(group, self._get_param("ScalingProcesses", []))
    )
    response_class.resume_processes = change_group(
        lambda self, group: requests.resume(group, self._get_param("ScalingProcesses", []))
    )
    response_class.delete_auto_scaling_group = change_group(
        lambda self, group: requests.delete(group, is_forced=bool(self._get_bool_param("ForceDelete", False)))
    )


def _change_instance_requests(module: Any) -> None:
    """The operations on one instance of a group, and DescribeScalingActivities, which moto answers with an empty list."""
    response_class = module.AutoScalingResponse

    def set_instance_health(self: Any) -> Any:
        respects = self._get_bool_param("ShouldRespectGracePeriod", True)
        given = self._get_param("InstanceId"), self._get_param("HealthStatus")
        with _convert_refusals():
            requests.set_health(self.autoscaling_backend, *given, respects_grace=bool(respects))
        return module.EmptyResult()

    def terminate(self: Any) -> Any:
        decrement = bool(self._get_bool_param("ShouldDecrementDesiredCapacity", False))
        with _convert_refusals():
            activity = requests.terminate(self.autoscaling_backend, self._get_param("InstanceId"), decrement=decrement)
        return module.ActionResult({"Activity": activity})

    response_class.set_instance_health = set_instance_health
    response_class.terminate_instance_in_auto_scaling_group = terminate
    response_class.describe_scaling_activities = lambda self: _answer_activities(module, self)


def _change_update(module: Any) -> None:
    """UpdateAutoScalingGroup, with the parameters that moto does not read."""

    def update(self: Any) -> Any:
        self.autoscaling_backend.update_auto_scaling_group(
            name=self._get_param("AutoScalingGroupName"),
            availability_zones=self._get_param("AvailabilityZones", []),
            desired_capacity=self._get_int_param("DesiredCapacity"),
            max_size=self._get_int_param("MaxSize"),
            min_size=self._get_int_param("MinSize"),
            launch_config_name=self._get_param("LaunchConfigurationName"),
            launch_template=self._get_param("LaunchTemplate", {}),
            vpc_zone_identifier=self._get_param("VPCZoneIdentifier"),
            health_check_period=self._get_int_param("HealthCheckGracePeriod"),
            health_check_type=self._get_param("HealthCheckType"),
            new_instances_protected_from_scale_in=self._get_bool_param("NewInstancesProtectedFromScaleIn", None),
            mixed_instances_policy=self._get_params().get("MixedInstancesPolicy"),
            default_cooldown=self._get_int_param("DefaultCooldown"),
            termination_policies=self._get_param("TerminationPolicies", None),
            placement_group=self._get_param("PlacementGroup"),
            capacity_rebalance=self._get_bool_param("CapacityRebalance", None),
        )
        return module.EmptyResult()

    module.AutoScalingResponse.update_auto_scaling_group = update


class AutoScalingPatches:
    """One method for each module that is changed."""

    def _autoscaling_models(self, module: Any) -> None:
        _change_sizes(module)
        _change_members(module)

    def _autoscaling_responses(self, module: Any) -> None:
        _change_group_requests(module)
        _change_instance_requests(module)
        _change_update(module)
        lifecycle_hooks.change_hooks(module)
        lifecycle_hooks.add_operations(module)

    def _ec2_models_launch_templates(self, module: Any) -> None:
        def user_data(version: Any) -> Any:
            text = version.data.get("UserData")
            return module.Base64EncodedString(text) if isinstance(text, str) else text

        module.LaunchTemplateVersion.user_data = property(user_data)  # moto's own fails for every text given to EC2
        create = module.LaunchTemplateBackend.create_launch_template

        def create_launch_template(backend: Any, name: str, description: str, data: dict[str, Any], tags: Any) -> Any:
            # moto puts the tags of the template itself among those that its machines get.
            listed = [it for it in data.pop("TagSpecifications", []) if it.get("ResourceType") != "launch-template"]
            data |= {"TagSpecifications": listed} if listed else {}
            return create(backend, name, description, data, tags)

        module.LaunchTemplateBackend.create_launch_template = create_launch_template
