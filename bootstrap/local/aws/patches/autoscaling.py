"""The changes of moto's Auto Scaling: new instances are of the group's version of its template and show it, unhealthy ones are
replaced, and those that a group lets go are its oldest."""

from __future__ import annotations

import functools
from typing import Any


def _template_of(group: Any) -> dict[str, Any] | None:
    template = group.ec2_launch_template
    if template is None:
        return None
    number = template.get_version(group.launch_template_version).number
    return {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "Version": str(number)}


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
            try:  # moto names the template to RunInstances without its version, so it would take the default one
                return replace(group, count_needed, propagated_tags)  # type: ignore[no-any-return]
            finally:
                template.default_version_number = default

        @functools.wraps(replace_instances)
        def replace_and_note(group: Any, count_needed: int, propagated_tags: dict[str, str]) -> None:
            before = len(group.instance_states)
            replace_instances(group, count_needed, propagated_tags)
            for state in group.instance_states[before:]:  # moto shows what the group would make now
                state.made_from = _template_of(group)

        module.FakeAutoScalingGroup.replace_autoscaling_group_instances = replace_and_note
        module.InstanceState.launch_template = property(lambda state: getattr(state, "made_from", None))
        resize = module.FakeAutoScalingGroup.set_desired_capacity

        @functools.wraps(resize)
        def set_desired_capacity(group: Any, new_capacity: int | None) -> None:
            order = {id(state): place for place, state in enumerate(group.instance_states)}
            resize(group, new_capacity)  # which mixes those that stay, where others go: a replay would let others go
            group.instance_states.sort(key=lambda state: order.get(id(state), len(order)))

        module.FakeAutoScalingGroup.set_desired_capacity = set_desired_capacity
        judge = module.AutoScalingBackend.set_instance_health

        @functools.wraps(judge)
        def set_instance_health(backend: Any, instance_id: str, health_status: str) -> None:
            judge(backend, instance_id, health_status)
            group = backend.ec2_backend.get_instance(instance_id).autoscaling_group
            suspended = {one["ProcessName"] for one in group.suspended_processes}
            if health_status == "Unhealthy" and "ReplaceUnhealthy" not in suspended:
                backend.ec2_backend.terminate_instances([instance_id])
                backend.elbv2_backend.notify_terminate_instances([instance_id])
                backend.notify_terminate_instances([instance_id])  # which launches the one in its place

        module.AutoScalingBackend.set_instance_health = set_instance_health

    def _ec2_models_launch_templates(self, module: Any) -> None:
        def user_data(version: Any) -> Any:
            text = version.data.get("UserData")
            return module.Base64EncodedString(text) if isinstance(text, str) else text

        module.LaunchTemplateVersion.user_data = property(user_data)  # moto's own fails for every text given to EC2
