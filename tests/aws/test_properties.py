"""Every property either arrives, as its service tells, or is in the table of what is not modelled.

Each template of `properties` is made, and what is read back for the drift is compared with it; then every property that the
metadata of a sample alters is altered, alone. A new table is written by

    TABLE=write python -m pytest tests/aws/test_properties.py
"""

from __future__ import annotations

import copy
import itertools
import json
import os
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.local.aws.cloudformation import adapters
from bootstrap.local.aws.cloudformation.comparison import modelled_properties
from bootstrap.local.aws.cloudformation.template import documents
from bootstrap.local.aws.cloudformation.template.parsing import read
from tests.aws.conftest import Cloud
from tests.aws.proof import Sample, sorted_out

Client = Callable[[str], Any]
NewCloud = Callable[[Path], AbstractContextManager[Cloud]]
FILES = sorted((Path(__file__).parent / "properties").glob("*.yaml"))
NAMED = ["CAPABILITY_NAMED_IAM"]
GIVEN = {"Capabilities": NAMED, "Tags": [{"Key": "Project", "Value": "jenkins"}]}
PATIENCE_SECONDS = 300.0
REFUSED = "refused in place"
WRITES = os.environ.get("TABLE") == "write"
# Types that the engine makes by itself, and so reads nowhere else: the tests that hold their properties.
OWN = {
    "AWS::CloudFormation::Stack": {
        "arrived": ["NotificationARNs", "Parameters", "Tags", "TimeoutInMinutes"],
        "write-only": ["TemplateURL"],
    },
    "AWS::CloudFormation::WaitCondition": {"arrived": ["Count", "Handle", "Timeout"]},
    "AWS::CloudFormation::WaitConditionHandle": {},
}


