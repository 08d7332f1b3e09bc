"""Changes moto's Auto Scaling: new instances use the group's version of its launch template and show it.

Unhealthy instances are replaced, a smaller group terminates its oldest instances, and hooks delay instances (see `lifecycle`).
"""

from __future__ import annotations

import functools
import sys
from typing import Any

from bootstrap.local.aws.patches import lifecycle


def _describe_template(group: Any) -> dict[str, Any] | None:
    template = group.ec2_launch_template
    if template is None:
        return None
    number = template.get_version(group.launch_template_version).number
    return {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "Version": str(number)}


def _get_models() -> Any:
    return sys.modules["moto.autoscaling.models"]


def _change_sizes(module: Any) -> None:
    resize = module.FakeAutoScalingGroup.set_desired_capacity

    @functools.wraps(resize)
    def set_desired_capacity(group: Any, new_capacity: int | None) -> None:
        desired = int((group.min_size if new_capacity is None else new_capacity) or 0)
        if not group.mixed_instances_policy:
            for state in _list_surplus(group, desired):
                lifecycle.start_termination(module, group, state)
        order = {id(state): place for place, state in enumerate(group.instance_states)}
        # moto changes the order of the remaining instances; then a replay would remove other ones.
        resize(group, new_capacity)
        group.instance_states.sort(key=lambda state: order.get(id(state), len(order)))

    module.FakeAutoScalingGroup.set_desired_capacity = set_desired_capacity
    register = module.AutoScalingBackend.update_attached_target_groups

    @functools.wraps(register)
    def update_attached_target_groups(backend: Any, group_name: str) -> None:
        group = backend.autoscaling_groups[group_name]
        states = group.instance_states
        group.instance_states = [state for state in states if state.lifecycle_state not in lifecycle.WAITING.values()]
        try:
            register(backend, group_name)
        finally:
            group.instance_states = states

    module.AutoScalingBackend.update_attached_target_groups = update_attached_target_groups


def _list_surplus(group: Any, desired: int) -> list[Any]:
    """The oldest instances of a group that are more than its desired capacity, without protected ones."""
    active = group.active_instances()
    free = [state for state in active if not state.protected_from_scale_in]
    return list(free[: max(0, len(active) - desired)])


def _change_termination(module: Any) -> None:
    judge = module.AutoScalingBackend.set_instance_health
    terminate = module.AutoScalingBackend.terminate_instance
    delete = module.AutoScalingBackend.delete_auto_scaling_group

    @functools.wraps(judge)
    def set_instance_health(backend: Any, instance_id: str, health_status: str) -> None:
        judge(backend, instance_id, health_status)
        group = backend.ec2_backend.get_instance(instance_id).autoscaling_group
        suspended = {process["ProcessName"] for process in group.suspended_processes}
        if health_status == "Unhealthy" and "ReplaceUnhealthy" not in suspended:
            backend.elbv2_backend.notify_terminate_instances([instance_id])
            lifecycle.start_termination(module, group, _find_state(backend, instance_id))
            group.set_desired_capacity(group.desired_capacity)  # this launches the replacement

    @functools.wraps(terminate)
    def terminate_instance(backend: Any, instance_id: str, should_decrement: bool) -> Any:
        state = _find_state(backend, instance_id)
        group = state.instance.autoscaling_group if state else None
        if state is None or group is None:
            return terminate(backend, instance_id, should_decrement)
        previous_size, is_terminating = (
            group.desired_capacity,
            state.lifecycle_state == lifecycle.WAITING[lifecycle.TERMINATING],
        )
        lifecycle.start_termination(module, group, state)
        if not is_terminating:
            group.desired_capacity -= 1 if should_decrement else 0
            group.set_desired_capacity(group.desired_capacity)
        return module.TerminateInstanceActivity(state.instance, previous_size)

    @functools.wraps(delete)
    def delete_auto_scaling_group(backend: Any, group_name: str) -> None:
        group = backend.autoscaling_groups.get(group_name)
        if group is not None:
            group.is_being_deleted = True  # its hooks do not delay instances any more
            for state in [state for state in group.instance_states if state not in group.active_instances()]:
                lifecycle.terminate(group, state)
        delete(backend, group_name)
        for key, hook in list(backend.lifecycle_hooks.items()):
            if hook.auto_scaling_group_name == group_name:
                del backend.lifecycle_hooks[key]
        lifecycle.get_notifications(backend).pop(group_name, None)

    module.AutoScalingBackend.set_instance_health = set_instance_health
    module.AutoScalingBackend.terminate_instance = terminate_instance
    module.AutoScalingBackend.delete_auto_scaling_group = delete_auto_scaling_group


def _find_state(backend: Any, instance_id: str) -> Any:
    states = (state for group in backend.autoscaling_groups.values() for state in group.instance_states)
    return next((state for state in states if state.instance.id == instance_id), None)


