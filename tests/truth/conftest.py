"""Plays the cases of `cases/*.yaml`: templates, steps and what CloudFormation's documentation says must come of them.

By default against a local cloud of its own. With TRUTH_PROFILE=<an AWS profile> set, against that account: stacks named
truth-*, all deleted again; cases marked `costs` or `slow` are left out there unless TRUTH_ALL=1 is set too.

`page` is a page of the CloudFormation User Guide as it was published in September 2023 (later editions have moved some), or
API_* of the API reference. `read: true` says that the rule of the case was looked for on that page and found there; of the
others, and of the words of most refusals, the pages say nothing: they are what CloudFormation is known to answer.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from bootstrap.local.aws.access.keys import CREDENTIALS, read_operator_keys
from tests.aws import inventory

ROOT = Path(__file__).parents[2]
PROFILE = os.environ.get("TRUTH_PROFILE", "")
REGION = os.environ.get("TRUTH_REGION", "eu-central-1")
PAUSE_SECONDS = 3.0 if PROFILE else 0.02
PATIENCE_SECONDS = 1800.0 if PROFILE else 60.0
FILLERS = {str(length): "#" * length for length in (1024, 1025, 51_201, 1_048_577)}
HANDLE = {"Type": "AWS::CloudFormation::WaitConditionHandle"}

Case = dict[str, Any]
Step = dict[str, Any]


class _Cases(yaml.SafeLoader):
    """Reads short forms of functions as their long forms."""


def _function(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Cases.add_multi_constructor("!", _function)


def load(path: Path) -> list[Case]:
    """The cases of a file; those that only evaluate a value are written out."""
    found = yaml.load(path.read_text(), _Cases)["cases"]  # noqa: S506 (a safe loader with CloudFormation's tags)
    return [_written_out(case) for case in found]


def _written_out(case: Case) -> Case:
    """A case with its template and steps; `many` puts a number of members alike into a section of the template."""
    if "many" in case:
        many = case["many"]
        members = {f"M{number}": many["of"] for number in range(many["count"])}
        section = {many["section"]: {**case["template"].get(many["section"], {}), **members}}
        case["template"] = {**case["template"], **section}
    if "value" in case:
        sections = {name: case[name] for name in ("Mappings", "Conditions", "Parameters", "Transform") if name in case}
        case["template"] = {"Resources": {"H": HANDLE}, "Outputs": {"V": {"Value": case["value"]}}, **sections}
        if "is" in case:
            case["steps"] = [{"do": "create", "status": "CREATE_COMPLETE", "outputs": {"V": case["is"]}}]
    if "refused" in case:
        case["steps"] = [{"do": "create", "parameters": case.get("parameters", {}), "refused": case["refused"]}]
    return case


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a case."""
    if "case" in metafunc.fixturenames:
        cases = [case for path in sorted((Path(__file__).parent / "cases").glob("*.yaml")) for case in load(path)]
        everything = not PROFILE or os.environ.get("TRUTH_ALL") == "1"
        played = [case for case in cases if everything or not (case.get("costs") or case.get("slow"))]
        marked = [pytest.param(case, marks=_marks(case)) for case in played]
        metafunc.parametrize("case", marked, ids=lambda case: case["name"].replace(" ", "-"))


def _marks(case: Case) -> list[Any]:
    """A case that the local cloud is known not to meet must go on failing there until it is met and unmarked."""
    if PROFILE or "differs" not in case:
        return []
    return [pytest.mark.xfail(strict=True, reason=case["differs"])]


