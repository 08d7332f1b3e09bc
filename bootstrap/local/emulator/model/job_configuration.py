"""Reads the config.xml of a job: kind, parameters, triggers, label, quiet period and rotation of builds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from . import xmlfile
from .items import Item

PIPELINE, MATRIX = "flow-definition", "matrix-project"
PIPELINE_PROPERTIES = "org.jenkinsci.plugins.workflow.job.properties."


@dataclass(frozen=True)
class ParameterDefinition:
    """One declared parameter; `kind` is the simple Java class name, such as 'StringParameterDefinition'."""

    name: str
    kind: str
    default: str
    description: str
    choices: tuple[str, ...] = ()
    trims: bool = False

    @property
    def is_secret(self) -> bool:
        """Whether the values are passwords, which are never shown or logged."""
        return self.kind == "PasswordParameterDefinition"


@dataclass(frozen=True)
class Trigger:
    """A trigger of a job: the simple class name ('TimerTrigger', 'SCMTrigger', 'ReverseBuildTrigger') and its text."""

    kind: str
    spec: str
    threshold: str = "SUCCESS"


class JobConfiguration(Item):
    """A job without its builds; builds refer to it."""

    @property
    def is_pipeline(self) -> bool:
        """Whether the job is a Pipeline; otherwise it is freestyle."""
        return bool(self.root.tag == PIPELINE)

    @property
    def is_matrix(self) -> bool:
        """Whether the job is a matrix project."""
        return bool(self.root.tag == MATRIX)

    @property
    def is_disabled(self) -> bool:
        """Whether the job is disabled: it cannot be built."""
        return xmlfile.read_text(self.root, "disabled").strip() == "true"

    @property
    def is_concurrent(self) -> bool:
        """Whether two builds may run at the same time."""
        if self.is_pipeline:
            return self.root.find(f"properties/{PIPELINE_PROPERTIES}DisableConcurrentBuildsJobProperty") is None
        return xmlfile.read_text(self.root, "concurrentBuild").strip() == "true"

    @property
    def label(self) -> str:
        """The label expression of a freestyle job; empty if it runs on any node."""
        if xmlfile.read_text(self.root, "canRoam", "true").strip() == "true":
            return ""
        return xmlfile.read_text(self.root, "assignedNode").strip()

    @property
    def quiet_period(self) -> int | None:
        """The quiet period in seconds; None if the job has none of its own."""
        own = xmlfile.read_text(self.root, "quietPeriod").strip()
        return int(own) if own.isdigit() else None

    @property
    def parameters(self) -> tuple[ParameterDefinition, ...]:
        """The declared parameters, in order."""
        definitions = self.root.find("properties/hudson.model.ParametersDefinitionProperty/parameterDefinitions")
        return () if definitions is None else tuple(_read_parameter(node) for node in definitions)

    @property
    def triggers(self) -> tuple[Trigger, ...]:
        """The triggers of a freestyle job, or of a Pipeline job's property; the emulator never builds a matrix project."""
        if self.is_matrix:
            return ()
        nodes = [
            *self.root.findall("triggers/*"),
            *self.root.findall(f"properties/{PIPELINE_PROPERTIES}PipelineTriggersJobProperty/triggers/*"),
        ]
        return tuple(_read_trigger(node) for node in nodes)

    @property
    def rotation(self) -> tuple[int, int]:
        """The number of builds, and of days, that are kept; -1 keeps all."""
        node = self.root.find("properties/jenkins.model.BuildDiscarderProperty/strategy")
        if node is None:
            node = self.root.find("logRotator")
        return (-1, -1) if node is None else (_read_number(node, "numToKeep"), _read_number(node, "daysToKeep"))

    @property
    def workspace_name(self) -> str:
        """The name of its directory below JENKINS_HOME/workspace."""
        return self.full_name


def _read_number(node: Any, tag: str) -> int:
    digits = xmlfile.read_text(node, tag).strip()
    return int(digits) if re.fullmatch(r"-?\d+", digits) else -1


def _read_parameter(node: Any) -> ParameterDefinition:
    kind = str(node.tag).rpartition(".")[2]
    choices = tuple(entry.text or "" for entry in node.findall("choices//string"))
    default = xmlfile.read_text(node, "defaultValue")
    if kind == "ChoiceParameterDefinition" and choices:
        default = default or choices[0]
    return ParameterDefinition(
        xmlfile.read_text(node, "name"),
        kind,
        default,
        xmlfile.read_text(node, "description"),
        choices,
        xmlfile.read_text(node, "trim") == "true",
    )


def _read_trigger(node: Any) -> Trigger:
    kind = str(node.tag).rpartition(".")[2]
    spec = (
        xmlfile.read_text(node, "upstreamProjects")
        if kind == "ReverseBuildTrigger"
        else xmlfile.read_text(node, "spec")
    )
    return Trigger(kind, spec, xmlfile.read_text(node, "threshold/name", "SUCCESS"))
