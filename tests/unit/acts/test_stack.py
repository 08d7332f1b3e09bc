"""The stack act against a CloudFormation of few words: the states that a real one gets into, and what is asked of it.

Every request is checked against the service's own model; a call that the test did not provide for fails it.
"""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.validate import validate_parameters

from bootstrap.acts import stack
from bootstrap.acts.stack import StackTemplate
from bootstrap.errors import StackFailed, TemplateInvalid
from bootstrap.values import Change, ChangeKind

MODEL = botocore.session.get_session().get_service_model("cloudformation")
ID = "arn:aws:cloudformation:eu-central-1:123456789012:stack/it/1"
SAME = "The submitted information didn't contain changes. Submit different information to create a change set."
TAGS = {"Project": "p", "Commit": "new", "Run": "r2"}
TEMPLATE = """
Metadata: {Replacement: {Of: [Machine], ByWayOf: {Presence: absent}}}
Parameters:
  Size: {Type: Number}
  Presence: {Type: String, Default: present}
Resources:
  Machine: {Type: "AWS::EC2::Instance", Properties: {ImageId: !Ref Size}}
"""


class Cloud:
    """One stack's CloudFormation.

    `proposals` are the results of the coming change sets: a list of resource changes, or the reason why one fails.
    `operations` are the events of the coming executions and deletions, each (logical id, status, reason).
    """

    def __init__(
        self, status: str = "", *, proposals: Any = (), operations: Any = (), protected: bool = False, **tags: str
    ) -> None:
        self.proposals, self.operations = list(proposals), list(operations)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.sets: dict[str, Any] = {}
        self.history: list[dict[str, Any]] = []
        self.stack: dict[str, Any] = {}
        self.number = itertools.count()
        if status:
            self.open(status, tags)
            self.stack["EnableTerminationProtection"] = protected

    def open(self, status: str, tags: dict[str, str]) -> None:
        shown = [{"Key": key, "Value": value} for key, value in tags.items()]
        outputs = [{"OutputKey": "Id", "OutputValue": "x"}]
        self.stack = {"StackName": "it", "StackId": ID, "StackStatus": status, "Tags": shown, "Outputs": outputs}
        self.tell("it", status)

    def tell(self, logical: str, status: str, reason: str = "") -> None:
        event = {"EventId": str(next(self.number)), "LogicalResourceId": logical, "ResourceStatus": status}
        event |= {"PhysicalResourceId": ID if logical == "it" else f"{logical}-1", "ResourceType": f"Type::{logical}"}
        self.history.insert(0, event | ({"ResourceStatusReason": reason} if reason else {}))
        if logical == "it":
            self.stack["StackStatus"] = status

    def operate(self) -> None:
        for event in self.operations.pop(0):
            self.tell(*event)

    def asked(self, name: str) -> list[dict[str, Any]]:
        return [request for called, request in self.calls if called == name]

    def __getattr__(self, name: str) -> Any:
        operation = "".join(part.title() for part in name.split("_"))

        def call(**request: Any) -> Any:
            validate_parameters(request, MODEL.operation_model(operation).input_shape)
            self.calls.append((name, request))
            return getattr(self, f"on_{name}")(request)

        return call

    def on_describe_stacks(self, request: dict[str, Any]) -> Any:
        if not self.stack or self.stack["StackStatus"] == "DELETE_COMPLETE":
            told = {
                "Error": {"Code": "ValidationError", "Message": f"Stack with id {request['StackName']} does not exist"}
            }
            raise ClientError(told, "DescribeStacks")
        return {"Stacks": [dict(self.stack)]}

    def on_describe_stack_events(self, request: dict[str, Any]) -> Any:
        start = int(request.get("NextToken", 0))
        page = {"StackEvents": self.history[start : start + 2]}
        return page | ({"NextToken": str(start + 2)} if start + 2 < len(self.history) else {})

    def on_create_change_set(self, request: dict[str, Any]) -> Any:
        arn = f"arn:aws:cloudformation:eu-central-1:123456789012:changeSet/{request['ChangeSetName']}/1"
        assert arn not in self.sets, "a change set of that name exists"
        assert request["ChangeSetType"] == ("UPDATE" if self.stack.get("StackStatus", "REV").find("REV") else "CREATE")
        self.sets[arn] = self.proposals.pop(0)
        if not self.stack:
            self.open("REVIEW_IN_PROGRESS", {})
        return {"Id": arn, "StackId": ID}

    def on_describe_change_set(self, request: dict[str, Any]) -> Any:
        found = self.sets[request["ChangeSetName"]]
        if isinstance(found, str):
            return {"Status": "FAILED", "StatusReason": found}
        if "NextToken" not in request and 1 == len(
            [1 for name, it in self.calls if (name, it) == ("describe_change_set", request)]
        ):
            return {"Status": "CREATE_IN_PROGRESS"}
        start = int(request.get("NextToken", 0))
        page = {"Status": "CREATE_COMPLETE", "Changes": [{"ResourceChange": it} for it in found[start : start + 1]]}
        return page | ({"NextToken": str(start + 1)} if start + 1 < len(found) else {})

    def on_delete_change_set(self, request: dict[str, Any]) -> None:
        del self.sets[request["ChangeSetName"]]

    def on_execute_change_set(self, request: dict[str, Any]) -> None:
        assert isinstance(self.sets.pop(request["ChangeSetName"]), list), "a failed change set cannot be executed"
        self.operate()

    def on_delete_stack(self, _: dict[str, Any]) -> None:
        assert not self.stack.get("EnableTerminationProtection"), "the stack is protected"
        if self.stack["StackStatus"] == "REVIEW_IN_PROGRESS":
            self.stack = {}
        else:
            self.operate()

    def on_update_termination_protection(self, request: dict[str, Any]) -> None:
        self.stack["EnableTerminationProtection"] = request["EnableTerminationProtection"]


