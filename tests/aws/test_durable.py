"""A cloud that is killed again and again while stacks are made, altered and deleted is whole after each start.

Kills come at random moments of the work. After every start each stack reaches a final state, what the services have is
what the stacks name (nothing twice, nothing orphaned), and what was there before has the same ids, addresses, secrets,
objects and waiting change sets. Meanwhile a client writes objects without end: those that were answered are there, the one in
flight is there whole or not at all, and no other is.

Six kills by default, some of them while an operation is being taken up again; more with KILLS (at most fifteen to a cloud, so
that journals stay short), another course of events with SEED; `-n 2` runs two clouds side by side:

    KILLS=120 SEED=7 .venv/bin/python -m pytest -q -n 2 tests/aws/test_durable.py
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from typing import Any

import durable_world as world
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

KILLS = int(os.environ.get("KILLS", "6"))
ROUND = min(KILLS, 15)
ROUNDS = -(-KILLS // ROUND)
SEED = int(os.environ.get("SEED", "1"))
SETTLE_SECONDS = 120.0
CHANGE_SET_SHARE = 0.4
CAPABILITIES = ["CAPABILITY_NAMED_IAM"]

FINAL = {
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "DELETE_COMPLETE",
    "ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "REVIEW_IN_PROGRESS",  # of a change set that waits to be executed
}
WITH_A_BUCKET = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}


class Writer:
    """A client that writes one object after the other until the cloud dies; `answered` are those that it was told of."""

    def __init__(self, own_cloud: Any, series: int) -> None:
        self._s3 = own_cloud.new_client("s3", Config(retries={"total_max_attempts": 1}, read_timeout=60))
        self._series = series
        self.answered: dict[str, bytes] = {}
        self.asked: dict[str, bytes] = {}
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def ended(self) -> None:
        """Wait until it has met the kill."""
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _write(self) -> None:
        for number in range(10_000):
            key, content = f"written/{self._series}/{number}", os.urandom(4096)
            self.asked[key] = content
            try:
                self._s3.put_object(Bucket=world.STANDING, Key=key, Body=content)
            except (ClientError, BotoCoreError):
                return
            self.answered[key] = content


def settled(own_cloud: Any) -> dict[str, str]:
    """The status of every stack that ever was, once all are final; raises AssertionError for one that should not be."""
    cloudformation = own_cloud.client("cloudformation")
    end = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < end:
        listed = cloudformation.get_paginator("list_stacks").paginate().build_full_result()["StackSummaries"]
        states = {one["StackId"]: one["StackStatus"] for one in listed}
        if not any(status.endswith("_IN_PROGRESS") and status not in FINAL for status in states.values()):
            strange = [one for one in listed if one["StackStatus"] not in FINAL]
            assert not strange, strange
            return states
        time.sleep(0.05)
    raise AssertionError(f"still in progress: {states}")


def act(own_cloud: Any, draw: random.Random, version: int) -> str:
    """Begin one operation that fits the stacks as they are; returns what it was."""
    cloudformation = own_cloud.client("cloudformation")
    stacks = {one["StackName"]: one["StackStatus"] for one in cloudformation.describe_stacks()["Stacks"]}
    number = draw.randrange(3)
    name, broken = f"s{number}", draw.random() < 0.25
    status = stacks.get(name, "")
    if status == "REVIEW_IN_PROGRESS":
        waiting = cloudformation.list_change_sets(StackName=name)["Summaries"]
        if waiting:
            cloudformation.execute_change_set(ChangeSetName=waiting[0]["ChangeSetId"])
            return f"execute the first change set of {name}"
    if status == "ROLLBACK_COMPLETE" or (status and draw.random() < 0.3):
        return delete(own_cloud, name, status)
    if status in WITH_A_BUCKET:
        world.put_into_bucket_of(own_cloud, name, f"object-{version}")
    asked = {
        "StackName": name,
        "TemplateBody": world.body(number, version, own_cloud.endpoint, broken=broken),
        "Capabilities": CAPABILITIES,
    }
    if draw.random() < CHANGE_SET_SHARE:
        return change(own_cloud, draw, asked, "UPDATE" if status not in {"", "REVIEW_IN_PROGRESS"} else "CREATE")
    verb = "update" if status else "create"
    getattr(cloudformation, f"{verb}_stack")(**asked)
    return f"{verb} {name}{' broken' * broken}"


def delete(own_cloud: Any, name: str, status: str) -> str:
    """Begin to delete a stack, whose bucket is emptied before."""
    if status in WITH_A_BUCKET:
        world.empty_bucket_of(own_cloud, name)
    own_cloud.client("cloudformation").delete_stack(StackName=name)
    return f"delete {name}"


def change(own_cloud: Any, draw: random.Random, asked: dict[str, Any], kind: str) -> str:
    """Make a change set, and begin to execute most of them at once."""
    cloudformation, called = own_cloud.client("cloudformation"), f"change-{draw.randrange(10**9)}"
    made = cloudformation.create_change_set(ChangeSetName=called, ChangeSetType=kind, **asked)["Id"]
    if draw.random() < 0.25:
        return f"change set for {asked['StackName']}"
    with contextlib.suppress(WaiterError):  # it may have no changes
        waiter = cloudformation.get_waiter("change_set_create_complete")
        waiter.wait(ChangeSetName=made, WaiterConfig={"Delay": 1, "MaxAttempts": 10})
        cloudformation.execute_change_set(ChangeSetName=made)
    return f"{kind.lower()} {asked['StackName']} by change set"


def kill(own_cloud: Any) -> None:
    """kill -9, and start again."""
    own_cloud.end(signal.SIGKILL)
    own_cloud.start()


def check_things(own_cloud: Any) -> None:
    """What the services have is what the stacks name, each once."""
    there, named = world.every_physical_thing(own_cloud), world.every_named_thing(own_cloud)
    pairs = own_cloud.client("ec2").describe_key_pairs()["KeyPairs"]
    assert sorted(one["KeyPairId"] for one in pairs) == sorted(there.pop("private keys"))
    assert {kind: sorted(ids) for kind, ids in there.items() if ids} == {k: sorted(v) for k, v in named.items()}


def check_memory(before: dict[str, Any], after: dict[str, Any]) -> None:
    """What was there and is there still is the same."""
    for kind, was in before.items():
        both = was.keys() & after[kind].keys()
        assert {one: was[one] for one in both} == {one: after[kind][one] for one in both}, kind


def check_written(own_cloud: Any, writer: Writer) -> None:
    """Every answered object is there, the one in flight whole or not at all, and nothing else."""
    found = world.written(own_cloud, next(iter(writer.asked)).rpartition("/")[0])
    assert writer.answered.items() <= found.items()
    assert found.items() <= writer.asked.items()


@pytest.mark.parametrize("seed", range(SEED, SEED + ROUNDS))
def test_cloud_that_is_killed_at_random_is_whole_after_each_start(own_cloud: Any, seed: int) -> None:
    draw = random.Random(seed)
    began = time.monotonic()
    world.prepare(own_cloud)
    kills, endings, in_flight = 0, Counter[str](), 0
    while kills < ROUND:
        before, done = world.remembered(own_cloud), []
        writer = Writer(own_cloud, kills)
        for _ in range(draw.choice((1, 1, 2, 3))):
            with contextlib.suppress(ClientError, BotoCoreError):  # the stack may be busy with the one before
                done.append(act(own_cloud, draw, kills))
        pause = draw.uniform(0.01, 0.4)
        time.sleep(pause)
        kill(own_cloud)
        kills += 1
        writer.ended()
        if draw.random() < 0.3:  # in the middle of taking up what the first kill cut
            time.sleep(draw.uniform(0.0, 0.3))
            kill(own_cloud)
            kills += 1
        print(f"seed {seed} kill {kills}: {', '.join(done)}; after {pause * 1000:.0f} ms")
        states = settled(own_cloud)
        check_things(own_cloud)
        check_memory(before, world.remembered(own_cloud))
        check_written(own_cloud, writer)
        endings.update(states.values())
        in_flight += len(writer.answered)
    seconds = time.monotonic() - began
    print(f"seed {seed}: {kills} kills, {in_flight} objects, {own_cloud.records()} records, {seconds:.0f} s")
