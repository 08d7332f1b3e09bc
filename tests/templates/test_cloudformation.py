"""The templates as a whole: nothing for cfn-lint to say, and fitting to each other and to the launch."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bootstrap.environment import models, settings
from bootstrap.errors import TemplateInvalid
from bootstrap.stacks import composition, parameters, template
from bootstrap.values import Stack

ROOT = Path(__file__).resolve().parents[2]
PATHS = {path.stem: path for path in sorted((ROOT / "cloudformation").glob("*.yaml"))}
ENVIRONMENTS = sorted(
    path for it in ("environments", "tests/cases/environments") for path in (ROOT / it).glob("*.yaml")
)

# Outputs that no program reads, and who does.
FOR_PEOPLE = {
    "AgentsSecurityGroupId": "who adds agents",
    "BastionGroupName": "who looks for the bastion in the console",
    "ControllerName": "who opens Jenkins from inside the network",
    "DataSecurityGroupId": "who adds a file system or a database",
    "AgentsRoleArn": "who looks for what agents may do",
    "EdgeSecurityGroupId": "who puts a load balancer in front",
    "FlowLogGroupName": "who reads what crossed the network",
    "PublicName": "who opens Jenkins",
    "ZoneLogGroupName": "who reads what was asked of the zone",
    "PeeringId": "who looks for the peering in the console",
    "QueryLogGroupName": "who reads which names were asked for",
    "TransitGatewayAttachmentId": "who accepts the attachment to a shared transit gateway",
    "TransitGatewayId": "who attaches others, or a virtual interface of Direct Connect",
    "VpnConnectionId": "who fetches the configuration of the customer's side",
    "VpnGatewayId": "who attaches a virtual interface of Direct Connect",
    "ZoneId": "who adds names to the zone",
    "PrivateIp": "who looks for the machine in the console",
}


# Outputs as AWS would give them.
EXAMPLES = {
    "VpcId": "vpc-0abc",
    "VpcCidr": "10.21.0.0/16",
    "PrivateIp": "10.21.3.5",
    "ControllerZone": "eu-central-1a",
    "PublicAclId": "acl-0abc",
    "PublicZoneId": "Z0123456789ABCDEFGHIJ",
    "PublicDomain": "ci.example.org",
    "ZoneNames": "eu-central-1a,eu-central-1b,eu-central-1c",
    "PrivateAclId": "acl-0abd",
    "PrivateSubnetIds": "subnet-0abc,subnet-0abd,subnet-0abe",
    "AgentsSecurityGroupId": "sg-0abc",
    "DistributionBucket": "jenkins-everything-distribution-bucket-0abcdefghijk",
}
ALL = composition.place_agents(["agents-infrastructure", "agents-linux"])
KEY = "arn:aws:kms:us-east-1:111122223333:key/11111111-1111-1111-1111-111111111111"
SECRETS = (
    "AdminPasswordSecret",
    "ToolkitPasswordSecret",
    "ToolkitTokenSecret",
    "CertificatesSecret",
    "AuthorityKeySecret",
    "PeopleSecret",
)
EXAMPLES |= dict.fromkeys(SECRETS, "arn:aws:secretsmanager:eu-central-1:111122223333:secret:x")
EXAMPLES |= {key: "x-1,x-2,x-3" for taken in composition.TAKES.values() for key in taken if key not in EXAMPLES}
EXISTING = {
    "network": Stack("network", "", EXAMPLES),
    composition.OF_JOBS: Stack("agents", "", {"JobsRole": "jenkins-everything-agents-Role-1"}),
}


def outputs(name: str) -> Mapping[str, str]:
    return dict.fromkeys(template.parse(PATHS[composition.name_template(name)].read_text()).get("Outputs", {}), "x")


def test_each_stack_of_the_launch_has_a_template() -> None:
    assert sorted((*composition.ORDER, composition.name_template(composition.AGENTS))) == sorted(PATHS)


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1"])
@pytest.mark.parametrize("name", PATHS)
def test_cfn_lint_has_nothing_to_say(name: str, region: str) -> None:
    assert [] == [str(fault) for fault, _ in template.list_findings(PATHS[name], region)]


def test_an_error_is_refused_with_its_place(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(PATHS["network"].read_text().replace("!Ref Vpc\n", "!Ref Vcp\n", 1))
    line = 1 + broken.read_text().splitlines().index("      VpcId: !Ref Vcp")

    with pytest.raises(TemplateInvalid) as caught:
        template.lint(broken, "eu-central-1")

    assert [(line, True)] == [(fault.line, fault.message.startswith("E1020")) for fault in caught.value.faults]


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_the_launch_gives_each_template_what_it_takes_from_the_stacks_that_it_waits_for(path: Path) -> None:
    chosen = settings.load(path)

    for name in composition.list_wanted_stacks(chosen):
        made = {other: Stack(other, "CREATE_COMPLETE", outputs(other)) for other in composition.list_inputs(name)}
        given = parameters.make_parameters(chosen, name, made)
        given |= parameters.make_peer_parameters(outputs("network")) if name == "peering" else {}
        # Looked up in the account.
        has_image = name == "controller" or name.startswith(composition.AGENTS)
        given |= {"ImageId": "ami-0123456789abcdef0"} if has_image else {}
        given |= {"Packages": "git"} if name.startswith(composition.AGENTS) else {}

        source = template.load(PATHS[composition.name_template(name)], given)

        assert {"Project", "Environment"} <= set(source.defaults)


def test_every_option_at_once_makes_every_stack_and_the_default_only_four() -> None:
    wanted = {path.stem: composition.list_wanted_stacks(settings.load(path)) for path in ENVIRONMENTS}

    assert ALL == wanted["everything"]
    assert ("network", "acls", "data", "controller") == wanted["local"] == wanted["neighbour"]


@pytest.mark.parametrize("name", ALL)
def test_each_stack_waits_for_none_that_comes_after_it(name: str) -> None:
    before = ALL[: ALL.index(name)]

    assert set() == set(composition.list_inputs(name)) - set(before)


def test_every_value_that_a_parameter_of_the_launch_has_is_one_that_the_template_allows() -> None:
    chosen = settings.load(ROOT / "tests" / "cases" / "environments" / "everything.yaml")
    refused = []
    for name in ALL:
        given = parameters.make_parameters(chosen, name, EXISTING)
        declared = template.parse(PATHS[composition.name_template(name)].read_text())["Parameters"]
        for key, value in given.items():
            pattern, allowed = declared[key].get("AllowedPattern", ".*"), declared[key].get("AllowedValues")
            low, high = declared[key].get("MinValue", float("-inf")), declared[key].get("MaxValue", float("inf"))
            is_number = declared[key]["Type"] == "Number"
            if not re.fullmatch(pattern, value) or (allowed and value not in map(str, allowed)):
                refused.append(f"{name}: {key} = {value!r}")
            if is_number and not low <= float(value) <= high:
                refused.append(f"{name}: {key} = {value}")

    assert [] == refused


@pytest.mark.parametrize("name", ALL)
def test_every_output_is_read_by_somebody(name: str) -> None:
    programs = "\n".join(
        path.read_text() for path in (ROOT / "bootstrap").rglob("*.py") if "local/" not in path.as_posix()
    )

    unread = [it for it in outputs(name) if not re.search(rf"[\"']{it}[\"']", programs) and it not in FOR_PEOPLE]

    assert [] == unread


def test_what_is_listed_for_people_is_an_output() -> None:
    assert set(FOR_PEOPLE) <= {it for name in ALL for it in outputs(name)}


def test_what_is_replaced_by_way_of_absence_is_absent_then() -> None:
    source = template.load(PATHS["controller"], dict.fromkeys(controllers_own(), "x"))
    content = template.parse(source.body)

    conditional = {name for name, it in content["Resources"].items() if it.get("Condition") == "IsPresent"}

    assert conditional == set(source.replaced)
    assert {"Presence": "absent"} == source.by_way_of


def controllers_own() -> list[str]:
    content = template.parse(PATHS["controller"].read_text())
    return [name for name, it in content["Parameters"].items() if "Default" not in it]


def test_only_a_good_template_is_remembered_and_for_its_region_alone(tmp_path: Path) -> None:
    memory = tmp_path / ".bootstrap" / "linted.json"
    memory.parent.mkdir()
    copy = tmp_path / "templates" / "data.yaml"
    copy.parent.mkdir()
    copy.write_text(PATHS["data"].read_text())

    for region in ("eu-central-1", "eu-central-1", "us-east-1"):
        template.lint(copy, region)
    copy.write_text(copy.read_text().replace("VolumeType: gp3", "VolumeType: gp9"))
    with pytest.raises(TemplateInvalid):
        template.lint(copy, "eu-central-1")

    assert 2 == len(set(json.loads(memory.read_text())))


def test_a_remembered_template_costs_no_lint(tmp_path: Path) -> None:
    (tmp_path / ".bootstrap").mkdir()
    copy = tmp_path / "templates" / "data.yaml"
    copy.parent.mkdir()
    copy.write_text(PATHS["data"].read_text())
    program = (
        "import sys; from bootstrap.stacks import template; from pathlib import Path; "
        f"template.lint(Path({str(copy)!r}), 'eu-central-1'); print('cfnlint' in sys.modules)"
    )

    loaded = [
        subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True).stdout for _ in "12"
    ]

    assert ["True\n", "False\n"] == loaded


def test_text_that_is_not_yaml_is_refused_with_its_place(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("Resources:\n  A: [\n")

    with pytest.raises(TemplateInvalid) as caught:
        template.load(broken, {})

    assert [3] == [fault.line for fault in caught.value.faults]


def test_boundary_and_key_reach_every_template_that_takes_them() -> None:
    everything = settings.load(ROOT / "tests" / "cases" / "environments" / "everything.yaml")
    bare = everything.model_copy(update={"account": models.Account()})
    account, logs = everything.account, everything.network.flow_logs
    assert logs is not None
    expected = {"PermissionsBoundary": account.permissions_boundary, "KmsKeyArn": account.kms_key_arn}
    for name in composition.ORDER:
        taken = set(expected).intersection(
            template.parse(PATHS[composition.name_template(name)].read_text())["Parameters"]
        )
        with_account, without = (parameters.make_parameters(it, name, EXISTING) for it in (everything, bare))
        own = {"traffic-logs": {"KmsKeyArn": logs.kms_key_arn}, "public-zone": {"KmsKeyArn": ""}}.get(name, {})
        assert {it: {**expected, **own}[it] for it in taken} == {it: with_account[it] for it in taken}, name
        assert all(without[it] in {"", own.get(it)} for it in taken), name


def test_the_environments_key_encrypts_logs_without_one_of_their_own() -> None:
    chosen = models.Settings.model_validate(
        {
            "environment": "trial",
            "cloud": "aws",
            "owner": "a",
            "cost_center": "b",
            "region": "us-east-1",
            "account": {"kms_key_arn": KEY},
            "network": {"flow_logs": {}, "public_zone": {"domain": "ci.example.org", "queries": {}}},
        }
    )
    for name in ("traffic-logs", "public-zone"):
        assert KEY == parameters.make_parameters(chosen, name, {"network": Stack("network", "", EXAMPLES)})["KmsKeyArn"]


def test_a_vpn_gateway_that_is_replaced_is_attached_to_nothing_then_and_nothing_goes_by_it() -> None:
    everything = settings.load(ROOT / "tests" / "cases" / "environments" / "everything.yaml")
    given = parameters.make_parameters(everything, "vpn", {"network": Stack("network", "", EXAMPLES)})
    source = template.load(PATHS["vpn"], given)
    content = template.parse(source.body)

    assert {"Presence": "absent"} == source.by_way_of
    assert "Presence" not in given and "present" == source.defaults["Presence"]
    assert {"Gateway", "CustomerGateway"} == {
        name for name in content["Resources"] if not depends(content, content["Resources"][name].get("Condition"))
    }
    assert {"Gateway"} == source.replaced


def depends(content: Mapping[str, Any], condition: str | None) -> bool:
    """Whether a condition is, or holds only with others of which one is, that the stack is present."""
    told = re.findall(r'"(\w+)"', json.dumps(content["Conditions"].get(condition, ())))
    return condition == "IsPresent" or any(depends(content, it) for it in told if it in content["Conditions"])
