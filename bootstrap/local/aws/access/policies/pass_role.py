"""iam:PassRole: a caller that passes a role to a service needs the permission for it."""

from __future__ import annotations

from collections.abc import Iterator

from bootstrap.local.aws.access import identities
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


def list_passed_roles(call: Call) -> Iterator[tuple[str, str]]:
    """The ARNs of the roles that a call passes, each with the service that gets it."""
    parameter, service = _PASSES.get(f"{call.service}:{call.operation}", ("", ""))
    if not parameter:
        return
    for value in call.texts(parameter, f"{parameter}.Arn", f"{parameter}.Name"):
        if parameter == "IamInstanceProfile":
            for role in identities.list_profile_roles(value):
                yield role, service
        elif value:
            yield value if value.startswith("arn:") else f"arn:aws:iam::{call.account}:role/{value}", service
