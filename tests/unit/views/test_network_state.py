"""The network command's views: what their arguments may be, and that a missing graphviz is told with its remedy."""

import argparse
from pathlib import Path
from unittest.mock import Mock

import pytest

from bootstrap.cli import parser
from bootstrap.environment import settings
from bootstrap.errors import Missing, UsageError
from bootstrap.network import proof
from bootstrap.network.model import Network
from bootstrap.views import network_diagram, network_reading, network_state


@pytest.mark.parametrize(
    "arguments",
    [
        ["explain"],
        ["explain", "operators", "controller"],
        ["explain", "operators", "controller", "https"],
        ["explain", "operators", "controller", "0"],
        ["explain", "operators", "controller", "65536"],
        ["explain", "operators", "controller", "53/sctp"],
        ["verify", "everything"],
        ["diagram", "a.svg", "b.svg"],
        ["apply", "quickly"],
        ["plan", "quickly"],
    ],
)
def test_arguments_that_mean_nothing_are_refused(arguments: list[str]) -> None:
    with pytest.raises(UsageError):
        network_state.check(parser.build_parser().parse_args(["network", *arguments]))


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["plan"],
        ["apply"],
        ["verify"],
        ["diagram"],
        ["diagram", "a.svg"],
        ["explain", "edge", "data", "53/udp"],
        ["explain", "a", "b", "icmp"],
    ],
)
def test_arguments_that_mean_something_are_taken(arguments: list[str]) -> None:
    options = parser.build_parser().parse_args(["network", *arguments])

    network_state.check(options)

    assert isinstance(options, argparse.Namespace)
    assert (arguments or ["apply"])[0] == options.action


def test_without_graphviz_the_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "apt-get").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Missing) as caught:
        network_diagram.run_graphviz("digraph {}", "svg")

    assert "apt-get install -y graphviz" in caught.value.remedy


def test_a_bastions_blocks_are_intended(tmp_path: Path) -> None:
    path = tmp_path / "trial.yaml"
    path.write_text(
        "environment: trial\ncloud: local\nowner: someone\ncost_center: lab\n"
        "network: {bastion: {allow: [198.51.100.0/24]}}\n"
    )

    allow, _ = network_reading.list_intentions(settings.load(path))

    assert "198.51.100.0/24 -> bastion:22" in [str(it) for it in allow]


def test_what_is_not_proven_is_told_apart_and_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = (proof.Judgement("allow a", "holds"), proof.Judgement("allow b", "unproven", "nobody is there"))
    monkeypatch.setattr(proof, "judge", lambda *_: judged)
    monkeypatch.setattr(network_reading, "list_intentions", lambda _: ((), ()))
    run, made = Mock(), Mock()
    made.world.endpoint = None

    assert 1 == network_state._verify(Network(), made, run)

    assert ["  + allow a", "  ? allow b: not proven: nobody is there", "1 of 2 hold, 0 broken, 1 not proven"] == [
        call.args[0] for call in run.say.call_args_list
    ]
    assert [(True, "holds"), (False, "unproven")] == [
        (call.kwargs["holds"], call.kwargs["outcome"]) for call in run.event.call_args_list
    ]
