"""iam:PassRole: a caller that passes a role to a service needs the permission for it."""

from __future__ import annotations

from collections.abc import Iterator

from bootstrap.local.aws.access import identities
from bootstrap.local.aws.access.policies import resources_autoscaling, resources_ec2
from bootstrap.local.aws.access.policies.parameters import Call

# Operation -> the parameter with the role, and the service that gets it.
_PASSES = {
    "ec2:RunInstances": ("IamInstanceProfile", "ec2.amazonaws.com"),
    "ec2:AssociateIamInstanceProfile": ("IamInstanceProfile", "ec2.amazonaws.com"),
    "ec2:ReplaceIamInstanceProfileAssociation": ("IamInstanceProfile", "ec2.amazonaws.com"),
    "ec2:CreateFlowLogs": ("DeliverLogsPermissionArn", "vpc-flow-logs.amazonaws.com"),
    "iam:AddRoleToInstanceProfile": ("RoleName", "ec2.amazonaws.com"),
    "lambda:CreateFunction": ("Role", "lambda.amazonaws.com"),
    "lambda:UpdateFunctionConfiguration": ("Role", "lambda.amazonaws.com"),
    "cloudformation:CreateStack": ("RoleARN", "cloudformation.amazonaws.com"),
    "cloudformation:UpdateStack": ("RoleARN", "cloudformation.amazonaws.com"),
    "cloudformation:DeleteStack": ("RoleARN", "cloudformation.amazonaws.com"),
    "cloudformation:CreateChangeSet": ("RoleARN", "cloudformation.amazonaws.com"),
    "states:CreateStateMachine": ("roleArn", "states.amazonaws.com"),
    "events:PutTargets": ("Targets.RoleArn", "events.amazonaws.com"),
    "ecs:RegisterTaskDefinition": ("taskRoleArn", "ecs-tasks.amazonaws.com"),
    "autoscaling:CreateLaunchConfiguration": ("IamInstanceProfile", "ec2.amazonaws.com"),
}

_LAUNCHES = frozenset({"ec2:RunInstances", "autoscaling:CreateAutoScalingGroup", "autoscaling:UpdateAutoScalingGroup"})


def list_passed_roles(call: Call) -> Iterator[tuple[str, str]]:
    """The ARNs of the roles that a call passes, each with the service that gets it; also the role in its launch template."""
    yield from _list_roles_in_templates(call)
    parameter, service = _PASSES.get(f"{call.service}:{call.operation}", ("", ""))
    if not parameter:
        return
    for value in call.list_texts(parameter, f"{parameter}.Arn", f"{parameter}.Name"):
        if parameter == "IamInstanceProfile":
            for role in identities.list_profile_roles(value):
                yield role, service
        elif value:
            yield value if value.startswith("arn:") else f"arn:aws:iam::{call.account}:role/{value}", service


def _list_roles_in_templates(call: Call) -> Iterator[tuple[str, str]]:
    """The roles of the instance profiles in the launch templates that the call launches from, or will launch from."""
    from moto.core.exceptions import ServiceException

    ec2 = resources_ec2.find_backend(call)
    if ec2 is None or f"{call.service}:{call.operation}" not in _LAUNCHES:
        return
    for prefix in resources_autoscaling.TEMPLATES:
        parts = ("LaunchTemplateId", "LaunchTemplateName", "Version")
        named = {part: call.find_text(f"{prefix}.{part}") for part in parts if call.find_text(f"{prefix}.{part}")}
        if not named.keys() - {"Version"}:
            continue
        try:
            data = ec2._get_template_from_args(named).data
        except (ServiceException, LookupError, ValueError):
            continue  # the service itself refuses a template that does not exist
        profile = data.get("IamInstanceProfile") or {}
        for role in identities.list_profile_roles(str(profile.get("Arn") or profile.get("Name") or "")):
            yield role, "ec2.amazonaws.com"
