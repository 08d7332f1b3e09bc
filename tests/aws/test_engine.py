"""The CloudFormation engine as boto3 sees it: what a tool that deploys by change sets relies on."""

from __future__ import annotations

import json
import time
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

Client = Callable[[str], Any]
QUICK = {"Delay": 1, "MaxAttempts": 60}

PARAMETER = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "one"}}


def template(resources: dict[str, Any], **sections: Any) -> str:
    return json.dumps({"Resources": resources, **sections})


def unique(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}"


def settle(cloudformation: Any, stack: str) -> dict[str, Any]:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found: dict[str, Any] = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        if not found["StackStatus"].endswith("_IN_PROGRESS"):
            return found
        time.sleep(0.02)
    raise AssertionError(f"{stack} is still in progress")


def create(cloudformation: Any, body: str, name: str = "", **more: Any) -> dict[str, Any]:
    made = cloudformation.create_stack(StackName=name or unique("stack"), TemplateBody=body, **more)
    return settle(cloudformation, made["StackId"])


def update(cloudformation: Any, stack: dict[str, Any], body: str, **more: Any) -> dict[str, Any]:
    cloudformation.update_stack(StackName=stack["StackName"], TemplateBody=body, **more)
    return settle(cloudformation, stack["StackId"])


def outputs(stack: dict[str, Any]) -> dict[str, str]:
    return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}


def history(cloudformation: Any, stack: dict[str, Any]) -> list[tuple[str, str]]:
    events = cloudformation.describe_stack_events(StackName=stack["StackId"])["StackEvents"]
    return [(one["LogicalResourceId"], one["ResourceStatus"]) for one in reversed(events)]


def reasons(cloudformation: Any, stack: dict[str, Any]) -> dict[tuple[str, str], str]:
    events = cloudformation.describe_stack_events(StackName=stack["StackId"])["StackEvents"]
    return {(one["LogicalResourceId"], one["ResourceStatus"]): one.get("ResourceStatusReason", "") for one in events}


@pytest.fixture
def cloudformation(client: Client) -> Any:
    return client("cloudformation")


def test_change_set_of_a_new_stack_creates_it_with_outputs(client: Client, cloudformation: Any) -> None:
    name = unique("new")
    body = template({"One": PARAMETER}, Outputs={"Name": {"Value": {"Ref": "One"}}})
    made = cloudformation.create_change_set(
        StackName=name, ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=body
    )
    cloudformation.get_waiter("change_set_create_complete").wait(ChangeSetName=made["Id"], WaiterConfig=QUICK)
    review = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    assert "REVIEW_IN_PROGRESS" == review["StackStatus"]
    shown = cloudformation.describe_change_set(ChangeSetName=made["Id"])
    assert [("Add", "One", "AWS::SSM::Parameter")] == [
        (
            one["ResourceChange"]["Action"],
            one["ResourceChange"]["LogicalResourceId"],
            one["ResourceChange"]["ResourceType"],
        )
        for one in shown["Changes"]
    ]
    cloudformation.execute_change_set(ChangeSetName=made["Id"])
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=QUICK)
    parameter = outputs(cloudformation.describe_stacks(StackName=name)["Stacks"][0])["Name"]
    assert "one" == client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"]


def test_events_come_in_the_order_of_cloudformation(cloudformation: Any) -> None:
    stack = create(cloudformation, template({"One": PARAMETER}))
    assert [
        (stack["StackName"], "CREATE_IN_PROGRESS"),
        ("One", "CREATE_IN_PROGRESS"),
        ("One", "CREATE_IN_PROGRESS"),
        ("One", "CREATE_COMPLETE"),
        (stack["StackName"], "CREATE_COMPLETE"),
    ] == history(cloudformation, stack)


def test_failing_resource_rolls_everything_back_and_says_why(client: Client, cloudformation: Any) -> None:
    body = template(
        {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}},
            "Wrong": {
                "Type": "AWS::EC2::Subnet",
                "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "192.168.0.0/24"},
            },
        }
    )
    stack = create(cloudformation, body)
    assert "ROLLBACK_COMPLETE" == stack["StackStatus"]
    assert "192.168.0.0/24" in reasons(cloudformation, stack)[("Wrong", "CREATE_FAILED")]
    assert ("Vpc", "DELETE_COMPLETE") in history(cloudformation, stack)
    vpcs = client("ec2").describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.9.0.0/16"]}])
    assert [] == vpcs["Vpcs"]
    with pytest.raises(WaiterError):
        cloudformation.get_waiter("stack_create_complete").wait(StackName=stack["StackName"], WaiterConfig=QUICK)