class Told:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.lines: list[str] = []
        self.notices: list[str] = []

    def change(self, change: Change) -> None:
        self.changes.append(change)

    def progress(self, text: str) -> None:
        self.lines.append(text)

    def notice(self, text: str) -> None:
        self.notices.append(text)


def altered(logical: str = "Group", action: str = "Modify", **more: Any) -> dict[str, Any]:
    return {"Action": action, "LogicalResourceId": logical, "ResourceType": f"Type::{logical}", **more}


CREATED = [("it", "CREATE_IN_PROGRESS"), ("Group", "CREATE_COMPLETE"), ("it", "CREATE_COMPLETE")]
UPDATED = [("it", "UPDATE_IN_PROGRESS"), ("Group", "UPDATE_COMPLETE"), ("it", "UPDATE_COMPLETE")]
DELETED = [("it", "DELETE_IN_PROGRESS"), ("Disk", "DELETE_SKIPPED"), ("it", "DELETE_COMPLETE")]


@pytest.fixture
def wished(tmp_path: Path) -> StackTemplate:
    path = tmp_path / "it.yaml"
    path.write_text(TEMPLATE)
    return StackTemplate("it", path, {"Size": "1"}, TAGS)


def apply(cloud: Cloud, wished: StackTemplate, told: Told | None = None, **more: Any) -> Any:
    return stack.apply(cloud, wished, told or Told(), sleep=lambda _: None, **more)


def tags_of(request: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in request["Tags"]}


def test_a_stack_that_is_not_there_is_none() -> None:
    assert None is stack.read(Cloud(), "it")


def test_a_stack_that_was_only_planned_is_none() -> None:
    assert None is stack.read(Cloud("REVIEW_IN_PROGRESS"), "it")


def test_a_new_stack_is_made_by_change_set(wished: StackTemplate) -> None:
    cloud, told = Cloud(proposals=[[altered(action="Add")]], operations=[CREATED]), Told()

    made = apply(cloud, wished, told)

    assert ("it", "CREATE_COMPLETE", {"Id": "x"}) == (made.name, made.status, made.outputs)
    assert [Change("stack", ChangeKind.ADD, "it/Group", "Type::Group")] == told.changes
    assert ["it CREATE_IN_PROGRESS", "Group CREATE_COMPLETE", "it CREATE_COMPLETE"] == told.lines
    assert TAGS == tags_of(cloud.asked("create_change_set")[0])


def test_what_a_killed_run_left_under_review_is_used(wished: StackTemplate) -> None:
    cloud = Cloud("REVIEW_IN_PROGRESS", proposals=[[altered(action="Add")]], operations=[CREATED])

    assert "CREATE_COMPLETE" == apply(cloud, wished).status


