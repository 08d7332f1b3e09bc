"""What this machine must have to be a cloud."""

import socket
from pathlib import Path

import pytest

from bootstrap.doctor import this_machine
from bootstrap.doctor.findings import Health
from bootstrap.local.machines.namespaces import Obstacle


def test_what_has_a_part_of_the_block_is_told() -> None:
    found = this_machine.check_routes("10.81.0.0/16", ["10.81.3.0/24 by podman2"])

    assert Health.BAD == found.health
    assert found.found.endswith("10.81.3.0/24 by podman2")
    assert "network.cidr" in found.remedy
    assert Health.GOOD == this_machine.check_routes("10.81.0.0/16", []).health


def test_whether_machines_have_a_user_namespace_is_told() -> None:
    assert Health.GOOD == this_machine.check_namespace(None, []).health

    impossible = this_machine.check_namespace(Obstacle("user namespaces are switched off", "Run: sysctl"), [])
    assert Health.BAD == impossible.health
    assert "switched off: root in a machine would be root on this machine" in impossible.found
    assert "Run: sysctl" == impossible.remedy

    former = this_machine.check_namespace(None, ["i-0a", "i-0b"])
    assert Health.BAD == former.health
    assert former.found.endswith("i-0a, i-0b")


def test_a_port_that_another_has_is_told(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        (tmp_path / "port").write_text(str(other.getsockname()[1]))

        assert Health.BAD == this_machine.check_port(tmp_path, is_running=False).health
        assert Health.GOOD == this_machine.check_port(tmp_path, is_running=True).health
    assert Health.WARNING == this_machine.check_port(tmp_path, is_running=False).health


def test_before_the_first_launch_no_port_is_needed(tmp_path: Path) -> None:
    assert Health.GOOD == this_machine.check_port(tmp_path, is_running=False).health


@pytest.mark.parametrize(("free", "health"), [(1.0, Health.BAD), (50.0, Health.GOOD)])
def test_room_is_looked_for(tmp_path: Path, free: float, health: Health) -> None:
    assert health == this_machine.check_disk_space(free, tmp_path).health