def test_failed_creation_is_kept_when_asked(cloudformation: Any) -> None:
    body = template(
        {"Good": PARAMETER, "Bad": {"Type": "AWS::EC2::Subnet", "DependsOn": "Good", "Properties": {"VpcId": "vpc-0"}}}
    )
    stack = create(cloudformation, body, OnFailure="DO_NOTHING")
    assert "CREATE_FAILED" == stack["StackStatus"]
    assert ("Good", "DELETE_COMPLETE") not in history(cloudformation, stack)


def test_update_in_place_keeps_the_physical_id(client: Client, cloudformation: Any) -> None:
    stack = create(cloudformation, template({"One": PARAMETER}, Outputs={"Name": {"Value": {"Ref": "One"}}}))
    altered = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "two"}}
    updated = update(cloudformation, stack, template({"One": altered}, Outputs={"Name": {"Value": {"Ref": "One"}}}))
    assert "UPDATE_COMPLETE" == updated["StackStatus"]
    assert outputs(stack) == outputs(updated)
    assert "two" == client("ssm").get_parameter(Name=outputs(updated)["Name"])["Parameter"]["Value"]


def test_change_of_a_create_only_property_replaces(client: Client, cloudformation: Any) -> None:
    def body(cidr: str) -> str:
        vpc = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": cidr}}
        return template({"Vpc": vpc}, Outputs={"Id": {"Value": {"Ref": "Vpc"}}})

    stack = create(cloudformation, body("10.10.0.0/16"))
    updated = update(cloudformation, stack, body("10.11.0.0/16"))
    assert outputs(stack) != outputs(updated)
    with pytest.raises(ClientError, match="NotFound"):
        client("ec2").describe_vpcs(VpcIds=[outputs(stack)["Id"]])
    assert "10.11.0.0/16" == client("ec2").describe_vpcs(VpcIds=[outputs(updated)["Id"]])["Vpcs"][0]["CidrBlock"]


def test_failed_update_is_rolled_back(client: Client, cloudformation: Any) -> None:
    def body(value: str, cidr: str, *, more: bool) -> str:
        resources: dict[str, Any] = {
            "One": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value}},
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": cidr}},
        }
        if more:
            bad = {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "192.168.0.0/24"}
            resources["Bad"] = {"Type": "AWS::EC2::Subnet", "DependsOn": "One", "Properties": bad}
        found = {"Name": {"Value": {"Ref": "One"}}, "Vpc": {"Value": {"Ref": "Vpc"}}}
        return template(resources, Outputs=found)

    stack = create(cloudformation, body("before", "10.12.0.0/16", more=False))
    updated = update(cloudformation, stack, body("after", "10.13.0.0/16", more=True))
    assert "UPDATE_ROLLBACK_COMPLETE" == updated["StackStatus"]
    assert outputs(stack) == outputs(updated)
    assert "before" == client("ssm").get_parameter(Name=outputs(stack)["Name"])["Parameter"]["Value"]
    blocks = [one["CidrBlock"] for one in client("ec2").describe_vpcs()["Vpcs"]]
    assert "10.12.0.0/16" in blocks
    assert "10.13.0.0/16" not in blocks
    resources = cloudformation.list_stack_resources(StackName=stack["StackName"])["StackResourceSummaries"]
    assert {"One", "Vpc"} == {one["LogicalResourceId"] for one in resources}
    again = update(cloudformation, stack, body("later", "10.12.0.0/16", more=False))
    assert "UPDATE_COMPLETE" == again["StackStatus"]


