"""A build tries to read what Jenkins keeps, and to reach the service's process: it runs as another user, and is refused."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from trial import Launched

from bootstrap.jenkins.controller.api import ask, expect

HOME = "/var/lib/jenkins"
Run = Callable[[str], str]


def shell(run_pipeline: Run, script: str) -> str:
    """What a shell step prints, on the node where the toolkit's own jobs run; the step itself must succeed."""
    assert "'''" not in script
    console = run_pipeline(f"node('infrastructure') {{ sh '''#!/bin/sh\n{script}\n''' }}")
    assert "Finished: SUCCESS" in console, console
    return console


def lines(console: str, mark: str) -> list[str]:
    """The lines that a payload has marked, without their time stamps."""
    return re.findall(rf"{mark}: (.*)", console)


def on_machine(launched: Launched, script: str) -> str:
    return launched.context.shell.run(["sh", "-c", script], sudo=True).stdout.strip()


def test_a_build_runs_as_another_user_than_jenkins_in_no_other_group(launched: Launched, run_pipeline: Run) -> None:
    console = shell(run_pipeline, 'echo "who: $(id -un) $(id -Gn)"')

    (who,) = lines(console, "who")
    assert "jenkins-agent jenkins-agent" == who
    owner = on_machine(launched, "ps -o user:20= -p $(systemctl show -p MainPID --value jenkins.service)")
    assert "jenkins" == owner


@pytest.mark.parametrize(
    "path",
    [
        "/run/credentials/jenkins.service",
        "/run/credentials/jenkins.service/ADMIN_PASSWORD",
        "/etc/jenkins/credentials/ADMIN_PASSWORD",
        "/etc/jenkins/agent.secret",
        "/etc/bootstrap/toolkit/token",
        "/etc/bootstrap/toolkit/password",
        "/etc/bootstrap/aws.env",
        "/etc/nginx/tls/server.key",
        HOME,
        f"{HOME}/secrets/hudson.util.Secret",
        f"{HOME}/secrets/master.key",
        f"{HOME}/credentials.xml",
        f"{HOME}/users/users.xml",
        f"{HOME}/config.xml",
        f"{HOME}/jobs/canary/config.xml",
        f"{HOME}/jobs/canary/builds/1/log",
        "/etc/shadow",
    ],
)
def test_a_build_reads_nothing_that_jenkins_or_root_keeps(run_pipeline: Run, path: str) -> None:
    console = shell(
        run_pipeline, f'if cat {path} >/dev/null 2>&1 || ls {path}/ >/dev/null 2>&1; then echo "got: {path}"; fi'
    )

    assert [] == lines(console, "got")


def test_what_is_refused_is_there_for_its_owner(launched: Launched) -> None:
    """Otherwise the test above would hold for a misspelled path as well."""
    paths = ("secrets/hudson.util.Secret", "users/users.xml", "config.xml", "jobs/canary/config.xml")
    listed = on_machine(launched, f"ls -1 {' '.join(f'{HOME}/{path}' for path in paths)}; ls -1 /run/credentials")

    assert {*(f"{HOME}/{path}" for path in paths), "jenkins.service"} <= set(listed.splitlines())


def test_jenkins_itself_has_no_password_in_clear_text(launched: Launched) -> None:
    context = launched.context
    passwords = [context.secret(name).reveal() for name in ("AdminPasswordSecret", "ToolkitPasswordSecret")]
    handed = on_machine(launched, "cat /run/credentials/jenkins.service/*")
    seen = handed + on_machine(launched, "cat /proc/$(systemctl show -p MainPID --value jenkins.service)/environ")

    assert 2 == handed.count("#jbcrypt:$2a$10$"), "one hash for each user who can sign in"
    assert not any(password in seen for password in passwords)
    assert context.secret("ToolkitTokenSecret").reveal() not in seen
    for password in passwords:
        found = context.shell.run(["grep", "-rlF", "-f", "-", HOME], stdin=password.encode(), sudo=True, check=False)
        assert "" == found.stdout


def test_a_build_sees_no_process_of_jenkins_and_neither_signals_nor_traces_it(
    launched: Launched, run_pipeline: Run
) -> None:
    pid = on_machine(launched, "systemctl show -p MainPID --value jenkins.service")
    script = f"""
    for signal in 0 STOP TERM; do kill -$signal {pid} 2>/dev/null && echo "got: kill -$signal"; done
    for name in environ maps mem cmdline fd root; do
        cat /proc/{pid}/$name >/dev/null 2>&1 && echo "got: $name"
        ls /proc/{pid}/$name/ >/dev/null 2>&1 && echo "got: $name/"
    done
    python3 -c "
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
if libc.ptrace(16, {pid}, 0, 0) == 0:
    print('got: ptrace')
"
    true"""
    console = shell(run_pipeline, script)

    assert [] == lines(console, "got")
    assert pid == on_machine(launched, "systemctl show -p MainPID --value jenkins.service")
    assert "active" == on_machine(launched, "systemctl is-active jenkins.service")


