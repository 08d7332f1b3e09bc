"""What only the account knows of a transit gateway and its Direct Connect gateway: asked by the APIs' own models."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from bootstrap.environment import settings
from bootstrap.preconditions import account

Answer = list[dict[str, Any]] | None
ID = "00000000-0000-0000-0000-000000000001"
WHOLE = "environment: trial\ncloud: aws\nowner: a\ncost_center: b\nnetwork:\n"
OWN = f"  transit_gateway:\n    routes: [10.9.0.0/16]\n    asn: 64514\n    direct_connect_gateway: {ID}\n"
SHARED = (
    f"  transit_gateway:\n    routes: [10.9.0.0/16]\n    id: tgw-0123456789abcdef0\n    direct_connect_gateway: {ID}\n"
)


def told(folder: Path, text: str, gateways: Answer, transit: Answer = None) -> list[str]:
    """The faults of an environment of AWS, where Direct Connect and EC2 answer so; None where they are not asked."""
    path = folder / "trial.yaml"
    path.write_text(WHOLE + text)
    clients: dict[str, Any] = {
        name: boto3.client(name, region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
        for name in ("directconnect", "ec2")
    }
    stubs = {name: Stubber(client) for name, client in clients.items()}
    if transit is not None:
        asked = {"Filters": [{"Name": "transit-gateway-id", "Values": ["tgw-0123456789abcdef0"]}]}
        stubs["ec2"].add_response("describe_transit_gateways", {"TransitGateways": transit}, asked)
    if gateways is not None:
        answer = {"directConnectGateways": gateways}
        stubs["directconnect"].add_response("describe_direct_connect_gateways", answer, {"directConnectGatewayId": ID})
    for stub in stubs.values():
        stub.activate()
    world = SimpleNamespace(aws=clients.__getitem__, is_on_machine=False)
    context: Any = SimpleNamespace(settings=settings.load(path), environment_file=path, world=world, stacks={})
    found = [str(it).partition("trial.yaml:")[2] for it in account.find_faults(context, ("transit-gateway",))]
    for stub in stubs.values():
        stub.assert_no_pending_responses()
    return found


def gateway(asn: int, state: str = "available") -> list[dict[str, Any]]:
    return [{"directConnectGatewayId": ID, "amazonSideAsn": asn, "directConnectGatewayState": state}]


def shared(asn: int, state: str = "available") -> list[dict[str, Any]]:
    return [{"TransitGatewayId": "tgw-0123456789abcdef0", "State": state, "Options": {"AmazonSideAsn": asn}}]


def test_gateways_of_two_numbers_are_taken(tmp_path: Path) -> None:
    assert [] == told(tmp_path, OWN, gateway(64512))
    assert [] == told(tmp_path, SHARED, gateway(64512), shared(64515))


@pytest.mark.parametrize("found", [[], gateway(64512, "deleted")], ids=["none", "deleted"])
def test_a_direct_connect_gateway_of_another_is_refused_at_its_place(
    tmp_path: Path, found: list[dict[str, Any]]
) -> None:
    (fault,) = told(tmp_path, OWN, found)

    assert fault.startswith(
        "9:29: network.transit_gateway.direct_connect_gateway: this account has no Direct Connect gateway"
    )


def test_one_number_for_both_is_refused_whoever_has_the_transit_gateway(tmp_path: Path) -> None:
    (own,), (other,) = told(tmp_path, OWN, gateway(64514)), told(tmp_path, SHARED, gateway(64515), shared(64515))

    assert "9:29: network.transit_gateway.direct_connect_gateway" in own and "has the ASN 64514 like the transit" in own
    assert "has the ASN 64515 like the transit gateway" in other


@pytest.mark.parametrize("found", [[], shared(64515, "deleted")], ids=["none", "deleted"])
def test_a_transit_gateway_that_is_not_to_be_had_is_refused(tmp_path: Path, found: list[dict[str, Any]]) -> None:
    (fault,) = told(tmp_path, SHARED, None, found)

    assert fault.startswith(
        f"8:9: network.transit_gateway.id: tgw-0123456789abcdef0 is {'deleted' if found else 'absent'}"
    )
