"""Lambda functions and who may call them."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging

MADE = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip archive can hold: the same code is the same archive


def archive(text: str, runtime: str) -> bytes:
    """A function's inline text as CloudFormation packs it: index.js or index.py."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as opened:
        member = zipfile.ZipInfo(f"index.{'js' if runtime.startswith('nodejs') else 'py'}", MADE)
        member.external_attr = 0o644 << 16
        opened.writestr(member, text)
    return packed.getvalue()


def _code(to: To, value: Any) -> dict[str, Any]:
    if "ZipFile" not in value:
        return dict(value)
    return {"ZipFile": archive(str(value["ZipFile"]), str(to.get("Runtime", "python3")))}


def _new_code(to: To, value: Any) -> None:
    to.call("lambda", "update_function_code", FunctionName=to.physical_id, **_code(to, value))


def _concurrency(to: To, value: Any) -> None:
    name = {"FunctionName": to.physical_id}
    if value is None:
        to.call("lambda", "delete_function_concurrency", **name)
    else:
        to.call("lambda", "put_function_concurrency", **name, ReservedConcurrentExecutions=value)


class Function(TableAdapter):
    """AWS::Lambda::Function; Ref is its name."""

    def given(self, to: To, names: Any) -> dict[str, Any]:
        """Inline code is packed."""
        made = super().given(to, names)
        return {**made, "Code": _code(to, made["Code"])} if "Code" in made else made


class Permission(TableAdapter):
    """AWS::Lambda::Permission; Ref is the statement's id."""

    def create(self, to: To) -> str:
        """A statement in the function's policy."""
        statement = to.name(100)
        to.call("lambda", "add_permission", StatementId=statement, **self.given(to, to.properties))
        return statement


ADAPTERS = (
    Function(
        Entry(
            "AWS::Lambda::Function",
            "lambda",
            "create_function",
            "delete_function",
            "FunctionName",
            name="FunctionName",
            settings={"ReservedConcurrentExecutions": _concurrency},
            alters={"Code": _new_code},
            update="update_function_configuration",
            takes=(
                "DeadLetterConfig",
                "Description",
                "Environment",
                "EphemeralStorage",
                "FileSystemConfigs",
                "Handler",
                "ImageConfig",
                "KmsKeyArn",
                "Layers",
                "LoggingConfig",
                "MemorySize",
                "Role",
                "Runtime",
                "Timeout",
                "TracingConfig",
                "VpcConfig",
            ),
            read="get_function",
            item="Configuration",
            attributes={"Arn": "FunctionArn"},
            tags=Tagging("Resource", target="Arn", as_map=True),
        )
    ),
    Permission(
        Entry(
            "AWS::Lambda::Permission",
            "lambda",
            "add_permission",
            "remove_permission",
            "StatementId",
            along=("FunctionName",),
            attributes={"Id": "@id"},
        )
    ),
)
