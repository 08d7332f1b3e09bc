"""The estimate of an environment's monthly costs, against sums done by hand."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bootstrap.environment import settings
from bootstrap.planning.costs import SECRETS, describe_difference, estimate, read_standing_settings
from bootstrap.values import Stack

ROOT = Path(__file__).resolve().parents[3]
TABLE = """\
source: a list
noted_on: 2020-02-03
currency: USD
hours: 100
regions:
  eu-central-1:
    hourly: {nat_gateway: 0.05, public_address: 0.01, vpn_connection: 0.2, interface_endpoint: 0.02,
      transit_gateway_attachment: 0.06}
    monthly: {gp3_gib: 0.1, private_zone: 0.5, public_zone: 0.7, secret: 0.25, detailed_monitoring: 0.3}
    by_use: {cpu_credits_vcpu_hour: 0.07,
      nat_gateway_gib: 0.05, interface_endpoint_gib: 0.01, flow_logs_gib: 0.6, dns_queries_million: 0.4}
    hosted_connection: {200Mbps: 0.08}
    instances: {t3.large: 0.1, t3.micro: 0.01}
"""
WHOLE = "environment: trial\ncloud: aws\nowner: someone\ncost_center: lab\n"
ALWAYS = Decimal("10") + Decimal("3.6") + Decimal("1.5") + Decimal("0.3")
"""The machine, 36 GiB, six secrets, the detailed monitoring of the machine."""


@pytest.fixture
def total(tmp_path: Path):  # type: ignore[no-untyped-def]
    """The total of an environment with these lines."""
    (tmp_path / "prices.yaml").write_text(TABLE)

    def of(text: str) -> Decimal:
        path = tmp_path / "trial.yaml"
        path.write_text(WHOLE + text.replace("GATEWAY", "00000000-0000-0000-0000-000000000000"))
        return estimate(settings.load(path), tmp_path / "prices.yaml").total

    return of


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("", "0"),
        ("network: {nat: one}\n", "6"),
        ("network: {nat: per-zone, zones: 3}\n", "18"),
        ("network: {zones: 3}\n", "0"),
        ("network: {endpoints: [ssm, logs], zones: 3}\n", "12"),
        ("network: {private_zone: ci.internal}\n", "0.5"),
        ("network: {public_zone: {domain: ci.example.org}}\n", "0.7"),
        ("network: {bastion: {}}\n", "1.8"),
        ("network: {bastion: {allow: [198.51.100.0/24]}}\n", "2.8"),
        ("network: {vpn: {customer_address: 198.51.100.7}}\n", "20"),
        ("network: {transit_gateway: {routes: [10.9.0.0/16]}}\n", "6"),
        (
            "network: {transit_gateway: {routes: [10.9.0.0/16], "
            "direct_connect_gateway: 00000000-0000-0000-0000-000000000000}}\n",
            "12",
        ),
        (
            "network: {direct_connect: {connection: dxcon-ffabc123, vlan: 9, bandwidth: 200Mbps, gateway: GATEWAY}}\n",
            "8",
        ),
        ("network: {direct_connect: {connection: dxcon-ffabc123, vlan: 9, gateway: GATEWAY}}\n", "0"),
        ("network: {flow_logs: {}}\n", "0"),
        ("controller: {data_gib: 120}\n", "10"),
    ],
)
def test_each_option_adds_what_it_costs(total, text: str, more: str) -> None:  # type: ignore[no-untyped-def]
    assert ALWAYS + Decimal(more) == total(text)


def told(folder: Path, text: str) -> str:
    (folder / "prices.yaml").write_text(TABLE)
    (folder / "trial.yaml").write_text(WHOLE + text)
    return str(estimate(settings.load(folder / "trial.yaml"), folder / "prices.yaml"))


def test_the_line_names_sum_parts_and_date(tmp_path: Path) -> None:
    found = told(tmp_path, "network: {nat: per-zone, flow_logs: {}}\n")

    assert found.startswith(
        "about 27.40 USD a month on AWS in eu-central-1 (machine t3.large 10.00, detailed monitoring 0.30, 36 GiB of disk 3.60"
    )
    assert "2 NAT gateways 10.00, 2 public addresses 2.00" in found
    assert "a vCPU and hour, NAT 0.05 a GiB, flow logs 0.6 a GiB" in found
    assert found.endswith("prices as noted on 2020-02-03, indicative")


def test_queries_are_told_by_the_million(tmp_path: Path) -> None:
    other = "controller: {instance_type: m5.large}\n"
    found = told(tmp_path, f"network: {{private_zone: ci.internal}}\n{other}")
    assert "in addition by use: DNS queries 0.4 a million;" in found
    assert "by use" not in told(tmp_path, other)


def test_what_has_no_price_is_named_and_not_guessed(tmp_path: Path) -> None:
    assert "about 5.40 USD" in told(tmp_path, "controller: {instance_type: x9.large}\n")
    assert "no price known for machine x9.large" in told(tmp_path, "controller: {instance_type: x9.large}\n")
    assert told(tmp_path, "region: us-east-1\n").startswith(
        "no estimate: prices.yaml has no prices for the region us-east-1; no price known for machine t3.large, detailed"
        " monitoring, GiB"
    )


def test_the_shipped_table_prices_the_shipped_environments() -> None:
    for name in ("local", "aws", "office"):
        found = estimate(settings.load(ROOT / "environments" / f"{name}.yaml"), ROOT / "prices.yaml")

        assert () == found.unpriced
        assert Decimal(20) < found.total < Decimal(1000)


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1", "eu-west-1"])
def test_the_shipped_table_prices_everything_in_each_of_its_regions(tmp_path: Path, region: str) -> None:
    text = (ROOT / "tests" / "cases" / "environments" / "everything.yaml").read_text()
    link = "direct_connect: {connection: dxcon-ffabc123, vlan: 9, type: transit, bandwidth: 1Gbps, gateway: GATEWAY}"
    link = link.replace("GATEWAY", "00000000-0000-0000-0000-000000000001")
    text = text.replace("network:\n", f"region: {region}\nnetwork:\n  {link}\n", 1)
    (tmp_path / "everything.yaml").write_text(text.replace("eu-central-1:", f"{region}:"))
    neighbour = ROOT / "tests" / "cases" / "environments" / "neighbour.yaml"
    (tmp_path / "neighbour.yaml").write_text(f"region: {region}\n{neighbour.read_text()}")

    found = estimate(settings.load(tmp_path / "everything.yaml"), ROOT / "prices.yaml")

    assert () == found.unpriced
    assert {"transit gateway attachments", "hosted connection of 1Gbps", "VPN connection"} <= {
        it.name for it in found.items
    }
    assert 13 == len(found.by_use)


def test_the_shipped_table_says_what_it_is() -> None:
    text = (ROOT / "prices.yaml").read_text()
    told = YAML(typ="safe").load(text)

    assert "AWS public price list" in told["source"]
    assert "indicative" in text
    assert "from memory and stands on no source" in " ".join(text.replace("#", "").split())
    letters = set(re.findall(r": [0-9.]+  # ([a-z])\b", text))
    assert letters == set(told["sources"]), "each letter is explained, and each explanation is used"
    assert told["noted_on"].year >= 2026
    assert SECRETS == (ROOT / "cloudformation" / "data.yaml").read_text().count("Type: AWS::SecretsManager::Secret\n")


STANDING = {
    "network": {"Nat": "one", "Zones": "3"},
    "data": {"DataGib": "20"},
    "controller": {"InstanceType": "t3.large", "RootGib": "16"},
    "endpoints": {"Ssm": "yes", "Logs": "no"},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("network: {nat: one, zones: 3, endpoints: [ssm]}\n", ""),
        (
            "network: {nat: per-zone, zones: 3, endpoints: [ssm]}\n",
            "12.00 USD a month more than now (1 -> 3 NAT gateways +10.00, 1 -> 3 public addresses +2.00)",
        ),
        (
            "network: {nat: none, zones: 3, endpoints: [ssm]}\n",
            "6.00 USD a month less than now (no NAT gateway -5.00, no public address -1.00)",
        ),
        (
            "network: {nat: one, zones: 3, endpoints: [ssm], vpn: {customer_address: 198.51.100.7}}\n",
            "20.00 USD a month more than now (VPN connection +20.00)",
        ),
        (
            "network: {nat: one, zones: 3, endpoints: [ssm]}\ncontroller: {data_gib: 120}\n",
            "10.00 USD a month more than now (36 -> 136 GiB of disk +10.00)",
        ),
    ],
)
def test_a_plan_says_what_it_costs_more_than_what_is_there(tmp_path: Path, text: str, expected: str) -> None:
    table, path = tmp_path / "prices.yaml", tmp_path / "trial.yaml"
    table.write_text(TABLE)
    path.write_text(WHOLE + text)
    wished = settings.load(path)
    stacks = {name: Stack(name, "CREATE_COMPLETE", {}, parameters) for name, parameters in STANDING.items()}

    there = estimate(read_standing_settings(wished, stacks), table, tuple(stacks))

    assert expected == describe_difference(estimate(wished, table), there)


@pytest.mark.parametrize(("kind", "is_named"), [("t3.large", True), ("t3a.large", True), ("m5.large", False)])
def test_the_credits_of_an_unlimited_instance_are_named(tmp_path: Path, kind: str, is_named: bool) -> None:
    words = "CPU credits beyond the baseline 0.07 a vCPU and hour"

    assert is_named == (words in told(tmp_path, f"controller: {{instance_type: {kind}}}\n"))


def test_the_template_switches_on_what_is_counted() -> None:
    text = (ROOT / "cloudformation" / "controller.yaml").read_text()

    assert "Monitoring: {Enabled: true}" in text
    assert "Monitoring:" not in (ROOT / "cloudformation" / "bastion.yaml").read_text()
    assert "CreditSpecification:" not in text
