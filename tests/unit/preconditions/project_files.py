"""An environment file of a project, opened."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bootstrap.context import Context
from bootstrap.environment import settings
from bootstrap.errors import SettingsInvalid
from bootstrap.preconditions import project_stacks

TEMPLATE = """\
Parameters:
  Project: {Type: String}
  VpcId: {Type: String}
  Size: {Type: Number, Default: 3}
Resources: {}
Outputs:
  Group: {Value: x}
"""


def open_file(project: Path, text: str) -> Context:
    path = project / "lab.yaml"
    path.write_text(f"environment: lab\ncloud: local\nowner: x\ncost_center: x\n{text}")
    return Context(path, settings.load(path))


def find_faults(project: Path, text: str) -> list[str]:
    with open_file(project, text) as context, pytest.raises(SettingsInvalid) as caught:
        project_stacks.check(context)
    return [str(fault).removeprefix(f"{project}/") for fault in caught.value.faults]


def exist(context: Context, *descriptions: dict[str, Any]) -> None:
    """Let these stacks exist in the account of the environment."""
    known = {it["StackName"]: it for it in descriptions}

    def describe_stacks(**request: str) -> dict[str, Any]:
        name = request["StackName"]
        if name not in known:
            error = {"Code": "ValidationError", "Message": f"Stack with id {name} does not exist"}
            raise ClientError({"Error": error}, "DescribeStacks")  # type: ignore[typeddict-item]
        return {"Stacks": [known[name]]}

    def list_stacks() -> dict[str, Any]:
        return {
            "StackSummaries": [
                *known.values(),
                {"StackName": "jenkins-lab-agents-gone", "StackStatus": "DELETE_COMPLETE"},
            ]
        }

    client = SimpleNamespace(describe_stacks=describe_stacks, list_stacks=list_stacks)
    context.world.aws = lambda service, region=None: client  # type: ignore[method-assign, assignment]
