"""The picture's description: what is there stands in it, whatever it is called."""

import ipaddress

from bootstrap.network.model import Interface, Nacl, NaclEntry, Network, Route, RouteTable, Subnet, Vpc
from bootstrap.network.picture import draw

EVERYWHERE = ipaddress.ip_network("0.0.0.0/0")


def network(name: str = 'odd <name> & "more"') -> Network:
    block = ipaddress.ip_network("10.0.0.0/24")
    interfaces = {
        f"eni-{number}": Interface(f"eni-{number}", "subnet", (block[number],), roles=("agents",))
        for number in range(10, 14)
    }
    entries = tuple(NaclEntry(100, egress, True, EVERYWHERE) for egress in (False, True))
    return Network(
        vpc_id="vpc",
        vpcs={"vpc": Vpc("vpc", (block,), name)},
        subnets={"subnet": Subnet("subnet", "vpc", (block,), "z1", "rtb", "acl", name)},
        route_tables={"rtb": RouteTable("rtb", "vpc", (Route(EVERYWHERE, "nat-gone", is_blackhole=True),))},
        nacls={"acl": Nacl("acl", entries)},
        interfaces=interfaces,
    )


def test_names_with_signs_of_the_language_are_escaped() -> None:
    found = draw(network(), "x")

    assert "<name>" not in found
    assert "odd &lt;name&gt; &amp;" in found


def test_many_interfaces_of_one_role_are_counted() -> None:
    assert "agents: 4 interfaces" in draw(network(), "x")


def test_a_black_hole_is_told() -> None:
    assert "0.0.0.0/0 to nowhere: nat-gone is gone" in draw(network(), "x")


def test_where_nobody_reaches_anybody_the_table_says_so() -> None:
    closed = network("n")

    assert "nobody reaches anybody" in draw(Network(**{**closed.__dict__, "interfaces": {}}), "x")
