"""The account of the tests, which is given up after each of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.acts import account as act
from bootstrap.acts.account_standing import NAMES, OpenedAccount, read_standings
from bootstrap.cloud import account_claim
from tests.aws.account_trial import Report, open_trial, read_values
from tests.aws.conftest import Cloud


@pytest.fixture
def trial(module_cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenedAccount]:
    """The account of WHOLE; whatever a test leaves is given up after it."""
    for name, value in module_cloud.environment.items():
        monkeypatch.setenv(name, value)
    opened = open_trial(module_cloud, tmp_path)
    untouched = read_values(opened)
    yield opened
    opened.forget()
    for parameter in opened.aws("ssm").describe_parameters()["Parameters"]:
        if "/account/users/" in parameter["Name"]:
            opened.aws("ssm").delete_parameter(Name=parameter["Name"])
    claim = opened.read_claim()
    if claim is not None and claim.project != opened.project:
        account_claim.give_up_claim(opened.aws("iam"))
    act.destroy(opened, NAMES, Report())
    for standing in read_standings(opened):
        standing.setting.write(opened.aws, opened.account_id, standing.setting.default)
    assert untouched == read_values(opened)
