"""The clouds of a running Jenkins, compared by what it exports."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from bootstrap.environment.agents import AgentGroup
from bootstrap.jenkins.controller import clouds
from tests.unit.jenkins.controller.exported_clouds import FOREIGN, export, made, show, wish

FAILED = "FAILED TO EXPORT\nhudson.model.Hudson#clouds: java.lang.reflect.InvocationTargetException\n"
GONE = (
    f"{FAILED}Caused by: IllegalArgumentException: Cannot find auto scaling group with name p-e-agents-linux in region"
)
DEAD = f"{FAILED}Caused by: SdkClientException: Unable to execute HTTP request: Connect to 10.0.0.1:443 failed"


def test_clouds_that_hold_are_no_change() -> None:
    document = wish(linux=AgentGroup(), big=AgentGroup(maximum=5))

    assert () == clouds.find_changes(export(*made(document)), document)


def test_no_clouds_and_none_wished_are_no_change() -> None:
    assert () == clouds.find_changes(export(), "")
    assert () == clouds.find_changes("", "")


def test_what_is_missing_differs_or_is_too_much_is_one_change_each() -> None:
    there = made(wish(linux=AgentGroup(), old=AgentGroup()))
    found = clouds.find_changes(export(*there), wish(linux=AgentGroup(maximum=7, idle_minutes=3), big=AgentGroup()))

    assert ["remove cloud old", "alter cloud linux", "add cloud big"] == show(found)
    assert "maxSize is 2, wished 7; idleMinutes is 10, wished 3" == found[1].detail
    changed = [line for line in found[1].diff.splitlines()[2:] if line[0] in "+-"]
    assert ["-  idleMinutes: 10", "+  idleMinutes: 3", "-  maxSize: 2", "+  maxSize: 7"] == changed
    assert "agents of p-e-agents-big" == found[2].detail


@pytest.mark.parametrize(
    ("changed", "detail"),
    [
        ({"alwaysReconnect": False}, "alwaysReconnect is false, wished true"),
        ({"region": "eu-central-1"}, "region is eu-central-1, wished nothing"),
        ({"environmentVariables": [{"name": "A", "value": "1"}]}, "environmentVariables is [{'name'"),
        ({"disableTaskResubmit": False}, "disableTaskResubmit is false, wished true"),
        ({"executorScaler": "weightedScaler"}, "executorScaler is weightedScaler"),
    ],
)
def test_an_edit_is_found_also_of_what_the_document_leaves_out(changed: dict[str, Any], detail: str) -> None:
    document = wish(linux=AgentGroup())
    (found,) = clouds.find_changes(export(*made(document, **changed)), document)

    assert "cloud linux" == found.name and found.detail.startswith(detail)
    assert f"-  {next(iter(changed))}:" in found.diff


def test_another_host_key_is_an_edit() -> None:
    document = wish(linux=AgentGroup())
    (found,) = clouds.find_changes(export(*made(document.replace("AAAAC3", "AAAAC4"))), document)

    assert "key is ssh-ed25519 AAAAC4" in found.detail


def test_a_cloud_made_by_hand_goes_only_where_there_are_groups() -> None:
    document = wish(linux=AgentGroup())
    there = export(FOREIGN, *made(document))

    assert ["remove cloud linux"] == show(clouds.find_changes(there, ""))
    assert ["remove cloud made by hand"] == show(clouds.find_changes(there, document))
    assert () == clouds.find_changes(export(FOREIGN), "")


def test_clouds_that_cannot_be_exported_are_sent() -> None:
    (found,) = clouds.find_changes(export(text=DEAD), wish(linux=AgentGroup()))

    assert "cloud linux" == found.name and "cannot export" in found.detail


def test_clouds_of_groups_that_are_gone_go_and_others_stay() -> None:
    assert ["remove clouds"] == show(clouds.find_changes(export(text=GONE), ""))
    assert () == clouds.find_changes(export(text=DEAD), "")


def test_clouds_are_no_settings_for_the_comparison_of_settings() -> None:
    document = wish(linux=AgentGroup())
    plain = yaml.safe_load(export())

    assert plain == yaml.safe_load(clouds.leave_out(export(*made(document)), document))
    assert plain == yaml.safe_load(clouds.leave_out(export(text=DEAD), document))
    assert plain == yaml.safe_load(clouds.leave_out(export(*made(document)), ""))
    assert plain == yaml.safe_load(clouds.leave_out(export(FOREIGN, *made(document)), document))
    kept = yaml.safe_load(clouds.leave_out(export(FOREIGN, *made(document)), ""))
    assert [FOREIGN] == kept["jenkins"]["clouds"]


@pytest.mark.parametrize("text", ["", "jenkins: {}\n", export(), export(FOREIGN), "clouds: [x\n", "clouds: 1\n"])
def test_settings_without_such_clouds_stay_as_they_are(text: str) -> None:
    assert text == clouds.leave_out(text, "")
