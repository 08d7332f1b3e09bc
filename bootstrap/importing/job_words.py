"""Says a job in Job Builder's words: freestyle jobs and Pipelines. (Its folders have fields that Jenkins does not keep.)

An element without words in this module stays as XML inside of the job (Job Builder's `raw`). A job with a field that has no
place in Job Builder's YAML is not said at all, and is kept as XML as a whole. Whether the words say the same as the XML is not
decided here: `jobs` renders them and compares.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from bootstrap.importing.yaml_text import Script

_WORKFLOW = "org.jenkinsci.plugins.workflow."
_PROPERTIES = f"{_WORKFLOW}job.properties."
_NO_CONCURRENCY = f"{_PROPERTIES}DisableConcurrentBuildsJobProperty"
_TRIGGERS = f"{_PROPERTIES}PipelineTriggersJobProperty"
_PARAMETERS = "hudson.model.ParametersDefinitionProperty"
_TYPES = {"flow-definition": "pipeline", "project": "freestyle"}
_PARAMETER_WORDS = {"String": "string", "Text": "text", "Boolean": "bool", "Choice": "choice"}
_ROTATION = {
    "days-to-keep": "daysToKeep",
    "num-to-keep": "numToKeep",
    "artifact-days-to-keep": "artifactDaysToKeep",
    "artifact-num-to-keep": "artifactNumToKeep",
}
_NUMBER = re.compile("[0-9]{1,9}")
Component = str | dict[str, Any]


class NoWords(ValueError):
    """The job cannot be said in Job Builder's words."""


@dataclass
class Words:
    """The body of a job in YAML, and the files that it includes by their paths below `jobs/`."""

    body: dict[str, Any]
    scripts: dict[str, str] = field(default_factory=dict)


def convert_job(name: str, root: ElementTree.Element) -> Words:
    """The job in words, or NoWords."""
    if root.tag not in _TYPES:
        raise NoWords(f"this toolkit cannot write {root.tag} in the words of Job Builder")
    return _Conversion(name, root).convert()


class _Conversion:
    """One job while it is said."""

    def __init__(self, name: str, root: ElementTree.Element) -> None:
        self._name, self._root = name, root
        self._words = Words({"name": _escape(name), "project-type": _TYPES[root.tag]})
        self._body = self._words.body

    def convert(self) -> Words:
        readers: dict[str, Callable[[ElementTree.Element], None]] = {
            "description": lambda it: self._set("description", it.text),
            "displayName": lambda it: self._set("display-name", it.text),
            "disabled": lambda it: self._set_flag("disabled", it.text),
            "keepDependencies": lambda it: _require((it.text or "false") == "false"),
            "properties": self._convert_properties,
            "triggers": lambda it: self._extend("triggers", map(_convert_trigger, it)),
        }
        if self._root.tag == "flow-definition":
            self._body["concurrent"] = True
            readers["definition"] = self._convert_definition
        else:
            readers |= self._list_freestyle_readers()
        for child in self._root:
            if child.tag not in readers:
                raise NoWords(f"this toolkit cannot write the field {child.tag} in the words of Job Builder")
            readers[child.tag](child)
        return self._words

    def _list_freestyle_readers(self) -> dict[str, Callable[[ElementTree.Element], None]]:
        return {
            "assignedNode": lambda it: self._set("node", it.text),
            "canRoam": lambda _: None,  # it follows from the node
            "concurrentBuild": lambda it: self._set_flag("concurrent", it.text),
            "blockBuildWhenDownstreamBuilding": lambda it: self._set_flag("block-downstream", it.text),
            "blockBuildWhenUpstreamBuilding": lambda it: self._set_flag("block-upstream", it.text),
            "quietPeriod": lambda it: self._set("quiet-period", it.text),
            "scmCheckoutRetryCount": lambda it: self._set("retry-count", it.text),
            "customWorkspace": lambda it: self._set("workspace", it.text),
            "jdk": lambda it: self._set("jdk", it.text),
            "scm": self._convert_scm,
            "builders": lambda it: self._extend("builders", map(_convert_builder, it)),
            "publishers": lambda it: self._extend("publishers", map(_keep_raw, it)),
            "buildWrappers": lambda it: self._extend("wrappers", map(_keep_raw, it)),
        }

    def _set(self, key: str, text: str | None) -> None:
        if text:
            self._body[key] = _escape(text)

    def _set_flag(self, key: str, text: str | None) -> None:
        if text == "true":
            self._body[key] = True

    def _extend(self, key: str, components: Iterable[Component]) -> None:
        listed = list(components)
        if listed:
            self._body.setdefault(key, []).extend(listed)

    def _convert_scm(self, scm: ElementTree.Element) -> None:
        if scm.get("class") != "hudson.scm.NullSCM":
            self._body["scm"] = [_keep_raw(scm)]

    def _convert_definition(self, definition: ElementTree.Element) -> None:
        kind = definition.get("class", "")
        if kind == f"{_WORKFLOW}cps.CpsFlowDefinition":
            # A folder cannot have the name of the script of another job.
            _require(not any(part.endswith(".groovy") for part in self._name.split("/")[:-1]))
            path = f"pipelines/imported/{self._name}.groovy"
            self._words.scripts[path] = definition.findtext("script") or ""
            self._body["dsl"] = Script(path)
            _require({child.tag for child in definition} <= {"script", "sandbox"})
            return
        scm = definition.find("scm")
        _require(kind == f"{_WORKFLOW}cps.CpsScmFlowDefinition" and scm is not None)
        assert scm is not None
        source: dict[str, Any] = {
            "scm": [_keep_raw(scm)],
            "script-path": _escape(definition.findtext("scriptPath") or ""),
        }
        if definition.find("lightweight") is not None:
            source["lightweight-checkout"] = definition.findtext("lightweight") == "true"
        _require({child.tag for child in definition} <= {"scm", "scriptPath", "lightweight"})
        self._body["pipeline-scm"] = source

    def _convert_properties(self, properties: ElementTree.Element) -> None:
        for each in properties:
            if each.tag == _NO_CONCURRENCY and (each.findtext("abortPrevious") or "false") == "false":
                self._body["concurrent"] = False
            elif each.tag == _TRIGGERS:
                self._extend("triggers", map(_convert_trigger, each.find("triggers") or ()))
            elif each.tag == _PARAMETERS:
                self._extend("parameters", map(_convert_parameter, each.find("parameterDefinitions") or ()))
            else:
                self._extend("properties", [_convert_rotation(each) or _keep_raw(each)])