def test_change_set_shows_replacement_scope_and_cause(cloudformation: Any) -> None:
    body = template(
        {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": {"Ref": "Block"}}},
            "Table": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
            "Note": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Vpc"}}},
            "Same": PARAMETER,
        },
        Parameters={"Block": {"Type": "String", "Default": "10.14.0.0/16"}},
    )
    stack = create(cloudformation, body)
    made = cloudformation.create_change_set(
        StackName=stack["StackName"],
        ChangeSetName="other",
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": "Block", "ParameterValue": "10.15.0.0/16"}],
    )
    shown = cloudformation.describe_change_set(ChangeSetName=made["Id"])
    changes = {one["ResourceChange"]["LogicalResourceId"]: one["ResourceChange"] for one in shown["Changes"]}
    assert {"Vpc": "True", "Table": "True", "Note": "False"} == {
        name: one["Replacement"] for name, one in changes.items()
    }
    detail = changes["Vpc"]["Details"][0]
    assert ("Static", "ParameterReference", "Block") == (
        detail["Evaluation"],
        detail["ChangeSource"],
        detail["CausingEntity"],
    )
    assert ("Properties", "CidrBlock", "Always") == tuple(
        detail["Target"][key] for key in ("Attribute", "Name", "RequiresRecreation")
    )
    table = changes["Table"]["Details"][0]
    assert ("Dynamic", "ResourceReference", "Vpc") == (
        table["Evaluation"],
        table["ChangeSource"],
        table["CausingEntity"],
    )
    assert ["Properties"] == changes["Vpc"]["Scope"]
    assert changes["Vpc"]["PhysicalResourceId"].startswith("vpc-")


def test_change_set_without_changes_fails_with_the_message_of_aws_and_is_not_executed(cloudformation: Any) -> None:
    body = template({"One": PARAMETER})
    stack = create(cloudformation, body)
    made = cloudformation.create_change_set(
        StackName=stack["StackName"], ChangeSetName="none", TemplateBody=body + "\n"
    )
    shown = cloudformation.describe_change_set(ChangeSetName="none", StackName=stack["StackName"])
    assert ("FAILED", "UNAVAILABLE", []) == (shown["Status"], shown["ExecutionStatus"], shown["Changes"])
    assert (
        "The submitted information didn't contain changes. Submit different information to create a change set."
        == shown["StatusReason"]
    )
    with pytest.raises(ClientError, match="InvalidChangeSetStatus"):
        cloudformation.execute_change_set(ChangeSetName=made["Id"])
    with pytest.raises(ClientError, match="No updates are to be performed"):
        cloudformation.update_stack(StackName=stack["StackName"], TemplateBody=body)


def test_change_set_names_belong_to_their_stack_and_stale_ones_are_refused(cloudformation: Any) -> None:
    first = create(cloudformation, template({"One": PARAMETER}))
    second = create(cloudformation, template({"One": PARAMETER}))
    altered = template({"One": PARAMETER, "Two": PARAMETER})
    for stack in (first, second):
        for name in ("deploy", "later"):
            cloudformation.create_change_set(StackName=stack["StackName"], ChangeSetName=name, TemplateBody=altered)
    shown = cloudformation.describe_change_set(StackName=second["StackName"], ChangeSetName="deploy")
    assert second["StackName"] == shown["StackName"]
    cloudformation.execute_change_set(StackName=first["StackName"], ChangeSetName="deploy")
    settle(cloudformation, first["StackId"])
    for name in ("later", "absent"):  # executing one deletes the stack's others
        with pytest.raises(ClientError, match="ChangeSetNotFound"):
            cloudformation.execute_change_set(StackName=first["StackName"], ChangeSetName=name)
    update(cloudformation, second, template({"One": PARAMETER, "Three": PARAMETER}))
    with pytest.raises(ClientError, match="InvalidChangeSetStatus"):
        cloudformation.execute_change_set(StackName=second["StackName"], ChangeSetName="deploy")
    stale = cloudformation.describe_change_set(StackName=second["StackName"], ChangeSetName="deploy")
    assert "OBSOLETE" == stale["ExecutionStatus"]
    held = cloudformation.describe_stack_resources(StackName=second["StackName"])["StackResources"]
    assert {"One", "Three"} == {one["LogicalResourceId"] for one in held}


