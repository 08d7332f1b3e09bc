"""Changes moto's lifecycle hooks, which it only stores: they delay instances, and topics are notified.

`scaling.lifecycle` decides what they do.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

from bootstrap.local.aws.scaling import capacity, lifecycle

SCALING_ADDED: dict[str, tuple[str, ...]] = {
    "moto.autoscaling.responses": (
        "AutoScalingResponse.complete_lifecycle_action",
        "AutoScalingResponse.record_lifecycle_action_heartbeat",
        "AutoScalingResponse.put_notification_configuration",
        "AutoScalingResponse.delete_notification_configuration",
        "AutoScalingResponse.describe_notification_configurations",
        "AutoScalingResponse.describe_auto_scaling_notification_types",
    ),
}
"""The names that moto lacks and that are added here."""


def _get_models() -> Any:
    return sys.modules["moto.autoscaling.models"]


def change_hooks(module: Any) -> None:
    """Let a hook keep all its settings; the hooks of a new group exist before its first instance."""
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
        if group in backend.autoscaling_groups:
            specifications = []  # the request is refused; the hooks of the group that exists stay
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


def add_operations(module: Any) -> None:
    """Add the operations on lifecycle actions and notifications that moto lacks."""
    response = module.AutoScalingResponse

    def complete_lifecycle_action(self: Any) -> Any:
        parameters, backend = self._get_params(), self.autoscaling_backend
        if lifecycle.complete_action(
            _get_models(), backend, parameters
        ):  # the launch was abandoned: another one follows
            capacity.converge(backend.autoscaling_groups[parameters["AutoScalingGroupName"]])
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
