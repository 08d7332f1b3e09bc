"""A bare machine is converged for real: packages, firewall, proxy, Jenkins. Needs root and podman.

The tests share one machine and run in the order of this file; each leaves the machine in its desired state.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from converging import (
    ADDRESS,
    INSTANCE,
    PASSWORDS,
    SECRETS,
    SPEC,
    VOLUME,
    Counting,
    Report,
    Trial,
    issued_for,
    key_pair,
    run_and_kill,
    wished,
)
from waiting import wait_until

from bootstrap.acts import host
from bootstrap.cloud import instance
from bootstrap.errors import CommandFailed, ConvergeFailed, HostKeyMismatch
from bootstrap.local.machines import Machines
from bootstrap.remote.shell import FabricShell
from bootstrap.values import Controller, Machine, Secret


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    if os.geteuid() != 0:
        pytest.fail("the local cloud boots machines, which needs root: run the tests with sudo")
    folder = tmp_path_factory.mktemp("converge")
    cloud = Machines(f"convergetest{os.getpid()}", folder, print)
    private, public = key_pair()
    try:
        cloud.attach(VOLUME, INSTANCE, "/dev/sdf")
        cloud.boot(replace(SPEC, public_key=public))
        keys = instance.parse_host_keys(cloud.read_console(INSTANCE))
        login = Machine(INSTANCE, ADDRESS, "admin", Secret(private), keys)
        shell = FabricShell(login, patience=60)
        yield Trial(cloud, login, *wished(folder), shell)
        shell.close()
    finally:
        cloud.remove_all(with_volumes=True)


def test_a_look_at_a_bare_machine_plans_everything_and_changes_nothing(trial: Trial) -> None:
    planned = {change.name for change in host.plan(trial.shell, trial.inputs)}
    assert {"packages", "data volume", "jenkins.service", "jenkins-agent.service", "nginx.service"} <= planned
    assert "no" == trial.root("test -e /etc/jenkins && echo yes || echo no")


def test_a_first_run_that_is_killed_inside_dpkg_is_gone_on_from_by_the_next(trial: Trial) -> None:
    run_and_kill(trial, "dpkg.*--unpack|dpkg.*--configure")
    report = trial.converge()
    assert {"jenkins.service", "nginx.service"} <= report.names
    assert "" == trial.root("systemctl --failed --no-legend --plain")
    assert "" == trial.root("dpkg --audit; ls /var/lib/dpkg/updates; ls /usr/sbin/policy-rc.d 2>/dev/null", check=False)


def test_a_second_run_changes_nothing_in_one_round_trip(trial: Trial) -> None:
    counting, report = Counting(trial.shell), Report()
    begun = time.monotonic()
    host.apply(counting, trial.inputs, trial.artifacts, report)
    print(f"nothing to do: {time.monotonic() - begun:.2f} s")
    assert (1, []) == (counting.asked, report.changes)


def test_jenkins_answers_over_verified_tls(trial: Trial) -> None:
    answer = trial.https("/login")
    assert (200, trial.inputs.software.version) == (answer.status, answer.headers["X-Jenkins"])
    assert "max-age=63072000" == answer.headers["Strict-Transport-Security"]


def test_a_clients_own_word_on_where_it_comes_from_is_not_passed_on(trial: Trial) -> None:
    forged = {"X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    answer = trial.https("/manage", forged)
    assert "evil.example" not in str(answer.headers) + answer.read().decode()


@pytest.mark.parametrize("port", [80, 8080, 25])
def test_no_other_port_can_be_reached(trial: Trial, port: int) -> None:
    with pytest.raises(TimeoutError), socket.create_connection((ADDRESS, port), timeout=1):
        pass


def test_jenkins_is_reached_through_the_shells_own_tunnel(trial: Trial) -> None:
    with trial.shell.forward(8080) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/login")
        assert 200 == connection.getresponse().status


def test_a_tunnel_to_any_other_place_is_refused(trial: Trial) -> None:
    # A new connection: sshd keeps its old settings for those that were open when it read the new ones.
    shell = FabricShell(trial.login, patience=5)
    with shell.forward(22) as port, socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        assert b"" == client.recv(1)
    shell.close()


def test_another_host_key_than_the_clouds_is_refused(trial: Trial) -> None:
    stranger = replace(trial.login, host_keys=(key_pair()[1],))
    with pytest.raises(HostKeyMismatch):
        FabricShell(stranger, patience=5).run(["true"])


def test_sandboxed_builds_get_the_facts_and_cannot_become_root(trial: Trial) -> None:
    sandbox = [
        "systemd-run",
        "-q",
        "--collect",
        "--pipe",
        "--wait",
        "-p",
        "User=jenkins-agent",
        "-p",
        "NoNewPrivileges=yes",
    ]
    facts = json.loads(trial.shell.run([*sandbox, "/usr/local/sbin/inspect-machine"], sudo=True).stdout)
    assert {"22", "443"} == {str(it["port"]) for it in facts["sockets"] if it["address"] == "0.0.0.0"}
    assert "active" == facts["units"]["jenkins.service"]["ActiveState"]
    assert "rw" in facts["mounts"]["/var/lib/jenkins"]["options"].split(",")
    assert ("0400", None) == tuple(
        facts["files"]["/etc/jenkins/credentials/ADMIN_PASSWORD"].get(key) for key in ("mode", "sha256")
    )
    with pytest.raises(CommandFailed):
        trial.shell.run([*sandbox, "sudo", "-n", "true"], sudo=True)


def test_the_operator_gets_the_same_facts_without_asking_for_root(trial: Trial) -> None:
    facts = json.loads(trial.shell.run(["/usr/local/sbin/inspect-machine"]).stdout)
    assert ["no"] == facts["sshd"]["passwordauthentication"]
    assert [] == facts["failed_units"]


def test_no_secret_is_readable_by_others(trial: Trial) -> None:
    # By standard input: sudo writes every command line into the journal, and the journal is searched too.
    script = "grep -rlF -f - /etc /var/lib/bootstrap /var/cache/bootstrap /var/log /run/systemd/system /proc/1/environ"
    places = {
        SECRETS["ADMIN_PASSWORD"]: ["/etc/jenkins/credentials/ADMIN_PASSWORD"],
        PASSWORDS["ADMIN_PASSWORD"]: [],
        PASSWORDS["TOOLKIT_PASSWORD"]: ["/etc/bootstrap/toolkit/password"],
    }
    for secret, files in places.items():
        text = secret.reveal().encode()
        found = trial.shell.run(["sh", "-c", f"{script} 2>/dev/null"], stdin=text, sudo=True, check=False).stdout
        assert files == found.splitlines()


def test_what_somebody_changed_by_hand_is_put_back(trial: Trial) -> None:
    trial.root("systemctl stop nginx; nft flush ruleset; chmod 0644 /etc/nginx/tls/server.key; rm /etc/nftables.conf")
    trial.root("touch /usr/local/lib/jenkins-emulator/jenkins_emulator/stranger.py")
    report = trial.converge()
    assert {"nginx.service", "firewall", "firewall rules", "tls key", "emulator"} <= report.names
    assert "2" == trial.root("nft list ruleset | grep -c 'policy drop'")
    assert 200 == trial.https("/login").status
    assert [] == trial.converge().changes


def test_a_run_killed_between_a_file_and_its_restart_is_completed_by_the_next(trial: Trial) -> None:
    before = trial.root("systemctl show -p MainPID --value jenkins.service")
    trial.root("touch /etc/jenkins/jenkins.env")
    report = trial.converge()
    assert ["jenkins.service"] == [change.name for change in report.changes]
    assert before != trial.root("systemctl show -p MainPID --value jenkins.service")
    assert [] == trial.converge().changes


def test_a_new_certificate_is_served_without_a_restart(trial: Trial) -> None:
    pid = trial.root("systemctl show -p MainPID --value nginx.service")
    issued = issued_for(ADDRESS)
    parts = {"certificate": issued.chain_pem, "certificate_key": issued.key, "authority": issued.authority_pem}
    trial.inputs = replace(trial.inputs, **parts)
    assert {"nginx.service", "tls certificate"} <= trial.converge().names
    # nginx changes its workers after the reload returned.
    wait_until(lambda: issued.certificate_pem == ssl.get_server_certificate((ADDRESS, 443)))
    assert 200 == trial.https("/login").status
    assert pid == trial.root("systemctl show -p MainPID --value nginx.service")


def test_a_service_that_does_not_start_is_told_with_its_journal_and_mended_later(trial: Trial) -> None:
    trial.root("mv /etc/jenkins/casc.d /etc/jenkins/casc.kept; touch /etc/jenkins/jenkins.env")
    bad = {"bad.yaml": "jenkins:\n  noSuchKey: 1\n"}
    with pytest.raises(ConvergeFailed) as caught:
        trial.converge(casc_files=bad)
    assert "jenkins.service" in caught.value.doing
    assert "noSuchKey" in caught.value.found
    trial.root("rm -r /etc/jenkins/casc.d; mv /etc/jenkins/casc.kept /etc/jenkins/casc.d")
    assert {"jenkins.service"} <= trial.converge().names
    assert 200 == trial.https("/login").status


def test_a_wished_package_that_nobody_has_is_told_and_breaks_nothing(trial: Trial) -> None:
    settings = trial.inputs.settings
    odd = settings.model_copy(update={"host": settings.host.model_copy(update={"extra_packages": ("no-such-thing",)})})
    with pytest.raises(ConvergeFailed, match="Unable to locate package no-such-thing"):
        trial.converge(settings=odd)
    assert [] == trial.converge().changes


def test_everything_comes_back_after_a_reboot(trial: Trial) -> None:
    trial.root("echo kept > /var/lib/jenkins/kept")
    trial.machines.reboot(INSTANCE)
    assert "running" == trial.root("systemctl is-system-running --wait", check=False)
    assert "kept" == trial.root("cat /var/lib/jenkins/kept")
    assert 200 == trial.https("/login").status
    assert [] == trial.converge().changes


def test_the_controller_that_is_returned_can_be_used(trial: Trial) -> None:
    controller: Controller = host.apply(trial.shell, trial.inputs, trial.artifacts, Report())
    assert (f"https://{ADDRESS}/", "toolkit", True) == (controller.url, controller.user, controller.is_emulated)
    assert trial.inputs.authority == controller.authority