# Without it Route 53 refuses to log.
ROUTE53_WRITES = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "route53.amazonaws.com"},
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": "arn:aws:logs:us-east-1:*:log-group:/aws/route53/*",
        }
    ],
}


class Stack:
    """A stack with resources that have all properties."""

    def __init__(self, client: Client, path: Path) -> None:
        self.api = client("cloudformation")
        # The files name what several resources share once; CloudFormation takes no alias.
        self.text = json.dumps(yaml.load(path.read_text(), documents._Loader))  # noqa: S506 (the engine's own, a safe one)
        self.document = read(self.text).document
        made = self.api.create_stack(
            StackName=f"p{uuid.uuid4().hex[:5]}", TemplateBody=self.text, OnFailure="DO_NOTHING", **GIVEN
        )
        self.id: str = made["StackId"]

    def settled(self) -> str:
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            status = str(self.api.describe_stacks(StackName=self.id)["Stacks"][0]["StackStatus"])
            if not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(0.1)
        raise AssertionError("still in progress")

    def events(self) -> Iterator[dict[str, Any]]:
        """Newest first; a page is read when its first event is asked for, since a stack has thousands after all changes."""
        for page in self.api.get_paginator("describe_stack_events").paginate(StackName=self.id):
            yield from page["StackEvents"]

    def failures(self) -> dict[str, str]:
        return {
            one["LogicalResourceId"]: one.get("ResourceStatusReason", "")
            for one in self.events()
            if one["ResourceStatus"].endswith("_FAILED")
        }

    def samples(self) -> dict[str, tuple[str, Sample]]:
        """Each resource's type, and its properties as they were given and as they are read back."""
        self.api.detect_stack_drift(StackName=self.id)
        drifts = self.api.describe_stack_resource_drifts(StackName=self.id)["StackResourceDrifts"]
        return {
            one["LogicalResourceId"]: (
                one["ResourceType"],
                (json.loads(one.get("ExpectedProperties", "{}")), json.loads(one.get("ActualProperties", "{}"))),
            )
            for one in drifts
        }

    def alter(self, logical: str, name: str, value: Any) -> tuple[str, Any]:
        """Alter one property alone: 'arrived', 'refused' with the reason, or 'lost' with what is read back instead."""
        document = copy.deepcopy(self.document)
        document["Resources"][logical].setdefault("Properties", {})[name] = value
        before = next(self.events())["EventId"]
        self.api.update_stack(StackName=self.id, TemplateBody=json.dumps(document, default=str), Capabilities=NAMED)
        if self.settled() != "UPDATE_COMPLETE":
            new = list(itertools.takewhile(lambda one: one["EventId"] != before, self.events()))
            assert "UPDATE_ROLLBACK_COMPLETE" == self.settled(), f"{logical} {name}: {new}"
            return "refused", [one.get("ResourceStatusReason") for one in new if "FAILED" in one["ResourceStatus"]]
        self.document = document
        found = self.api.detect_stack_resource_drift(StackName=self.id, LogicalResourceId=logical)["StackResourceDrift"]
        return ("arrived" if found["StackResourceDriftStatus"] != "MODIFIED" else "lost"), found.get(
            "PropertyDifferences"
        )


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory, new_cloud: NewCloud) -> Iterator[dict[str, Stack]]:
    """In a cloud of their own: of some types an account has but one, which other tests make too."""
    with new_cloud(tmp_path_factory.mktemp("properties")) as cloud:
        yield made_in(cloud)


def prepare(cloud: Cloud) -> None:
    """Make what the samples need and have not: log groups in the region of Route 53, and a prefix list."""
    logs = cloud.new_client(
        "logs", region="us-east-1"
    )  # the only region where Route 53 logs queries of public hosted zones
    for name in ("one", "two"):
        logs.create_log_group(logGroupName=f"/aws/route53/{name}")
    logs.put_resource_policy(policyName="route53", policyDocument=json.dumps(ROUTE53_WRITES))
    addresses = cloud.client("ec2").create_managed_prefix_list(
        PrefixListName="addresses", MaxEntries=1, AddressFamily="IPv4"
    )["PrefixList"]["PrefixListId"]
    cloud.client("ssm").put_parameter(Name="/lists/addresses", Value=addresses, Type="String")


def made_in(cloud: Cloud) -> dict[str, Stack]:
    prepare(cloud)
    made = {path.stem: Stack(cloud.client, path) for path in FILES}
    for stack in made.values():
        status = stack.settled()
        assert {} == stack.failures()
        assert "CREATE_COMPLETE" == status
    return made


def found_table(stacks: dict[str, Stack]) -> modelled_properties.Table:
    samples: dict[str, list[Sample]] = defaultdict(list)
    for stack in stacks.values():
        for kind, sample in stack.samples().values():
            samples[kind].append(sample)
    kinds = adapters.list_known() - OWN.keys()
    table = {kind: sorted_out(kind, samples[kind]) for kind in kinds} | OWN
    return {kind: {state: names for state, names in table[kind].items() if names} for kind in sorted(table)}


def test_table_is_what_is_read_back(stacks: dict[str, Stack]) -> None:
    found, kept = found_table(stacks), json.loads(modelled_properties.PATH.read_text())
    told = {
        kind: {state: names for state, names in states.items() if state != REFUSED} for kind, states in kept.items()
    }
    if WRITES:
        refused = {kind: {REFUSED: states[REFUSED]} for kind, states in kept.items() if REFUSED in states}
        write({kind: states | refused.get(kind, {}) for kind, states in found.items()})
    assert found == told, "TABLE=write writes it anew"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_change_in_place_arrives_or_is_refused_aloud(stacks: dict[str, Stack], path: Path) -> None:
    """Each property that a sample alters is altered alone, and what is refused is rolled back to what was."""
    stack, lost, refused = stacks[path.stem], {}, defaultdict(set)
    altered = list(alterations(stack.document))
    for logical, kind, name, value in altered:
        verdict, found = stack.alter(logical, name, value)
        if verdict == "lost":
            lost[f"{logical} {name}"] = found
        elif verdict == "refused":
            assert found, f"{logical} {name}: no reason is given"
            refused[kind].add(name)
    kept = json.loads(modelled_properties.PATH.read_text())
    if WRITES:
        for kind in {kind for _, kind, _, _ in altered}:
            kept[kind].pop(REFUSED, None)
            kept[kind] |= {REFUSED: sorted(refused[kind])} if refused[kind] else {}
        write(kept)
    assert {} == lost
    listed = {kind: set(kept[kind][REFUSED]) for _, kind, _, _ in altered if REFUSED in kept[kind]}
    assert {kind: names for kind, names in refused.items() if names} == listed, "TABLE=write writes it anew"


def alterations(document: dict[str, Any]) -> Iterator[tuple[str, str, str, Any]]:
    """Logical id, type, property and new value of each change that the samples' metadata ask for."""
    for logical, body in document["Resources"].items():
        for name, value in body.get("Metadata", {}).get("Altered", {}).items():
            yield logical, body["Type"], name, value


def write(table: modelled_properties.Table) -> None:
    modelled_properties.PATH.write_text(json.dumps(table, indent=1) + "\n")
