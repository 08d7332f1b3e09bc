"""What has addresses of the VPC's block on this machine already."""

from pathlib import Path

import pytest

from bootstrap.environment.settings import load
from bootstrap.errors import LocalCloudFailed
from bootstrap.local import address_conflicts, cloud

ROOT = Path(__file__).resolve().parents[3]
# As /proc/net/route has them: default by eth0, 10.81.3.0/24 by podman2, 192.0.2.0/24 by eth0, and by the gateway 192.0.2.1 of
# a company's VPN 10.0.0.0/8 and 10.84.7.0/24.
ROUTES = [
    "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0",
    "podman2\t0003510A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
    "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
    "tun0\t0000000A\t010200C0\t0003\t0\t0\t0\t000000FF\t0\t0\t0",
    "tun0\t0007540A\t010200C0\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0",
]


@pytest.mark.parametrize(
    ("block", "own", "told"),
    [
        ("10.81.0.0/16", (), {"10.81.3.0/24 by podman2"}),
        ("10.81.0.0/16", ("podman2",), set()),
        ("10.82.0.0/16", (), set()),
        ("10.84.0.0/16", (), {"10.84.7.0/24 by tun0"}),
        ("192.0.2.128/25", (), {"192.0.2.0/24 by eth0"}),
    ],
)
def test_a_route_into_the_block_counts_and_a_gateways_to_a_larger_one_does_not(
    block: str, own: tuple[str, ...], told: set[str]
) -> None:
    assert told == address_conflicts.find_route_conflicts(block, ROUTES, own)


def network(name: str, subnet: str, **labels: str) -> dict[str, object]:
    return {"name": name, "network_interface": name, "subnets": [{"subnet": subnet}], "labels": labels or None}


def test_a_network_of_podmans_counts_though_its_bridge_is_down() -> None:
    there = [network("podman", "10.88.0.0/16"), network("other", "172.20.0.0/16"), network("six", "fd00::/64")]

    assert {"10.88.0.0/16 of the podman network podman"} == address_conflicts.find_podman_conflicts(
        "10.88.4.0/22", there
    )
    assert set() == address_conflicts.find_podman_conflicts("10.89.0.0/16", there)


def test_only_the_networks_of_the_same_cloud_are_its_own(tmp_path: Path) -> None:
    labels = {"bootstrap.environment": "one", "bootstrap.state": str(tmp_path)}
    found = network("n", "10.81.0.0/24", **labels)

    assert address_conflicts.is_own(found, "one", tmp_path)
    assert not address_conflicts.is_own(found, "two", tmp_path)
    assert not address_conflicts.is_own(found, "one", tmp_path / "of another copy")
    assert not address_conflicts.is_own(network("n", "10.81.0.0/24"), "one", tmp_path)


def test_a_cloud_whose_block_is_taken_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud.prerequisites, "ensure", lambda *_, **__: None)
    monkeypatch.setattr(cloud.prerequisites, "ensure_root", lambda _: None)
    monkeypatch.setattr(address_conflicts, "find_conflicts", lambda *_: ("10.77.0.0/16 of the podman network podman",))

    with pytest.raises(LocalCloudFailed) as caught:
        cloud.LocalCloud(load(ROOT / "environments" / "local.yaml"), tmp_path / "cloud").bring_up(None, is_agreed=True)  # type: ignore[arg-type]

    assert "10.77.0.0/16 of the podman network podman" in str(caught.value)
    assert "network.cidr" in caught.value.remedy
    assert [] == list(tmp_path.iterdir())
