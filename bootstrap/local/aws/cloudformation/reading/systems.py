"""Systems Manager's documents and windows, and Lambda."""

from __future__ import annotations

import json
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.reading.read import Read


def _statement(answer: Any, to: Context) -> Any:
    listed = json.loads(answer["Policy"])["Statement"]
    return next((one for one in listed if one["Sid"] == to.physical_id), None)


def _condition(operator: str, key: str) -> Any:
    def read(found: Any, _: Context) -> Any:
        return (found.get("Condition") or {}).get(operator, {}).get(key)

    return read


def _principal(found: Any, _: Context) -> Any:
    told = found["Principal"]
    return next(iter(told.values())) if isinstance(told, dict) else told


def _function(found: Any, to: Context) -> Any:
    """The statement tells the function's ARN; a template may give its name."""
    asked = str(to.get("FunctionName"))
    return asked if str(found["Resource"]).endswith(f":{asked}") else found["Resource"]


def _tags(kind: str) -> Read:
    return Read(
        "ssm",
        "list_tags_for_resource",
        {"ResourceType": kind, "ResourceId": "@id"},
        ways={"Tags": "TagList"},
        plain=False,
    )


READS: dict[str, tuple[Read, ...]] = {
    "AWS::SSM::Document": (
        Read("ssm", "describe_document", {"Name": "@id"}, "Document"),
        Read("ssm", "get_document", {"Name": "@id"}),
        _tags("Document"),
    ),
    "AWS::SSM::MaintenanceWindow": (
        Read("ssm", "get_maintenance_window", {"WindowId": "@id"}),
        _tags("MaintenanceWindow"),
    ),
    "AWS::Lambda::Function": (
        Read("lambda", "get_function", {"FunctionName": "@id"}, "Configuration", {"KmsKeyArn": "KMSKeyArn"}),
        Read("lambda", "get_function_concurrency", {"FunctionName": "@id"}),
        Read("lambda", "list_tags", {"Resource": "@Arn"}),
    ),
    "AWS::Lambda::Permission": (
        Read(
            "lambda",
            "get_policy",
            {"FunctionName": "#FunctionName"},
            _statement,
            {
                "Principal": _principal,
                "FunctionName": _function,
                "SourceArn": _condition("ArnLike", "AWS:SourceArn"),
                "SourceAccount": _condition("StringEquals", "AWS:SourceAccount"),
                "PrincipalOrgID": _condition("StringEquals", "aws:PrincipalOrgID"),
                "EventSourceToken": _condition("StringEquals", "lambda:EventSourceToken"),
                "FunctionUrlAuthType": _condition("StringEquals", "lambda:FunctionUrlAuthType"),
            },
        ),
    ),
}
