"""The record of a build in build.xml: its causes, parameters and test counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import xmlfile

ORDER = ("SUCCESS", "UNSTABLE", "FAILURE", "NOT_BUILT", "ABORTED")


def read_result(text: str) -> str:
    """The result that a text names, in upper or lower case; as in Jenkins, every other text is FAILURE."""
    return text.upper() if text.upper() in ORDER else "FAILURE"


COLORS = {"SUCCESS": "blue", "UNSTABLE": "yellow", "FAILURE": "red", "NOT_BUILT": "notbuilt", "ABORTED": "aborted"}


_BY_COMMAND_LINE = "hudson.cli.BuildCommand$CLICause"


@dataclass(frozen=True)
class Cause:
    """A cause of a build: the Java class, and the values in its text."""

    kind: str
    text: str
    values: dict[str, str] = field(default_factory=dict)

    @property
    def in_console(self) -> tuple[str, str]:
        """The line in the console of the build, and the end of it that is a link to a user; empty where there is none."""
        name = self.values.get("userName", "")
        if self.kind == _BY_COMMAND_LINE:
            user = self.values["userId"]
            return self.text.removesuffix(name) + user, user
        return self.text, name


def make_user_cause(user: str, name: str) -> Cause:
    """The cause of a build that a user started."""
    return Cause("hudson.model.Cause$UserIdCause", f"Started by user {name}", {"userId": user, "userName": name})


def make_command_line_cause(user: str, name: str) -> Cause:
    """The cause of a build that a user started by the command line; its console names him by his id."""
    return Cause(_BY_COMMAND_LINE, f"Started from command line by {name}", {"userId": user, "userName": name})


def make_timer_cause() -> Cause:
    """The cause of a build that a timer started."""
    return Cause("hudson.triggers.TimerTrigger$TimerTriggerCause", "Started by timer")


def make_scm_cause() -> Cause:
    """The cause of a build that polling started."""
    return Cause("hudson.triggers.SCMTrigger$SCMTriggerCause", "Started by an SCM change")


@dataclass(frozen=True)
class Parameter:
    """A parameter of a build; `kind` as in ParameterDefinition."""

    name: str
    value: str
    kind: str = "StringParameterDefinition"

    @property
    def is_secret(self) -> bool:
        """Whether the value is secret; it is never shown."""
        return self.kind == "PasswordParameterDefinition"


@dataclass
class TestCounts:
    """The results of JUnit reports."""

    total: int = 0
    failed: int = 0
    skipped: int = 0
    cases: list[dict[str, Any]] = field(default_factory=list)


def put_causes(actions: Any, causes: Iterable[Cause]) -> None:
    """Write the causes below the actions of a build.xml."""
    bag = xmlfile.put(xmlfile.put(actions, "hudson.model.CauseAction"), "causeBag")
    for cause in causes:
        node = xmlfile.put(bag, "cause", None, kind=cause.kind, text=cause.text)
        for key, value in cause.values.items():
            xmlfile.put(node, key, value)


def read_causes(root: Any) -> list[Cause]:
    """Read the causes of a build.xml."""
    return [
        Cause(str(node.get("kind")), str(node.get("text")), {child.tag: child.text or "" for child in node})
        for node in root.iterfind("actions/hudson.model.CauseAction/causeBag/cause")
    ]


def put_parameters(actions: Any, parameters: Iterable[Parameter]) -> None:
    """Write the parameters; the value of a secret one is not written."""
    listed = xmlfile.put(xmlfile.put(actions, "hudson.model.ParametersAction"), "parameters")
    for parameter in parameters:
        node = xmlfile.put(listed, "parameter", None, kind=parameter.kind)
        xmlfile.put(node, "name", parameter.name)
        xmlfile.put(node, "value", "" if parameter.is_secret else parameter.value)


def read_parameters(root: Any) -> list[Parameter]:
    """Read the parameters of a build.xml."""
    return [
        Parameter(xmlfile.read_text(node, "name"), xmlfile.read_text(node, "value"), str(node.get("kind")))
        for node in root.iterfind("actions/hudson.model.ParametersAction/parameters/parameter")
    ]


def put_totals(actions: Any, tests: TestCounts) -> None:
    """Write the numbers of tests."""
    data = xmlfile.put(actions, "hudson.tasks.junit.TestResultAction")
    for tag, number in (("totalCount", tests.total), ("failCount", tests.failed), ("skipCount", tests.skipped)):
        xmlfile.put(data, tag, number)


def save_cases(directory: Path, tests: TestCounts) -> None:
    """Write junitResult.xml, so that the cases can be read after a restart."""
    root = xmlfile.make_element("result")
    for case in tests.cases:
        node = xmlfile.put(root, "case")
        for key, value in case.items():
            if value is not None:
                xmlfile.put(node, key, value)
    xmlfile.write(directory / "junitResult.xml", xmlfile.serialise(root))


def read_tests(root: Any, directory: Path) -> TestCounts | None:
    """Read the numbers of a build.xml and the cases of junitResult.xml in its directory; None if the build has no tests."""
    totals = root.find("actions/hudson.tasks.junit.TestResultAction")
    if totals is None:
        return None
    numbers = [int(xmlfile.read_text(totals, tag, "0")) for tag in ("totalCount", "failCount", "skipCount")]
    tests = TestCounts(numbers[0], numbers[1], numbers[2])
    path = directory / "junitResult.xml"
    for node in xmlfile.parse(path.read_bytes()) if path.exists() else []:
        case: dict[str, Any] = {key: xmlfile.read_text(node, key) for key in ("className", "name", "status")}
        case["duration"] = float(xmlfile.read_text(node, "duration", "0"))
        case.update({key: xmlfile.read_text(node, key) or None for key in ("errorDetails", "errorStackTrace")})
        tests.cases.append(case)
    return tests
