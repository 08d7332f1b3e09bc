"""The play on this machine: once from nothing, then again; what a user sees and can do afterwards."""

import json
import re
import ssl
import urllib.error
import urllib.request

import pytest
from trial import NAME, Launched

from bootstrap.errors import HostKeyMismatch
from bootstrap.remote.shell import FabricShell
from bootstrap.values import Machine


def https(launched: Launched, path: str = "") -> tuple[int, str]:
    """Status and text of a page, over TLS that only the environment's own authority vouches for."""
    controller = launched.context.controller
    trusting = ssl.create_default_context(cadata=controller.authority)
    try:
        with urllib.request.urlopen(controller.url + path, context=trusting, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


PROVIDER = """\
sign_in:
  ldap: {server: "ldaps://directory.example.org:443", root: "dc=example,dc=org"}
  groups: {administrator: [admins]}
"""


def test_one_command_goes_through_all_five_acts(launched: Launched) -> None:
    banners = re.findall(r"^(stack|host|casc|jobs|verify) ", launched.output, re.MULTILINE)

    assert ["stack", "host", "casc", "jobs", "verify"] == banners


def test_the_launch_ends_with_the_url_and_what_comes_next(launched: Launched) -> None:
    last = launched.output.strip().splitlines()[-3:]

    assert launched.context.controller.url in " ".join(last)
    assert "password" in last[-1] and "destroy" in last[-1]


def test_a_stand_in_is_announced(launched: Launched) -> None:
    if not launched.context.controller.is_emulated:
        assert "emulator" not in launched.output
        return

    assert "emulator" in launched.output.lower()
    assert "mulator" in https(launched, "login")[1]


def test_the_url_answers_with_the_environments_own_certificate_and_denies_strangers(launched: Launched) -> None:
    assert 200 == https(launched, "login")[0]
    assert 403 == https(launched)[0]


def test_a_second_launch_changes_nothing_and_says_so(launched: Launched) -> None:
    shown = launched.done("launch")

    assert "nothing had to change" in shown
    assert [] == re.findall(r"^      [+~±-] ", shown, re.MULTILINE)


def test_a_plan_of_what_holds_is_empty(launched: Launched) -> None:
    found = launched.run("plan")

    assert (0, True) == (found.returncode, "nothing to do" in found.stdout), found.stdout + found.stderr


def test_with_the_emulator_a_provider_is_not_used_and_one_line_says_so(launched: Launched) -> None:
    """Nobody is shut out of a trial on a laptop because the provider of the company is named in its file."""
    file = launched.environment_file
    before = file.read_text()
    file.write_text(f"{before}{PROVIDER}")
    try:
        shown = launched.run("plan").stdout
    finally:
        file.write_text(before)

    (line,) = [it for it in shown.splitlines() if "sign_in" in it]
    assert "sign_in.ldap is not used: jenkins.fallback is 'emulator'" in line
    assert "sign-in.yaml" not in shown
    assert "access.yaml" not in shown


def test_status_is_up(launched: Launched) -> None:
    shown = launched.done("status")

    assert f"jenkins-{NAME}-controller" in shown
    assert "active" in shown


def test_status_as_json_is_json(launched: Launched) -> None:
    events = [json.loads(line) for line in launched.done("--json", "status").splitlines()]

    rows = next(event["rows"] for event in events if event["event"] == "status")
    assert ["running"] == [state for what, _, state in rows if what == "machine"]
    loads = {label: state for what, label, state in rows if what == "executors"}
    assert {"infrastructure", "linux"} <= loads.keys()
    assert all(re.fullmatch(r"[0-9]+ of [1-9][0-9]* busy", state) for state in loads.values()), loads
    assert 1 == len([state for what, _, state in rows if what == "queue"])


def test_the_password_opens_jenkins(launched: Launched) -> None:
    password = launched.done("password").strip()

    assert len(password) >= 24
    import jenkins

    with launched.context.shell.forward(launched.context.controller.port) as port:
        client = jenkins.Jenkins(f"http://127.0.0.1:{port}/", "admin", password, timeout=30)
        assert "admin" == client.get_whoami()["id"]


def test_the_jobs_of_the_code_are_there(launched: Launched) -> None:
    names = {job["fullname"] for job in launched.context.jenkins.get_all_jobs()}

    assert {"seed", "verify", "network"} <= names


def test_ssh_runs_a_command_on_the_machine(launched: Launched) -> None:
    assert "13" == launched.done("ssh", "--", ". /etc/os-release; echo $VERSION_ID").strip().splitlines()[-1]


def test_logs_shows_the_services_journal(launched: Launched) -> None:
    assert "jenkins" in launched.done("logs", "--lines", "20").lower()


def test_a_machine_with_another_host_key_is_refused(launched: Launched) -> None:
    machine = launched.context.machine
    swapped = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6N0BzDcYzR2v4m0tH1c0yQmQ3jv5X0Yq9oN2bqkHcE"
    other = Machine(machine.instance_id, machine.address, machine.user, machine.private_key, (swapped,))

    with pytest.raises(HostKeyMismatch):
        FabricShell(other).run(["true"])


def test_no_secret_lies_in_what_the_runs_left(launched: Launched) -> None:
    context = launched.context
    secrets = [
        context.secret(name).reveal() for name in ("AdminPasswordSecret", "ToolkitPasswordSecret", "ToolkitTokenSecret")
    ]
    written = [path.read_text(errors="replace") for path in (launched.state / "runs").rglob("*") if path.is_file()]

    assert written
    assert [] == [secret for secret in secrets for text in [*written, launched.output] if secret in text]


def test_a_broken_configuration_is_refused_and_the_old_one_stays(launched: Launched) -> None:
    path = launched.checkout / "casc" / "controller.yaml"
    whole = path.read_text()
    before = launched.context.jenkins.get_info().get("numExecutors")
    path.write_text(whole + "\n  noSuchAttribute: true\n")
    try:
        found = launched.run("casc")
    finally:
        path.write_text(whole)

    assert 1 == found.returncode, found.stdout
    assert "CascRejected" in found.stderr
    assert "noSuchAttribute" in found.stderr
    assert 200 == https(launched, "login")[0]
    info = launched.context.jenkins.get_info()
    assert before == info.get("numExecutors")
    assert "nothing to do" in launched.done("casc")


def test_a_job_that_left_the_code_is_disabled_and_kept(launched: Launched) -> None:
    path = launched.checkout / "jobs" / "passing.yaml"
    path.write_text("- job:\n    name: passing\n    node: infrastructure\n    builders:\n      - shell: 'true'\n")
    launched.done("jobs")
    path.unlink()

    shown = launched.done("jobs")

    assert "passing" in shown
    assert "disabled" == launched.context.jenkins.get_job_info("passing")["color"]
    assert "nothing to do" in launched.done("jobs")
    launched.context.jenkins.delete_job("passing")
