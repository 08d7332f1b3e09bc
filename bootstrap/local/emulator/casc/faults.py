"""The two kinds of faults of a configuration, and how Jenkins words them.

What JCasC itself refuses (`Fault`, its ConfiguratorException) is told with its words. What a class or a converter refuses
(`Unfit`, any other exception of Java) is told only as the attribute that could not be set; the journal alone has its words.
"""

from __future__ import annotations

from ..failures import ConfigurationRefused, Issue
from .sources import Node

ATTRIBUTE_KIND = "io.jenkins.plugins.casc.UnknownAttributesException"
ROOT_KIND = "io.jenkins.plugins.casc.UnknownConfiguratorException"


class Unfit(Exception):
    """An exception of Java that is no ConfiguratorException: its class and its message."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")


class Fault(Exception):
    """A ConfiguratorException: who refuses, the words, and the place of the attribute that it is about."""

    def __init__(self, message: str, owner: str = "", *, cause: str = "") -> None:
        super().__init__(message)
        self.message, self.owner, self.cause = message, owner, cause
        self.node: Node | None = None
        self.path = ""
        self.kind = "io.jenkins.plugins.casc.ConfiguratorException"
        self.page, self.target = message, owner  # what the page of a refused reload shows
        self.unknown, self.available = "", list[str]()

    def add_place(self, node: Node, path: str) -> Fault:
        """The fault, with the value of the attribute that it is about."""
        self.node, self.path = node, path
        return self

    @property
    def said(self) -> str:
        """The whole message: the owner, the words, and the place."""
        words = f"{self.owner}: {self.message}" if self.owner else self.message
        return f"{words}\n  at {self.node.file}:{self.node.line} (path: {self.path})" if self.node else words

    def refuse(self) -> ConfigurationRefused:
        """The refusal of a configuration with this fault."""
        line, file = (self.node.line, self.node.file) if self.node else (-1, "")
        return ConfigurationRefused(
            [
                Issue(
                    *(line, self.message, file),
                    cause=self.cause,
                    kind=self.kind,
                    words=self.said,
                    owner=self.target,
                    page=self.page,
                    unknown=self.unknown,
                    available=tuple(self.available),
                )
            ]
        )


def make_unknown(owner: str, page: str, message: str, unknown: str, available: list[str]) -> Fault:
    """An UnknownAttributesException, which passes all attributes around it unchanged."""
    fault = Fault(message, owner)
    fault.kind, fault.page, fault.unknown, fault.available = ATTRIBUTE_KIND, page, unknown, available
    return fault
