"""A bastion is added to the environment, boots by its Auto Scaling group, and meets what the analyser says, both ways."""

from __future__ import annotations

from collections.abc import Iterator

import between
import pytest
from trial import ENVIRONMENT, NETWORK, Launched, commit

from bootstrap.context import Context

BASTION = f"""\
  cidr: {NETWORK}
  bastion:
    allow: []
    image: /aws/service/debian/release/13/latest/amd64
  intentions:
    allow: ["bastion -> controller:22", "operators -> controller:443"]
    deny: ["internet -> controller:*", "operators -> controller:8080", "bastion -> controller:8080", "controller -> bastion:*",
           "internet -> bastion:*"]
"""


@pytest.fixture(scope="module")
def with_bastion(launched: Launched) -> Iterator[Launched]:
    text = ENVIRONMENT.replace(f"  cidr: {NETWORK}\n", BASTION, 1)
    launched.environment_file.write_text(text)
    commit(launched.checkout, "a bastion")
    launched.reopen()
    shown = launched.done("launch", "--skip-verify")
    assert "bastion" in shown
    launched.reopen()
    yield launched


@pytest.fixture
def context(with_bastion: Launched) -> Context:
    return with_bastion.context


def met(context: Context) -> set[tuple[str, int]]:
    found = between.tried(context)
    assert [] == [str(it) for it in found if not it.agrees]
    return {(it.destination, it.port) for it in found if it.met}


def test_the_bastion_is_a_machine_of_its_own(context: Context) -> None:
    shell = context.world.open_shell(context.bastion)

    assert context.bastion.address == shell.run(["hostname", "-I"]).stdout.strip()
    assert context.bastion.address != context.machine.address


def test_it_reaches_the_controller_as_the_rules_say_and_the_controller_not_it(context: Context) -> None:
    # 443 by the operators' block, which in these tests is the whole VPC.
    assert {("controller", 22), ("controller", 443)} == met(context)


def test_a_rule_that_is_added_and_taken_away_again_is_met(context: Context) -> None:
    ec2, group = context.world.aws("ec2"), context.outputs("network")["BastionSecurityGroupId"]
    rule = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": NETWORK}]}]
    before = met(context)
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rule)
    try:
        settle(context)
        assert before | {("bastion", 443)} == met(context)
    finally:
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rule)
    settle(context)
    assert before == met(context)


def test_verify_proves_the_intentions_and_that_the_rules_hold(with_bastion: Launched) -> None:
    shown = with_bastion.done("network", "verify")

    assert "+ allow bastion -> controller:22" in shown
    assert "+ deny controller -> bastion:*" in shown
    assert "+ deny internet -> bastion:*" in shown
    assert "on this machine: enforced between machines by nftables" in shown


def test_the_acceptance_suite_tries_it_too(with_bastion: Launched) -> None:
    shown = with_bastion.done("verify", "--only", "connections_agree_with_the_analysis")

    (line,) = [line for line in shown.splitlines() if "Real connections between machines" in line]
    assert line.startswith("passed ")


def settle(context: Context) -> None:
    """The last change is in the packet filter."""
    from bootstrap.views import enforcement

    found = enforcement.read_enforcement(context.world.endpoint, settle_by=context.world.control_token)
    assert found is not None
    assert found.problems == ()
