"""The network command's views: what their arguments may be, and that a missing graphviz is told with its remedy."""

import argparse
from pathlib import Path

import pytest

from bootstrap import cli, network_diagram, network_view, settings
from bootstrap.errors import Missing, UsageError


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
        network_view.check(cli.parser().parse_args(["network", *arguments]))


@pytest.mark.parametrize(
    "arguments",
    [[], ["plan"], ["apply"], ["verify"], ["diagram"], ["diagram", "a.svg"], ["explain", "edge", "data", "53/udp"]],
)
def test_arguments_that_mean_something_are_taken(arguments: list[str]) -> None:
    options = cli.parser().parse_args(["network", *arguments])

    network_view.check(options)

    assert isinstance(options, argparse.Namespace)
    assert (arguments or ["apply"])[0] == options.action


def test_without_graphviz_the_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Missing) as caught:
        network_diagram.graphviz("digraph {}", "svg")

    assert "apt-get install graphviz" in caught.value.remedy


def test_a_bastions_blocks_are_intended(tmp_path: Path) -> None:
    path = tmp_path / "trial.yaml"
    path.write_text(
        "environment: trial\ncloud: local\nowner: someone\ncost_center: lab\n"
        "network: {bastion: {allow: [198.51.100.0/24]}}\n"
    )

    allow, _ = network_view.intended(settings.load(path))

    assert "198.51.100.0/24 -> bastion:22" in [str(it) for it in allow]
