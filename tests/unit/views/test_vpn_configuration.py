"""The configuration for a VPN's other side: found, written for one pair of eyes."""

import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from bootstrap.errors import Missing, StackMissing
from bootstrap.runs.journal import Journal, Run
from bootstrap.values import Stack
from bootstrap.views import vpn_configuration

TEXT = '<?xml version="1.0"?><vpn_connection id="vpn-1"><ipsec_tunnel/></vpn_connection>'


class World:
    """EC2 with one VPN connection, stubbed."""

    def __init__(self, text: str = TEXT) -> None:
        self.client: Any = boto3.session.Session("a", "b", region_name="eu-central-1").client("ec2")
        self.stub = Stubber(self.client)
        self.stub.activate()
        found = [{"VpnConnectionId": "vpn-1", "CustomerGatewayConfiguration": text}]
        asked = {"Filters": [{"Name": "vpn-connection-id", "Values": ["vpn-1"]}]}
        self.stub.add_response("describe_vpn_connections", {"VpnConnections": found}, asked)

    def aws(self, service: str) -> Any:
        assert "ec2" == service
        return self.client


def context(world: World, outputs: dict[str, str]) -> Any:
    stacks = {"vpn": Stack("p-trial-vpn", "CREATE_COMPLETE", outputs)} if outputs else {}
    return SimpleNamespace(world=world, stacks=stacks, settings=SimpleNamespace(name="trial"))


def test_the_file_is_its_users_alone_and_the_journal_holds_no_key(tmp_path: Path) -> None:
    run, target = Run("r", Journal(tmp_path / "run")), tmp_path / "vpn.xml"
    target.write_text("an older one")
    target.chmod(0o644)

    vpn_configuration.show(context(World(), {"VpnConnectionId": "vpn-1"}), run, target)

    assert f"{TEXT}\n" == target.read_text()
    assert 0o600 == stat.S_IMODE(target.stat().st_mode)
    assert "ipsec_tunnel" not in run.journal.path.read_text()
    assert ["run", "vpn.xml"] == sorted(it.name for it in tmp_path.iterdir())


def test_without_a_file_it_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vpn_configuration.show(context(World(), {"VpnConnectionId": "vpn-1"}), Run("r", Journal(tmp_path)), None)

    assert f"{TEXT}\n" == capsys.readouterr().out


@pytest.mark.parametrize("outputs", [{}, {"VpnGatewayId": "vgw-1"}])
def test_an_environment_without_a_connection_says_how_to_get_one(tmp_path: Path, outputs: dict[str, str]) -> None:
    with pytest.raises(StackMissing) as caught:
        vpn_configuration.show(context(World(), outputs), Run("r", Journal(tmp_path)), None)

    assert "network.vpn.customer_address" in caught.value.remedy


def test_a_connection_that_is_gone_has_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="EC2 has none"):
        vpn_configuration.show(context(World(""), {"VpnConnectionId": "vpn-1"}), Run("r", Journal(tmp_path)), None)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="No such file"):
        vpn_configuration.write(tmp_path / "nowhere" / "vpn.xml", TEXT)
