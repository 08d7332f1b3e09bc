"""Builds on an agent: it connects by name and secret, does all that touches files, and ends what its controller ends."""

from __future__ import annotations

import functools
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

pytestmark = pytest.mark.own_process

NODE = """
jenkins:
  nodes:
    - permanent:
        {name: helper, labelString: away, mode: EXCLUSIVE, numExecutors: 2, remoteFS: "FOLDER", launcher: {inbound: {}},
         nodeProperties: [{envVars: {env: [{key: OF_NODE, value: hers}]}}]}
"""
OTHER_USER = 65534
AS_OTHER: dict[str, Any] = {"user": OTHER_USER, "group": OTHER_USER, "extra_groups": []}


@functools.cache
def is_other_user_possible() -> bool:
    """Whether another user can run this Python, which may lie in a folder of root's alone."""
    try:
        command = [sys.executable, "-c", "import aiohttp"]
        return os.geteuid() == 0 and subprocess.run(command, capture_output=True, **AS_OTHER).returncode == 0
    except OSError:
        return False


class Agent:
    """The program that the controller serves, started as a machine starts it: as another user, where these tests may."""

    def __init__(self, server: Any, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.process: subprocess.Popen[bytes] | None = None
        self.jar = folder.parent / "agent.jar"
        self.jar.write_bytes(requests.get(f"{server.url}/jnlpJars/agent.jar", timeout=30).content)

    @property
    def secret(self) -> str:
        text = self.server.get("computer/helper/jenkins-agent.jnlp").text
        return re.findall(r"<argument>([0-9a-f]{64})</argument>", text)[0]

    def start(self, secret: str = "") -> None:
        kept = self.folder.parent / "secret"
        kept.write_text(secret or self.secret)
        kept.chmod(0o644)
        flags = ["-url", f"{self.server.url}/", "-name", "helper", "-secret", f"@{kept}", "-webSocket"]
        own = AS_OTHER if is_other_user_possible() else {}
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "ON_AGENT": "yes",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        # Repositories of the tests belong to the user of the tests.
        (self.folder / ".gitconfig").write_text("[safe]\n\tdirectory = *\n")
        if is_other_user_possible():
            os.chown(self.folder, OTHER_USER, OTHER_USER)
        command = [sys.executable, str(self.jar), *flags, "-workDir", str(self.folder)]
        self.process = subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL, **own)

    def stop(self, number: int = signal.SIGKILL) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(30)
            self.process = None

    @property
    def is_online(self) -> bool:
        return not self.server.get("computer/helper/api/json").json()["offline"]


@pytest.fixture
def away(fresh: Any, connect: Callable[[Any], Any], tmp_path: Path) -> Iterator[Agent]:
    """A controller whose agent `helper` is not started yet."""
    # Above the tests' own folders stand some that are their user's alone.
    for parent in [tmp_path, *tmp_path.parents]:
        if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    folder = tmp_path / "away"
    folder.mkdir()
    (fresh.casc / "30-node.yaml").write_text(NODE.replace("FOLDER", str(folder)))
    fresh.start()
    agent = Agent(connect(fresh), folder)
    yield agent
    agent.stop()


def online(agent: Agent) -> Any:
    agent.start()
    agent.server.until(lambda: agent.is_online)
    return agent.server


def test_steps_work_on_the_agent_with_its_environment(away: Agent, pipeline: Callable[[str], str]) -> None:
    server = online(away)
    script = """node('away') {
        echo "env: ${env.OF_NODE}"
        sh 'id -u; echo on=$ON_AGENT node=$NODE_NAME own=$OF_NODE; pwd; mkdir -p out; echo data > out/a.txt'
        writeFile file: 'sub/b.txt', text: 'by the step'
        echo "read: ${readFile('sub/b.txt')} ${fileExists('none')} ${fileExists('out/a.txt')}"
        sh 'stat -c %u sub/b.txt'
        stash name: 's', includes: 'out/**'
        archiveArtifacts artifacts: 'out/*.txt'
        deleteDir()
        unstash 's'
        echo "back: ${readFile('out/a.txt')}"
        echo "status: ${sh(script: 'exit 3', returnStatus: true)} ${sh(script: 'echo word', returnStdout: true).trim()}"
    }
    node { sh 'echo built-in=$NODE_NAME agent=$ON_AGENT$OF_NODE.' }"""
    server.create("", "steps", pipeline(script))

    build, console = server.run("steps")

    assert "SUCCESS" == build["result"], console
    user = str(OTHER_USER if is_other_user_possible() else os.geteuid())
    assert f"Running on helper in {away.folder}/workspace/steps" in console
    assert f"\n{user}\n" in console and "on=yes node=helper own=hers\n" in console and "env: hers\n" in console
    assert 2 == len(re.findall(rf"^{user}$", console, re.MULTILINE)), console
    assert "read: by the step false true" in console
    assert "back: data" in console and "status: 3 word" in console
    assert "built-in=built-in agent=." in console
    assert "data\n" == server.get("job/steps/1/artifact/out/a.txt").text


def test_a_freestyle_job_works_there_as_well(away: Agent, freestyle: Callable[..., str]) -> None:
    server = online(away)
    xml = freestyle("echo on=$ON_AGENT$OF_NODE; id -u").replace(
        "<properties>", "<assignedNode>away</assignedNode><properties>"
    )
    server.create("", "free", xml)

    build, console = server.run("free")

    assert "SUCCESS" == build["result"], console
    assert f"Building remotely on helper in workspace {away.folder}/workspace/free" in console
    assert "on=yeshers\n" in console


