"""Systems Manager's documents and windows, and Lambda."""

from __future__ import annotations

import json
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.reading.read import Read


def _read_statement(answer: Any, to: Context) -> Any:
    listed = json.loads(answer["Policy"])["Statement"]
    return next((statement for statement in listed if statement["Sid"] == to.physical_id), None)


def _read_condition(operator: str, key: str) -> Any:
    def read(part: Any, _: Context) -> Any:
        return (part.get("Condition") or {}).get(operator, {}).get(key)

    return read


def _read_principal(part: Any, _: Context) -> Any:
    principal = part["Principal"]
    return next(iter(principal.values())) if isinstance(principal, dict) else principal


def _read_function(part: Any, to: Context) -> Any:
    """The function: its ARN as in the statement, or its name if the template has the name."""
    name = str(to.get("FunctionName"))
    return name if str(part["Resource"]).endswith(f":{name}") else part["Resource"]


def _make_tags_read(kind: str) -> Read:
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
        _make_tags_read("Document"),
    ),
    "AWS::SSM::MaintenanceWindow": (
        Read("ssm", "get_maintenance_window", {"WindowId": "@id"}),
        _make_tags_read("MaintenanceWindow"),
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
            _read_statement,
            {
                "Principal": _read_principal,
                "FunctionName": _read_function,
                "SourceArn": _read_condition("ArnLike", "AWS:SourceArn"),
                "SourceAccount": _read_condition("StringEquals", "AWS:SourceAccount"),
                "PrincipalOrgID": _read_condition("StringEquals", "aws:PrincipalOrgID"),
                "EventSourceToken": _read_condition("StringEquals", "lambda:EventSourceToken"),
                "FunctionUrlAuthType": _read_condition("StringEquals", "lambda:FunctionUrlAuthType"),
            },
        ),
    ),
}