def _change_hooks(module: Any) -> None:
    """A hook keeps all its settings, and the hooks of a new group exist before its first instance."""
    put, create = module.AutoScalingResponse.put_lifecycle_hook, module.AutoScalingResponse.create_auto_scaling_group

    def store_settings(response: Any, group: str, settings: dict[str, Any]) -> None:
        key = f"{group}_{settings['LifecycleHookName']}"
        hook = response.autoscaling_backend.lifecycle_hooks[key]
        hook.role_arn = settings.get("RoleARN") or None
        hook.notification_target_arn = settings.get("NotificationTargetARN") or None
        hook.notification_metadata = settings.get("NotificationMetadata") or None

    @functools.wraps(put)
    def put_lifecycle_hook(response: Any) -> Any:
        answer = put(response)
        store_settings(response, response._get_param("AutoScalingGroupName"), response._get_params())
        return answer

    @functools.wraps(create)
    def create_auto_scaling_group(response: Any) -> Any:
        group, backend = response._get_param("AutoScalingGroupName"), response.autoscaling_backend
        specifications = response._get_param("LifecycleHookSpecificationList", [])
        for specification in specifications:
            values = (
                specification.get("LifecycleTransition"),
                specification.get("HeartbeatTimeout"),
                specification.get("DefaultResult"),
            )
            backend.create_lifecycle_hook(specification["LifecycleHookName"], group, values[0], values[1], values[2])
            store_settings(response, group, specification)
        try:
            return create(response)
        except Exception:
            for specification in specifications:
                backend.delete_lifecycle_hook(group, specification["LifecycleHookName"])
            raise

    module.AutoScalingResponse.put_lifecycle_hook = put_lifecycle_hook
    module.AutoScalingResponse.create_auto_scaling_group = create_auto_scaling_group


class AutoScalingPatches:
    """One method for each module that is changed."""

    def _autoscaling_models(self, module: Any) -> None:
        replace = module.FakeAutoScalingGroup.replace_autoscaling_group_instances

        @functools.wraps(replace)
        def replace_instances(group: Any, count_needed: int, propagated_tags: dict[str, str]) -> None:
            template = group.ec2_launch_template
            if template is None:
                return replace(group, count_needed, propagated_tags)  # type: ignore[no-any-return]
            default = template.default_version_number
            template.default_version_number = template.get_version(group.launch_template_version).number
            try:  # moto calls RunInstances with the template but without its version, so the default version would be used
                return replace(group, count_needed, propagated_tags)  # type: ignore[no-any-return]
            finally:
                template.default_version_number = default

        @functools.wraps(replace_instances)
        def replace_and_notify(group: Any, count_needed: int, propagated_tags: dict[str, str]) -> None:
            count = len(group.instance_states)
            replace_instances(group, count_needed, propagated_tags)
            for state in group.instance_states[count:]:  # moto would show the template that the group has now
                state.source_template = _describe_template(group)
                if not lifecycle.hold_instance(module, group, state, lifecycle.LAUNCHING):
                    lifecycle.notify(group, lifecycle.LAUNCHED, state)

        module.FakeAutoScalingGroup.replace_autoscaling_group_instances = replace_and_notify
        module.InstanceState.launch_template = property(lambda state: getattr(state, "source_template", None))
        module.FakeAutoScalingGroup.active_instances = lambda group: [
            state for state in group.instance_states if state.lifecycle_state in lifecycle.MEMBERS
        ]
        _change_sizes(module)
        _change_termination(module)

    def _autoscaling_responses(self, module: Any) -> None:
        response = module.AutoScalingResponse
        _change_hooks(module)

        def complete_lifecycle_action(self: Any) -> Any:
            lifecycle.complete_action(_get_models(), self.autoscaling_backend, self._get_params())
            return module.EmptyResult()

        def record_lifecycle_action_heartbeat(self: Any) -> Any:
            lifecycle.record_heartbeat(_get_models(), self.autoscaling_backend, self._get_params())
            return module.EmptyResult()

        def put_notification_configuration(self: Any) -> Any:
            parameters = self._get_params()
            group = self.autoscaling_backend.autoscaling_groups.get(parameters["AutoScalingGroupName"])
            if group is None:
                raise _get_models().ValidationError("AutoScalingGroup name not found")
            topics = lifecycle.get_notifications(self.autoscaling_backend).setdefault(group.name, {})
            topics[parameters["TopicARN"]] = list(parameters["NotificationTypes"])
            lifecycle.notify(group, lifecycle.TEST)
            return module.EmptyResult()

        def delete_notification_configuration(self: Any) -> Any:
            parameters = self._get_params()
            topics = lifecycle.get_notifications(self.autoscaling_backend)
            topics.get(parameters["AutoScalingGroupName"], {}).pop(parameters["TopicARN"], None)
            return module.EmptyResult()

        def describe_notification_configurations(self: Any) -> Any:
            names = self._get_param("AutoScalingGroupNames", [])
            configurations = [
                {"AutoScalingGroupName": group, "TopicARN": topic, "NotificationType": kind}
                for group, topics in lifecycle.get_notifications(self.autoscaling_backend).items()
                for topic, kinds in topics.items()
                for kind in kinds
                if not names or group in names
            ]
            return module.ActionResult({"NotificationConfigurations": configurations})

        response.complete_lifecycle_action = complete_lifecycle_action
        response.record_lifecycle_action_heartbeat = record_lifecycle_action_heartbeat
        response.put_notification_configuration = put_notification_configuration
        response.delete_notification_configuration = delete_notification_configuration
        response.describe_notification_configurations = describe_notification_configurations
        response.describe_auto_scaling_notification_types = lambda _self: module.ActionResult(
            {"AutoScalingNotificationTypes": lifecycle.TYPES}
        )

    def _ec2_models_launch_templates(self, module: Any) -> None:
        def user_data(version: Any) -> Any:
            text = version.data.get("UserData")
            return module.Base64EncodedString(text) if isinstance(text, str) else text

        module.LaunchTemplateVersion.user_data = property(user_data)  # moto's own fails for every text given to EC2