def test_a_build_cannot_read_what_the_controller_keeps(away: Agent, pipeline: Callable[[str], str], fresh: Any) -> None:
    if not is_other_user_possible():
        pytest.skip("another user cannot run this Python; tests/attacks has it on a machine")
    server = online(away)
    key = fresh.home / "secrets" / "hudson.util.Secret"
    script = f"""node('away') {{
        sh 'cat {key} || echo refused'
        sh 'ln -s {key} leak.txt; ln -s {key} out.xml'
        archiveArtifacts artifacts: 'leak.txt', allowEmptyArchive: true
        echo "${{fileExists('leak.txt')}}"
        readFile 'leak.txt'
    }}"""
    server.create("", "thief", pipeline(script))

    build, console = server.run("thief")

    assert "FAILURE" == build["result"], console
    assert "refused" in console
    assert 404 == server.get("job/thief/1/artifact/leak.txt").status_code
    assert 404 == server.get("job/thief/ws/leak.txt").status_code


def test_an_aborted_build_leaves_no_process(away: Agent, pipeline: Callable[[str], str]) -> None:
    server = online(away)
    server.create("", "slow", pipeline("node('away') { sh 'echo begun; sleep 4321' }"))
    number = server.begin("slow")
    server.until(lambda: "begun" in server.client.get_build_console_output("slow", number))

    server.post(f"job/slow/{number}/stop")
    build, _ = server.finish("slow", number)

    assert "ABORTED" == build["result"]
    server.until(lambda: not sleepers())


def sleepers() -> list[str]:
    found = subprocess.run(["pgrep", "-f", "^sleep 4321$"], capture_output=True, text=True).stdout
    return found.split()


def test_a_build_whose_agent_dies_fails_and_says_so(away: Agent, pipeline: Callable[[str], str]) -> None:
    server = online(away)
    server.create("", "cut", pipeline("node('away') { sh 'echo begun; sleep 60' }"))
    number = server.begin("cut")
    server.until(lambda: "begun" in server.client.get_build_console_output("cut", number))

    away.stop()
    build, console = server.finish("cut", number)

    assert ("FAILURE", True) == (build["result"], "Agent helper went offline" in console)
    assert not away.is_online


def test_a_build_waits_for_an_agent_that_comes(away: Agent, pipeline: Callable[[str], str]) -> None:
    server = away.server
    server.create("", "waits", pipeline("node('away') { echo 'there' }"))
    number = server.begin("waits")
    server.until(lambda: "‘helper’ is offline" in server.client.get_build_console_output("waits", number))

    online(away)

    assert "SUCCESS" == server.finish("waits", number)[0]["result"]


def test_an_agent_connects_again_after_a_restart_of_the_controller(
    away: Agent, fresh: Any, connect: Callable[[Any], Any]
) -> None:
    online(away)
    before = away.secret

    fresh.stop()
    fresh.start()

    away.server = connect(fresh)
    away.server.until(lambda: away.is_online)
    assert before == away.secret


@pytest.mark.only_read
def test_the_log_of_an_agent_tells_of_its_connection(away: Agent) -> None:
    path = "computer/helper/logText/progressiveText"
    before = away.server.get(path)
    server = online(away)

    answer = server.get(path)
    end = answer.headers["X-Text-Size"]
    words = "Inbound agent connected from 127.0.0.1\r\nLauncher: JNLPLauncher\r\nCommunication Protocol: WebSocket\r\n"

    assert ("", "0", "true") == (before.text, before.headers["X-Text-Size"], before.headers["X-More-Data"])
    assert answer.text.startswith(words)
    assert answer.text.endswith("Agent successfully connected and online\r\n")
    assert "Agent successfully connected and online" in server.get("computer/helper/log").text

    away.stop()
    server.until(lambda: not away.is_online)

    assert "Connection terminated\r\n" == server.get(f"{path}?start={end}").text
    assert 404 == server.get("computer/(built-in)/log").status_code


def test_only_the_right_secret_connects_and_only_who_may_sees_it(away: Agent, fresh: Any) -> None:
    away.start("0" * 64)
    time.sleep(2)

    assert not away.is_online
    for user in ("reader", "builder"):
        url = f"{fresh.url}/computer/helper/jenkins-agent.jnlp"
        assert 403 == requests.get(url, auth=(user, f"{user}-password"), timeout=30).status_code
    assert 403 == requests.get(f"{fresh.url}/wsagents/", timeout=30).status_code


def test_a_local_folder_is_checked_out_on_an_agent_but_not_on_the_controller(
    away: Agent,
    fresh: Any,
    connect: Callable[[Any], Any],
    pipeline: Callable[[str], str],
    repository: Callable[..., str],
) -> None:
    url = repository({"file.txt": "content"})
    fresh.stop()
    fresh.arguments = []
    fresh.start()
    away.server = connect(fresh)
    server = online(away)
    for name, label in (("there", "'away'"), ("here", "")):
        server.create("", name, pipeline(f"node({label}) {{ git url: '{url}', branch: 'main'; sh 'cat file.txt' }}"))

    there, here = server.run("there"), server.run("here")

    assert ("SUCCESS", True) == (there[0]["result"], "content" in there[1]), there[1]
    assert ("FAILURE", True) == (here[0]["result"], "references a local directory" in here[1]), here[1]
