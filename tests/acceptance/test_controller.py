"""Jenkins: the locked version, the settings of the code, no anonymous access, and builds that succeed."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from canary import Build
from controller_evidence import Forged
from exported import differences, rights, wished

from bootstrap.acts.verify import FOUND
from bootstrap.context import Context
from bootstrap.jenkins.controller.waiting import Waiting, describe
from bootstrap.remote.desired.agent import AGENTS, list_agents
from bootstrap.values import Change


def test_the_version_is_the_locked_one(sign_in_page: requests.Response, context: Context) -> None:
    """Jenkins answers and has the version of the lock."""
    assert (200, context.lock.version) == (sign_in_page.status_code, sign_in_page.headers.get("X-Jenkins"))


def test_the_plugins_are_the_locked_ones(installed_plugins: dict[str, dict[str, Any]], context: Context) -> None:
    """The plugins are exactly those of the lock."""
    there = {name: plugin["version"] for name, plugin in installed_plugins.items()}

    assert [] == sorted(set(there.items()) - set(context.lock.plugins.items())), "not in the lock"
    assert [] == sorted(set(context.lock.plugins.items()) - set(there.items())), "only in the lock"


def test_every_plugin_works(installed_plugins: dict[str, dict[str, Any]]) -> None:
    """Every plugin is enabled and active."""
    assert [] == [name for name, it in installed_plugins.items() if not (it["active"] and it["enabled"])]


def test_anonymous_users_have_no_access(strangers_answers: dict[str, int]) -> None:
    """Anonymous users have no access."""
    # A thing that may not even be known of is answered with 404.
    assert {} == {path: status for path, status in strangers_answers.items() if status not in {403, 404}}
    assert (403, 403) == (strangers_answers[""], strangers_answers["api/json"])


def test_passwords_cannot_be_guessed(guessed_passwords: dict[str, int]) -> None:
    """Common default passwords are refused."""
    assert {401} == set(guessed_passwords.values()), guessed_passwords


def test_forged_requests_are_refused(forged_request: Forged | None) -> None:
    """A request without a crumb changes nothing in a session (CSRF protection)."""
    if forged_request is None:
        pytest.skip("people sign in at a provider: these checks cannot begin a session of a browser there")
    assert Forged(signed_in=200, without_crumb=403, with_crumb=200) == forged_request


def test_security_is_switched_on(controllers_state: dict[str, Any]) -> None:
    """Security and CSRF protection are enabled."""
    assert (True, True) == (controllers_state["useSecurity"], controllers_state["useCrumbs"])


def test_jenkins_is_not_in_quiet_mode(controllers_state: dict[str, Any]) -> None:
    """Jenkins is not in quiet mode."""
    assert controllers_state["quietingDown"] is False


def test_the_settings_equal_the_code(exported_settings: dict[str, Any], context: Context) -> None:
    """Every setting has the value of the code."""
    wish = wished(context.casc_files, context.casc_values)

    assert [] == list(differences(wish, exported_settings))


def test_permissions_equal_the_code(exported_settings: dict[str, Any], context: Context) -> None:
    """Users have exactly the permissions of the code."""
    wish = wished(context.casc_files, context.casc_values)

    assert rights(wish) == rights(exported_settings)


def test_the_users_are_there(known_users: dict[str, int], context: Context) -> None:
    """Every user of the code exists, people included; those of a provider come when they sign in."""
    own = {"toolkit"} if context.settings.provider else {"admin", "builds", "toolkit"}
    assert own <= known_users.keys()
    assert {} == {name: status for name, status in known_users.items() if status != 200}


def test_the_jobs_equal_the_code(job_changes: tuple[Change, ...], context: Context) -> None:
    """Every job is as the code renders it, and jobs that left the code are disabled."""
    assert [] == [f"{change.kind} {change.name} {change.detail}".strip() for change in job_changes]
    assert context.jobset.jobs


def test_no_build_runs_on_the_controller(computers: dict[str, dict[str, Any]], context: Context) -> None:
    """The controller itself has no executors, and the agents on the machine are connected."""
    present = list_agents(context.settings.agents)
    assert 0 == computers["Built-In Node"]["numExecutors"]
    assert set() == {agent.node for agent in AGENTS if agent not in present} & computers.keys()
    for agent in present:
        assert computers[agent.node]["numExecutors"] > 0
        assert computers[agent.node]["offline"] is False, agent.node


def test_no_build_waits_in_vain(queue: tuple[Waiting, ...], record_property: Any) -> None:
    """No build waits for an agent that does not come."""
    record_property(FOUND, describe(queue))

    assert [] == [str(item) for item in queue if item.is_in_vain]


def test_a_build_can_start(canary_build: Build) -> None:
    """A queued build gets an executor."""
    assert "" == canary_build.hindrance, f"the canary could not start: {canary_build.hindrance}"


def test_a_build_succeeds(started_build: Build) -> None:
    """A new build succeeds."""
    assert "SUCCESS" == started_build.result, started_build.log


def test_a_build_has_a_log(started_build: Build) -> None:
    """The build's console can be read and has the build's output."""
    assert f"canary: {started_build.word}" in started_build.log
    assert "Finished: SUCCESS" in started_build.log


def test_a_build_has_an_artifact(started_build: Build) -> None:
    """The build's artifact can be fetched."""
    assert f"canary: {started_build.word}\n" == started_build.artifact


def test_the_build_history_is_complete(started_build: Build) -> None:
    """The build and earlier builds are in the job's history."""
    assert started_build.number in started_build.history
    assert started_build.number == 1 or min(started_build.history) < started_build.number
