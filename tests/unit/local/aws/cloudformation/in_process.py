"""CloudFormation's API in this process, over adapters that call no service: what templates and operations do by themselves."""

from __future__ import annotations

import io
import json
import re
import time
import urllib.parse
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.sax.saxutils import unescape

from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.api.api import Api
from bootstrap.local.aws.cloudformation.errors import ResourceFailed
from bootstrap.local.aws.cloudformation.operations.engine import Engine
from bootstrap.local.aws.cloudformation.store import Store
from bootstrap.local.aws.server.call_identity import Callers

PATIENCE_SECONDS = 20


class Recorded(Adapter):
    """An adapter of resources that are only noted; its attributes are those of a topic.

    A resource with the text 'cannot be made' in its properties cannot be made; one whose id is in the properties of another
    resource cannot be deleted, as the services of AWS have it.
    """

    def __init__(self, kind: str, given: list[dict[str, Any]], living: dict[str, str]) -> None:
        self.type = kind
        self._given = given
        self._living = living

    def create(self, to: Any) -> str:
        properties = json.dumps(to.properties)
        if "cannot be made" in properties:
            raise ResourceFailed("it cannot be made")
        self._given.append(to.properties)
        number = 1
        while f"{to.logical_id.lower()}-{number}" in self._living:
            number += 1
        physical_id = f"{to.logical_id.lower()}-{number}"
        self._living[physical_id] = properties
        return physical_id

    def update(self, to: Any) -> None:
        self._given.append(to.properties)
        self._living[to.physical_id] = json.dumps(to.properties)

    def delete(self, to: Any) -> None:
        users = [name for name, properties in self._living.items() if f'"{to.physical_id}"' in properties]
        if users:
            raise ResourceFailed(f"{to.physical_id} is used by {users}")
        self._living.pop(to.physical_id)

    def read_attributes(self, to: Any) -> dict[str, Any]:
        return {"TopicArn": f"arn:{to.physical_id}", "TopicName": to.physical_id}


class _Door:
    callers = Callers()
    step = ""

    @contextmanager
    def enter_operation(self, _: str) -> Iterator[None]:
        yield


CLOUDS: list[Cloud] = []  # those of the current test


class Cloud:
    """An engine over a folder; `given` are the properties with which resources were created and updated, in order."""

    def __init__(self, folder: Path, monkeypatch: Any) -> None:
        CLOUDS.append(self)
        self.given: list[dict[str, Any]] = []
        self.living: dict[str, str] = {}  # the properties, as JSON, of each resource that exists
        monkeypatch.setattr(
            "bootstrap.local.aws.cloudformation.adapters.find", lambda kind: Recorded(kind, self.given, self.living)
        )
        no_faults = SimpleNamespace(find_resource_message=lambda *_: None)
        nothing: Any = SimpleNamespace()
        door: Any = _Door()
        faults: Any = no_faults
        self.engine = Engine(Store(folder), door, _client, faults, nothing)
        self.engine.store.saved = lambda _: None
        self._api = Api(self.engine)

    def ask(self, action: str, **form: str) -> tuple[int, str]:
        """Return status and text of the answer to one request."""
        body = urllib.parse.urlencode({"Action": action, "Version": "2010-05-15", **form}, errors="surrogatepass")
        answer = self._api.answer(
            {"REQUEST_METHOD": "POST", "wsgi.input": io.BytesIO(body.encode()), "CONTENT_LENGTH": str(len(body))}
        )
        return answer.status, unescape(answer.body.decode())

    def refusal(self, action: str, **form: str) -> str:
        """Return the message with which a request is refused; '' if it is not."""
        status, text = self.ask(action, **form)
        message = re.search("<Message>(.*)</Message>", text, re.DOTALL)
        assert status in {200, 400, 404}, text
        return message[1] if message else ""

    def create(self, template: str, **form: str) -> str:
        """Create a stack and wait for the end of its creation; return its name. A refusal fails the test."""
        name = f"stack-{uuid.uuid4().hex[:8]}"
        refusal = self.refusal("CreateStack", StackName=name, TemplateBody=template, **form)
        assert refusal == ""
        self.settle(name)
        return name

    def settle(self, name: str) -> str:
        """Wait for the end of a stack's operation; return the text of DescribeStacks."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            text = self.ask("DescribeStacks", StackName=name)[1]
            if "_IN_PROGRESS</StackStatus>" not in text:
                return text
            time.sleep(0.005)
        raise AssertionError(f"{name} is still in progress")

    def leaked(self) -> set[str]:
        """Return what stacks have created and no stack has any more, although it was not retained and lives."""
        stacks = list(self.engine.store.stacks.values())
        for stack in stacks:
            self.engine.wait(stack, PATIENCE_SECONDS)
        events = [event for stack in stacks for event in stack.events if event.type != "AWS::CloudFormation::Stack"]
        created = {event.physical_id for event in events if event.physical_id in self.living}
        retained = {event.physical_id for event in events if event.status in {"DELETE_SKIPPED", "DELETE_FAILED"}}
        held = {one.physical_id for stack in stacks for one in (*stack.resources.values(), *stack.superseded)}
        return created - retained - held

    def reasons(self, name: str) -> list[str]:
        """Return the reasons of a stack's events."""
        text = self.ask("DescribeStackEvents", StackName=name)[1]
        return re.findall("<ResourceStatusReason>(.*?)</ResourceStatusReason>", text, re.DOTALL)


def _client(service: str, region: str) -> Any:
    assert service == "ec2", f"no service is called but EC2 for its zones, not {service}"
    zones = [{"ZoneName": f"{region}{letter}"} for letter in "abc"]
    return SimpleNamespace(describe_availability_zones=lambda: {"AvailabilityZones": zones})
