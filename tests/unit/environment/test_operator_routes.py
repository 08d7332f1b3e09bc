"""Intentions that nothing in an environment file can satisfy: refused with their line, and only where a machine is made."""

from pathlib import Path

import pytest

from bootstrap.environment import settings
from bootstrap.errors import SettingsInvalid

HEAD = """\
environment: trial
cloud: aws
owner: someone
cost_center: lab
network:
  cidr: 10.99.0.0/16
"""
OPERATORS = "access: {operator_cidrs: [192.168.0.0/16]}\n"
ALLOW = "  intentions:\n    allow: [{}]\n"
VPN = "  vpn: {customer_address: 198.51.100.7, routes: [192.168.0.0/16]}\n"
BGP = "  vpn: {customer_address: 198.51.100.7}\n"
GATEWAY = "00000000-0000-0000-0000-000000000000"
REFUSED = {
    "SSH under Session Manager": (
        VPN + ALLOW.format('"operators -> controller:443", "operators -> controller:22"') + OPERATORS,
        9,
        "'operators -> controller:22' cannot hold: port 22 is open only with 'access.ssh: direct', and 'access.ssh' is",
    ),
    "HTTPS without a way": (
        ALLOW.format('"operators -> controller:443"') + OPERATORS,
        9,
        "access.operator_cidrs.0: no way leads from 192.168.0.0/16 to the VPC",
    ),
    "the default without a way": (OPERATORS, 7, "access.operator_cidrs.0: no way leads"),
    "the second of two blocks without a way": (
        VPN + "access:\n  operator_cidrs:\n    - 192.168.0.0/16\n    - 172.16.0.0/12\n",
        11,
        "access.operator_cidrs.1: no way leads from 172.16.0.0/12 to the VPC",
    ),
    "a block without a way, and no intention": (
        "  intentions:\n    allow: []\n" + OPERATORS,
        9,
        "no way leads from 192.168.0.0/16 to the VPC",
    ),
    "routes to others": (
        VPN.replace("192.168.0.0", "172.16.0.0") + OPERATORS,
        8,
        "no way leads from 192.168.0.0/16 to the VPC",
    ),
    "a port that is not open": (
        VPN + ALLOW.format('"operators -> controller:8443"') + OPERATORS,
        9,
        "only on port 443",
    ),
    "every port": (
        VPN + ALLOW.format('"operators -> controller:*"') + "    deny: []\n" + OPERATORS,
        9,
        "only on port 443",
    ),
    "UDP": (VPN + ALLOW.format('"operators -> controller:443/udp"') + OPERATORS, 9, "only on port 443"),
    "another port beside direct SSH": (
        VPN + ALLOW.format('"operators -> controller:80"') + OPERATORS.replace("}", ", ssh: direct}"),
        9,
        "only on port 443, and 22",
    ),
    "the Internet": (
        '  intentions:\n    allow: ["internet -> controller:443"]\n    deny: []\n',
        8,
        "only a private address",
    ),
    "direct SSH without a way": (
        "  intentions:\n    allow: []\n" + OPERATORS.replace("}", ", ssh: direct}"),
        9,
        "access.operator_cidrs.0: no way leads",
    ),
}
ACCEPTED = {
    "nobody": "",
    "a VPN with routes": VPN + OPERATORS,
    "a VPN and a transit gateway for two blocks": (
        VPN + "  transit_gateway: {routes: [10.3.0.0/16]}\naccess: {operator_cidrs: [192.168.0.0/24, 10.3.0.0/16]}\n"
    ),
    "a VPN with BGP": BGP + OPERATORS,
    "Direct Connect": f"  vpn: {{direct_connect_gateway: {GATEWAY}}}\n{OPERATORS}",
    "a transit gateway": "  transit_gateway: {routes: [192.168.4.0/24]}\n" + OPERATORS,
    "direct SSH": VPN + ALLOW.format('"operators -> controller:22"') + OPERATORS.replace("}", ", ssh: direct}"),
    "other ends": ALLOW.format('"controller -> internet:443", "agents -> controller:50000"'),
}


def write(folder: Path, text: str) -> Path:
    path = folder / "trial.yaml"
    path.write_text(HEAD + text)
    return path


@pytest.mark.parametrize("case", REFUSED)
def test_what_nothing_can_satisfy_is_refused_with_its_line(tmp_path: Path, case: str) -> None:
    text, line, words = REFUSED[case]
    path = write(tmp_path, text)
    chosen = settings.load(path)  # every other command takes it: what exists can be destroyed

    with pytest.raises(SettingsInvalid) as caught:
        settings.check_ways(path, chosen)

    fault = caught.value.faults[0]
    assert (str(path), line) == (fault.file, fault.line), fault
    assert words in fault.message
    assert "environments/office.yaml" in caught.value.remedy


@pytest.mark.parametrize("case", ACCEPTED)
def test_what_an_option_can_satisfy_is_accepted(tmp_path: Path, case: str) -> None:
    path = write(tmp_path, ACCEPTED[case])

    settings.check_ways(path, settings.load(path))


def test_in_the_local_cloud_this_machine_is_in_every_network(tmp_path: Path) -> None:
    path = write(tmp_path, OPERATORS)
    path.write_text(path.read_text().replace("cloud: aws", "cloud: local"))

    settings.check_ways(path, settings.load(path))
