"""Control characters do not come into tags, nor into anything that is answered in XML."""

from __future__ import annotations

import json
import urllib.parse

import pytest
from signed import signed

from bootstrap.local.aws.access import characters
from bootstrap.local.aws.server import requests
from bootstrap.local.aws.server.requests import Response

FORM = {"Content_Type": "application/x-www-form-urlencoded; charset=utf-8"}


def find_refusal(environ: requests.Environ) -> Response | None:
    return characters.find_refusal(environ, requests.read_body(environ))


def form(service: str, given: dict[str, str]) -> requests.Environ:
    return signed(service, "/", urllib.parse.urlencode(given).encode(), **FORM)


def target(service: str, operation: str, given: dict[str, object]) -> requests.Environ:
    return signed(service, "/", json.dumps(given).encode(), X_Amz_Target=f"x.{operation}")


@pytest.mark.parametrize("bad", ["\x1b[2J", "a\x00b", "\x08", "\x7f", "\x9b1m"])
def test_tags_are_refused(bad: str) -> None:
    asked = {"Action": "CreateTags", "ResourceId.1": "vpc-1", "Tag.1.Key": "Name"}
    for given in ({"Tag.1.Value": bad}, {"Tag.1.Value": "x", "Tag.2.Key": bad}):
        found = find_refusal(form("ec2", {**asked, **given}))
        assert found is not None
        assert b"<Code>InvalidParameterValue</Code>" in found.body
        assert bad.encode() not in found.body
    found = find_refusal(target("ssm", "AddTagsToResource", {"Tags": [{"Key": "Name", "Value": bad}]}))
    assert found is not None
    assert "ValidationException" == json.loads(found.body)["__type"]
    assert find_refusal(target("logs", "TagLogGroup", {"logGroupName": "a", "tags": {"Name": bad}})) is not None
    tagging = {"x_amz_tagging": f"a={urllib.parse.quote(bad)}"}
    assert find_refusal(signed("s3", "/b/k", b"\x1b", method="PUT", **tagging)) is not None


def test_what_is_answered_in_xml_has_no_such_character_anywhere() -> None:
    asked = {"Action": "CreateSecurityGroup", "GroupName": "a", "GroupDescription": "\x1b]0;x"}
    assert find_refusal(form("ec2", asked)) is not None
    assert find_refusal(form("sns", {"Action": "CreateTopic", "Name": "a\ufffe"})) is not None


@pytest.mark.parametrize(
    "environ",
    [
        form(
            "ec2",
            {"Action": "CreateTags", "ResourceId.1": "vpc-1", "Tag.1.Key": "Name", "Tag.1.Value": "\u00e4 \u6f22 @=+"},
        ),
        form("iam", {"Action": "PutRolePolicy", "PolicyDocument": "{\n\t\r\n}"}),
        target("secretsmanager", "PutSecretValue", {"SecretString": "\x1b", "SecretId": "a"}),
        target("ssm", "PutParameter", {"Name": "a", "Value": "\x1b"}),
        signed("s3", "/b/k", b"\x00\x1b", method="PUT"),
    ],
    ids=["letters", "lines", "secret", "parameter", "object"],
)
def test_all_else_is_let_through(environ: requests.Environ) -> None:
    assert find_refusal(environ) is None