def test_a_second_run_changes_nothing(wished: StackTemplate) -> None:
    cloud, told = Cloud("CREATE_COMPLETE", proposals=[SAME], Project="p", Commit="old", Run="r1"), Told()

    apply(cloud, wished, told)

    assert {"Project": "p", "Commit": "old", "Run": "r1"} == tags_of(cloud.asked("create_change_set")[0])
    assert ([], {}, []) == (told.changes, cloud.sets, cloud.asked("execute_change_set"))


def test_a_change_brings_the_new_tags(wished: StackTemplate) -> None:
    details = [
        {"Target": {"Attribute": "Properties", "Name": "Rules"}},
        {"Target": {"Attribute": "Properties", "Name": "Rules"}},
    ]
    everything = [altered(), altered("Other", Details=[{"Target": {"Attribute": "Tags"}}])]
    cloud = Cloud(
        "UPDATE_COMPLETE", proposals=[[altered(Details=details)], everything], operations=[UPDATED], Commit="old"
    )
    told = Told()

    apply(cloud, wished, told)

    assert [Change("stack", ChangeKind.ALTER, "it/Group", "Type::Group: Rules")] == told.changes
    assert ["old", "new"] == [tags_of(request)["Commit"] for request in cloud.asked("create_change_set")]
    assert {} == cloud.sets


def test_where_a_resource_cannot_take_new_tags_an_update_brings_none(wished: StackTemplate) -> None:
    wished.path.write_text(TEMPLATE.replace("Metadata: {", "Metadata: {KeepsTags: true, "))
    cloud = Cloud("UPDATE_COMPLETE", proposals=[[altered()]], operations=[UPDATED], Commit="old")

    apply(cloud, wished)

    assert ["old"] == [tags_of(request)["Commit"] for request in cloud.asked("create_change_set")]
    assert 1 == len(cloud.asked("execute_change_set"))


def test_a_failed_update_tells_the_first_resource_that_failed_by_itself(wished: StackTemplate) -> None:
    events = [
        ("it", "UPDATE_IN_PROGRESS"),
        ("Other", "UPDATE_FAILED", "Resource update cancelled"),
        ("Group", "UPDATE_FAILED", "no such port"),
        ("it", "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update: [Group]."),
        ("it", "UPDATE_ROLLBACK_COMPLETE"),
    ]
    cloud = Cloud("CREATE_COMPLETE", proposals=[[altered()], [altered()]], operations=[events])

    with pytest.raises(StackFailed) as caught:
        apply(cloud, wished)

    assert "UPDATE_ROLLBACK_COMPLETE: Group (Type::Group): no such port" == caught.value.found


def test_the_remains_of_a_failed_creation_are_replaced(wished: StackTemplate) -> None:
    cloud = Cloud(
        "ROLLBACK_COMPLETE", proposals=[[altered(action="Add")]], operations=[DELETED, CREATED], protected=True
    )
    cloud.on_delete_stack = lambda _: (cloud.operate(), cloud.stack.clear())  # type: ignore[method-assign]
    told = Told()

    assert "CREATE_COMPLETE" == apply(cloud, wished, told).status
    assert [ChangeKind.REMOVE, ChangeKind.ADD] == [change.kind for change in told.changes]
    assert 1 == len(told.notices)


@pytest.mark.parametrize("status", ["DELETE_FAILED", "IMPORT_ROLLBACK_FAILED"])
def test_a_stuck_stack_is_left_alone(status: str, wished: StackTemplate) -> None:
    """States that only a person can lead out of; of DELETE_FAILED, where the stack holds what must be kept."""
    cloud = Cloud(status)

    with pytest.raises(StackFailed) as caught:
        apply(cloud, replace(wished, protect=True))

    assert f"it is {status}" == caught.value.found
    assert ["describe_stacks"] == [name for name, _ in cloud.calls]