def test_stack_tags_and_system_tags_reach_every_resource_that_takes_tags(client: Client, cloudformation: Any) -> None:
    body = template(
        {
            "Vpc": {
                "Type": "AWS::EC2::VPC",
                "Properties": {"CidrBlock": "10.16.0.0/16", "Tags": [{"Key": "Name", "Value": "v"}]},
            },
            "Gateway": {"Type": "AWS::EC2::InternetGateway"},
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
            },
            "Secret": {
                "Type": "AWS::SecretsManager::Secret",
                "Properties": {"GenerateSecretString": {"PasswordLength": 20}},
            },
            "Topic": {"Type": "AWS::SNS::Topic"},
            "Logs": {"Type": "AWS::Logs::LogGroup"},
            "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": []}}},
        },
        Outputs={
            name: {"Value": {"Ref": name}} for name in ("Vpc", "Gateway", "Role", "Secret", "Topic", "Logs", "Key")
        },
    )
    tags = [{"Key": "Project", "Value": "jenkins"}]
    stack = create(cloudformation, body, Tags=tags, Capabilities=["CAPABILITY_IAM"])
    assert "CREATE_COMPLETE" == stack["StackStatus"]
    made = outputs(stack)
    found = {
        "Vpc": client("ec2").describe_vpcs(VpcIds=[made["Vpc"]])["Vpcs"][0]["Tags"],
        "Gateway": client("ec2").describe_internet_gateways(InternetGatewayIds=[made["Gateway"]])["InternetGateways"][
            0
        ]["Tags"],
        "Role": client("iam").get_role(RoleName=made["Role"])["Role"]["Tags"],
        "Secret": client("secretsmanager").describe_secret(SecretId=made["Secret"])["Tags"],
        "Topic": client("sns").list_tags_for_resource(ResourceArn=made["Topic"])["Tags"],
        "Key": [
            {"Key": one["TagKey"], "Value": one["TagValue"]}
            for one in client("kms").list_resource_tags(KeyId=made["Key"])["Tags"]
        ],
        "Logs": [
            {"Key": key, "Value": value}
            for key, value in client("logs").list_tags_log_group(logGroupName=made["Logs"])["tags"].items()
        ],
    }
    for name, listed in found.items():
        by_key = {one["Key"]: one["Value"] for one in listed}
        assert ("jenkins", stack["StackName"], name) == (
            by_key["Project"],
            by_key["aws:cloudformation:stack-name"],
            by_key["aws:cloudformation:logical-id"],
        )
    assert {"Key": "Name", "Value": "v"} in found["Vpc"]


def test_changed_stack_tag_shows_as_a_change_of_tags_and_is_applied(client: Client, cloudformation: Any) -> None:
    body = template({"Gateway": {"Type": "AWS::EC2::InternetGateway"}}, Outputs={"Id": {"Value": {"Ref": "Gateway"}}})
    stack = create(cloudformation, body, Tags=[{"Key": "Run", "Value": "1"}])
    made = cloudformation.create_change_set(
        StackName=stack["StackName"], ChangeSetName="tags", TemplateBody=body, Tags=[{"Key": "Commit", "Value": "2"}]
    )
    change = cloudformation.describe_change_set(ChangeSetName=made["Id"])["Changes"][0]["ResourceChange"]
    assert ("Modify", "False", ["Tags"]) == (change["Action"], change["Replacement"], change["Scope"])
    cloudformation.execute_change_set(ChangeSetName=made["Id"])
    assert "UPDATE_COMPLETE" == settle(cloudformation, stack["StackId"])["StackStatus"]
    gateways = client("ec2").describe_internet_gateways(InternetGatewayIds=[outputs(stack)["Id"]])
    keys = {one["Key"] for one in gateways["InternetGateways"][0]["Tags"]}
    assert "Commit" in keys
    assert "Run" not in keys


def test_exports_are_imported_and_cannot_be_deleted_while_in_use(cloudformation: Any) -> None:
    name = unique("export")
    exporting = template({"One": PARAMETER}, Outputs={"Name": {"Value": {"Ref": "One"}, "Export": {"Name": name}}})
    producer = create(cloudformation, exporting)
    imported = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Fn::ImportValue": name}}}
    consumer = create(cloudformation, template({"Two": imported}))
    assert [consumer["StackName"]] == cloudformation.list_imports(ExportName=name)["Imports"]
    assert {name: outputs(producer)["Name"]}.items() <= {
        one["Name"]: one["Value"] for one in cloudformation.list_exports()["Exports"]
    }.items()
    cloudformation.delete_stack(StackName=producer["StackName"])
    failed = settle(cloudformation, producer["StackId"])
    assert "CREATE_COMPLETE" == failed["StackStatus"]
    in_use = f"Delete canceled. Cannot delete export {name} as it is in use by {consumer['StackName']}."
    assert in_use == failed["StackStatusReason"]
    second = create(cloudformation, exporting)
    assert "ROLLBACK_COMPLETE" == second["StackStatus"]