def _convert_rotation(element: ElementTree.Element) -> Component | None:
    strategy = element.find("strategy")
    if element.tag != "jenkins.model.BuildDiscarderProperty" or strategy is None:
        return None
    if strategy.get("class") != "hudson.tasks.LogRotator":
        return None
    texts = {word: strategy.findtext(tag) or "-1" for word, tag in _ROTATION.items()}
    return {"build-discarder": {word: int(text) for word, text in texts.items() if _NUMBER.fullmatch(text)}}


def _convert_trigger(trigger: ElementTree.Element) -> Component:
    spec = trigger.findtext("spec") or ""
    if trigger.tag == "hudson.triggers.TimerTrigger" and len(trigger) == 1:
        return {"timed": _escape(spec)}
    if (
        trigger.tag == "hudson.triggers.SCMTrigger"
        and (trigger.findtext("ignorePostCommitHooks") or "false") == "false"
    ):
        return {"pollscm": {"cron": _escape(spec)}}
    return _keep_raw(trigger)


def _convert_parameter(parameter: ElementTree.Element) -> Component:
    kind = parameter.tag.removeprefix("hudson.model.").removesuffix("ParameterDefinition")
    if kind not in _PARAMETER_WORDS:
        return _keep_raw(parameter)
    words: dict[str, Any] = {"name": _escape(parameter.findtext("name") or "")}
    if kind == "Choice":
        words["choices"] = [_escape(choice.text or "") for choice in parameter.iterfind("choices//string")]
    elif parameter.findtext("defaultValue"):
        default = parameter.findtext("defaultValue") or ""
        words["default"] = default == "true" if kind == "Boolean" else _escape(default)
    if parameter.findtext("description"):
        words["description"] = _escape(parameter.findtext("description") or "")
    if parameter.findtext("trim") == "true" and kind in {"String", "Text"}:
        words["trim"] = True
    return {_PARAMETER_WORDS[kind]: words}


def _convert_builder(builder: ElementTree.Element) -> Component:
    fields = {child.tag for child in builder if (child.text or "").strip() or len(child)}
    if builder.tag == "hudson.tasks.Shell" and fields == {"command"}:
        return {"shell": _escape(builder.findtext("command") or "")}
    return _keep_raw(builder)


def _keep_raw(element: ElementTree.Element) -> Component:
    """The element as XML."""
    copy = ElementTree.fromstring(ElementTree.tostring(element))
    copy.tail = None
    ElementTree.indent(copy)
    return {"raw": {"xml": _escape(ElementTree.tostring(copy, encoding="unicode").replace("\r", "&#13;"))}}


def _escape(text: str) -> str:
    """The text as Job Builder takes it: a name in single braces would be one of its parameters."""
    return text.replace("{", "{{").replace("}", "}}")


def _require(holds: bool) -> None:
    if not holds:
        raise NoWords("a field has a value that this toolkit cannot write in the words of Job Builder")
