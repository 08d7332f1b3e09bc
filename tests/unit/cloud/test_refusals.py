"""What AWS refuses, as expected failures; and how patient the clients are."""

import errno
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions as awss
import pytest
from botocore.stub import Stubber

from bootstrap import context
from bootstrap.cli import parser
from bootstrap.cloud import refusals
from bootstrap.cloud.world import World
from bootstrap.environment.models import Settings
from bootstrap.errors import AwsRefused
from bootstrap.runs.journal import Journal

SETTINGS = {"environment": "trial", "owner": "a", "cost_center": "b"}


def client_error(code: str, message: str = "no") -> awss.ClientError:
    return awss.ClientError({"Error": {"Code": code, "Message": message}}, "DescribeStacks")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (client_error("ExpiredToken"), "aws sso login"),
        (client_error("ExpiredTokenException"), "aws sso login"),
        (client_error("InvalidClientTokenId"), "AWS_PROFILE"),
        (client_error("UnrecognizedClientException"), "region is enabled"),
        (client_error("AccessDenied"), "doctor --policy"),
        (client_error("UnauthorizedOperation"), "doctor --policy"),
        (client_error("ThrottlingException"), "wait a minute"),
        (client_error("VpcLimitExceeded"), "Service Quotas"),
        (client_error("AnythingElse"), "'doctor' checks"),
        (awss.NoCredentialsError(), "Set AWS_PROFILE"),
        (awss.ProfileNotFound(profile="x"), "is not a profile"),
        (awss.SSOTokenLoadError(error_msg="x"), "aws sso login"),
        (awss.UnauthorizedSSOTokenError(), "aws sso login"),
        (awss.TokenRetrievalError(provider="sso", error_msg="x"), "aws sso login"),
        (awss.EndpointConnectionError(endpoint_url="https://ec2"), "can be reached"),
        (awss.ConnectTimeoutError(endpoint_url="https://ec2"), "can be reached"),
        (awss.InvalidRegionError(region_name="x"), "Correct 'region'"),
        (awss.WaiterError(name="w", reason="r", last_response={}), "run the same command"),
    ],
)
def test_each_refusal_has_its_remedy(error: Exception, words: str) -> None:
    with pytest.raises(AwsRefused) as caught, refusals.convert_errors("looking"):
        raise error

    assert words in caught.value.remedy
    assert refusals.read_code(error) in caught.value.found


def test_the_exceptions_that_a_client_makes_are_known_too() -> None:
    client: Any = boto3.session.Session("a", "b", region_name="eu-central-1").client("cloudformation")
    with Stubber(client) as stub:
        stub.add_client_error("describe_stacks", "AccessDenied", "you may\nnot")
        with (
            pytest.raises(AwsRefused, match="looking, asking AWS for DescribeStacks") as caught,
            refusals.convert_errors("looking"),
        ):
            client.describe_stacks()

    assert "AccessDenied: you may not" == caught.value.found


def test_a_bug_stays_a_bug() -> None:
    with pytest.raises(KeyError), refusals.convert_errors("looking"):
        raise KeyError("x")


@pytest.fixture
def busy() -> Iterator[tuple[str, list[str]]]:
    """An AWS that throttles the first two calls, then tells who asks."""
    asked: list[str] = []

    class Busy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            is_throttled = len(asked) % 4 in {1, 2}
            inner = (
                "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
                if is_throttled
                else "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>"
                "</GetCallerIdentityResult></GetCallerIdentityResponse>"
            )
            self.send_response(400 if is_throttled else 200)
            self.send_header("Content-Length", str(len(inner)))
            self.end_headers()
            self.wfile.write(inner.encode())

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Busy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    server.server_close()


def test_throttling_is_waited_out(busy: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    url, asked = busy
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    world = World(Settings.model_validate({**SETTINGS, "cloud": "local"}), url)

    assert "111122223333" == world.aws("sts").get_caller_identity()["Account"]
    assert 3 == len(asked)


def test_aws_is_asked_more_patiently_than_the_local_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    told = {
        endpoint: World(Settings.model_validate({**SETTINGS, "cloud": "aws"}), endpoint).aws("sts").meta.config.retries
        for endpoint in (None, "http://127.0.0.1:9")
    }

    assert {"mode": "adaptive", "total_max_attempts": 10} == told[None]
    assert {"mode": "standard", "total_max_attempts": 4} == told["http://127.0.0.1:9"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user who has no credentials anywhere, and no metadata service to ask."""
    for name in [it for it in os.environ if it.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(context, "PROJECT", tmp_path)
    monkeypatch.setattr("bootstrap.cli.environment_opening.PROJECT", tmp_path)
    (tmp_path / "trial.yaml").write_text("environment: trial\ncloud: aws\nowner: a\ncost_center: b\n")
    return tmp_path


@pytest.mark.parametrize(
    ("profile", "words"), [("", "Unable to locate credentials"), ("nobody", "(nobody) could not be")]
)
def test_a_command_without_credentials_fails_as_expected_and_the_journal_says_so(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], profile: str, words: str
) -> None:
    if profile:
        monkeypatch.setenv("AWS_PROFILE", profile)

    assert 1 == parser.main(["-e", str(home / "trial.yaml"), "status"])

    shown = capsys.readouterr().err
    assert words in shown
    assert "Traceback" not in shown
    assert "AWS_PROFILE" in shown
    (journal,) = home.glob(".bootstrap/trial/runs/*/journal.jsonl")
    assert "run-failed" == json.loads(journal.read_text().splitlines()[-1])["event"]


def test_a_report_that_cannot_be_drawn_is_a_notice_and_the_failure_stays(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "broken.html.j2").write_text("{% for %}")
    monkeypatch.setattr("bootstrap.runs.report._PAGE", home / "broken.html.j2")

    assert 1 == parser.main(["-e", str(home / "trial.yaml"), "status"])

    shown = capsys.readouterr()
    assert "Unable to locate credentials" in shown.err
    assert "Traceback" not in shown.err
    assert "the report of this run cannot be written: TemplateSyntaxError" in shown.out
    (journal,) = home.glob(".bootstrap/trial/runs/*/journal.jsonl")
    assert ["run-failed", "notice"] == [json.loads(line)["event"] for line in journal.read_text().splitlines()[-2:]]


def test_a_disk_that_takes_no_more_of_the_journal_hides_no_failure(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written = Journal.write

    def write(self: Journal, event: dict[str, Any]) -> None:
        if event["event"] != "run-began":
            raise OSError(errno.ENOSPC, "No space left on device")
        written(self, event)

    monkeypatch.setattr(Journal, "write", write)

    assert 1 == parser.main(["-e", str(home / "trial.yaml"), "status"])

    assert "Unable to locate credentials" in capsys.readouterr().err


def test_a_role_that_was_assumed_is_remembered_where_the_cli_remembers_it(home: Path) -> None:
    world = World(Settings.model_validate({**SETTINGS, "cloud": "aws"}))

    provider = world._session._session.get_component("credential_provider").get_provider("assume-role")

    assert str(home / ".aws" / "cli" / "cache") == provider.cache._working_dir