def test_import_of_an_unknown_export_is_refused(cloudformation: Any) -> None:
    body = template(
        {"Two": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Fn::ImportValue": "no"}}}}
    )
    stack = create(cloudformation, body)
    assert "No export named no found." == reasons(cloudformation, stack)[("Two", "CREATE_FAILED")]


def test_false_condition_omits_a_resource_and_an_update_deletes_it(client: Client, cloudformation: Any) -> None:
    body = template(
        {"One": PARAMETER, "Two": {**PARAMETER, "Condition": "Wanted"}},
        Parameters={"Second": {"Type": "String", "AllowedValues": ["yes", "no"]}},
        Conditions={"Wanted": {"Fn::Equals": [{"Ref": "Second"}, "yes"]}},
        Outputs={"Two": {"Condition": "Wanted", "Value": {"Ref": "Two"}}},
    )
    yes, no = ([{"ParameterKey": "Second", "ParameterValue": value}] for value in ("yes", "no"))
    stack = create(cloudformation, body, Parameters=yes)
    name = outputs(stack)["Two"]
    updated = update(cloudformation, stack, body, Parameters=no)
    assert {} == outputs(updated)
    with pytest.raises(ClientError, match="ParameterNotFound"):
        client("ssm").get_parameter(Name=name)


@pytest.mark.parametrize(
    ("declared", "given", "words"),
    [
        ({"Type": "String"}, {}, r"Parameters: \[P\] must have values"),
        ({"Type": "String", "AllowedValues": ["a", "b"]}, {"P": "c"}, "must be one of AllowedValues"),
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, {"P": "9"}, "must match pattern"),
        ({"Type": "String", "MaxLength": 2}, {"P": "abc"}, "at most 2 characters"),
        ({"Type": "Number", "MinValue": 3}, {"P": "2"}, "not less than 3"),
        ({"Type": "Number"}, {"P": "two"}, "must be a number"),
        ({"Type": "String", "Default": "x"}, {"Q": "2"}, r"Parameters: \[Q\] do not exist in the template"),
        ({"Type": "AWS::SSM::Parameter::Value<String>"}, {"P": "/nowhere"}, "Unable to fetch parameters"),
    ],
)
def test_wrong_parameters_are_refused(cloudformation: Any, declared: Any, given: dict[str, str], words: str) -> None:
    parameters = [{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()]
    with pytest.raises(ClientError, match=words):
        cloudformation.create_stack(
            StackName=unique("wrong"),
            TemplateBody=template({"One": PARAMETER}, Parameters={"P": declared}),
            Parameters=parameters,
        )


def test_hidden_parameters_are_masked_and_ssm_parameters_are_resolved(cloudformation: Any) -> None:
    body = template(
        {"One": PARAMETER},
        Parameters={
            "Hidden": {"Type": "String", "NoEcho": True, "Default": "secret"},
            "Image": {
                "Type": "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>",
                "Default": "/aws/service/debian/release/13/latest/amd64",
            },
        },
        Outputs={"Image": {"Value": {"Ref": "Image"}}},
    )
    stack = create(cloudformation, body)
    shown = {one["ParameterKey"]: one for one in stack["Parameters"]}
    assert "****" == shown["Hidden"]["ParameterValue"]
    assert outputs(stack)["Image"] == shown["Image"]["ResolvedValue"]
    assert outputs(stack)["Image"].startswith("ami-")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{", "JSON not well-formed"),
        ("a: [", "YAML not well-formed"),
        (template({}), "At least one Resources member must be defined"),
        (template({"A": {"Type": "AWS::No::Such"}}), r"Unrecognized resource types: \[AWS::No::Such\]"),
        (
            template({"A": {"Type": "AWS::SSM::Parameter", "Properties": {"Value": {"Ref": "B"}}}}),
            r"Unresolved resource dependencies \[B\]",
        ),
        (
            template({"A": {**PARAMETER, "DependsOn": "B"}, "B": {**PARAMETER, "DependsOn": "A"}}),
            r"Circular dependency between resources: \[A, B\]",
        ),
        (template({"A": PARAMETER}, Extra={}), r"Invalid template property or properties \[Extra\]"),
    ],
)
def test_wrong_templates_are_refused_before_anything_is_made(cloudformation: Any, body: str, words: str) -> None:
    with pytest.raises(ClientError, match=words):
        cloudformation.create_stack(StackName=unique("wrong"), TemplateBody=body)