@pytest.mark.parametrize("status", ["DELETE_IN_PROGRESS", "IMPORT_ROLLBACK_FAILED", "ROLLBACK_IN_PROGRESS"])
def test_a_plan_over_what_cannot_be_planned_names_the_status_and_the_way_out(
    status: str, wished: StackTemplate
) -> None:
    """States that the local cloud does not get into by itself: an import that failed twice, somebody else's deletion."""
    with pytest.raises(StackFailed) as caught:
        stack.plan(Cloud(status), wished)

    assert f"it is {status}" == caught.value.found
    assert "again" in caught.value.remedy


@pytest.mark.parametrize("status", ["IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"])
def test_a_stack_that_was_imported_into_is_as_good_as_any(status: str, wished: StackTemplate) -> None:
    assert status == apply(Cloud(status, proposals=[SAME], **TAGS), wished).status


def test_an_operation_of_somebody_else_is_waited_for(wished: StackTemplate) -> None:
    cloud, told = Cloud("UPDATE_IN_PROGRESS", proposals=[SAME], **TAGS), Told()

    stack.apply(cloud, wished, told, sleep=lambda _: cloud.tell("it", "UPDATE_COMPLETE"))

    assert ["waiting for it, which is UPDATE_IN_PROGRESS", "it UPDATE_COMPLETE"] == told.lines


def test_a_machine_is_replaced_by_way_of_its_absence(wished: StackTemplate) -> None:
    replaced = altered("Machine", Replacement="Conditional", Scope=["Properties"])
    proposals = [[replaced], [altered("Machine", "Remove")], [altered("Machine", "Add")]]
    cloud = Cloud("CREATE_COMPLETE", proposals=proposals, operations=[UPDATED, UPDATED], **TAGS)
    told, stopped = Told(), []

    apply(cloud, wished, told, before_removal=stopped.append)

    presences = [
        {it["ParameterKey"]: it["ParameterValue"] for it in request["Parameters"]}.get("Presence")
        for request in cloud.asked("create_change_set")
    ]
    assert [None, "absent", None] == presences
    assert [(ChangeKind.REMOVE, "it/Machine"), (ChangeKind.ADD, "it/Machine")] == [
        (it.kind, it.name) for it in told.changes
    ]
    assert ["CREATE_COMPLETE"] == [it.status for it in stopped]


NAMED = """
Metadata: {Replacement: {Of: [Machine, Disk], ByWayOf: {Presence: absent}}}
Parameters:
  Size: {Type: Number}
  Image: {Type: String}
  Presence: {Type: String, Default: present}
Resources:
  Template:
    Type: AWS::EC2::LaunchTemplate
    Properties: {LaunchTemplateData: {ImageId: !Ref Image, Text: a, Size: !Ref Size}}
  Machine: {Type: "AWS::EC2::Instance", Properties: {LaunchTemplate: {Version: !GetAtt Template.LatestVersionNumber}}}
  Disk: {Type: "AWS::EC2::VolumeAttachment", Properties: {InstanceId: !Ref Machine}}
"""
OLDER = NAMED.replace(
    "Image: {Type: String}", "Image: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /the/image}"
)


def caused(logical: str, name: str, recreation: str, *entities: str, **more: Any) -> dict[str, Any]:
    target = {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation}
    details = [{"Target": target} | ({"CausingEntity": it} if it else {}) for it in entities]
    return altered(logical, Details=details, **more)


def propose_named(*entities: str) -> list[dict[str, Any]]:
    """What CloudFormation may say of another form of the same image; the entities cause the launch template's change."""
    return [
        caused("Disk", "InstanceId", "Always", "Machine", Replacement="Conditional"),
        caused("Machine", "LaunchTemplate", "Conditionally", "Template.LatestVersionNumber", Replacement="Conditional"),
        caused("Template", "LaunchTemplateData", "Never", *entities, Replacement="False"),
    ]


def apply_named(
    wished: StackTemplate, *entities: str, image: str = "ami-1", before: str = OLDER
) -> tuple[Cloud, Told, list[Any]]:
    """Apply over a stack whose image was a name, which CloudFormation found to be ami-1."""
    wished.path.write_text(NAMED)
    proposals = [propose_named(*entities) for _ in range(3)]
    cloud = Cloud("CREATE_COMPLETE", proposals=proposals, operations=[UPDATED, UPDATED], **TAGS)
    cloud.stack["Parameters"] = [
        {"ParameterKey": "Size", "ParameterValue": "1"},
        {"ParameterKey": "Image", "ParameterValue": "/the/image", "ResolvedValue": "ami-1"},
    ]
    cloud.on_get_template = lambda _: {"TemplateBody": before}  # type: ignore[attr-defined]
    told, stopped = Told(), list[Any]()
    apply(cloud, replace(wished, parameters={"Size": "1", "Image": image}), told, before_removal=stopped.append)
    return cloud, told, stopped


