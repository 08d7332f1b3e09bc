"""What a case needs: an account, stacks by alias, and what is noted of them."""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from tests.truth.cases_reading import Case, Step

PROFILE = os.environ.get("TRUTH_PROFILE", "")
REGION = os.environ.get("TRUTH_REGION", "eu-central-1")
PAUSE_SECONDS = 3.0 if PROFILE else 0.02
PATIENCE_SECONDS = 1800.0 if PROFILE else 60.0
FILLERS = {str(length): "#" * length for length in (1024, 1025, 51_201, 1_048_577)}


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


class Stage:
    """What a case plays with: its stacks by alias, what is noted of them, and the words in templates that stand for it."""

    def __init__(self, account: Account, case: Case) -> None:
        self._account = account
        self._case = case
        self._api = account.client("cloudformation")
        self._mark = uuid.uuid4().hex[:8]
        self._stacks: dict[str, str] = {}
        self._notes: dict[str, str] = {}
        self._buckets: list[tuple[str, list[str]]] = []

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
