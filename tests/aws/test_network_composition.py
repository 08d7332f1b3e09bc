"""The network as the launch makes it: an option that came is added, one that went is taken away; a plan tells it first."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap import launch, settings
from bootstrap.context import Context
from bootstrap.errors import StackMissing
from bootstrap.run import Run, start
from bootstrap.values import ChangeKind

WHOLE = "environment: {}\nproject: composed\ncloud: local\nowner: somebody\ncost_center: none\nnetwork:\n  cidr: {}\n"
LOGS = "  flow_logs: {retention_days: 7}\n"


@pytest.fixture
def opened(
    endpoint: str, client: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, str, str], tuple[Context, Run]]:
    """A context over the local cloud's APIs: environment, block, and the options below 'network'."""
    monkeypatch.setattr(launch, "snapshot", lambda _: SimpleNamespace(label="commit"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")

    def run(name: str, cidr: str, options: str = "") -> tuple[Context, Run]:
        path = tmp_path / f"{name}.yaml"
        path.write_text(WHOLE.format(name, cidr) + options)
        return Context(path, settings.load(path), endpoint), start(tmp_path / "runs", as_json=False, is_verbose=False)

    return run


def test_an_option_that_went_is_planned_away_and_taken_away(opened: Callable[..., tuple[Context, Run]]) -> None:
    context, run = opened("going", "10.90.0.0/16", LOGS)
    launch.stacks(context, run, launch.network_of(context))
    made = set(context.stacks)
    context, run = opened("going", "10.90.0.0/16")

    planned = launch.plan_stacks(context, run, launch.network_of(context))
    launch.stacks(context, run, launch.network_of(context))

    assert {"network", "acls", "traffic-logs"} == made
    assert [(ChangeKind.REMOVE, "composed-going-traffic-logs")] == [(it.kind, it.name) for it in planned]
    assert {"network", "acls"} == set(context.stacks)
    assert [] == [*launch.plan_stacks(context, run, launch.network_of(context))]
    launch.destroy(context, run)
    context.forget()
    assert {} == context.stacks


def test_what_takes_from_data_or_controller_waits_for_them(opened: Callable[..., tuple[Context, Run]]) -> None:
    context, _ = opened(
        "waiting",
        "10.91.0.0/16",
        "  bastion: {}\n  private_zone: ci.internal\n  vpn: {customer_address: 198.51.100.7}\n",
    )

    assert ("network", "acls", "vpn") == launch.network_of(context)
    assert ("network", "acls", "vpn", "data", "bastion", "controller", "names") == context.wanted


def test_a_peering_waits_for_the_other_network_and_then_is_made(opened: Callable[..., tuple[Context, Run]]) -> None:
    other, run = opened("other", "10.92.0.0/16")
    context, run = opened("asking", "10.93.0.0/16", "  peering: {environment: other}\n")
    with pytest.raises(StackMissing, match="other network apply"):
        launch.stacks(context, run, launch.network_of(context))

    launch.stacks(other, run, launch.network_of(other))
    launch.stacks(context, run, launch.network_of(context))

    assert {"network", "acls", "peering"} == set(context.stacks)
    launch.destroy(context, run)
    launch.destroy(other, run)
