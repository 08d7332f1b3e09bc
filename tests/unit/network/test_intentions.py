"""Intentions in an environment file: what they mean, and what is refused at which place."""

from pathlib import Path

import pytest

from bootstrap.environment import models, settings
from bootstrap.errors import SettingsInvalid
from bootstrap.network.intentions import Intention, parse

WHOLE = "environment: trial\ncloud: local\nowner: someone\ncost_center: lab\n"
OPERATORS = "access: {operator_cidrs: [198.51.100.0/24]}\n"


def load(folder: Path, text: str) -> models.Settings:
    path = folder / "trial.yaml"
    path.write_text(WHOLE + text)
    return settings.load(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("operators -> controller:443", Intention("operators", "controller", (443, 443), "tcp")),
        ("edge  ->  agents:50-60/udp", Intention("edge", "agents", (50, 60), "udp")),
        ("internet -> controller:*", Intention("internet", "controller", (0, 65535), None)),
        ("10.0.0.0/8 -> data:5432/tcp", Intention("10.0.0.0/8", "data", (5432, 5432), "tcp")),
        ("192.0.2.7 -> edge:80", Intention("192.0.2.7/32", "edge", (80, 80), "tcp")),
        ("2001:db8::/32 -> edge:80", Intention("2001:db8::/32", "edge", (80, 80), "tcp")),
    ],
)
def test_an_intention_is_read_as_it_is_meant(text: str, expected: Intention) -> None:
    assert expected == parse(text)
    assert expected == parse(str(expected))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("operators to controller", "is not of the form SOURCE -> DESTINATION:PORT"),
        ("operators -> controller", "is not of the form"),
        (
            "operators -> controler:443",
            "'controler' is neither a role nor an environment of the same cloud and region; did you mean",
        ),
        (
            "nobody -> controller:443",
            "there are edge, controller, agents, bastion, data, endpoints, operators, internet",
        ),
        ("nobody -> controller:443", "the environments trial"),
        ("Edge -> controller:443", "'Edge' is not a role; the roles are edge, controller"),
        ("edge -> operators:443", "operators can only be a source"),
        ("edge -> controller:0", "ports go from 1 to 65535"),
        ("edge -> controller:70000", "ports go from 1 to 65535"),
        ("edge -> controller:90-80", "the lower one first"),
        ("edge -> controller:443/sctp", "tcp or udp, not sctp"),
        ("edge -> controller:*/udp", "for one write 1-65535/udp"),
        ("10.0.0.1/8 -> controller:443", "has host bits set"),
        ("300.0.0.0/8 -> controller:443", "not a block"),
    ],
)
def test_what_cannot_be_read_is_refused_at_its_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load(
            tmp_path,
            f'network:\n  intentions:\n    allow:\n      - "operators -> controller:22"\n      - "{text}"\n{OPERATORS}',
        )

    assert [(9, 9)] == [(fault.line, fault.column) for fault in caught.value.faults]
    assert words in caught.value.faults[0].message


