"""Clouds of agents in the casc act: they are sent behind the reload of changed files."""

from bootstrap.acts import casc
from bootstrap.environment.agents import AgentGroup
from bootstrap.jenkins.definitions.fleets import Fleet, make_clouds
from tests.recorder import Recorder
from tests.unit.acts.casc_machine import EXPORT, GOOD, Machine, digest_of

CLOUDS = make_clouds({"linux": AgentGroup()}, {"linux": Fleet("p-e-agents-linux", "ssh-ed25519 AAAA")})


def test_clouds_come_when_the_settings_hold_and_are_no_edits_then(server) -> None:
    machine, report = Machine(GOOD, digest_of(EXPORT), EXPORT), Recorder()
    server.on("GET", "computer/api/json", {"computer": []})
    server.on("POST", "configuration-as-code/apply", "")

    assert ["cloud linux"] == [
        it.name for it in casc.plan(machine, server.client, GOOD, {}, Recorder(), wished_clouds=CLOUDS)
    ]
    casc.apply(machine, server.client, GOOD, {}, report, CLOUDS)
    server.on("POST", "configuration-as-code/export", EXPORT + CLOUDS.removeprefix("jenkins:\n"))
    server.asked.clear()
    casc.apply(machine, server.client, GOOD, {}, report, CLOUDS)

    assert ["cloud linux"] == [it.name for it in report.changes]
    assert [] == report.texts
    assert ["POST configuration-as-code/export"] == server.asked


def test_clouds_are_sent_behind_the_reload_of_changed_files(server) -> None:
    """The credential of a group is in the files, and its cloud names it."""
    server.on("GET", "computer/api/json", {"computer": []})
    server.on("POST", "configuration-as-code/apply", "")

    casc.apply(Machine({}), server.client, GOOD, {}, Recorder(), CLOUDS)

    sent = [it for it in server.asked if it.endswith(("/reload", "/apply"))]
    assert ["POST configuration-as-code/reload", "POST configuration-as-code/apply"] == sent
