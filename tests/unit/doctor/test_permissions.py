"""Whether the caller may do what a launch does; the simulator's answers are those of IAM's own model, by botocore's Stubber."""

from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from bootstrap.doctor import permissions
from bootstrap.doctor.findings import Health
from bootstrap.environment.models import Settings
from bootstrap.preconditions import iam_policies, launcher_policy
from bootstrap.preconditions.required_actions import Needs

SETTINGS = Settings(environment="trial", cloud="aws", owner="a", cost_center="b")
ACCOUNT = "111122223333"
USER = f"arn:aws:iam::{ACCOUNT}:user/eva"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/Ops/eva"
OWN = frozenset({"ec2:StopInstances", "ec2:DescribeVpcs", "iam:GetRole", "ssm:StartSession", "ssm:TerminateSession"})
POLICY = iam_policies.make_launcher_policy(
    SETTINGS, Needs(OWN, frozenset({"ec2:CreateVpc"}), frozenset({"ec2.amazonaws.com"}))
)


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, dict[str, Stubber]]]:
    made: dict[str, Any] = {
        name: boto3.client(name, region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
        for name in ("iam", "sts")
    }
    monkeypatch.setattr(launcher_policy, "make_policy", lambda _: POLICY)
    with ExitStack() as stack:
        stubs = {name: stack.enter_context(Stubber(client)) for name, client in made.items()}
        yield made, stubs
        for stub in stubs.values():
            stub.assert_no_pending_responses()


def context(clients: Any, cloud: str = "aws") -> Any:
    settings = SETTINGS.model_copy(update={"cloud": cloud})
    return SimpleNamespace(settings=settings, world=SimpleNamespace(aws=clients.__getitem__))


def caller(sts: Stubber, arn: str) -> None:
    sts.add_response("get_caller_identity", {"Arn": arn, "Account": ACCOUNT, "UserId": "x"})


def answer(decisions: dict[str, str], **more: Any) -> dict[str, Any]:
    results = [{"EvalActionName": action, "EvalDecision": decision, **more} for action, decision in decisions.items()]
    return {"EvaluationResults": results, "IsTruncated": False}


def simulated(iam: Stubber, decisions: dict[str, str], source: str = USER) -> list[dict[str, Any]]:
    """An answer for each statement that is asked about; returns what is expected to be asked."""
    asked = []
    for statement in POLICY["Statement"]:
        actions = [it for it in statement["Action"] if it != "iam:GetRole"]
        if not actions or "${" in statement["Resource"]:
            continue
        told = {action: decisions.get(action, "allowed") for action in actions}
        expected = {"PolicySourceArn": source, "ActionNames": actions, "ResourceArns": ANY, "ContextEntries": ANY}
        iam.add_response("simulate_principal_policy", answer(told), expected)
        asked.append(expected)
    return asked


def found(clients: Any) -> Any:
    (line,) = permissions.examine(context(clients))
    return line


def test_a_caller_who_may_do_everything_has_one_good_line(services: Any) -> None:
    clients, stubs = services
    caller(stubs["sts"], USER)
    simulated(stubs["iam"], {})

    assert Health.GOOD == found(clients).health


def test_only_what_is_denied_is_listed_with_the_remedy(services: Any) -> None:
    clients, stubs = services
    caller(stubs["sts"], USER)
    simulated(stubs["iam"], {"ec2:StopInstances": "implicitDeny", "ec2:CreateVpc": "explicitDeny"})

    line = found(clients)

    assert (Health.BAD, "2 actions are denied: ec2:CreateVpc (outright), ec2:StopInstances") == (
        line.health,
        line.found,
    )
    assert "doctor --policy" in line.remedy


def test_a_session_is_judged_by_its_role_with_its_path(services: Any) -> None:
    clients, stubs = services
    caller(stubs["sts"], SESSION)
    role = {"Path": "/team/", "RoleName": "Ops", "RoleId": "A" * 16, "CreateDate": "2026-01-01"}
    role["Arn"] = f"arn:aws:iam::{ACCOUNT}:role/team/Ops"
    stubs["iam"].add_response("get_role", {"Role": role}, {"RoleName": "Ops"})
    simulated(stubs["iam"], {}, source=role["Arn"])

    assert Health.GOOD == found(clients).health


def test_a_session_that_may_not_look_at_its_role_is_taken_for_one_without_a_path(services: Any) -> None:
    clients, stubs = services
    caller(stubs["sts"], SESSION)
    stubs["iam"].add_client_error("get_role", "AccessDenied")
    simulated(stubs["iam"], {}, source=f"arn:aws:iam::{ACCOUNT}:role/Ops")

    assert Health.GOOD == found(clients).health


def test_who_may_not_ask_is_told_that_it_is_not_known(services: Any) -> None:
    clients, stubs = services
    caller(stubs["sts"], USER)
    stubs["iam"].add_client_error("simulate_principal_policy", "AccessDenied", "not authorized")

    line = found(clients)

    assert (Health.WARNING, "not known: AccessDenied: not authorized") == (line.health, line.found)
    assert "iam:SimulatePrincipalPolicy" in line.remedy


def test_the_root_user_is_not_asked_about(services: Any) -> None:
    clients, stubs = services
    caller(stubs["sts"], f"arn:aws:iam::{ACCOUNT}:root")

    assert Health.WARNING == found(clients).health


def test_the_operator_of_the_aws_on_this_machine_may_do_everything(services: Any) -> None:
    clients, stubs = services
    caller(stubs["sts"], f"arn:aws:iam::{ACCOUNT}:user/operator")

    (line,) = permissions.examine(context(clients, "local"))

    assert Health.GOOD == line.health


def test_many_actions_are_asked_in_batches_and_all_pages_are_read(services: Any) -> None:
    clients, stubs = services
    many = [f"ec2:Do{number:03}" for number in range(permissions.BATCH + 20)]
    document = {"Statement": [{"Sid": "Look", "Action": many, "Resource": "*"}]}
    first = answer(dict.fromkeys(many[:60], "implicitDeny")) | {"IsTruncated": True, "Marker": "on"}
    for told, names in (
        (first, many[:100]),
        (answer(dict.fromkeys(many[60:100], "implicitDeny")), many[:100]),
        (answer(dict.fromkeys(many[100:], "allowed")), many[100:]),
    ):
        expected = {"PolicySourceArn": USER, "ActionNames": names, "ResourceArns": ["*"], "ContextEntries": []}
        marker = {"Marker": "on"} if "ec2:Do060" == told["EvaluationResults"][0]["EvalActionName"] else {}
        stubs["iam"].add_response("simulate_principal_policy", told, expected | marker)

    denied = permissions.simulate(clients["iam"], USER, ACCOUNT, document).denied

    assert many[:100] == denied
    assert "100 actions are denied: ec2:Do000, " in permissions.judge(denied).found
    assert "and 85 more" in permissions.judge(denied).found


def test_a_statement_is_asked_on_a_resource_of_its_own_in_the_circumstances_of_its_conditions(services: Any) -> None:
    clients, stubs = services
    statement = {
        "Sid": "StartSession",
        "Action": ["ssm:StartSession"],
        "Resource": "arn:aws:ec2:eu-central-1:*:instance/*",
        "Condition": {
            "BoolIfExists": {"ssm:SessionDocumentAccessCheck": "true"},
            "StringEquals": {"ssm:resourceTag/Project": "jenkins"},
            "ForAnyValue:StringEquals": {"aws:CalledVia": ["cloudformation.amazonaws.com"]},
        },
    }
    kinds = {
        "ssm:SessionDocumentAccessCheck": ("boolean", ["true"]),
        "ssm:resourceTag/Project": ("string", ["jenkins"]),
        "aws:CalledVia": ("stringList", ["cloudformation.amazonaws.com"]),
    }
    entries = [
        {"ContextKeyName": name, "ContextKeyType": kind, "ContextKeyValues": values}
        for name, (kind, values) in kinds.items()
    ]
    expected = {
        "PolicySourceArn": USER,
        "ActionNames": ["ssm:StartSession"],
        "ResourceArns": [f"arn:aws:ec2:eu-central-1:{ACCOUNT}:instance/example"],
        "ContextEntries": entries,
    }
    by = {"OrganizationsDecisionDetail": {"AllowedByOrganizations": False}}
    stubs["iam"].add_response("simulate_principal_policy", answer({"ssm:StartSession": "implicitDeny"}, **by), expected)

    denied = permissions.simulate(clients["iam"], USER, ACCOUNT, {"Statement": [statement]}).denied

    assert ["ssm:StartSession (by the organization)"] == denied


def test_an_action_that_the_simulator_does_not_know_blinds_for_no_other(
    services: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients, stubs = services
    names = ["ec2:Good", "ec2:Denied", "ec2:Nonsense"]
    document = {"Statement": [{"Sid": "Look", "Action": [*names, "ec2:Describe*"], "Resource": "*"}]}
    monkeypatch.setattr(launcher_policy, "make_policy", lambda _: document)
    caller(stubs["sts"], USER)
    common = {"PolicySourceArn": USER, "ResourceArns": ["*"], "ContextEntries": []}
    words = "Invalid Input for the action: ec2:Nonsense"

    def refuse(actions: list[str]) -> None:
        expected = {**common, "ActionNames": actions}
        stubs["iam"].add_client_error("simulate_principal_policy", "InvalidInput", words, expected_params=expected)

    refuse(names)
    for name, decision in (("ec2:Good", "allowed"), ("ec2:Denied", "implicitDeny")):
        stubs["iam"].add_response(
            "simulate_principal_policy", answer({name: decision}), {**common, "ActionNames": [name]}
        )
    refuse(["ec2:Nonsense"])

    judged, unknown = permissions.examine(context(clients))

    assert (Health.BAD, "1 actions are denied: ec2:Denied") == (judged.health, judged.found)
    assert Health.WARNING == unknown.health
    assert f"ec2:Nonsense (InvalidInput: {words})" in unknown.found
