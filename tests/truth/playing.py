"""Plays one case: its stacks by alias, its steps, and what must come of them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.truth.cases_reading import Step
from tests.truth.staging import PATIENCE_SECONDS, PAUSE_SECONDS, REGION, Stage


class Play(Stage):
    """One case: the steps, and what must come of each."""

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
