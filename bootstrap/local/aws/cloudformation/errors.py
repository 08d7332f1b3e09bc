"""What CloudFormation answers when it refuses: a code, words, and an HTTP status."""

from __future__ import annotations


class Refused(Exception):
    """A request that CloudFormation refuses."""

    def __init__(self, message: str, code: str = "ValidationError", status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status


class ResourceFailed(Exception):
    """A resource could not be made, altered or deleted; the text is the event's reason."""


class Unchanged(ResourceFailed):
    """A change that was refused before anything was asked of the service: the resource is as it was."""


class Gone(ResourceFailed):
    """The resource that was to be altered or deleted does not exist any more."""


class Interrupted(Exception):
    """The server stops while a step waits: the step has not failed, and is taken up at the next start."""
