"""Many builds in one queue over a group of agents: how they are queued, what marks they leave, and how agents are killed.

Each build leaves two marks, at its begin and at its end: in its console, and in files on the disk of the agent that ran it. The
disk is a second witness: a script that ran twice left two marks there, whatever the console says.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from agent_builds import _NOTE, Fleet, kill_container, on_instance

from bootstrap.errors import BootstrapError
from bootstrap.jenkins.controller.api import ask, expect

BUILDS = int(os.environ.get("BUILDS", "24"))
KILLS = int(os.environ.get("KILLS", "3"))
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
GROUP = "many"
_SCRIPT = """set +x
mkdir -p ~/marks
echo "$JOB_NAME#$NUMBER" >> ~/marks/began
echo "began $NUMBER on $NODE_NAME"
sleep $SECONDS_OF_WORK
echo "$JOB_NAME#$NUMBER" >> ~/marks/ended
echo "ended $NUMBER on $NODE_NAME"
"""
_PARAMETERS = """<properties><hudson.model.ParametersDefinitionProperty><parameterDefinitions>
<hudson.model.StringParameterDefinition><name>NUMBER</name></hudson.model.StringParameterDefinition>
<hudson.model.StringParameterDefinition><name>SECONDS_OF_WORK</name></hudson.model.StringParameterDefinition>
</parameterDefinitions></hudson.model.ParametersDefinitionProperty></properties>"""
_FREESTYLE = f"""<project>{_PARAMETERS}<concurrentBuild>true</concurrentBuild><canRoam>false</canRoam>
<assignedNode>{GROUP}</assignedNode><builders><hudson.tasks.Shell><command>{escape(_SCRIPT)}</command></hudson.tasks.Shell>
</builders></project>"""
_UNGUARDED = f"node('{GROUP}') {{ sh '''{_SCRIPT}''' }}"
_GUARDED = f"""pipeline {{
    agent none
    stages {{
        stage('work') {{
            agent {{ label '{GROUP}' }}
            options {{ retry(count: 3, conditions: [agent(), nonresumable()]) }}
            steps {{ sh '''{_SCRIPT}''' }}
        }}
    }}
}}"""
_PIPELINE = """<flow-definition plugin="workflow-job">{properties}
<definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition" plugin="workflow-cps">
<sandbox>true</sandbox><script>{script}</script></definition></flow-definition>"""
JOBS = {
    "freestyle": _FREESTYLE,
    "plain": _PIPELINE.format(properties=_PARAMETERS, script=escape(_UNGUARDED)),
    "guarded": _PIPELINE.format(properties=_PARAMETERS, script=escape(_GUARDED)),
}


@dataclass(frozen=True)
class Outcome:
    """One build that has ended: the number it was queued with, its result and its console."""

    job: str
    number: int
    result: str
    console: str

    @property
    def mark(self) -> str:
        """How the disks of the agents name it."""
        return f"{self.job}#{self.number}"

    def list_agents(self, word: str) -> list[str]:
        """The agents on which the console says that it began, or ended."""
        return re.findall(rf"(?m)^{word} {self.number} on (i-[0-9a-f]+)$", self.console)


@dataclass
class Crowd:
    """Builds of several jobs, queued at once."""

    fleet: Fleet
    chance: random.Random
    queued: Counter[str] = field(default_factory=Counter)
    begun: float = 0.0

    def queue(self, *jobs: str, watch: Callable[[int], None] = lambda _: None) -> None:
        """Make the jobs, and queue builds of them in turn; each build works for four to twelve seconds.

        None begins before all are in the queue. `watch` is called with the number of those that are.
        """
        client = self.fleet.launched.context.jenkins
        ask(client, "POST", "quietDown")
        for job in dict.fromkeys(jobs):
            client.create_job(job, JOBS[job])
            self.fleet.jobs.append(job)
        watch(0)
        for number in range(1, BUILDS + 1):
            job = jobs[number % len(jobs)]
            values = {"NUMBER": str(number), "SECONDS_OF_WORK": str(self.chance.randint(4, 12))}
            answer = ask(client, "POST", f"job/{job}/buildWithParameters", params=values)
            assert 201 == answer.status_code, answer.text
            self.queued[job] += 1
            watch(number)
        queue = ask(client, "GET", "queue/api/json", params={"tree": "items[task[name]]"}).json()
        assert BUILDS == sum(item["task"]["name"] in jobs for item in queue["items"])
        ask(client, "POST", "cancelQuietDown")
        self.begun = time.monotonic()

    def count_ended(self) -> int:
        """How many builds have a result; -1 if Jenkins does not answer."""
        ended = 0
        for job in self.queued:
            try:
                found = self._ask_builds(job)
            except BootstrapError:
                return -1
            ended += sum(bool(each["result"]) and not each["building"] for each in found)
        return ended

    def _ask_builds(self, job: str) -> list[dict[str, str]]:
        tree = {"tree": "allBuilds[number,result,building,actions[parameters[name,value]]]"}
        answer = expect(ask(self.fleet.launched.context.jenkins, "GET", f"job/{job}/api/json", params=tree), "asking")
        return list(answer.json()["allBuilds"])

    def await_ended(self, count: int, seconds: float) -> None:
        """Wait until so many builds have ended."""
        deadline, ended = time.monotonic() + seconds, 0
        while ended < count:
            assert time.monotonic() < deadline, f"only {ended} of {count} builds have ended: {self._describe_rest()}"
            time.sleep(1)
            ended = self.count_ended()

    def _describe_rest(self) -> str:
        client = self.fleet.launched.context.jenkins
        queue = ask(client, "GET", "queue/api/json", params={"tree": "items[why,task[name]]"}).text
        running = [
            f"{job} {each['number']}" for job in self.queued for each in self._ask_builds(job) if each["building"]
        ]
        consoles = [ask(client, "GET", f"job/{each.replace(' ', '/')}/consoleText").text for each in running[:3]]
        return "\n".join([queue[:3000], f"running: {running}", *consoles])

    def collect(self) -> list[Outcome]:
        """All builds of the jobs, with their consoles."""
        found = []
        for job in self.queued:
            for each in self._ask_builds(job):
                values = {
                    value["name"]: value["value"]
                    for action in each["actions"]
                    for value in action.get("parameters", ())  # type: ignore[attr-defined]
                }
                path = f"job/{job}/{each['number']}/consoleText"
                console = _NOTE.sub("", ask(self.fleet.launched.context.jenkins, "GET", path).text)
                found.append(Outcome(job, int(values["NUMBER"]), str(each["result"]), console))
        return found


def read_marks(instance: str, word: str) -> list[str]:
    """The marks on the disk of an agent."""
    return on_instance(instance, "sh", "-c", f"cat /home/jenkins/marks/{word} 2>/dev/null || true").split()


def read_all_marks(fleet: Fleet, word: str) -> Counter[str]:
    """The marks on the disks of all agents of the group that there are now."""
    return Counter(mark for instance in fleet.list_nodes(GROUP) for mark in read_marks(instance, word))


def end_program(fleet: Fleet, instance: str) -> None:
    """The agent's program ends, as if a build had killed it."""
    on_instance(instance, "sh", "-c", "pkill -KILL -u jenkins -f agent.pyz || true")


