"""Errors of CloudFormation: refused requests with code, message and HTTP status, and failures of resources."""

from __future__ import annotations

import traceback
from pathlib import Path


class Refused(Exception):
    """A request that CloudFormation refuses."""

    def __init__(self, message: str, code: str = "ValidationError", status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status


class TransformFailed(Refused):
    """A transform of a template failed. A change set is made nevertheless, and has the text as the reason of its status."""


class ResourceFailed(Exception):
    """A resource could not be created, updated or deleted; the text is the reason of the event."""


class Unchanged(ResourceFailed):
    """A change was refused before any request to the service: the resource has not changed."""


class Gone(ResourceFailed):
    """The resource that was to be updated or deleted does not exist any more."""


class Interrupted(Exception):
    """The server stops while a step waits: the step has not failed, and continues at the next start."""


def describe_failure(failure: BaseException) -> str:
    """The reason of an event for a fault of the engine itself: the exception, and the line of code that raised it."""
    frames = traceback.extract_tb(failure.__traceback__)
    place = f", raised at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return (
        f"Internal Failure: a fault of the local cloud, not of the template: {type(failure).__name__}: {failure}{place}"
    )
