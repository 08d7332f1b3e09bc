"""Values of a template that come from elsewhere: what exists is demanded, what is secret is shown nowhere."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

Client = Callable[[str], Any]
SECRET = "not-for-everybody-1"
NEW_SECRET = "not-for-everybody-2"


@pytest.fixture(scope="module")
def secure(client: Client) -> str:
    """The name of a secret parameter of SSM."""
    name = f"/values/{uuid.uuid4().hex}"
    client("ssm").put_parameter(Name=name, Value=SECRET, Type="SecureString")
    return name


def parameter(value: Any) -> dict[str, Any]:
    return {"One": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value}}}


def create(cloudformation: Any, document: dict[str, Any], **given: str) -> str:
    """Begin to create a stack; returns its id."""
    name = f"values-{uuid.uuid4().hex[:8]}"
    pairs = [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()]
    made: str = cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(document), Parameters=pairs)[
        "StackId"
    ]
    return made


def document(kind: str = "String", **more: Any) -> dict[str, Any]:
    return {"Parameters": {"Given": {"Type": kind, **more}}, "Resources": parameter("one")}


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("AWS::SSM::Parameter::Name", "/values/absent", r"Unable to fetch parameters \[/values/absent\]"),
        ("AWS::EC2::AvailabilityZone::Name", "mars-1a", "parameter value mars-1a .* does not exist"),
        (
            "List<AWS::EC2::AvailabilityZone::Name>",
            "eu-central-1a,mars-1a",
            "parameter value mars-1a .* does not exist",
        ),
    ],
)
def test_resource_that_a_parameter_names_must_exist(cloudformation: Any, kind: str, value: str, said: str) -> None:
    with pytest.raises(ClientError, match=said):
        create(cloudformation, document(kind), Given=value)


def test_a_secret_parameter_of_ssm_is_refused_where_its_value_would_be_visible(
    cloudformation: Any, secure: str
) -> None:
    with pytest.raises(ClientError, match="have types not supported by CloudFormation"):
        create(cloudformation, document("AWS::SSM::Parameter::Value<String>"), Given=secure)


@pytest.mark.parametrize("value", ["{{resolve:ssm-secure:%s}}", {"Fn::Sub": "a {{resolve:ssm-secure:%s:1}}"}])
def test_a_secure_reference_is_accepted_only_in_properties_for_secrets(
    cloudformation: Any, secure: str, value: Any
) -> None:
    text = json.loads(json.dumps(value).replace("%s", secure))
    with pytest.raises(ClientError, match=r"SSM Secure reference .* \[AWS::SSM::Parameter/Properties/Value\]"):
        create(cloudformation, {"Resources": parameter(text)})
    user = {"Type": "AWS::IAM::User", "Properties": {"LoginProfile": {"Password": text}}}
    summary = cloudformation.create_stack(
        StackName=f"values-{uuid.uuid4().hex[:8]}",
        TemplateBody=json.dumps({"Resources": {"User": user}}),
        Capabilities=["CAPABILITY_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName=summary["StackId"], WaiterConfig={"Delay": 1})


def test_a_plain_reference_to_a_secret_parameter_fails_its_resource(cloudformation: Any, secure: str) -> None:
    stack = create(cloudformation, {"Resources": parameter(f"{{{{resolve:ssm:{secure}}}}}")})
    with pytest.raises(WaiterError, match="ROLLBACK_COMPLETE"):
        cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    (failed,) = [one for one in events if one["ResourceStatus"] == "CREATE_FAILED"]
    assert "have types not supported by CloudFormation" in failed["ResourceStatusReason"]


def test_a_limit_that_is_not_a_number_and_an_output_that_is_a_list_are_refused(cloudformation: Any) -> None:
    with pytest.raises(ClientError, match="MinLength of parameter Given must be a number"):
        create(cloudformation, document(MinLength="x", Default="one"))
    for value in ({"Fn::GetAZs": ""}, {"Fn::Split": [",", "a,b"]}, ["a"], {"Ref": "Given"}):
        listed = document("CommaDelimitedList", Default="a,b") | {"Outputs": {"Listed": {"Value": value}}}
        with pytest.raises(ClientError, match="must evaluate to a String"):
            create(cloudformation, listed)


def test_no_call_returns_the_value_of_a_hidden_parameter(cloudformation: Any) -> None:
    hidden = {
        "Parameters": {"Given": {"Type": "String", "NoEcho": True}},
        "Resources": parameter({"Fn::Sub": "a-${Given}"}),
    }
    stack = create(cloudformation, hidden, Given=SECRET)
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    given = [{"ParameterKey": "Given", "ParameterValue": NEW_SECRET}]
    made = cloudformation.create_change_set(
        StackName=stack, ChangeSetName="later", UsePreviousTemplate=True, Parameters=given
    )
    cloudformation.detect_stack_drift(StackName=stack)
    told = [
        cloudformation.describe_stacks(StackName=stack),
        cloudformation.describe_stack_events(StackName=stack),
        cloudformation.describe_stack_resources(StackName=stack),
        cloudformation.describe_stack_resource_drifts(StackName=stack),
        cloudformation.detect_stack_resource_drift(StackName=stack, LogicalResourceId="One"),
        cloudformation.get_template_summary(StackName=stack),
        changed := cloudformation.describe_change_set(ChangeSetName=made["Id"], IncludePropertyValues=True),
    ]
    assert [] == [one for one in told if SECRET in str(one) or NEW_SECRET in str(one)]
    (change,) = changed["Changes"]
    assert "a-****" == json.loads(change["ResourceChange"]["AfterContext"])["Properties"]["Value"]
    assert "a-****" == json.loads(change["ResourceChange"]["BeforeContext"])["Properties"]["Value"]
