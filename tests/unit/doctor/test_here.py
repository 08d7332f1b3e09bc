"""What this machine must have to be a cloud."""

import socket
from pathlib import Path

import pytest

from bootstrap.doctor import here
from bootstrap.doctor.findings import Health


def test_what_has_a_part_of_the_block_is_told() -> None:
    found = here.clash("10.81.0.0/16", ["10.81.3.0/24 by podman2"])

    assert Health.BAD == found.health
    assert found.found.endswith("10.81.3.0/24 by podman2")
    assert "network.cidr" in found.remedy
    assert Health.GOOD == here.clash("10.81.0.0/16", []).health


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
