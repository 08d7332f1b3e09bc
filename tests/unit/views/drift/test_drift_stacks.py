"""Drift of stacks, as CloudFormation's own detection finds it."""

from typing import Any

import pytest

from bootstrap.views.drift import stacks


class CloudFormation:
    """A detection that takes one look more, and two pages of drifted resources."""

    def __init__(self) -> None:
        self.states = ["DETECTION_IN_PROGRESS", "DETECTION_COMPLETE"]
        difference = {"PropertyPath": "/EnableDnsSupport", "ExpectedValue": "true", "ActualValue": "false"}
        self.pages = [
            {"LogicalResourceId": "Vpc", "StackResourceDriftStatus": "MODIFIED", "PropertyDifferences": [difference]},
            {"LogicalResourceId": "Instance", "StackResourceDriftStatus": "DELETED", "PhysicalResourceId": "i-1"},
            {"LogicalResourceId": "Subnet", "StackResourceDriftStatus": "DELETED", "PhysicalResourceId": "s-1"},
        ]

    def detect_stack_drift(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803
        return {"StackDriftDetectionId": f"of {StackName}"}

    def describe_stack_drift_detection_status(self, *, StackDriftDetectionId: str) -> dict[str, Any]:  # noqa: N803
        assert "of network" == StackDriftDetectionId
        return {"DetectionStatus": self.states.pop(0)}

    def describe_stack_resource_drifts(self, **asked: Any) -> dict[str, Any]:
        assert ["MODIFIED", "DELETED", "UNKNOWN"] == asked["StackResourceDriftStatusFilters"]
        page = int(asked.get("NextToken", "0"))
        kind = {"Instance": "AWS::EC2::Instance"}.get(self.pages[page]["LogicalResourceId"], "AWS::EC2::Thing")
        more = {"NextToken": str(page + 1)} if page + 1 < len(self.pages) else {}
        return {"StackResourceDrifts": [self.pages[page] | {"ResourceType": kind}]} | more


def test_what_cloudformation_detects_is_told_with_what_mends_it() -> None:
    waited: list[float] = []

    found = list(stacks.find_stack_drift(CloudFormation(), "network", "launch again", waited.append))

    assert [1] == waited
    assert [
        ("network/Vpc", "/EnableDnsSupport: expected true, actual false"),
        ("network/Instance", "i-1 is gone"),
        ("network/Subnet", "AWS::EC2::Thing s-1 is gone"),
    ] == [(it.name, it.found) for it in found]
    assert "launch again" == found[1].remedy
    assert "REVERT_DRIFT --stack-name network" in found[2].remedy


class Secretive(CloudFormation):
    """One modified resource with that difference."""

    def __init__(self, path: str, kind: str = "AWS::SecretsManager::Secret") -> None:
        super().__init__()
        difference = {"PropertyPath": path, "ExpectedValue": "{}", "ActualValue": "hunter2"}
        self.pages = [{"LogicalResourceId": "It", "StackResourceDriftStatus": "MODIFIED"}]
        self.pages[0] |= {"PropertyDifferences": [difference]}
        self.kind = kind

    def describe_stack_resource_drifts(self, **asked: Any) -> dict[str, Any]:
        return {"StackResourceDrifts": [self.pages[0] | {"ResourceType": self.kind}]}


def looked(cloud: CloudFormation) -> list[str]:
    return [it.found for it in stacks.find_stack_drift(cloud, "network", "again", lambda _: None)]


def test_a_confidential_value_is_never_shown() -> None:
    assert ["/PasswordPolicy: the value differs"] == looked(Secretive("/PasswordPolicy"))


def test_a_group_is_told_rule_by_rule_elsewhere() -> None:
    assert [] == looked(Secretive("/SecurityGroupIngress/0", "AWS::EC2::SecurityGroup"))


class Failing(CloudFormation):
    """A detection that could not compare everything."""

    def __init__(self, state: str, reason: str) -> None:
        super().__init__()
        self.state, self.reason = state, reason
        self.pages = [
            {"LogicalResourceId": "Key", "StackResourceDriftStatus": "UNKNOWN", "DriftStatusReason": "AccessDenied"},
            self.pages[2],
        ]

    def describe_stack_drift_detection_status(self, **_: Any) -> dict[str, Any]:
        return {"DetectionStatus": self.state, **({"DetectionStatusReason": self.reason} if self.reason else {})}


def test_a_failed_detection_is_told_beside_what_it_found() -> None:
    found = list(
        stacks.find_stack_drift(Failing("DETECTION_FAILED", "Failed to detect drift on resource [Key]"), "n", "again")
    )

    assert [
        ("n", True, "not looked at: DETECTION_FAILED: Failed to detect drift on resource [Key]"),
        ("n/Key", True, "not looked at: AccessDenied"),
        ("n/Subnet", False, "AWS::EC2::Thing s-1 is gone"),
    ] == [(it.name, it.is_unseen, it.found) for it in found]
    (first, *_) = stacks.find_stack_drift(Failing("DETECTION_FAILED", ""), "n", "again")
    assert first.found.endswith("CloudFormation gives no reason")


def test_a_detection_without_an_end_tells_nothing_of_an_earlier_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "_PATIENCE", -1.0)

    (line,) = stacks.find_stack_drift(Failing("DETECTION_IN_PROGRESS", ""), "n", "again")

    assert (True, "n") == (line.is_unseen, line.name)
    assert "did not end within" in line.found


@pytest.mark.parametrize(
    ("state", "paths", "is_mended"),
    [
        ("DELETED", [], True),
        ("MODIFIED", ["/MaxSize"], True),
        ("MODIFIED", ["/MinSize", "/NewInstancesProtectedFromScaleIn"], True),
        ("MODIFIED", ["/MaxSize", "/HealthCheckType"], False),
    ],
)
def test_what_a_launch_mends_of_a_group_of_agents_has_that_remedy(
    state: str, paths: list[str], is_mended: bool
) -> None:
    cloud = CloudFormation()
    differences = [{"PropertyPath": path, "ExpectedValue": "3", "ActualValue": "9"} for path in paths]
    found = {"LogicalResourceId": "Group", "StackResourceDriftStatus": state, "PhysicalResourceId": "g-1"}
    group = {**found, "ResourceType": "AWS::AutoScaling::AutoScalingGroup", "PropertyDifferences": differences}
    cloud.describe_stack_resource_drifts = lambda **_: {"StackResourceDrifts": [group]}  # type: ignore[method-assign]

    def find(*, is_of_agents: bool) -> str:
        cloud.states = ["DETECTION_COMPLETE"]
        (line,) = stacks.find_stack_drift(cloud, "network", "launch", is_of_agents=is_of_agents)
        return line.remedy

    assert is_mended == ("launch" == find(is_of_agents=True))
    assert "REVERT_DRIFT" in find(is_of_agents=False)