def test_unknown_property_fails_its_resource(cloudformation: Any) -> None:
    stack = create(
        cloudformation, template({"A": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlok": "10.0.0.0/16"}}})
    )
    assert "extraneous key [CidrBlok] is not permitted" in reasons(cloudformation, stack)[("A", "CREATE_FAILED")]


def test_capabilities_are_required_and_termination_protection_prevents_deletion(cloudformation: Any) -> None:
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}, "RoleName": unique("role")}}
    with pytest.raises(ClientError, match=r"Requires capabilities : \[CAPABILITY_NAMED_IAM\]"):
        cloudformation.create_stack(StackName=unique("iam"), TemplateBody=template({"Role": role}))
    stack = create(cloudformation, template({"One": PARAMETER}), EnableTerminationProtection=True)
    with pytest.raises(ClientError, match="cannot be deleted while TerminationProtection is enabled"):
        cloudformation.delete_stack(StackName=stack["StackName"])
    cloudformation.update_termination_protection(StackName=stack["StackName"], EnableTerminationProtection=False)
    cloudformation.delete_stack(StackName=stack["StackName"])
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack["StackName"], WaiterConfig=QUICK)
    with pytest.raises(ClientError, match="does not exist"):
        cloudformation.describe_stacks(StackName=stack["StackName"])
    assert "DELETE_COMPLETE" == cloudformation.describe_stacks(StackName=stack["StackId"])["Stacks"][0]["StackStatus"]


def test_deletion_policies_retain_resources_and_create_snapshots(client: Client, cloudformation: Any) -> None:
    def volume(policy: str) -> dict[str, Any]:
        properties = {"AvailabilityZone": "eu-central-1a", "Size": 1, "Encrypted": True, "VolumeType": "gp3"}
        return {"Type": "AWS::EC2::Volume", "DeletionPolicy": policy, "Properties": properties}

    names = ("Retain", "Snapshot", "Delete", "RetainExceptOnCreate")
    stack = create(
        cloudformation,
        template({name: volume(name) for name in names}, Outputs={name: {"Value": {"Ref": name}} for name in names}),
    )
    made = outputs(stack)
    cloudformation.delete_stack(StackName=stack["StackName"])
    settle(cloudformation, stack["StackId"])
    left = {one["VolumeId"]: one for one in client("ec2").describe_volumes()["Volumes"]}
    assert {"Retain", "RetainExceptOnCreate"} == {name for name in names if made[name] in left}
    assert left[made["Retain"]]["Encrypted"] is True
    snapshots = client("ec2").describe_snapshots(Filters=[{"Name": "volume-id", "Values": [made["Snapshot"]]}])
    assert [made["Snapshot"]] == [one["VolumeId"] for one in snapshots["Snapshots"]]
    assert ("Retain", "DELETE_SKIPPED") in history(cloudformation, stack)


def test_property_that_is_accepted_but_not_modelled_is_named_in_the_event(cloudformation: Any, endpoint: str) -> None:
    properties = {"CidrBlock": "10.17.0.0/16", "VpcEncryptionControl": {"Mode": "monitor"}}
    stack = create(cloudformation, template({"Vpc": {"Type": "AWS::EC2::VPC", "Properties": properties}}))
    assert "CREATE_COMPLETE" == stack["StackStatus"]
    said = "NOT MODELLED: the local cloud accepts VpcEncryptionControl and does nothing with it"
    assert said == reasons(cloudformation, stack)[("Vpc", "CREATE_COMPLETE")]
    with urllib.request.urlopen(f"{endpoint}/_bootstrap/properties") as answer:
        assert "VpcEncryptionControl" in json.loads(answer.read())["types"]["AWS::EC2::VPC"]["not modelled"]


