"""Lambda functions, and the permissions to call them."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging

# The earliest time in a zip archive; it is fixed, so that the same code makes the same archive.
ARCHIVE_TIME = (1980, 1, 1, 0, 0, 0)


def archive(text: str, runtime: str) -> bytes:
    """Return a zip archive with a function's inline code, packed as CloudFormation does it: as index.js or index.py."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as opened:
        member = zipfile.ZipInfo(f"index.{'js' if runtime.startswith('nodejs') else 'py'}", ARCHIVE_TIME)
        member.external_attr = 0o644 << 16
        opened.writestr(member, text)
    return packed.getvalue()


def _convert_code(to: To, value: Any) -> dict[str, Any]:
    if "ZipFile" not in value:
        return dict(value)
    return {"ZipFile": archive(str(value["ZipFile"]), str(to.get("Runtime", "python3")))}


def _set_code(to: To, value: Any) -> None:
    to.call("lambda", "update_function_code", FunctionName=to.physical_id, **_convert_code(to, value))


def _set_concurrency(to: To, value: Any) -> None:
    name = {"FunctionName": to.physical_id}
    if value is None:
        to.call("lambda", "delete_function_concurrency", **name)
    else:
        to.call("lambda", "put_function_concurrency", **name, ReservedConcurrentExecutions=value)


class Function(TableAdapter):
    """AWS::Lambda::Function; Ref is its name."""

    def make_parameters(self, to: To, names: Any) -> dict[str, Any]:
        """Pack inline code into an archive."""
        parameters = super().make_parameters(to, names)
        return {**parameters, "Code": _convert_code(to, parameters["Code"])} if "Code" in parameters else parameters


class Permission(TableAdapter):
    """AWS::Lambda::Permission; Ref is the statement's id."""

    def create(self, to: To) -> str:
        """Add the statement to the function's policy and return its id."""
        statement = to.generate_name()
        to.call("lambda", "add_permission", StatementId=statement, **self.make_parameters(to, to.properties))
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
            settings={"ReservedConcurrentExecutions": _set_concurrency},
            alters={"Code": _set_code},
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
