"""What `network explain` tells of a path, for people and for machines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest

from bootstrap.network.model import Network
from bootstrap.views import network_explanation
from tests.unit.network.handmade_network import both, network, routed


def told(here: Network, source: str, destination: str, port: str) -> tuple[bool, list[str], dict[str, Any]]:
    """Whether it is open, the lines, and the last event."""
    run = Mock()
    is_open = network_explanation.show(here, source, destination, port, run)
    return is_open, [it.args[0] for it in run.say.call_args_list], run.event.call_args.kwargs


def test_an_open_path_names_the_groups_that_let_it_pass() -> None:
    here = network()
    here = replace(here, groups={**here.groups, "sg-edge": replace(here.groups["sg-edge"], name="jenkins-edge")})

    is_open, lines, event = told(here, "10.0.0.10", "10.0.1.10", "443")

    assert is_open
    assert "  + security group sg-controller: in: jenkins-edge allows tcp 443 from 10.0.0.10" in lines
    assert "eni-edge (10.0.0.10) -> eni-controller (10.0.1.10) tcp 443: open" == lines[-1]
    assert ("open", None, 1) == (event["verdict"], event["decided_by"], event["ways"])


def test_a_closed_path_ends_at_the_hop_that_stops_it() -> None:
    is_open, lines, event = told(network(), "data", "10.0.1.10", "22")

    assert not is_open
    assert "  x security group sg-controller: no rule lets tcp 22 from 10.0.2.10 in" == lines[-2]
    assert lines[-1].endswith("tcp 22: closed, stopped by security group sg-controller")
    assert "sg-controller" == event["decided_by"]["name"]


def test_doubt_is_marked_where_it_arises() -> None:
    here = routed("rtb-private", "10.9.0.0/16=tgw-1")(network())

    is_open, lines, event = told(here, "10.0.1.10", "10.9.0.1", "443")

    assert not is_open
    assert "  ? gateway        tgw-1: its own rules and the networks behind it are not read" in lines
    assert lines[-1].endswith("unknown, because of gateway tgw-1")
    assert (True, False) == (event["decided_by"]["passes"], event["decided_by"]["sure"])


def test_what_becomes_of_all_the_other_paths_is_told() -> None:
    here = both(routed("rtb-private", "9.0.0.0/8=!nat-gone 8.0.0.0/8=tgw-1"))(network())

    is_open, lines, event = told(here, "controller", "internet", "443")

    start = next(at for at, line in enumerate(lines) if line.endswith("the rules treat alike:"))
    ends = [(line.split()[0], line.partition(" -> ")[2].partition(" ")[2].lstrip(", ")) for line in lines[start + 1 :]]
    assert is_open
    assert {
        ("open", "by internet gateway igw-a"),
        ("open", "by gateway endpoint vpce-s3"),
        ("open", "by egress-only gateway eigw-a"),
        ("unknown", "because of gateway tgw-1"),
        ("closed", "stopped by route rtb-private"),
    } == set(ends)
    assert ["open", "open", "open", "unknown", "closed"] == [verdict for verdict, _ in ends]
    assert event["ways"] == sum(it["paths"] for it in event["outcomes"])


@pytest.mark.parametrize(("source", "port"), [("agents", "443"), ("bastion", "443")])
def test_nobody_and_nobody_but_itself_are_told(source: str, port: str) -> None:
    is_open, lines, _ = told(network(), source, source, port)

    assert not is_open
    assert "no other interface" in lines[0]
    assert f"{source} -> {source} tcp 443: closed" in lines[-1]


def test_who_is_only_planned_is_told() -> None:
    here = network()
    planned = replace(here.interfaces["eni-agent"], id="agents (planned)")

    _, lines, _ = told(
        replace(here, interfaces={**here.interfaces, "eni-agent": planned}), "agents", "controller", "443"
    )

    assert any(line.startswith("(planned): no machine has this role yet") for line in lines)