def test_a_build_writes_nothing_into_jenkins_home_or_the_system(run_pipeline: Run) -> None:
    places = (HOME, f"{HOME}/jobs", f"{HOME}/plugins", "/etc/jenkins", "/etc/jenkins/casc.d", "/etc/systemd/system")
    places += ("/usr/local/lib/jenkins-emulator", "/srv/git/toolkit.git", "/usr/local/sbin", "/etc/bootstrap")
    script = "".join(f'(echo x > {place}/attack-marker) 2>/dev/null && echo "got: {place}"\n' for place in places)

    console = shell(run_pipeline, f"{script}true")

    assert [] == lines(console, "got")


def test_what_the_controller_copies_for_a_build_is_no_way_round(launched: Launched, run_pipeline: Run) -> None:
    """Steps of the controller follow a link with the rights of the build, or not at all."""
    key = f"{HOME}/secrets/hudson.util.Secret"
    console = run_pipeline(
        f"""node('infrastructure') {{
            deleteDir()
            sh 'ln -s {key} leak; ln -s {HOME}/users users; ln -s {HOME} out'
            for (name in ['leak', 'users/users.xml', 'out/config.xml', '{key}', '../../../jenkins/config.xml']) {{
                try {{ readFile(name); echo "got: read " + name }} catch (e) {{ echo 'refused: read ' + name }}
            }}
            archiveArtifacts artifacts: 'leak,users/**,out/**', allowEmptyArchive: true
            try {{ writeFile file: 'out/attack-marker', text: 'x'; echo 'got: written' }} catch (e) {{ echo 'refused: write' }}
        }}"""
    )

    assert [] == lines(console, "got"), console
    assert 6 == len(lines(console, "refused")), console
    (name,) = set(re.findall(r"workspace/(attack-[0-9a-f]+)", console))
    told: dict[str, Any] = launched.context.jenkins.get_build_info(name, 1)
    assert [] == told["artifacts"]
    assert 404 == ask(launched.context.jenkins, "GET", f"job/{name}/ws/leak").status_code
    assert "" == on_machine(launched, f"ls {HOME}/attack-marker 2>/dev/null || true")


def test_who_configures_a_job_can_bind_the_login_of_the_mail_server_alone(
    launched: Launched, run_pipeline: Run
) -> None:
    console = run_pipeline(
        """node('infrastructure') {
            withCredentials([usernamePassword(credentialsId: 'toolkit', usernameVariable: 'U', passwordVariable: 'P')]) {
                sh 'echo got: $U'
            }
        }"""
    )

    assert [] == lines(console, "got")
    assert "Could not find credentials entry with ID 'toolkit'" in console
    export = ask(launched.context.jenkins, "POST", "configuration-as-code/export")
    settings = yaml.safe_load(expect(export, "exporting the settings").text)
    domains = settings["credentials"]["system"]["domainCredentials"]
    credentials = [value for domain in domains for it in domain["credentials"] for value in it.values()]
    # The step emailext finds a login only where every build finds it (docs/security.md).
    assert ["mail"] == [it["id"] for it in credentials]


def test_the_controller_itself_runs_no_build(launched: Launched, run_pipeline: Run) -> None:
    client = launched.context.jenkins
    tree = {"tree": "computer[displayName,numExecutors,offline]"}
    told = json.loads(ask(client, "GET", "computer/api/json", params=tree).text)["computer"]

    assert {("Built-In Node", 0), ("machine", 2), ("builder", 2)} == {
        (it["displayName"], it["numExecutors"]) for it in told
    }
    assert "Running on machine in /var/lib/jenkins-agent/" in shell(run_pipeline, "true")


def test_an_agent_with_a_wrong_secret_or_a_second_one_is_refused(launched: Launched, run_pipeline: Run) -> None:
    """A build knows the address and the name; the secret that root keeps is not its to read."""
    console = shell(
        run_pipeline,
        """for name in machine other; do
            curl -s -o /dev/null -w 'status: %{http_code}\\n' -H "Node-Name: $name" -H "Secret-Key: 00" \\
                -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' \\
                -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' http://127.0.0.1:8080/wsagents/
        done""",
    )

    assert ["403", "403"] == lines(console, "status")
    assert launched.context.jenkins.get_node_info("machine")["offline"] is False
