"""How builds are queued over HTTP: delays, the form of parameters, the token of a job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

PARAMETERS = (
    "<hudson.model.ParametersDefinitionProperty><parameterDefinitions>"
    "<hudson.model.StringParameterDefinition><name>A</name><defaultValue>a</defaultValue></hudson.model.StringParameterDefinition>"
    "<hudson.model.StringParameterDefinition><name>B</name><defaultValue>b</defaultValue></hudson.model.StringParameterDefinition>"
    "</parameterDefinitions></hudson.model.ParametersDefinitionProperty>"
)


@pytest.fixture
def job(server: Any, name: str, freestyle: Any) -> Iterator[str]:
    """A job with two parameters."""
    server.create("", name, freestyle("true", properties=PARAMETERS))
    yield f"job/{name}"


def test_the_form_of_parameters_sets_those_that_it_names_alone(server: Any, job: str, name: str) -> None:
    answer = server.post(f"{job}/build", data={"json": '{"parameter": [{"name": "A", "value": "x"}]}'})

    assert (201, f"/{job}/") == (answer.status_code, answer.headers["Location"])
    server.until(lambda: server.client.get_job_info(name)["lastCompletedBuild"])
    actions = server.get(f"{job}/1/api/json").json()["actions"]
    assert [{"A": "x"}] == [
        {entry["name"]: entry["value"] for entry in action["parameters"]}
        for action in actions
        if action.get("_class") == "hudson.model.ParametersAction"
    ]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"data": {"json": '{"parameter": [{"name": "NO", "value": "x"}]}'}}, 500),
        ({"data": {"json": "{"}}, 500),
        ({"params": {"A": "x"}}, 400),
        ({}, 400),
    ],
)
def test_a_form_that_is_none_is_refused(server: Any, job: str, sent: dict[str, Any], status: int) -> None:
    assert status == server.post(f"{job}/build", **sent).status_code


@pytest.mark.parametrize(("delay", "status"), [("5", 201), ("5sec", 201), ("0secs ", 201), ("2min", 500), ("abc", 500)])
def test_a_delay_is_milliseconds_or_seconds(server: Any, name: str, freestyle: Any, delay: str, status: int) -> None:
    server.create("", name, freestyle("true"))

    assert status == server.post(f"job/{name}/build", params={"delay": delay}).status_code


def test_the_token_of_a_job_starts_it_also_by_a_get(server: Any, name: str, freestyle: Any) -> None:
    server.create("", name, freestyle("true", "<authToken>let-me-in</authToken>"))

    assert 405 == server.get(f"job/{name}/build").status_code
    assert 403 == server.get(f"job/{name}/build", params={"token": "wrong"}).status_code
    assert 201 == server.get(f"job/{name}/build", params={"token": "let-me-in"}).status_code


def test_a_delete_of_a_build_deletes_nothing(server: Any, name: str, freestyle: Any) -> None:
    server.create("", name, freestyle("true"))
    server.run(name)

    answer = server.session.delete(f"{server.url}/job/{name}/1/", timeout=30)

    assert isinstance(answer, requests.Response)
    assert (200, 200) == (answer.status_code, server.get(f"job/{name}/1/api/json").status_code)
