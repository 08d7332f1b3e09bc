"""What this machine must have to be a cloud."""

import socket
from pathlib import Path

import pytest

from bootstrap.doctor import here
from bootstrap.doctor.findings import Health

# As /proc/net/route has them: default by eth0, 10.81.3.0/24 by podman2, 192.0.2.0/24 by eth0.
ROUTES = [
    "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0",
    "podman2\t0003510A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
    "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
]


def test_a_route_into_the_block_is_told_with_its_interface() -> None:
    found = here.clash("10.81.0.0/16", ROUTES, frozenset())

    assert Health.BAD == found.health
    assert found.found.endswith("10.81.3.0/24 by podman2")
    assert "network.cidr" in found.remedy


@pytest.mark.parametrize(("block", "own"), [("10.81.0.0/16", {"podman2"}), ("10.82.0.0/16", set())])
def test_the_environments_own_bridges_the_default_and_other_blocks_are_no_clash(block: str, own: set[str]) -> None:
    assert Health.GOOD == here.clash(block, ROUTES, frozenset(own)).health


def test_a_port_that_another_has_is_told(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        (tmp_path / "port").write_text(str(other.getsockname()[1]))

        assert Health.BAD == here.port(tmp_path, is_running=False).health
        assert Health.GOOD == here.port(tmp_path, is_running=True).health
    assert Health.WARNING == here.port(tmp_path, is_running=False).health


def test_before_the_first_launch_no_port_is_needed(tmp_path: Path) -> None:
    assert Health.GOOD == here.port(tmp_path, is_running=False).health


@pytest.mark.parametrize(("free", "health"), [(1.0, Health.BAD), (50.0, Health.GOOD)])
def test_room_is_looked_for(tmp_path: Path, free: float, health: Health) -> None:
    assert health == here.room(free, tmp_path).health
