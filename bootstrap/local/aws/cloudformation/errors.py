"""Errors of CloudFormation: refused requests with code, message and HTTP status, and failures of resources."""

from __future__ import annotations


class Refused(Exception):
    """A request that CloudFormation refuses."""

    def __init__(self, message: str, code: str = "ValidationError", status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status


class ResourceFailed(Exception):
    """A resource could not be created, updated or deleted; the text is the reason of the event."""


class Unchanged(ResourceFailed):
    """A change was refused before any request to the service: the resource has not changed."""


class Gone(ResourceFailed):
    """The resource that was to be updated or deleted does not exist any more."""


class Interrupted(Exception):
    """The server stops while a step waits: the step has not failed, and continues at the next start."""