@pytest.mark.parametrize("entities", [["Image"], ["", "Image"]])
def test_a_machine_is_not_removed_for_the_same_value_in_another_form(
    entities: list[str], wished: StackTemplate
) -> None:
    cloud, told, stopped = apply_named(wished, *entities)

    presences = ["Presence" in str(request["Parameters"]) for request in cloud.asked("create_change_set")]
    assert ([False, False], [], 1) == (presences, stopped, len(cloud.asked("execute_change_set")))
    (notice,) = told.notices
    assert "because of Image, whose value stays the same; nothing is removed" in notice


@pytest.mark.parametrize(
    ("entities", "more"),
    [
        (["Image"], {"image": "ami-2"}),
        (["Image", "Size"], {}),
        (["", "Image"], {"before": OLDER.replace("Text: a", "Text: b")}),
        (["", "Image"], {"before": OLDER.replace("Size: !Ref", "Size: !Sub")}),
        ([], {}),
    ],
    ids=["another value", "another parameter", "another text", "another function", "no cause"],
)
def test_a_machine_is_removed_where_anything_else_replaces_it(
    entities: list[str], more: dict[str, str], wished: StackTemplate
) -> None:
    cloud, told, stopped = apply_named(wished, *entities, **more)

    presences = ["absent" in str(request["Parameters"]) for request in cloud.asked("create_change_set")]
    assert ([False, True, False], 1, []) == (presences, len(stopped), told.notices)


def test_any_other_replacement_is_left_to_cloudformation(wished: StackTemplate) -> None:
    replaced = altered(Replacement="True")
    cloud, told = Cloud("CREATE_COMPLETE", proposals=[[replaced], [replaced]], operations=[UPDATED]), Told()

    apply(cloud, wished, told)

    assert [ChangeKind.REPLACE] == [change.kind for change in told.changes]


@pytest.mark.parametrize(("protect", "before"), [(True, False), (False, True)])
def test_protection_is_as_wished_even_where_nothing_else_changes(
    protect: bool, before: bool, wished: StackTemplate
) -> None:
    cloud = Cloud("CREATE_COMPLETE", proposals=[SAME], protected=before, **TAGS)

    apply(cloud, StackTemplate(wished.name, wished.path, wished.parameters, TAGS, protect=protect))

    assert protect == cloud.stack["EnableTerminationProtection"]


