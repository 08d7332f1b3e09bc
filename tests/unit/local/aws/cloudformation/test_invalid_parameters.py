"""No text of botocore or Python is the reason of a failed resource."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ParamValidationError

from bootstrap.local.aws.cloudformation.adapters import conversions, invalid_parameters

KEYS = {"region_name": "eu-central-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"Name": "n"}, ["#: required key [Value] not found"]),
        ({"Name": "n", "Value": 5}, ["#/Value: expected type: String, found: Integer"]),
        ({"Name": "n", "Value": "v", "Colour": 1}, ["#: extraneous key [Colour] is not permitted"]),
        (
            {"Name": ["a\nb"], "Value": {"k": "v, type: x"}},
            ["#/Name: expected type: String, found: JSONArray", "#/Value: expected type: String, found: JSONObject"],
        ),
        (
            {"Name": "", "Value": "v", "Tags": [{"Key": "k"}, 3]},
            [
                "#/Name: expected minLength: 1",
                "#/Tags/0: required key [Value] not found",
                "#/Tags/1: expected type: JSONObject, found: Integer",
            ],
        ),
    ],
)
def test_a_report_of_botocore_is_told_in_words_of_cloudformation(parameters: dict, expected: list[str]) -> None:
    client = boto3.client("ssm", **KEYS)
    with pytest.raises(ParamValidationError) as refused:
        client.put_parameter(**parameters)
    assert expected == sorted(invalid_parameters.describe(str(refused.value)).split("\n"))


def test_a_fault_of_a_service_is_named_without_its_exception() -> None:
    answer = {
        "Error": {"Code": "InternalFailure", "Message": "KeyError: 'x'"},
        "ResponseMetadata": {"HTTPStatusCode": 501},
    }
    refusal = type("Refusal", (), {"response": answer, "operation_name": "CreateThing"})()
    text = str(conversions.make_failure(refusal, "Things"))
    assert "KeyError" not in text
    assert "the local cloud cannot carry out CreateThing of Things" in text


def test_text_that_is_no_number_stays_text() -> None:
    client = boto3.client("ec2", **KEYS)
    shape = client.meta.service_model.operation_model("CreateVolume").input_shape
    for text in ("--5", "²", "x"):
        assert {"Size": text} == conversions.fit(shape, {"Size": text})
    shape = boto3.client("cloudwatch", **KEYS).meta.service_model.operation_model("PutMetricAlarm").input_shape
    assert {"Threshold": "x"} == conversions.fit(shape, {"Threshold": "x"})
