"""How the sessions of a world are made: models of services are loaded once, and times are read as botocore reads them."""

from __future__ import annotations

import urllib.request
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.utils import parse_timestamp

from bootstrap.cloud import session_manager
from bootstrap.cloud.world import World
from bootstrap.values import Machine, Secret


def session(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The botocore session of a new world."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-theirs")
    settings: Any = SimpleNamespace(region="eu-central-1", name="one")
    return World(settings, "http://127.0.0.1:1")._session._session


def test_two_worlds_load_the_model_of_a_service_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = session(monkeypatch), session(monkeypatch)

    assert first is not second
    assert first.get_service_data("sqs") is second.get_service_data("sqs")


def test_models_of_another_folder_are_not_those_of_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    first = session(monkeypatch)
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    second = session(monkeypatch)

    assert str(tmp_path) not in first.get_component("data_loader").search_paths
    assert str(tmp_path) in second.get_component("data_loader").search_paths


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-30T03:31:40.123Z",
        "2026-11-30T03:31:40.123456+02:00",
        "2026-11-30T03:31:40Z",
        "Mon, 30 Nov 2026 03:31:40 GMT",
        "2026-11-30T03:31:40",
        "1700000000",
        1700000000,
        1700000000.5,
    ],
)
def test_times_are_those_that_botocore_reads(monkeypatch: pytest.MonkeyPatch, text: Any) -> None:
    parsers = session(monkeypatch).get_component("response_parser_factory")
    parser = parsers.create_parser("query")

    assert parse_timestamp(text) == parser._timestamp_parser(text)


def test_a_time_has_its_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    parser = session(monkeypatch).get_component("response_parser_factory").create_parser("query")

    assert datetime(2026, 11, 30, 3, 31, 40, tzinfo=UTC) == parser._timestamp_parser("2026-11-30T03:31:40Z")


def test_sessions_of_a_world_lend_its_own_credentials_until_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(session_manager, "open_session", lambda *given: calls.append(given))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-theirs")
    settings: Any = SimpleNamespace(region="eu-central-1", name="one", ssh="session-manager")
    world, machine = World(settings), Machine("i-1", "10.0.0.1", "admin", Secret("key"), ())
    dial = world.dial(machine)
    assert dial is not None
    for _ in "12":
        dial()
    (ssm, credentials, lender, *target), second = calls
    variables = lender.make_environment({})

    assert ("somebody", ["i-1", 22]) == (credentials.get_frozen_credentials().access_key, target)
    assert (ssm, lender) == (second[0], second[2])
    world.close()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"], timeout=5)