@pytest.mark.parametrize(
    ("allow", "deny", "extra"),
    [
        ("edge -> controller:443", "edge -> controller:*", ""),
        ("edge -> controller:400-500", "edge -> controller:443", ""),
        ("10.0.0.0/8 -> controller:443", "10.1.0.0/16 -> controller:443", ""),
        ("operators -> edge:443", "198.51.0.0/16 -> edge:1-1000", OPERATORS),
        ("edge -> 10.0.0.0/8:*", "edge -> 10.0.0.5:22", ""),
    ],
)
def test_contradictions_are_refused_at_the_allow(tmp_path: Path, allow: str, deny: str, extra: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load(tmp_path, f'network:\n  intentions:\n    allow: ["{allow}"]\n    deny: ["{deny}"]\n{extra}')

    (fault,) = caught.value.faults
    assert (7, 13) == (fault.line, fault.column)
    assert "contradicts the deny" in fault.message


@pytest.mark.parametrize(
    ("allow", "deny"),
    [
        ("edge -> controller:443", "edge -> controller:443/udp"),
        ("edge -> controller:443", "edge -> controller:444-500"),
        ("edge -> controller:443", "agents -> controller:443"),
        ("operators -> edge:443", "internet -> edge:*"),
        ("10.0.0.0/8 -> edge:443", "2001:db8::/32 -> edge:443"),
    ],
)
def test_what_can_both_hold_is_no_contradiction(tmp_path: Path, allow: str, deny: str) -> None:
    found = load(tmp_path, f'network:\n  intentions:\n    allow: ["{allow}"]\n    deny: ["{deny}"]\n{OPERATORS}')

    assert (allow,) == found.network.intentions.allow


def test_a_default_that_is_contradicted_says_how_to_be_rid_of_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load(tmp_path, 'network:\n  intentions:\n    allow: ["internet -> controller:443"]\n')

    assert "'internet -> controller:*', the default of 'deny'" in caught.value.faults[0].message


def test_a_deny_that_contradicts_a_default_is_refused_at_its_own_place(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load(tmp_path, f'network:\n  intentions:\n    deny: ["operators -> controller:*"]\n{OPERATORS}')

    assert [(7, 12), (7, 12)] == [(fault.line, fault.column) for fault in caught.value.faults]


PEER = "environment: peer\ncloud: local\nowner: someone\ncost_center: lab\nnetwork: {cidr: 10.99.0.0/16}\n"


@pytest.fixture
def peered(tmp_path: Path) -> Path:
    """A folder in which another environment's file lies beside."""
    (tmp_path / "peer.yaml").write_text(PEER)
    (tmp_path / "elsewhere.yaml").write_text(PEER.replace("peer", "elsewhere").replace("local", "aws"))
    return tmp_path


def test_environments_are_ends(peered: Path) -> None:
    found = load(peered, 'network:\n  intentions:\n    deny: ["peer -> trial:*", "trial -> peer:*"]\n')

    assert {"peer", "trial"} == found.network.intentions.list_environments()
    names = settings.find_named_environments(peered / "trial.yaml", found, ("peer", "trial"))
    assert {"trial": ("jenkins", "10.77.0.0/16"), "peer": ("jenkins", "10.99.0.0/16")} == names


def test_an_environment_of_another_cloud_is_no_end(peered: Path) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load(peered, 'network:\n  intentions:\n    deny: ["elsewhere -> trial:*"]\n')

    assert (
        "'elsewhere' is neither a role nor an environment of the same cloud and region"
        in caught.value.faults[0].message
    )
    assert "the environments peer, trial" in caught.value.faults[0].message


@pytest.mark.parametrize(
    ("allow", "deny"),
    [
        ("peer -> controller:443", "10.99.1.0/24 -> controller:*"),
        ("peer -> trial:443", "peer -> controller:443"),
        ("trial -> 10.99.0.0/16:80", "agents -> peer:*"),
    ],
)
def test_environments_contradict_by_their_blocks_and_roles(peered: Path, allow: str, deny: str) -> None:
    with pytest.raises(SettingsInvalid, match="contradicts the deny"):
        load(peered, f'network:\n  intentions:\n    allow: ["{allow}"]\n    deny: ["{deny}"]\n')


def test_operators_who_are_nobody_are_promised_nothing(tmp_path: Path) -> None:
    assert [] == [
        str(it) for it in load(tmp_path, "").network.intentions.list_allowed(operators=(), is_ssh_direct=True)
    ]
    with pytest.raises(SettingsInvalid) as caught:
        load(tmp_path, 'network:\n  intentions:\n    allow: ["operators -> edge:443"]\n')

    assert [(7, 13)] == [(fault.line, fault.column) for fault in caught.value.faults]
    assert "there are no operators; set access.operator_cidrs" in caught.value.faults[0].message


def test_a_bastion_is_allowed_what_its_option_names(tmp_path: Path) -> None:
    found = load(tmp_path, "network:\n  bastion:\n    allow: [198.51.100.0/24]\n")

    assert "198.51.100.0/24 -> bastion:22" in [
        str(it)
        for it in found.network.intentions.list_allowed(found.network.bastion.allow, operators=())  # type: ignore[union-attr]
    ]
    with pytest.raises(SettingsInvalid) as caught:
        load(
            tmp_path,
            'network:\n  bastion:\n    allow: [198.51.100.0/24]\n  intentions:\n    deny: ["198.51.100.0/25 -> bastion:22"]\n',
        )
    assert "which bastion.allow adds" in caught.value.faults[0].message