def test_a_change_set_that_cannot_be_computed_tells_why_and_goes(wished: StackTemplate) -> None:
    cloud = Cloud("CREATE_COMPLETE", proposals=["Parameter validation failed: no such subnet"])

    with pytest.raises(StackFailed, match="no such subnet"):
        apply(cloud, wished)

    assert {} == cloud.sets


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"Size": "1", "Sise": "2"}, "the template has no parameter 'Sise'"),
        ({}, "the parameter 'Size' has no default and was not given"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_before_anything(
    parameters: dict[str, str], message: str, wished: StackTemplate
) -> None:
    cloud = Cloud()

    with pytest.raises(TemplateInvalid) as caught:
        apply(cloud, StackTemplate("it", wished.path, parameters, TAGS))

    assert [(3, message)] == [(fault.line, fault.message) for fault in caught.value.faults]
    assert [] == cloud.calls


def test_a_template_that_is_too_large_is_refused_before_anything(wished: StackTemplate) -> None:
    wished.path.write_text(TEMPLATE + "#" * 51200)

    with pytest.raises(TemplateInvalid, match="two stacks"):
        apply(Cloud(), wished)


def test_a_plan_of_a_new_stack_leaves_nothing_behind(wished: StackTemplate) -> None:
    cloud = Cloud(proposals=[[altered(action="Add")]])

    assert ["it/Group"] == [change.name for change in stack.plan(cloud, wished, sleep=lambda _: None)]
    assert ({}, {}) == (cloud.stack, cloud.sets)


def test_a_plan_of_a_good_stack_is_empty(wished: StackTemplate) -> None:
    cloud = Cloud("CREATE_COMPLETE", proposals=[SAME], Commit="old")

    assert () == stack.plan(cloud, wished, sleep=lambda _: None)
    assert ("CREATE_COMPLETE", {}) == (cloud.stack["StackStatus"], cloud.sets)


def test_a_plan_shows_a_change_that_no_resource_has(wished: StackTemplate) -> None:
    cloud = Cloud("CREATE_COMPLETE", proposals=[[]])

    assert [ChangeKind.ALTER] == [change.kind for change in stack.plan(cloud, wished, sleep=lambda _: None)]


def test_a_plan_over_the_remains_of_a_failed_creation_says_so(wished: StackTemplate) -> None:
    found = stack.plan(Cloud("ROLLBACK_COMPLETE"), wished)

    assert [(ChangeKind.REPLACE, "it")] == [(change.kind, change.name) for change in found]


def test_a_plan_does_not_wait(wished: StackTemplate) -> None:
    with pytest.raises(StackFailed, match="UPDATE_IN_PROGRESS"):
        stack.plan(Cloud("UPDATE_IN_PROGRESS"), wished)


def test_destroy_returns_what_is_kept_also_of_a_protected_stack() -> None:
    cloud, told = Cloud("CREATE_COMPLETE", operations=[DELETED], protected=True), Told()

    assert ("Type::Disk Disk-1",) == stack.destroy(cloud, "it", told, sleep=lambda _: None)
    assert [Change("stack", ChangeKind.REMOVE, "it")] == told.changes


def test_destroying_what_is_not_there_does_nothing() -> None:
    cloud = Cloud()

    assert () == stack.destroy(cloud, "it", Told())
    assert ["describe_stacks"] == [name for name, _ in cloud.calls]


def test_destroying_what_was_only_planned_leaves_nothing() -> None:
    cloud = Cloud("REVIEW_IN_PROGRESS")

    assert () == stack.destroy(cloud, "it", Told())
    assert {} == cloud.stack


def test_a_deletion_that_fails_says_what_stands_in_its_way() -> None:
    events = [("Group", "DELETE_FAILED", "has a dependent object"), ("it", "DELETE_FAILED")]

    with pytest.raises(StackFailed, match=r"Group \(Type::Group\): has a dependent object"):
        stack.destroy(Cloud("CREATE_COMPLETE", operations=[events]), "it", Told(), sleep=lambda _: None)


def test_what_aws_refuses_is_an_expected_failure(wished: StackTemplate) -> None:
    cloud = Cloud()
    told = {"Error": {"Code": "AccessDenied", "Message": "not you"}}

    def refuse(_: dict[str, Any]) -> None:
        raise ClientError(told, "DescribeStacks")

    cloud.on_describe_stacks = refuse  # type: ignore[method-assign]

    with pytest.raises(StackFailed, match="AccessDenied: not you"):
        apply(cloud, wished)


def test_a_cloud_that_cannot_be_reached_is_an_expected_failure(wished: StackTemplate) -> None:
    cloud = Cloud()

    def refuse(_: dict[str, Any]) -> None:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9")

    cloud.on_describe_stacks = refuse  # type: ignore[method-assign]

    with pytest.raises(StackFailed, match="can be reached"):
        apply(cloud, wished)


@pytest.mark.parametrize(
    ("kind", "policy", "words"),
    [
        ("AWS::EC2::Instance", "", "Jenkins is down for minutes"),
        ("AWS::EC2::Volume", "ReplaceAndRetain", "DATA: the new volume is empty"),
        ("AWS::Any::Thing", "", "no data; no downtime"),
    ],
)
def test_a_replacement_says_what_it_costs(wished: StackTemplate, kind: str, policy: str, words: str) -> None:
    change = altered("It", Replacement="True") | {"ResourceType": kind} | ({"PolicyAction": policy} if policy else {})

    (found,) = stack.plan(Cloud("CREATE_COMPLETE", proposals=[[change]], **TAGS), wished, sleep=lambda _: None)

    assert ChangeKind.REPLACE == found.kind
    assert words in found.detail
    assert bool(policy) == found.detail.endswith("; the old one is retained")