class Account:
    """Where the cases are played."""

    def __init__(self, session: Any, endpoint: str | None) -> None:
        self._session = session
        self._endpoint = endpoint
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """A service's client."""
        if service not in self._clients:
            self._clients[service] = self._session.client(service, endpoint_url=self._endpoint)
        return self._clients[service]


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The account of TRUTH_PROFILE, or a local cloud."""
    if PROFILE:
        yield Account(boto3.Session(profile_name=PROFILE, region_name=REGION), None)
        return
    state = tmp_path_factory.mktemp("truth")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "bootstrap.local.aws", "--state", str(state), "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--environment", "truth", "--no-machines"], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    end = time.monotonic() + 60
    while not (state / "endpoint.json").exists():
        assert process.poll() is None, "the local cloud ended at once"
        assert time.monotonic() < end, "the local cloud did not start"
        time.sleep(0.02)
    keys = read_operator_keys(state / CREDENTIALS)
    assert keys is not None
    session = boto3.Session(keys.access_key, keys.secret_key, region_name=REGION)
    yield Account(session, f"http://127.0.0.1:{port}")
    process.terminate()
    assert 0 == process.wait(30)


class Play:
    """One case: its stacks by alias, and the steps."""

    def __init__(self, account: Account, case: Case) -> None:
        self._account = account
        self._case = case
        self._api = account.client("cloudformation")
        self._mark = uuid.uuid4().hex[:8]
        self._stacks: dict[str, str] = {}
        self._notes: dict[str, str] = {}
        self._buckets: list[tuple[str, list[str]]] = []

    def run(self) -> None:
        """Every step in order."""
        for step in self._case["steps"]:
            {
                "create": self._create,
                "update": self._update,
                "delete": self._delete,
                "change_set": self._change_set,
                "execute": self._execute,
                "ask": self._ask,
                "template_in_s3": self._upload,
            }[step["do"]](step)

    def close(self) -> None:
        """Delete what the case made: importers before exporters, thus the last first."""
        for name in [*reversed(self._stacks.values())]:
            self._quietly(
                lambda name=name: self._api.update_termination_protection(
                    StackName=name, EnableTerminationProtection=False
                )
            )
            self._quietly(lambda name=name: self._api.delete_stack(StackName=name))
            self._quietly(lambda name=name: self._settled(name))
        for bucket, keys in self._buckets:
            for key in keys:
                self._account.client("s3").delete_object(Bucket=bucket, Key=key)
            self._account.client("s3").delete_bucket(Bucket=bucket)

    # steps

    def _create(self, step: Step) -> None:
        name = self._name(step)
        given = self._given(step, name, with_template=True)
        if "on_failure" in step:
            given["OnFailure"] = step["on_failure"]
        if step.get("protected"):
            given["EnableTerminationProtection"] = True
        if "policy" in step:
            given["StackPolicyBody"] = json.dumps(step["policy"])
        if "token" in step:
            given["ClientRequestToken"] = self._text_filled(step["token"])
        if "retain_except_on_create" in step:
            given["RetainExceptOnCreate"] = step["retain_except_on_create"]
        self._begin(step, name, lambda: self._api.create_stack(**given))

    def _update(self, step: Step) -> None:
        name = self._name(step)
        given = self._given(step, name, with_template=False)
        if "disable_rollback" in step:
            given["DisableRollback"] = step["disable_rollback"]
        if "retain_except_on_create" in step:
            given["RetainExceptOnCreate"] = step["retain_except_on_create"]
        self._begin(step, name, lambda: self._api.update_stack(**given))

    def _delete(self, step: Step) -> None:
        name = self._name(step)
        stack = self._notes.get(f"{name}/id", name)
        more: dict[str, Any] = {"RetainResources": step["retain"]} if "retain" in step else {}
        if "mode" in step:
            more["DeletionMode"] = step["mode"]
        if self._refused(step, lambda: self._api.delete_stack(StackName=name, **more)):
            return
        self._check(step, name, self._settled(stack))

    def _change_set(self, step: Step) -> None:
        name = self._name(step)
        given = self._given(step, name, with_template=step.get("type") == "CREATE")
        given["ChangeSetName"] = step["name"]
        given["ChangeSetType"] = step.get("type", "UPDATE")
        if self._refused(step, lambda: self._api.create_change_set(**given)):
            return
        shown = self._change_set_settled(name, step["name"])
        self._notes[f"{name}/id"] = shown["StackId"]
        self._same(step.get("state", "CREATE_COMPLETE"), shown["Status"], "state")
        if "execution" in step:
            self._same(step["execution"], shown["ExecutionStatus"], "execution")
        if "reason" in step:
            self._same(step["reason"], shown.get("StatusReason", ""), "reason")
        if "changes" in step:
            found = [_change(one["ResourceChange"], len((step["changes"] or [""])[0])) for one in shown["Changes"]]
            assert sorted(map(str, step["changes"])) == sorted(map(str, found))
        if "status" in step:
            self._same(step["status"], self._api.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"], "status")

    def _execute(self, step: Step) -> None:
        name = self._name(step)
        given = {"StackName": name, "ChangeSetName": step["name"]}
        if self._refused(step, lambda: self._api.execute_change_set(**given)):
            return
        self._check(step, name, self._settled(self._notes[f"{name}/id"]))

    def _ask(self, step: Step) -> None:
        method = getattr(self._account.client(step.get("service", "cloudformation")), step["call"])
        given = self._filled(step.get("given", {}))
        if "body" in step:
            given["TemplateBody"] = self._text(step["body"])
        if self._refused(step, lambda: method(**given)):
            return
        answer = method(**given)
        for path, expected in step.get("finds", {}).items():
            self._same(expected, _at(answer, path), path)

    def _soon(self, step: Step) -> None:
        """Ask until it is not refused, for things come to be while the operation lasts."""
        from botocore.exceptions import ClientError

        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self._ask(step)
            except (ClientError, AssertionError):
                if time.monotonic() > end:
                    raise
                time.sleep(PAUSE_SECONDS)

    def _upload(self, step: Step) -> None:
        bucket, key = f"truth-{self._mark}", f"{step['template']}.json"
        s3 = self._account.client("s3")
        if not self._buckets:
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
            self._buckets.append((bucket, []))
        s3.put_object(Bucket=bucket, Key=key, Body=self._text(step["template"]).encode())
        self._buckets[0][1].append(key)
        self._notes[step["template"]] = f"https://{bucket}.s3.{REGION}.amazonaws.com/{key}"

    # expectations

    def _begin(self, step: Step, name: str, call: Callable[[], Any]) -> None:
        if self._refused(step, call, run_now=True):
            return
        self._notes[f"{name}/id"] = self._notes["last"]
        for ask in step.get("meanwhile", []):
            self._soon(ask)
        self._check(step, name, self._settled(self._notes["last"]))

    def _refused(self, step: Step, call: Callable[[], Any], *, run_now: bool = False) -> bool:
        from botocore.exceptions import ClientError

        if "refused" in step:
            with pytest.raises(ClientError) as refusal:
                call()
            error = refusal.value.response["Error"]
            assert re.search(self._text_filled(step["refused"]), f"{error['Code']}: {error['Message']}"), error
            return True
        if run_now or step["do"] != "ask":
            self._notes["last"] = (call() or {}).get("StackId", self._notes.get("last", ""))
        return False

    def _check(self, step: Step, name: str, stack: dict[str, Any]) -> None:
        if "status" in step:
            self._same(step["status"], stack["StackStatus"], f"status ({stack.get('StackStatusReason')})")
        if "reason" in step:
            self._same(step["reason"], stack.get("StackStatusReason", ""), "reason")
        for one in stack.get("Outputs", []):
            self._notes[f"{name}/outputs/{one['OutputKey']}"] = one["OutputValue"]
        if "outputs" in step:
            found = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
            self._same(step["outputs"], found, "outputs")
        if "parameters_shown" in step:
            found = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
            self._same(step["parameters_shown"], found, "parameters")
        events = self._events(stack["StackId"])
        self._check_events(step, name, events)
        resources = self._api.list_stack_resources(StackName=stack["StackId"])["StackResourceSummaries"]
        physical = {one["LogicalResourceId"]: one.get("PhysicalResourceId", "") for one in resources}
        if "resources" in step:
            states = {one["LogicalResourceId"]: one["ResourceStatus"] for one in resources}
            self._same(step["resources"], states, "resources")
        for logical in step.get("kept", []):
            assert self._notes[f"{name}/{logical}"] == physical[logical], f"{logical} was replaced"
        for logical in step.get("replaced", []):
            assert self._notes[f"{name}/{logical}"] != physical[logical], f"{logical} was not replaced"
        self._notes.update({f"{name}/{logical}": identity for logical, identity in physical.items()})

    def _check_events(self, step: Step, name: str, events: list[dict[str, Any]]) -> None:
        lines = [
            (
                f"{'STACK' if one['LogicalResourceId'] == name else one['LogicalResourceId']} {one['ResourceStatus']}",
                one,
            )
            for one in events
        ]
        start = int(self._notes.get(f"{name}/seen", "0"))
        self._notes[f"{name}/seen"] = str(len(lines))
        new = [line for line, _ in lines[start:]]
        if "events" in step:
            assert step["events"] == new
        for first, second in step.get("order", []):
            assert new.index(first) < new.index(second), new
        for line in step.get("without", []):
            assert line not in new
        for line, words in step.get("says", {}).items():
            said = [one.get("ResourceStatusReason", "") for found, one in lines[start:] if found == line]
            assert any(re.search(self._text_filled(words), text) for text in said), f"{line}: {said} in {new}"

    def _same(self, expected: Any, found: Any, what: str) -> None:
        expected = self._filled(expected)
        if isinstance(expected, str) and expected.startswith("~"):
            assert re.search(expected[1:], str(found)), f"{what}: {found!r} is not like {expected!r}"
        elif isinstance(expected, dict) and isinstance(found, dict):
            assert expected.keys() == found.keys(), f"{what}: {found}"
            for key, value in expected.items():
                self._same(value, found[key], f"{what} {key}")
        else:
            assert expected == found, what

    # means

    def _given(self, step: Step, name: str, *, with_template: bool) -> dict[str, Any]:
        given: dict[str, Any] = {"StackName": name}
        if with_template or "template" in step:
            given["TemplateBody"] = self._text(step.get("template", "template"))
        else:
            given["UsePreviousTemplate"] = True
        if "parameters" in step:
            filled = self._filled(step["parameters"])
            given["Parameters"] = [
                {"ParameterKey": key, "UsePreviousValue": True}
                if value == "PREVIOUS"
                else {"ParameterKey": key, "ParameterValue": str(value)}
                for key, value in filled.items()
            ]
        # What a case is not about is granted: its templates' transforms.
        expands = ["CAPABILITY_AUTO_EXPAND"] if "Transform" in self._case.get("template", {}) else []
        if granted := step.get("capabilities", expands):
            given["Capabilities"] = granted
        if "tags" in step:
            given["Tags"] = [{"Key": key, "Value": value} for key, value in step["tags"].items()]
        given.update(self._filled(step.get("request", {})))
        if "from_s3" in step:
            given.pop("TemplateBody")
            given["TemplateURL"] = self._notes[step["from_s3"]]
        if "notifications" in step:
            given["NotificationARNs"] = step["notifications"]
        return given

    def _text(self, which: str) -> str:
        found = self._case[which]
        return self._text_filled(found) if isinstance(found, str) else json.dumps(self._filled(found))

    def _name(self, step: Step) -> str:
        alias = step.get("stack", "main")
        name = self._stacks.setdefault(alias, f"truth-{alias}-{self._mark}")
        self._notes[alias] = name
        return name

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {self._text_filled(str(key)): self._filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        return self._text_filled(value) if isinstance(value, str) else value

    def _text_filled(self, text: str) -> str:
        """Fill in <mark>, <region>, <alias of a stack>, <alias/Logical id> (its physical id), <alias/outputs/Name>, and
        <template> (its address)."""
        names = {**self._notes, **FILLERS, "mark": self._mark, "region": REGION}
        for alias, stack in self._stacks.items():
            own = {key: item for key, item in self._notes.items() if key.startswith(f"{stack}/")}
            names.update({key.replace(stack, alias, 1): item for key, item in own.items()})
        return re.sub(r"<([\w/-]+)>", lambda found: names.get(found.group(1), found.group(0)), text)

    def _settled(self, stack: str) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            found: dict[str, Any] = self._api.describe_stacks(StackName=stack)["Stacks"][0]
            if not found["StackStatus"].endswith("_IN_PROGRESS"):
                return found
            time.sleep(PAUSE_SECONDS)
        raise AssertionError(f"{stack} is still in progress")

    def _change_set_settled(self, stack: str, name: str) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            found: dict[str, Any] = self._api.describe_change_set(StackName=stack, ChangeSetName=name)
            if found["Status"] not in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}:
                return found
            time.sleep(PAUSE_SECONDS)
        raise AssertionError(f"the change set {name} is still in progress")

    def _events(self, stack: str) -> list[dict[str, Any]]:
        pages = self._api.get_paginator("describe_stack_events").paginate(StackName=stack)
        return [event for page in pages for event in page["StackEvents"]][::-1]

    def _quietly(self, call: Callable[[], Any]) -> None:
        from botocore.exceptions import ClientError

        try:
            call()
        except ClientError:
            return


def _types(value: Any) -> set[str]:
    """The types of all resources that a case has in its templates and steps."""
    if isinstance(value, list):
        return {name for item in value for name in _types(item)}
    if not isinstance(value, dict):
        return set()
    own = {value["Type"]} if isinstance(value.get("Type"), str) else set()
    return own | {name for item in value.values() for name in _types(item)}


def _used_services(case: Case) -> frozenset[str]:
    """The services that hold something because of a case: by its types, its own calls, and S3 for its templates."""
    steps = case.get("steps", [])
    called = {step["service"] for step in steps if "service" in step} & inventory.LISTS.keys()
    stored = {"s3"} if any(step["do"] == "template_in_s3" for step in steps) else set()
    return inventory.services_of(_types(case)) | called | stored


@pytest.fixture
def play(account: Account, case: Case) -> Iterator[Play]:
    """The case, ready to be played. Whatever became of it, its stacks are deleted afterwards and nothing of it is left.

    In an account of others only the stacks are deleted: other things come and go there.
    """
    services = frozenset() if PROFILE else _used_services(case)
    before = inventory.count(account.client, services)
    play = Play(account, case)
    yield play
    play.close()
    assert before == inventory.count(account.client, services)


def _change(change: dict[str, Any], width: int) -> list[Any]:
    known = [change["Action"], change["LogicalResourceId"], change.get("Replacement", "")]
    return known[:width]


def _at(answer: Any, path: str) -> Any:
    for part in path.split("."):
        if part == "*":
            return list(answer)
        answer = answer[int(part)] if part.isdigit() else answer.get(part)
        if answer is None:
            return None
    return answer
