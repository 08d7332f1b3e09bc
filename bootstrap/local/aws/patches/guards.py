"""Refuses what IAM and CloudWatch Logs refuse and moto accepts: a boundary that does not exist, a key that logs may not use.
Accepts what IAM accepts and moto refuses: numbers in conditions without quotes.

It also adds the two operations that give a log group another key, or none.
"""

from __future__ import annotations

import functools
from typing import Any

from bootstrap.local.aws.access.policies import attached
from bootstrap.local.aws.access.policies.evaluation import Policies, Question, decide
from bootstrap.local.aws.patches import added_alarms

GUARD_NAMES = {
    "moto.iam.models": (
        "IAMBackend._init_aws_policies",
        "IAMBackend.create_role",
        "IAMBackend.put_role_permissions_boundary",
    ),
    "moto.iam.policy_validation": (
        "IAMPolicyDocumentValidator._validate_condition_syntax",
        "IAMPolicyDocumentValidator._legacy_parse_condition",
    ),
    "moto.logs.models": ("LogsBackend.create_log_group",),
}


class GuardPatches:
    """One method for each module that is changed."""

    def _iam_models(self, module: Any) -> None:
        backend_class = module.IAMBackend
        init = backend_class._init_aws_policies
        create_role, put_boundary = backend_class.create_role, backend_class.put_role_permissions_boundary

        @functools.wraps(init)
        def init_aws_policies(backend: Any) -> Any:
            return init(backend) if backend.partition == "aws" else []

        def check_boundary(backend: Any, boundary: str | None) -> None:
            if boundary and boundary not in backend.managed_policies:
                text = f"Scope ARN: {boundary} does not exist or is not attachable."
                raise module.NotFoundException(text)

        @functools.wraps(create_role)
        def create(backend: Any, *args: Any, **kwargs: Any) -> Any:
            check_boundary(backend, kwargs["permissions_boundary"] if "permissions_boundary" in kwargs else args[3])
            return create_role(backend, *args, **kwargs)

        @functools.wraps(put_boundary)
        def put(backend: Any, role_name: str, permissions_boundary: str) -> None:
            check_boundary(backend, permissions_boundary)
            put_boundary(backend, role_name, permissions_boundary)

        backend_class._init_aws_policies = init_aws_policies
        backend_class.create_role = create
        backend_class.put_role_permissions_boundary = put

    def _iam_policy_validation(self, module: Any) -> None:
        validator = module.IAMPolicyDocumentValidator
        validate, parse = validator._validate_condition_syntax, validator._legacy_parse_condition

        @functools.wraps(validate)
        def validate_condition_syntax(statement: dict[str, Any]) -> None:
            condition = statement.get("Condition", {})
            assert isinstance(condition, dict)
            assert all(isinstance(keys, dict) for keys in condition.values())
            texts = {operator: {key: _to_texts(it) for key, it in keys.items()} for operator, keys in condition.items()}
            validate({**statement, "Condition": texts} if "Condition" in statement else statement)

        @functools.wraps(parse)
        def parse_condition(operator: str, keys: dict[str, Any]) -> None:
            parse(operator, {key: _to_texts(value) for key, value in keys.items()})

        validator._validate_condition_syntax = staticmethod(validate_condition_syntax)
        validator._legacy_parse_condition = staticmethod(parse_condition)

    def _logs_models(self, module: Any) -> None:
        from moto.core.exceptions import JsonRESTError

        create_log_group = module.LogsBackend.create_log_group

        def check_key(backend: Any, log_group_name: str, key: str) -> None:
            group = f"arn:aws:logs:{backend.region_name}:{backend.account_id}:log-group:{log_group_name}"
            if key and not _allows_log_group(key, backend.region_name, group):
                text = f"The specified KMS key does not exist or is not allowed to be used with LogGroup '{group}'"
                raise JsonRESTError("AccessDeniedException", text)

        @functools.wraps(create_log_group)
        def create(backend: Any, log_group_name: str, tags: dict[str, str], **kwargs: Any) -> Any:
            check_key(backend, log_group_name, str(kwargs.get("kmsKeyId") or ""))
            return create_log_group(backend, log_group_name, tags, **kwargs)

        def set_key(backend: Any, log_group_name: str, key: str) -> None:
            if log_group_name not in backend.groups:
                raise module.ResourceNotFoundException()
            check_key(backend, log_group_name, key)
            backend.groups[log_group_name].kms_key_id = key or None

        module.LogsBackend.create_log_group = create
        module.LogsBackend.set_key = set_key

    def _logs_responses(self, module: Any) -> None:
        def associate(response: Any) -> str:
            name = response._get_param("logGroupName")
            response.logs_backend.set_key(name, str(response._get_param("kmsKeyId")))
            return ""

        def disassociate(response: Any) -> str:
            response.logs_backend.set_key(response._get_param("logGroupName"), "")
            return ""

        added_alarms.add_queries(module)
        module.LogsResponse.associate_kms_key = associate
        module.LogsResponse.disassociate_kms_key = disassociate


def _to_texts(value: Any) -> Any:
    """The values of one key of a condition as texts: quotes are optional for numbers and Booleans. AssertionError for others.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
    """
    if isinstance(value, list):
        assert not any(isinstance(each, list) for each in value)
        return [_to_texts(each) for each in value]
    assert isinstance(value, str | int | float)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _allows_log_group(key: str, region: str, group: str) -> bool:
    """Whether the key policy allows CloudWatch Logs of the region to use the key for this log group."""
    policy = attached.find_resource_policy(key)
    service = frozenset({f"logs.{region}.amazonaws.com"})
    context = {"kms:encryptioncontext:aws:logs:arn": (group,), "aws:sourcearn": (group,)}
    actions = ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey")
    questions = (Question(action, key, context, service, group.split(":")[4]) for action in actions)
    return policy is not None and all(decide(question, Policies(resource=policy)).is_allowed for question in questions)
