"""What the toolkit remembers of the settings that it changed in an account: the value before it, and the value that it wrote.

Each record is a parameter of SSM, `/<project>/account/records/<setting>`, so that another machine can give the account back.
The users of an account are parameters, too: `/<project>/account/users/<environment>`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Record:
    """`previous` is the value before the toolkit's first change, `written` the one that it wrote last.

    `origin` says whether the setting was AWS' own before ('owned'), or somebody's, and was taken over ('adopted').
    """

    origin: Literal["owned", "adopted"]
    previous: Any
    written: Any


def read_records(ssm: Any, project: str) -> dict[str, Record]:
    """The records of a project by the names of the settings."""
    folder = f"/{project}/account/records/"
    return {
        name: Record(content["origin"], content["previous"], content["written"])
        for name, content in ((name, json.loads(value)) for name, value in _list_parameters(ssm, folder))
    }


def keep_record(ssm: Any, project: str, setting: str, record: Record) -> None:
    """Write a record; it takes the place of an earlier one."""
    ssm.put_parameter(
        Name=f"/{project}/account/records/{setting}",
        Description="The value of an account's setting before the toolkit changed it, and the value that it wrote",
        Type="String",
        Value=json.dumps(asdict(record), sort_keys=True),
        Overwrite=True,
    )


def remove_record(ssm: Any, project: str, setting: str) -> None:
    """Delete a record."""
    ssm.delete_parameter(Name=f"/{project}/account/records/{setting}")


def find_users(ssm: Any, project: str) -> tuple[str, ...]:
    """The environments that use the account, by their names."""
    return tuple(sorted(name for name, _ in _list_parameters(ssm, f"/{project}/account/users/")))


def _list_parameters(ssm: Any, folder: str) -> list[tuple[str, str]]:
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=folder)
    return [(it["Name"].removeprefix(folder), it["Value"]) for page in pages for it in page["Parameters"]]
