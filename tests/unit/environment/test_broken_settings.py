"""A value in an environment file that is refused, with its message, its line and its column."""

from pathlib import Path

import pytest

from bootstrap.errors import SettingsInvalid
from tests.unit.environment.environment_files import WHOLE, load

# What a person may write wrong: the lines after WHOLE, and the fault's line, column and words.
BROKEN = {
    "unknown key": ("netwerk: {}\n", 5, 1, "unknown key 'netwerk'; did you mean 'network'?"),
    "unknown key deep inside": (
        "network:\n  cdir: 10.0.0.0/16\n",
        6,
        3,
        "unknown key 'network.cdir'; did you mean 'cidr'?",
    ),
    "key like no other": ("zzz: 1\n", 5, 1, "unknown key 'zzz'; known keys: version, environment"),
    "text for a number": ("jenkins:\n  executors: '2'\n", 6, 14, "jenkins.executors: Input should be a valid integer"),
    "number out of range": ("controller:\n  data_gib: 0\n", 6, 13, "greater than or equal to 1"),
    "not one of the choices": ("network:\n  nat: two\n", 6, 8, "'none', 'one' or 'per-zone', not 'two'"),
    "secret of the toolkit": (
        "jenkins:\n  secrets:\n    ADMIN_PASSWORD: {secret: a}\n",
        7,
        5,
        "jenkins.secrets.ADMIN_PASSWORD: the name ADMIN_PASSWORD is the toolkit's",
    ),
    "secret from nowhere": (
        "jenkins:\n  secrets:\n    TOKEN: {}\n",
        7,
        5,
        "jenkins.secrets.TOKEN: write either 'secret' (Secrets Manager) or 'parameter'",
    ),
    "secret from two places": (
        "jenkins:\n  secrets:\n    TOKEN: {secret: a, parameter: b}\n",
        7,
        5,
        "write either 'secret' (Secrets Manager) or 'parameter'",
    ),
    "secret with a bad name": ("jenkins:\n  secrets:\n    my-token: {secret: a}\n", 7, 5, "does not match"),
    "tag of the toolkit": ("tags:\n  Team: a\n  run: b\n", 7, 3, "tags.run: the toolkit sets the tag Run itself"),
    "tag of the owner": ("tags:\n  OWNER: b\n", 6, 3, "its value is the file's key 'owner'"),
    "tag of the templates": ("tags: {name: b}\n", 5, 8, "the toolkit sets the tag Name itself"),
    "tag of AWS": ("tags:\n  AWS:team: a\n", 6, 3, "keys that begin with 'aws:' are AWS' own"),
    "tag with a forbidden key": ("tags:\n  Team#1: a\n", 6, 3, "the key has '#'; AWS takes letters, digits"),
    "tag with a forbidden value": ("tags:\n  Team: a, b\n", 6, 9, "the value has ','; AWS takes letters, digits"),
    "tag over two lines": ('tags:\n  Team: "a\\nb"\n', 6, 9, "the value has '\\n'"),
    "tag without a value": ("tags:\n  Team: ''\n", 6, 9, "CloudFormation, which sets the tags, takes no empty one"),
    "tag without a key": ("tags:\n  '': a\n", 6, 3, "a key has 1 to 128 characters, not 0"),
    "tag with a long key": (f"tags:\n  {'k' * 129}: a\n", 6, 3, "a key has 1 to 128 characters, not 129"),
    "tag with a long value": (f"tags:\n  Team: {'v' * 257}\n", 6, 9, "a value has 1 to 256 characters, not 257"),
    "tag twice": ("tags:\n  Team: a\n  TEAM: b\n", 7, 3, "tags.TEAM: 'Team' is there, too, and IAM does not tell"),
    "tag of a number": (
        "tags:\n  strategy: 7\n",
        6,
        13,
        "tags.strategy: Input should be a valid string, not 7; write it in",
    ),
    "key that is a number": ("tags:\n  7: a\n", 6, 3, "the key 7 is not text; write it in quotes"),
    "key that is a date": ("tags:\n  2024-01-01: a\n", 6, 3, "the key 2024-01-01 is not text"),
    "more tags than there is room": (
        "tags:\n" + "".join(f"  tag{number}: a\n" for number in range(43)),
        5,
        1,
        "43 tags are more than 42: a resource has at most 50 tags, and 8 are the toolkit's",
    ),
    "block with host bits": ("network:\n  cidr: 10.0.0.5/16\n", 6, 9, "has host bits set"),
    "block that is no block": ("network:\n  cidr: ten\n", 6, 9, "not an IPv4 block"),
    "block too small": ("network:\n  cidr: 10.0.0.0/28\n", 6, 9, "a /16 to a /24, not a /28"),
    "public block": ("network:\n  cidr: 8.8.0.0/16\n", 6, 9, "block must be private"),
    "the old key for one block": (
        "access:\n  operator_cidr: 10.0.0.0/16\n",
        6,
        3,
        "'access.operator_cidr' is now a list, access.operator_cidrs; write operator_cidrs: [10.0.0.0/16]",
    ),
    "operators twice": (
        "access:\n  operator_cidrs: [10.0.0.0/16, 10.1.0.0/16, 10.0.0.0/16]\n",
        6,
        46,
        "access.operator_cidrs.2: 10.0.0.0/16 is there twice",
    ),
    "five blocks of operators": (
        f"access:\n  operator_cidrs: [{', '.join(f'10.{n}.0.0/16' for n in range(5))}]\n",
        6,
        3,
        "at most 4",
    ),
    "more blocks than an ACL has rules": (
        "access:\n  operator_cidrs: [10.1.0.0/16, 10.2.0.0/16, 10.3.0.0/16]\n"
        "network:\n  ipv6: true\n  bastion: {allow: [10.4.0.0/16, 10.5.0.0/16, 10.6.0.0/16]}\n",
        6,
        3,
        "3 blocks here and 3 in network.bastion.allow are too many: a network ACL has at most 20 rules",
    ),
    "open to the world": ("access:\n  operator_cidrs: [0.0.0.0/0]\n", 6, 20, "would open the machine to everybody"),
    "service that has no endpoint": ("network:\n  endpoints: [ssm, s4]\n", 6, 20, "'s4'"),
    "retention that CloudWatch has not": ("network:\n  flow_logs:\n    retention_days: 31\n", 7, 21, "not 31"),
    "boundary that is a role": (
        "account:\n  permissions_boundary: arn:aws:iam::111122223333:role/boundary\n",
        6,
        25,
        "account.permissions_boundary: 'arn:aws:iam::111122223333:role/boundary' does not match",
    ),
    "alias for a key": (
        "account:\n  kms_key_arn: arn:aws:kms:eu-central-1:111122223333:alias/jenkins\n",
        6,
        16,
        "account.kms_key_arn: 'arn:aws:kms:eu-central-1:111122223333:alias/jenkins' does not match",
    ),
    "key of another region": (
        "account:\n  kms_key_arn: arn:aws:kms:eu-west-1:111122223333:key/mrk-1\n",
        6,
        16,
        "account.kms_key_arn: is a key of eu-west-1, and what it shall encrypt is in eu-central-1; name a key of",
    ),
    "boundary of another partition": (
        "account:\n  permissions_boundary: arn:aws-cn:iam::111122223333:policy/boundary\n",
        6,
        25,
        "is an ARN of the partition aws-cn; eu-central-1 is in aws",
    ),
    "logs' key of another region": (
        "network:\n  flow_logs:\n    kms_key_arn: arn:aws:kms:us-east-1:111122223333:key/1\n",
        7,
        18,
        "network.flow_logs.kms_key_arn: is a key of us-east-1",
    ),
    "queries' key outside of us-east-1": (
        "region: us-east-1\nnetwork:\n  public_zone:\n    domain: ci.example.org\n"
        "    queries: {kms_key_arn: arn:aws:kms:eu-west-1:111122223333:key/1}\n",
        9,
        28,
        "is in us-east-1; name a key of us-east-1",
    ),
    "key that is no ARN": ("network:\n  flow_logs:\n    kms_key_arn: mine\n", 7, 18, "does not match"),
    "zone of one word": ("network:\n  private_zone: internal\n", 6, 17, "does not match"),
    "bastion for the world": (
        "network:\n  bastion:\n    allow: [0.0.0.0/0]\n",
        7,
        13,
        "would open the machine to everybody",
    ),
    "bastion for five": (
        f"network:\n  bastion:\n    allow: [{', '.join(f'10.{n}.0.0/16' for n in range(5))}]\n",
        7,
        5,
        "at most 4",
    ),
    "ASN that is public": ("network:\n  vpn:\n    gateway_asn: 3320\n", 7, 18, "3320 is not a private ASN"),
    "ASN beyond the range": (
        "network:\n  vpn:\n    customer_asn: 4294967295\n",
        7,
        19,
        "less than or equal to 4294967294",
    ),
    "the same ASN on both sides": (
        "network:\n  vpn:\n    customer_address: 198.51.100.7\n    customer_asn: 64512\n",
        6,
        3,
        "both sides have the ASN 64512",
    ),
    "customer gateway of no address": (
        "network:\n  vpn:\n    customer_address: gateway\n",
        7,
        23,
        "not an IPv4 address",
    ),
    "customer gateway that is private": (
        "network:\n  vpn:\n    customer_address: 10.0.0.1\n",
        7,
        23,
        "10.0.0.1 is private",
    ),
    "customer gateway that is nobody": (
        "network:\n  vpn:\n    customer_address: 127.0.0.1\n",
        7,
        23,
        "is not a public address",
    ),
    "VPN to nobody": (
        "network:\n  vpn: {gateway_asn: 64512}\n",
        6,
        3,
        "'customer_address' or 'direct_connect_gateway'",
    ),
    "routes of no connection": (
        "network:\n  vpn:\n    direct_connect_gateway: 00000000-0000-0000-0000-000000000000\n    routes: [10.9.0.0/16]\n",
        6,
        3,
        "add its 'customer_address'",
    ),
    "Direct Connect gateway of no shape": (
        "network:\n  vpn:\n    direct_connect_gateway: dx-1\n",
        7,
        29,
        "does not match",
    ),
    "route over the VPC": (
        "network:\n  vpn:\n    customer_address: 198.51.100.7\n    routes: [10.9.0.0/16, 10.77.8.0/24]\n",
        8,
        27,
        "network.vpn.routes.1: 10.77.8.0/24 overlaps with the VPC's own 10.77.0.0/16",
    ),
    "a transit gateway that leads nowhere": (
        "network:\n  transit_gateway: {routes: []}\n",
        6,
        21,
        "network.transit_gateway.routes: ",
    ),
    "a number for another's transit gateway": (
        "network:\n  transit_gateway: {id: tgw-0123456789abcdef0, asn: 64513, routes: [10.9.0.0/16]}\n",
        6,
        3,
        "'asn' is for a new gateway; tgw-0123456789abcdef0 has its own",
    ),
    "a transit gateway's number that is public": (
        "network:\n  transit_gateway: {asn: 7224, routes: [10.9.0.0/16]}\n",
        6,
        26,
        "7224 is not a private ASN",
    ),
    "a block that VPN and transit gateway both lead to": (
        "network:\n  vpn: {customer_address: 198.51.100.7, routes: [10.9.0.0/16]}\n"
        "  transit_gateway: {routes: [10.8.0.0/16, 10.9.0.0/16]}\n",
        7,
        43,
        "network.vpn has the route 10.9.0.0/16, too",
    ),
    "one Direct Connect gateway for VPN and transit gateway": (
        "network:\n  vpn: {direct_connect_gateway: 00000000-0000-0000-0000-000000000000}\n"
        "  transit_gateway:\n    routes: [10.9.0.0/16]\n    direct_connect_gateway: 00000000-0000-0000-0000-000000000000\n",
        9,
        29,
        "a gateway is either for VPN gateways or for transit gateways",
    ),
    "peering with oneself": ("network:\n  peering: {environment: trial}\n", 6, 26, "cannot peer with itself"),
    "peering with nobody": (
        "network:\n  peering: {environment: other}\n",
        6,
        26,
        "'other' is not an environment of the same cloud",
    ),
    "nearly an option's key": (
        "network:\n  bastion: {alow: []}\n",
        6,
        13,
        "unknown key 'network.bastion.alow'; did you mean 'allow'?",
    ),
    "mirror without its URL": ("jenkins:\n  source: mirror\n", 5, 1, "needs the key 'mirror'"),
    "file without its path": ("jenkins:\n  source: file\n", 5, 1, "needs the key 'file'"),
    "address without an at": ("mail:\n  reply_to: nobody\n", 6, 13, "does not match"),
    "region of no shape": ("region: Frankfurt\n", 5, 9, "region: 'Frankfurt' does not match"),
    "a list where a section belongs": ("network: []\n", 5, 1, "network: "),
    "package name with a space": ("host:\n  extra_packages: [jq, 'a b']\n", 6, 24, "does not match"),
    "the same key twice": ("owner: another\n", 5, 1, "duplicate key"),
    "a tab for indentation": ("network:\n\tcidr: 10.0.0.0/16\n", 6, 1, "not YAML"),
    "an unclosed bracket": ("network: [\n", 6, 1, "not YAML"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_at_its_place(tmp_path: Path, case: str) -> None:
    added, line, column, words = BROKEN[case]

    with pytest.raises(SettingsInvalid) as caught:
        load(tmp_path, WHOLE + added)

    fault = caught.value.faults[0]
    assert (line, column) == (fault.line, fault.column), str(fault)
    assert words in fault.message


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load(tmp_path, WHOLE + "netwerk: {}\nnetwork:\n  zones: 4\njenkins:\n  heap: lots\n")

    assert [5, 7, 9] == [fault.line for fault in caught.value.faults]


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load(tmp_path, "environment: trial\ncloud: local\ncost_center: lab\n")

    assert ["the key 'owner' is missing"] == [fault.message for fault in caught.value.faults]
