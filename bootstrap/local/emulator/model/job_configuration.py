"""What a job's config.xml says: its kind, parameters, triggers, label, quiet period and rotation of builds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from . import xmlfile
from .items import Item

PIPELINE = "flow-definition"
PIPELINE_PROPERTIES = "org.jenkinsci.plugins.workflow.job.properties."


@dataclass(frozen=True)
class ParameterDefinition:
    """One declared parameter; `kind` is the simple Java class name, such as 'StringParameterDefinition'."""

    name: str
    kind: str
    default: str
    description: str
    choices: tuple[str, ...] = ()

    @property
    def is_secret(self) -> bool:
        """Passwords are never shown nor logged."""
        return self.kind == "PasswordParameterDefinition"


@dataclass(frozen=True)
class Trigger:
    """A trigger of a job: the simple class name ('TimerTrigger', 'SCMTrigger', 'ReverseBuildTrigger') and its text."""

    kind: str
    spec: str
    threshold: str = "SUCCESS"


class JobConfiguration(Item):
    """A job without its builds, which refer to it."""

    @property
    def is_pipeline(self) -> bool:
        """True for Pipeline, false for freestyle."""
        return bool(self.root.tag == PIPELINE)

    @property
    def is_disabled(self) -> bool:
        """Disabled jobs refuse to be built."""
        return xmlfile.text(self.root, "disabled").strip() == "true"

    @property
    def is_concurrent(self) -> bool:
        """Whether two builds may run at the same time."""
        if self.is_pipeline:
            return self.root.find(f"properties/{PIPELINE_PROPERTIES}DisableConcurrentBuildsJobProperty") is None
        return xmlfile.text(self.root, "concurrentBuild").strip() == "true"

    @property
    def label(self) -> str:
        """The label expression that a freestyle job asks for; empty for any node."""
        if xmlfile.text(self.root, "canRoam", "true").strip() == "true":
            return ""
        return xmlfile.text(self.root, "assignedNode").strip()

    @property
    def quiet_period(self) -> int | None:
        """Seconds to wait in the queue; None means the controller's own."""
        own = xmlfile.text(self.root, "quietPeriod").strip()
        return int(own) if own.isdigit() else None

    @property
    def parameters(self) -> tuple[ParameterDefinition, ...]:
        """The declared parameters, in order."""
        definitions = self.root.find("properties/hudson.model.ParametersDefinitionProperty/parameterDefinitions")
        return () if definitions is None else tuple(_parameter(node) for node in definitions)

    @property
    def triggers(self) -> tuple[Trigger, ...]:
        """The triggers of a freestyle job, or of a Pipeline job's property."""
        nodes = [
            *self.root.findall("triggers/*"),
            *self.root.findall(f"properties/{PIPELINE_PROPERTIES}PipelineTriggersJobProperty/triggers/*"),
        ]
        return tuple(_trigger(node) for node in nodes)

    @property
    def rotation(self) -> tuple[int, int]:
        """How many builds and how many days are kept; -1 keeps all."""
        node = self.root.find("properties/jenkins.model.BuildDiscarderProperty/strategy")
        if node is None:
            node = self.root.find("logRotator")
        return (-1, -1) if node is None else (_number(node, "numToKeep"), _number(node, "daysToKeep"))

    @property
    def workspace_name(self) -> str:
        """The directory below JENKINS_HOME/workspace."""
        return self.full_name


def _number(node: Any, tag: str) -> int:
    digits = xmlfile.text(node, tag).strip()
    return int(digits) if re.fullmatch(r"-?\d+", digits) else -1


def _parameter(node: Any) -> ParameterDefinition:
    kind = str(node.tag).rpartition(".")[2]
    choices = tuple(entry.text or "" for entry in node.findall("choices//string"))
    default = xmlfile.text(node, "defaultValue")
    if kind == "ChoiceParameterDefinition" and choices:
        default = default or choices[0]
    return ParameterDefinition(xmlfile.text(node, "name"), kind, default, xmlfile.text(node, "description"), choices)


def _trigger(node: Any) -> Trigger:
    kind = str(node.tag).rpartition(".")[2]
    spec = xmlfile.text(node, "upstreamProjects") if kind == "ReverseBuildTrigger" else xmlfile.text(node, "spec")
    return Trigger(kind, spec, xmlfile.text(node, "threshold/name", "SUCCESS"))
