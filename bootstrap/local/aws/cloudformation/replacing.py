"""What can be replaced at all: not what has a name of its own, which the new one could not have beside it."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.errors import ResourceFailed
from bootstrap.local.aws.cloudformation.store import Resource


def check_custom_name(resource: Resource, properties: dict[str, Any]) -> None:
    """A resource with a name of its own cannot be there twice, so not be replaced under it. Raises ResourceFailed."""
    for name, value in properties.items():
        if value == resource.physical_id == resource.properties.get(name):
            raise ResourceFailed(
                f"CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {resource.physical_id} and update the stack again."
            )
