"""Plays the cases of `cases/*.yaml`: templates, steps and what CloudFormation's documentation says must come of them.

By default against a local cloud of its own. With TRUTH_PROFILE=<an AWS profile> set, against that account: stacks named
truth-*, all deleted again; cases marked `costs` or `slow` are left out there unless TRUTH_ALL=1 is set too.

`page` is a page of the CloudFormation User Guide as it was published in September 2023 (later editions have moved some), or
API_* of the API reference. `read: true` says that the rule of the case was looked for on that page and found there; of the
others, and of the words of most refusals, the pages say nothing: they are what CloudFormation is known to answer.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from bootstrap.local.aws.access.keys import CREDENTIALS, read_operator_keys
from tests.aws import inventory

# What these modules assert is shown as in full as what a test asserts.
pytest.register_assert_rewrite("tests.truth.cases_reading", "tests.truth.playing", "tests.truth.staging")
from tests.truth.cases_reading import Case, load  # noqa: E402
from tests.truth.playing import Play  # noqa: E402
from tests.truth.staging import PROFILE, REGION, Account  # noqa: E402

ROOT = Path(__file__).parents[2]


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
