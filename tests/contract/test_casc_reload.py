"""Configuration as Code at a reload and at a start: what a file changes, what stays, and what stops the start."""

from __future__ import annotations

import signal
from typing import Any

import pytest
import requests


@pytest.mark.own_process
def test_reload_applies_a_changed_file_and_refuses_a_broken_one(fresh: Any) -> None:
    fresh.start()
    session = requests.Session()
    session.auth = ("admin", "admin-password")
    crumb = session.get(f"{fresh.url}/crumbIssuer/api/json").json()
    session.headers[crumb["crumbRequestField"]] = crumb["crumb"]

    def reload() -> requests.Response:
        return session.post(f"{fresh.url}/configuration-as-code/reload", allow_redirects=False)

    def message() -> str:
        return str(session.get(f"{fresh.url}/api/json").json()["description"])

    base = fresh.casc / "10-base.yaml"
    base.write_text(base.read_text().replace('"contract"', '"second"'))
    assert (reload().status_code, reload().headers["Location"]) == (302, "/configuration-as-code/")
    assert message() == "second"
    base.write_text(base.read_text().replace('"second"', '"third"') + "  noSuchThing: 1\n")
    refused = reload()
    assert refused.status_code == 200
    assert "noSuchThing" in refused.text
    assert "Error loading configuration" in refused.text and "10-base.yaml" not in refused.text
    assert message() == "second"
    by_token = requests.post(f"{fresh.url}/reload-configuration-as-code/", params={"casc-reload-token": "reload-token"})
    assert (by_token.status_code, by_token.json()["status"]) == (200, "error")
    assert by_token.json()["message"].startswith("Failed to reload configuration: ")
    base.write_text(base.read_text().replace("  noSuchThing: 1\n", "").replace("numExecutors: 2", "mode: SOMETIMES"))
    assert reload().status_code == 200
    base.write_text("jenkins: [")
    oops = reload()
    assert oops.status_code == 500
    fresh.stop()
    # The journal has what the answers do not.
    journal = fresh.said
    assert "ConfigurationAsCode#doReload: Failed to reload configuration\n" in journal
    assert "\njava.lang.IllegalArgumentException: No enum constant " in journal
    assert "\n  at 10-base.yaml:4 (path: mode)\n" in journal
    identifier = oops.text.partition("Logging ID=")[2][:36]
    assert f"Caught unhandled exception with ID {identifier}\n" in journal
    assert " in 10-base.yaml, line 1, column 11" in journal


@pytest.mark.own_process
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_what_no_file_names_stays_as_it_was_set_through_reloads_and_restarts(fresh: Any, end: signal.Signals) -> None:
    set_by_hand = """
jenkins: {noUsageStatistics: true}
unclassified: {mailer: {authentication: {username: u, password: pw-1}}}
"""

    def post(path: str, text: str = "") -> str:
        session = requests.Session()
        session.auth = ("admin", "admin-password")
        crumb = session.get(f"{fresh.url}/crumbIssuer/api/json").json()
        session.headers[crumb["crumbRequestField"]] = crumb["crumb"]
        answer = session.post(f"{fresh.url}/configuration-as-code/{path}", data=text, allow_redirects=False)
        assert answer.status_code in {200, 302}
        return answer.text

    fresh.start()
    post("apply", set_by_hand)
    base = fresh.casc / "10-base.yaml"
    base.write_text(base.read_text().replace("numExecutors: 2", "numExecutors: 1"))
    post("reload")
    fresh.stop(end)
    fresh.start()

    exported = post("export")
    assert "noUsageStatistics: true" in exported
    assert "numExecutors: 1" in exported
    assert 'username: "u"' in exported
    assert "{AQAA" in exported
    assert "pw-1" not in exported + "".join(path.read_text() for path in fresh.home.glob("*.json"))


@pytest.mark.own_process
def test_same_scalar_in_two_files_is_a_conflict_and_stops_the_start(fresh: Any) -> None:
    (fresh.casc / "30-again.yaml").write_text('jenkins: {systemMessage: "other"}\n')
    with pytest.raises(
        RuntimeError,
        match=r"exit 5: .*\n.*Found conflicting configuration at YamlSource: 30-again\.yaml  in 30-again\.yaml, line 1, ",
    ):
        fresh.start()


@pytest.mark.own_process
def test_unknown_key_stops_the_start(fresh: Any) -> None:
    (fresh.casc / "30-bad.yaml").write_text("unclassified:\n  noSuchRoot:\n    a: 1\n")
    with pytest.raises(
        RuntimeError, match=r"exit 5: (?s:.*)unclassified: Invalid configuration elements .*: noSuchRoot\."
    ):
        fresh.start()


@pytest.mark.own_process
def test_missing_secret_stops_the_start_when_resolution_is_strict(fresh: Any) -> None:
    (fresh.casc / "30-secret.yaml").write_text('unclassified: {location: {adminAddress: "${NOT_THERE}"}}\n')
    with pytest.raises(RuntimeError, match="Unable to resolve variable 'NOT_THERE'"):
        fresh.start()


@pytest.mark.own_process
def test_element_of_a_missing_plugin_stops_the_start(fresh: Any) -> None:
    (fresh.casc / "30-jobs.yaml").write_text("jobs:\n  - script: \"folder('x')\"\n")
    with pytest.raises(RuntimeError, match="No configurator found for the following root element: jobs"):
        fresh.start()


@pytest.mark.own_process
def test_reload_by_token_checks_the_token(server: Any) -> None:
    url = f"{server.url}/reload-configuration-as-code/"
    wrong = requests.post(url, params={"casc-reload-token": "wrong"})
    right = requests.post(url, params={"casc-reload-token": "reload-token"})
    assert (wrong.status_code, right.status_code) == (401, 200)


@pytest.mark.own_process
def test_orderly_stop_ends_with_zero(fresh: Any) -> None:
    fresh.start()
    assert fresh.stop(signal.SIGTERM) == 0
