"""The clouds of a running Jenkins are sent when they differ; none goes before its nodes, and a refusal names its group."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
import requests
import yaml

from bootstrap.environment.agents import AgentGroup
from bootstrap.errors import BootstrapError
from bootstrap.jenkins.controller import clouds
from bootstrap.values import Change, Result
from tests.unit.jenkins.controller.exported_clouds import FOREIGN, export, made, show, wish


class Jenkins:
    """A Jenkins with clouds and nodes behind the answering machine: it exports what it was given."""

    def __init__(self, server: Any, found: Sequence[Any] = (), nodes: Sequence[str] = ()) -> None:
        self.server, self.clouds, self.nodes = server, list(found), list(nodes)
        self.refusal: str = ""
        self.comes_late: list[str] = []  # nodes that a cloud still makes while it is removed
        server.answers["POST", "configuration-as-code/apply"] = self._apply
        server.answers["GET", "computer/api/json"] = self._computers
        server.answers["POST", "configuration-as-code/check"] = self._check
        for number in range(9):
            server.answers["POST", f"computer/i-{number}/doDelete"] = self._delete_node
        server.answers["POST", "cloud/linux/doDelete"] = self._delete_cloud
        server.on("GET", "done", "")

    def _apply(self, request: requests.PreparedRequest) -> Any:
        if self.refusal:
            return 500, {}, f"<html><body><h1>Oops!</h1><p>Logging ID={self.refusal}</p></body></html>"
        self.clouds = made(str(request.body, "utf-8")) if b"[]" not in request.body else []
        self.nodes += self.comes_late
        return 200, {}, ""

    def _check(self, request: requests.PreparedRequest) -> Any:
        is_bad = "big" in str(request.body, "utf-8")
        return (400, {}, '[{"line": -1, "message": "no"}]') if is_bad else (200, {}, "[]")

    def _computers(self, _: requests.PreparedRequest) -> Any:
        own = [
            {"_class": "hudson.model.Hudson$MasterComputer", "displayName": "Built-In Node"},
            {"_class": "hudson.slaves.SlaveComputer", "displayName": "linux i-9"},  # named like one by a person
        ]
        found = [{"_class": "com.amazon.jenkins.ec2fleet.EC2FleetNodeComputer", "displayName": it} for it in self.nodes]
        return 200, {"Content-Type": "application/json"}, json.dumps({"computer": own + found})

    def _delete_node(self, request: requests.PreparedRequest) -> Any:
        instance = request.path_url.split("/")[2]
        self.nodes = [it for it in self.nodes if instance not in it.split()]
        return 302, {"Location": "http://jenkins.invalid/done"}, ""

    def _delete_cloud(self, _: requests.PreparedRequest) -> Any:
        self.clouds = [it for it in self.clouds if it.get("eC2Fleet", {}).get("name") != "linux"]
        return 302, {"Location": "http://jenkins.invalid/done"}, ""


class Report:
    def __init__(self) -> None:
        self.changes: list[Change] = []

    def change(self, change: Change) -> None:
        self.changes.append(change)

    def progress(self, text: str) -> None: ...
    def notice(self, text: str) -> None: ...


class Machine:
    """A machine with a journal, which is all that is asked for here."""

    def __init__(self, journal: str = "") -> None:
        self.journal = journal

    def run(self, command: Sequence[str], **_: object) -> Result:
        assert command[0] == "journalctl"
        return Result("journalctl", 0, self.journal, "")


def run(server: Any, exported: str, wished: str, journal: str = "") -> list[str]:
    report = Report()
    clouds.apply(Machine(journal), server.client, exported, wished, report)
    return show(report.changes)


def test_nothing_is_sent_where_the_clouds_hold(jenkins_server: Any) -> None:
    document = wish(linux=AgentGroup())

    assert [] == run(jenkins_server, export(*made(document)), document)
    assert [] == jenkins_server.asked


def test_a_new_cloud_is_sent_and_holds_then(jenkins_server: Any) -> None:
    jenkins, document = Jenkins(jenkins_server), wish(linux=AgentGroup())

    assert ["add cloud linux"] == run(jenkins_server, export(), document)
    assert () == clouds.find_changes(export(*jenkins.clouds), document)


def test_a_cloud_that_stays_keeps_its_nodes(jenkins_server: Any) -> None:
    document = wish(linux=AgentGroup())
    jenkins = Jenkins(jenkins_server, made(document), ["linux i-1", "linux i-2 Builds left: 3 "])

    assert ["alter cloud linux"] == run(jenkins_server, export(*jenkins.clouds), wish(linux=AgentGroup(maximum=9)))
    assert ["linux i-1", "linux i-2 Builds left: 3 "] == jenkins.nodes


def test_the_nodes_of_a_cloud_go_before_it(jenkins_server: Any) -> None:
    document = wish(linux=AgentGroup())
    there = made(wish(old=AgentGroup())) + made(document)
    jenkins = Jenkins(jenkins_server, there, ["old i-1 Builds left: 3 ", "linux i-2", "old i-3"])
    jenkins.comes_late = ["old i-4"]

    assert ["remove cloud old"] == run(jenkins_server, export(*there), document)
    assert ["linux i-2"] == jenkins.nodes
    sent = [each for each in jenkins_server.asked if each.startswith("POST")]
    assert [
        "POST computer/i-1/doDelete",
        "POST computer/i-3/doDelete",
        "POST configuration-as-code/apply",
        "POST computer/i-4/doDelete",
    ] == sent


def test_without_groups_all_their_clouds_go(jenkins_server: Any) -> None:
    jenkins = Jenkins(jenkins_server, made(wish(linux=AgentGroup())), ["linux i-1"])

    assert ["remove cloud linux"] == run(jenkins_server, export(*jenkins.clouds), "")
    assert ([], []) == (jenkins.clouds, jenkins.nodes)
    assert {"jenkins": {"clouds": []}} == yaml.safe_load(jenkins_server.bodies["POST configuration-as-code/apply"])


def test_without_groups_a_cloud_made_by_hand_stays(jenkins_server: Any) -> None:
    jenkins = Jenkins(jenkins_server, [FOREIGN, *made(wish(linux=AgentGroup()))], ["linux i-1", "byhand i-2"])
    jenkins.clouds[0] = {"eC2Fleet": {"name": "byhand"}}

    assert ["remove cloud linux"] == run(jenkins_server, export(*jenkins.clouds), "")
    assert [{"eC2Fleet": {"name": "byhand"}}] == jenkins.clouds
    assert ["byhand i-2"] == jenkins.nodes


JOURNAL = """\
WARNING h.i.i.InstallUncaughtExceptionHandler#handleException: Caught unhandled exception with ID {identifier}
io.jenkins.plugins.casc.ConfiguratorException: jenkins: Failed to configure 'clouds': Failed to construct instance of class \
com.amazon.jenkins.ec2fleet.EC2FleetCloud.
\tat PluginClassLoader for configuration-as-code//io.jenkins.plugins.casc.BaseConfigurator.configure(BaseConfigurator.java:380)
Caused by: {cause}
\tat com.amazon.jenkins.ec2fleet.fleet.AutoScalingGroupFleet.getState(AutoScalingGroupFleet.java:100)
"""
IDENTIFIER = "0b1d8a4e-5b9b-4c8e-9d5e-0a4d1f0c2b3a"


@pytest.mark.parametrize(
    ("cause", "named", "advice"),
    [
        (
            "java.lang.IllegalArgumentException: Cannot find auto scaling group with name p-e-agents-linux in region ",
            "linux (group p-e-agents-linux)",
            "has a stack of its own",
        ),
        ("SdkClientException: Unable to load credentials from any of the providers", "big (", "role of its machine"),
        ("SdkClientException: Unable to execute HTTP request: Connect to x failed", "big (", "did not reach AWS"),
        ("java.lang.IllegalStateException: else", "big (group p-e-agents-big)", "are active"),
    ],
)
def test_a_refusal_names_the_cloud_its_group_and_the_cause(
    cause: str, named: str, advice: str, jenkins_server: Any
) -> None:
    jenkins = Jenkins(jenkins_server)
    jenkins.refusal = IDENTIFIER

    with pytest.raises(BootstrapError) as caught:
        run(
            jenkins_server,
            export(),
            wish(linux=AgentGroup(), big=AgentGroup()),
            JOURNAL.format(identifier=IDENTIFIER, cause=cause),
        )

    assert named in caught.value.doing and ", " not in caught.value.doing
    assert cause.strip() in caught.value.found
    assert advice in caught.value.remedy


def test_a_group_whose_name_begins_like_another_is_not_blamed(jenkins_server: Any) -> None:
    Jenkins(jenkins_server).refusal = IDENTIFIER
    cause = (
        "java.lang.IllegalArgumentException: Cannot find auto scaling group with name p-e-agents-linux-arm in region "
    )

    with pytest.raises(BootstrapError) as caught:
        groups = {"linux": AgentGroup(), "linux-arm": AgentGroup()}
        run(jenkins_server, export(), wish(**groups), JOURNAL.format(identifier=IDENTIFIER, cause=cause))

    assert "setting the clouds of Jenkins: linux-arm (group p-e-agents-linux-arm)" == caught.value.doing