def terminate(fleet: Fleet, instance: str) -> None:
    """Somebody terminates the instance."""
    fleet.launched.context.world.aws("ec2").terminate_instances(InstanceIds=[instance])


def fail_power(fleet: Fleet, instance: str) -> None:
    """The instance loses its power."""
    kill_container(instance)


WAYS: tuple[Callable[[Fleet, str], None], ...] = (fail_power, end_program, terminate)


@dataclass
class Killer:
    """Kills agents that work, at random; `hits` counts for each build the losses that it may have met."""

    crowd: Crowd
    hits: Counter[str] = field(default_factory=Counter)
    lost: dict[str, str] = field(default_factory=dict)  # instances, and how they were lost

    def kill(self, count: int, seconds: float = 240) -> None:
        """Kill so many agents, each way in turn and beginning with a random one, with random pauses.

        It passes over an agent with a build that was already hit twice: a third loss would end that build rightly.
        """
        chance, deadline = self.crowd.chance, time.monotonic() + seconds
        first = chance.randrange(len(WAYS))
        for number in range(count):
            time.sleep(chance.uniform(1, 5))
            while not self._kill_one(WAYS[(first + number) % len(WAYS)]):
                assert time.monotonic() < deadline, f"no agent could be killed any more: {self.lost}"
                time.sleep(1)

    def _kill_one(self, way: Callable[[Fleet, str], None]) -> bool:
        fleet, chance = self.crowd.fleet, self.crowd.chance
        online = sorted(name for name, node in fleet.list_nodes(GROUP).items() if not node["offline"])
        chance.shuffle(online)
        for instance in online:
            try:
                running = Counter(read_marks(instance, "began"))
                running.subtract(read_marks(instance, "ended"))
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
                continue  # it is already lost, and Jenkins does not know it yet
            marks = [mark for mark, times in running.items() if times > 0]
            if instance in self.lost or not marks or any(self.hits[mark] > 1 for mark in marks):
                continue
            self.hits.update(marks)
            self.lost[instance] = way.__name__
            way(fleet, instance)
            return True
        return False


_PROCESSES = """group=$(systemctl show jenkins.service --property=ControlGroup --value)
for process in $(cat /sys/fs/cgroup/systemd$group/cgroup.procs /sys/fs/cgroup$group/cgroup.procs 2>/dev/null | sort -u); do
    awk '/^Pss:/ { print $2 }' /proc/$process/smaps_rollup 2>/dev/null
done | awk '{ sum += $1 } END { print int(sum / 1024) }'
"""


class MemoryWatch:
    """The most memory that the processes of jenkins.service took while a block ran, in MB, read every two seconds.

    It is the sum of their proportional shares (PSS). systemd's own figures are not set in a container of cgroup version 1.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._shell = fleet.launched.context.shell
        self._is_over, self._lock = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.most = 0

    def read(self) -> int:
        """The memory that they take now."""
        with self._lock:
            return int(self._shell.run(["sh", "-c", _PROCESSES], sudo=True).stdout.strip() or 0)

    def _watch(self) -> None:
        while not self._is_over.wait(2):
            self.most = max(self.most, self.read())

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
