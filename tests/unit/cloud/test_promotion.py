"""The session that whoever approves a promotion hands to the build."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bootstrap.cloud import promotion
from bootstrap.cloud.world import World
from bootstrap.environment import settings
from bootstrap.errors import UsageError

TAKEN = {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "secret/+", "SessionToken": "token=="}
LOCAL = Path(__file__).resolve().parents[3] / "environments" / "local.yaml"


class Sts:
    """STS, which gives a session."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def assume_role(self, **asked: Any) -> dict[str, Any]:
        self.asked = asked
        return {"Credentials": {**TAKEN, "Expiration": "later"}}


def test_a_session_that_was_taken_is_read_again_and_never_shown() -> None:
    sts = Sts()
    session = promotion.take_session(sts, "arn:aws:iam::1:role/x", "network-12")

    assert ("ASIAEXAMPLE", "secret/+", "token==") == promotion.read_session({promotion.VARIABLE: session.reveal()})
    assert {"RoleArn": "arn:aws:iam::1:role/x", "RoleSessionName": "network-12", "DurationSeconds": 3600} == sts.asked
    assert "secret" not in repr(session)


@pytest.mark.parametrize("environ", [{}, {promotion.VARIABLE: ""}])
def test_without_one_nothing_is_read_and_an_approved_change_is_refused(environ: dict[str, str]) -> None:
    assert promotion.read_session(environ) is None
    with pytest.raises(UsageError, match="which passes no session to the build"):
        promotion.check_session(environ)


@pytest.mark.parametrize("text", ["null", "yes", "[]", "{}", '{"AccessKeyId": "x"}'])
def test_any_other_text_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        promotion.check_session({promotion.VARIABLE: text})

    assert text == "null" or text not in f"{caught.value.doing} {caught.value.found}"


def test_the_calls_of_a_process_that_was_handed_a_session_are_made_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(promotion.VARIABLE, json.dumps(TAKEN))
    world = World(settings.load(LOCAL), "http://127.0.0.1:9", cloud=Path("/nonexistent"))

    held = world._session.get_credentials()

    assert ("ASIAEXAMPLE", "secret/+", "token==") == (held.access_key, held.secret_key, held.token)
