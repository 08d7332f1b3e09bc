"""Builds of the tests' own on groups of agents, and the instances that they run on."""

from __future__ import annotations

import contextlib
import re
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

import pytest
from trial import NAME, Launched

from bootstrap.jenkins.controller import builds
from bootstrap.jenkins.controller.api import ask, expect

PIPELINE = """<flow-definition plugin="workflow-job">
<definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition" plugin="workflow-cps">
<sandbox>true</sandbox><script>{script}</script>
</definition></flow-definition>"""
GROUPS = """
agents:
  linux:
    maximum: 3
    idle_minutes: 1
    exclusive: false
  once:
    maximum: 1
    uses: 1
  boxes:
    maximum: 1
    containers: true
    packages: [busybox-static]
"""
ON_AGENT = r"Running on linux (i-[0-9a-f]+) in /home/jenkins/agent/workspace/"
UNGUARDED = "node('linux') { sh 'echo run-began; sleep 600' }"
NODE_CLASS = "com.amazon.jenkins.ec2fleet.EC2FleetNodeComputer"
_NOTE = re.compile(r"\x1b\[8mha:[^\x1b]*\x1b\[0m")


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 180) -> Any:
    """What `condition` returns when it is true; fails with `what` otherwise."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.5)
    return value


@dataclass
class Fleet:
    """The groups of a launched environment."""

    launched: Launched
    jobs: list[str] = field(default_factory=list)

    def start(self, script: str) -> str:
        """Begin a Pipeline as a job of its own; returns the job's name."""
        client, name = self.launched.context.jenkins, f"agents-{secrets.token_hex(4)}"
        client.create_job(name, PIPELINE.format(script=escape(script)))
        self.jobs.append(name)
        builds.start(client, name, {})
        return name

    def read_console(self, job: str) -> str:
        answer = ask(self.launched.context.jenkins, "GET", f"job/{job}/1/consoleText")
        return _NOTE.sub("", answer.text) if answer.status_code == 200 else ""

    def await_line(self, job: str, line: str, seconds: float = 180) -> str:
        """The console when it has this line."""

        def read() -> str:
            console = self.read_console(job)
            return console if re.search(line, console) else ""

        try:
            return str(wait_for(read, "", seconds))
        except AssertionError:
            raise AssertionError(f"{job} has no line {line!r} in time\n{self.read_console(job)}") from None

    def finish(self, job: str, seconds: float = 240, result: str = "SUCCESS") -> str:
        """The console of a build that has ended with this result."""
        console = self.await_line(job, "\nFinished: ", seconds)
        assert f"\nFinished: {result}\n" in console, console
        return console

    def run(self, script: str, seconds: float = 240) -> str:
        """Run a Pipeline to its end, and return its console."""
        return self.finish(self.start(script), seconds)

    def find_instance(self) -> str:
        """An instance of the group 'linux' that has just run a build, and stays for a minute."""
        (instance,) = re.findall(ON_AGENT, self.run("node('linux') { sh 'true' }"))
        return str(instance)

    def list_nodes(self, label: str) -> dict[str, Mapping[str, Any]]:
        """The agents of a group that Jenkins has, by their instances."""
        tree = {"tree": "computer[_class,displayName,offline,idle]"}
        answer = expect(ask(self.launched.context.jenkins, "GET", "computer/api/json", params=tree), "asking for nodes")
        found = [it for it in answer.json()["computer"] if it["_class"] == NODE_CLASS]
        return {it["displayName"].split()[1]: it for it in found if it["displayName"].split()[0] == label}

    def describe(self, label: str) -> Mapping[str, Any] | None:
        """What Auto Scaling knows of a group; None if it is gone."""
        scaling = self.launched.context.world.aws("autoscaling")
        name = self.launched.context.settings.name_stack(f"agents-{label}")
        groups = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
        return groups[0] if groups else None

    def clean(self) -> None:
        """Delete the jobs."""
        while self.jobs:
            self.launched.context.jenkins.delete_job(self.jobs.pop())


@contextlib.contextmanager
def launch_groups(launched: Launched, groups: str) -> Iterator[Fleet]:
    """The environment with these groups, launched; without them in the end."""
    before = launched.environment_file.read_text()
    made = Fleet(launched)
    try:
        launched.environment_file.write_text(before + groups)
        launched.done("launch", "--skip-verify")
        launched.reopen()
        yield made
    finally:
        made.clean()
        launched.environment_file.write_text(before)
        launched.done("launch", "--skip-verify")
        launched.reopen()


@pytest.fixture(scope="module")
def fleet(launched: Launched) -> Iterator[Fleet]:
    """The environment with three groups."""
    with launch_groups(launched, GROUPS) as made:
        yield made


def name_container(instance: str) -> str:
    return f"bootstrap-{NAME}-{instance}"


def on_instance(instance: str, *command: str) -> str:
    """What a command prints that root runs in the container of an instance."""
    called = ["podman", "exec", name_container(instance), *command]
    return subprocess.run(called, check=True, capture_output=True, text=True, timeout=60).stdout


def kill_container(instance: str) -> None:
    """The power fails."""
    subprocess.run(["podman", "kill", "--signal=KILL", name_container(instance)], check=True, capture_output=True)


def list_containers(instances: set[str]) -> set[str]:
    """Those of these instances whose containers run."""
    listed = subprocess.run(["podman", "ps", "--format={{.Names}}"], check=True, capture_output=True, text=True)
    running = set(listed.stdout.split())
    return {instance for instance in instances if name_container(instance) in running}