def test_loops_make_a_resource_for_each_member_of_a_list_parameter(cloudformation: Any) -> None:
    loop = [
        "Name",
        {"Ref": "Names"},
        {
            "Note${Name}": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Type": "String", "Value": {"Fn::Sub": "it is ${Name}"}},
            }
        },
    ]
    body = template(
        {"Fn::ForEach::Notes": loop},
        Transform="AWS::LanguageExtensions",
        Parameters={"Names": {"Type": "CommaDelimitedList"}},
    )

    def members(stack: dict[str, Any]) -> set[str]:
        listed = cloudformation.list_stack_resources(StackName=stack["StackName"])["StackResourceSummaries"]
        return {one["LogicalResourceId"] for one in listed}

    expands = {"Capabilities": ["CAPABILITY_AUTO_EXPAND"]}
    stack = create(cloudformation, body, Parameters=[{"ParameterKey": "Names", "ParameterValue": "A,B"}], **expands)
    assert {"NoteA", "NoteB"} == members(stack)
    update(cloudformation, stack, body, Parameters=[{"ParameterKey": "Names", "ParameterValue": "B,C"}], **expands)
    assert {"NoteB", "NoteC"} == members(stack)


def test_unknown_operations_are_refused_by_name(cloudformation: Any) -> None:
    with pytest.raises(ClientError, match="has no CloudFormation action ListTypes"):
        cloudformation.list_types()


def test_drift_is_detected_when_somebody_deletes_a_resource_of_the_stack(client: Client, cloudformation: Any) -> None:
    stack = create(cloudformation, template({"One": PARAMETER}, Outputs={"Name": {"Value": {"Ref": "One"}}}))
    client("ssm").delete_parameter(Name=outputs(stack)["Name"])
    detection = cloudformation.detect_stack_drift(StackName=stack["StackName"])["StackDriftDetectionId"]
    found = cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
    assert ("DETECTION_COMPLETE", "DRIFTED") == (found["DetectionStatus"], found["StackDriftStatus"])
    drifts = cloudformation.describe_stack_resource_drifts(StackName=stack["StackName"])["StackResourceDrifts"]
    assert [("One", "DELETED")] == [(one["LogicalResourceId"], one["StackResourceDriftStatus"]) for one in drifts]


def test_nested_stack_is_created_and_deleted_with_its_parent(client: Client, cloudformation: Any) -> None:
    bucket = unique("templates")
    client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    child = template(
        {"One": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Word"}}}},
        Parameters={"Word": {"Type": "String"}},
        Outputs={"Name": {"Value": {"Ref": "One"}}},
    )
    client("s3").put_object(Bucket=bucket, Key="child.json", Body=child.encode())
    properties = {
        "TemplateURL": f"https://{bucket}.s3.eu-central-1.amazonaws.com/child.json",
        "Parameters": {"Word": "hello"},
    }
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": properties}
    stack = create(
        cloudformation,
        template({"Child": nested}, Outputs={"Name": {"Value": {"Fn::GetAtt": ["Child", "Outputs.Name"]}}}),
    )
    assert "CREATE_COMPLETE" == stack["StackStatus"]
    name = outputs(stack)["Name"]
    assert "hello" == client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    cloudformation.delete_stack(StackName=stack["StackName"])
    settle(cloudformation, stack["StackId"])
    with pytest.raises(ClientError, match="ParameterNotFound"):
        client("ssm").get_parameter(Name=name)


def test_dynamic_references_are_resolved_and_never_stored(client: Client, cloudformation: Any) -> None:
    secret = client("secretsmanager").create_secret(Name=unique("db"), SecretString='{"password":"hunter"}')["Name"]
    value = f"{{{{resolve:secretsmanager:{secret}:SecretString:password}}}}"
    stack = create(
        cloudformation,
        template(
            {"One": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value}}},
            Outputs={"Name": {"Value": {"Ref": "One"}}},
        ),
    )
    assert "hunter" == client("ssm").get_parameter(Name=outputs(stack)["Name"])["Parameter"]["Value"]
    assert "hunter" not in str(cloudformation.get_template(StackName=stack["StackName"]))
