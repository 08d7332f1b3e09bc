"""What the engine makes of templates and parameters: exports, conditions, loops, references, and what it refuses."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError
from engine_stacks import PARAMETER, Client, create, outputs, reasons, settle, template, unique, update


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
