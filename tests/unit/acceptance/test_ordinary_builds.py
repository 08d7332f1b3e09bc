"""The checks that ordinary builds get nothing of the IAM role, and what the inspector asks the metadata service."""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
CHAIN = "ordinary_builds"
METADATA = ("169.254.169.254", "fd00:ec2::254")


def load(path: str) -> Any:
    spec = importlib.util.spec_from_file_location("loaded", ROOT / path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def matching(left: dict[str, Any], right: Any) -> dict[str, Any]:
    return {"match": {"op": "==", "left": left, "right": right}}


def rule(chain: str, *expression: dict[str, Any]) -> dict[str, Any]:
    return {"rule": {"family": "inet", "table": "filter", "chain": chain, "expr": list(expression)}}


def rejecting(address: str) -> dict[str, Any]:
    asked = {"payload": {"protocol": "ip6" if ":" in address else "ip", "field": "daddr"}}
    return rule(CHAIN, matching(asked, address), {"reject": {"type": "icmp", "expr": "port-unreachable"}})


OF_THE_USER = matching({"meta": {"key": "skuid"}}, 872)
JUMP = rule("output", OF_THE_USER, {"jump": {"target": CHAIN}})
LISTED = [{"metainfo": {}}, JUMP, *map(rejecting, METADATA)]


def passes(name: str, inspection: dict[str, Any]) -> bool:
    try:
        getattr(load("tests/acceptance/test_machine.py"), name)(inspection)
    except AssertionError:
        return False
    return True


def changed(position: int, *expression: dict[str, Any], chain: str = "") -> list[dict[str, Any]]:
    listed = copy.deepcopy(LISTED)
    listed[position]["rule"]["expr"] = list(expression) or listed[position]["rule"]["expr"]
    listed[position]["rule"]["chain"] = chain or listed[position]["rule"]["chain"]
    return listed


REJECTED = LISTED[2]["rule"]["expr"]
PORT = matching({"payload": {"protocol": "tcp", "field": "dport"}}, 81)


@pytest.mark.parametrize(
    ("listed", "holds"),
    [
        (LISTED, True),
        (LISTED[:2] + LISTED[3:], False),
        (LISTED[:3], False),
        ([LISTED[0], *LISTED[2:]], False),
        (changed(2, REJECTED[0], {"accept": None}), False),
        (changed(2, REJECTED[0], PORT, REJECTED[1]), False),
        (changed(2, chain="input"), False),
        (changed(1, OF_THE_USER, PORT, JUMP["rule"]["expr"][1]), False),
        (changed(1, chain="forward"), False),
    ],
    ids=[
        "as loaded",
        "no IPv4",
        "no IPv6",
        "no jump",
        "accepts",
        "one port",
        "other chain",
        "jumps for a port",
        "forward",
    ],
)
def test_a_firewall_that_lets_ordinary_builds_through_fails(listed: list[dict[str, Any]], holds: bool) -> None:
    check = "test_the_firewall_keeps_ordinary_builds_from_the_metadata_service"
    assert holds == passes(check, {"firewall": listed})


@pytest.mark.parametrize(
    ("told", "holds"),
    [
        ({"jenkins-agent": "200", "jenkins-builder": "000"}, True),
        ({"jenkins-agent": "200", "jenkins-builder": "200"}, False),
        ({"jenkins-agent": "000", "jenkins-builder": "000"}, False),
        ({"jenkins-agent": "200"}, False),
        ({"jenkins-agent": "200", "jenkins-builder": "setpriv: failed to parse reuid"}, False),
    ],
)
def test_credentials_for_all_or_for_none_fail(told: dict[str, str], holds: bool) -> None:
    assert holds == passes("test_only_the_toolkits_builds_get_credentials_of_the_machine", {"metadata": told})


def test_the_inspector_asks_as_each_user_and_keeps_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    inspector = load("bootstrap/remote/files/inspect_machine.py")
    asked: list[tuple[str, ...]] = []

    def answer(*command: str) -> tuple[str, str]:
        asked.append(command)
        return {"--reuid=one": ("200", ""), "--reuid=two": ("000", "exit code 7")}.get(command[1], ("", "no such user"))

    monkeypatch.setattr(inspector, "run", answer)
    told = inspector.read_metadata({"metadata": {"url": "http://10.77.0.1:4566/", "users": ["one", "two", "three"]}})

    assert {"one": "200", "two": "000", "three": "no such user"} == told
    assert all(command[0] == "/usr/bin/setpriv" and "--clear-groups" in command for command in asked)
    assert {"http://10.77.0.1:4566/latest/api/token"} == {command[-1] for command in asked}
    assert all(("--output", "/dev/null") == command[command.index("--output") :][:2] for command in asked)
