"""The changes of moto's Auto Scaling: new instances are of the group's version of its template, unhealthy ones are replaced."""

from __future__ import annotations

import functools
from typing import Any


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

        module.FakeAutoScalingGroup.replace_autoscaling_group_instances = replace_instances
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
