"""The machine: its services, open ports, file permissions and the data volume."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from machine_evidence import Visible
from packet_rules import is_harmless, jumps_to_ordinary_builds, list_matches, list_ports, rejected_address

from bootstrap.context import Context
from bootstrap.environment.agents import takes_toolkit_jobs
from bootstrap.remote.desired.agent import AGENTS, INFRASTRUCTURE, list_agents
from bootstrap.remote.desired.base import PACKAGES, SYSCTLS
from bootstrap.remote.desired.people import list_key_files
from bootstrap.remote.desired.toolkit import INSPECTED_SERVICES

Inspection = dict[str, Any]
HOME = "/var/lib/jenkins"
LOOPBACK = ("127.", "[::1]")
BUILDERS = frozenset(agent.user for agent in AGENTS)
SECONDS_APART = 10

FILES = {
    # path: mode, owner, group
    "/etc/jenkins/credentials": ("0700", "root", "root"),
    "/etc/jenkins/credentials/ADMIN_PASSWORD": ("0400", "root", "root"),
    "/etc/jenkins/credentials/TOOLKIT_PASSWORD": ("0400", "root", "root"),
    "/etc/bootstrap/toolkit": ("0700", "root", "root"),
    "/etc/bootstrap/toolkit/password": ("0400", "root", "root"),
    "/etc/bootstrap/toolkit/token": ("0400", "root", "root"),
    "/etc/jenkins/casc.d": ("0755", "root", "root"),
    "/etc/jenkins/people": ("0750", "root", "jenkins"),
    "/etc/ssh/people": ("0755", "root", "root"),
    "/etc/jenkins/agent.secret": ("0400", "root", "root"),
    "/etc/bootstrap/aws.env": ("0600", "root", "root"),
    "/etc/nginx/tls": ("0700", "root", "root"),
    "/etc/nginx/tls/server.key": ("0600", "root", "root"),
    "/etc/systemd/system/jenkins.service": ("0644", "root", "root"),
    "/usr/local/sbin/inspect-machine": ("0755", "root", "root"),
    "/usr/local/sbin/ask-mail-server": ("0755", "root", "root"),
    "/etc/systemd/system/jenkins-agent.service": ("0644", "root", "root"),
    "/var/lib/jenkins-agent": ("0750", "jenkins-agent", "jenkins-agent"),
    "/etc/jenkins/builder.secret": ("0400", "root", "root"),
    "/etc/systemd/system/jenkins-builder.service": ("0644", "root", "root"),
    "/var/lib/jenkins-builder": ("0750", "jenkins-builder", "jenkins-builder"),
    HOME: ("0750", "jenkins", "jenkins"),
    f"{HOME}/secrets": ("0700", "jenkins", "jenkins"),
}


@pytest.mark.parametrize(
    "name",
    [
        "jenkins.service",
        "jenkins-agent.service",
        "jenkins-builder.service",
        "nginx.service",
        "ssh.service",
        "nftables.service",
        "apt-daily-upgrade.timer",
    ],
)
def test_the_service_runs(inspection: Inspection, name: str, context: Context) -> None:
    """The service runs and is enabled."""
    unit = inspection["units"][name]
    expected = ("inactive", "") if name in _list_absent(context) else ("active", "enabled")

    assert expected == (unit["ActiveState"], unit["UnitFileState"])


def _list_absent(context: Context) -> set[str]:
    """The services and the files of an agent whose jobs run on a group of agents."""
    if INFRASTRUCTURE in list_agents(context.settings.agents):
        return set()
    return {INFRASTRUCTURE.unit, INFRASTRUCTURE.secret, f"/etc/systemd/system/{INFRASTRUCTURE.unit}"}


def test_no_service_failed(inspection: Inspection) -> None:
    """No systemd unit has failed."""
    assert [] == inspection["failed_units"]


def test_no_unit_needs_a_daemon_reload(inspection: Inspection) -> None:
    """No unit file changed without a daemon-reload."""
    assert [] == [name for name, unit in inspection["units"].items() if unit["NeedDaemonReload"] == "yes"]


@pytest.mark.parametrize("name", INSPECTED_SERVICES)
def test_services_run_installed_files(inspection: Inspection, name: str) -> None:
    """The service runs no deleted program or library."""
    assert [] == inspection["replaced_files"][name]


def test_java_libraries_are_complete(inspection: Inspection) -> None:
    """Every shared library of Java finds the libraries that it needs."""
    assert inspection["java"]["libraries"] > 0
    assert {} == inspection["java"]["missing"]


def test_the_mail_server_takes_the_login(inspection: Inspection, context: Context) -> None:
    """The mail server takes the login of Jenkins, over TLS as configured."""
    settings = context.settings
    if settings.cloud == "aws" and settings.mail.smtp_host is None:
        pytest.skip("mail goes to the machine itself: no mail server is configured")
    told = inspection["mail"]
    has_login = settings.is_mail_kept or settings.mail.user is not None

    assert "ok" == told.get("connection"), told
    assert (settings.mail_security != "none") == told.get("tls", "").startswith("TLS"), told
    assert told.get("login", "").startswith("235 " if has_login else "none"), told
    assert told.get("sender", "").startswith("250 "), told


def test_jenkins_does_not_keep_crashing(inspection: Inspection) -> None:
    """systemd did not restart Jenkins after a crash."""
    assert "0" == inspection["units"]["jenkins.service"]["NRestarts"]


def test_only_ssh_and_https_listen(inspection: Inspection) -> None:
    """Only SSH and HTTPS listen on the network."""
    assert {22: "sshd", 443: "nginx"} == {
        it["port"]: it["process"] for it in _listening(inspection) if not _is_loopback(it["address"])
    }


def test_jenkins_listens_on_loopback_only(inspection: Inspection) -> None:
    """Jenkins' own port listens on loopback only."""
    addresses = [it["address"] for it in _listening(inspection) if it["port"] == 8080]

    assert addresses
    assert [] == [address for address in addresses if not _is_loopback(address)]


def _listening(inspection: Inspection) -> Iterator[dict[str, Any]]:
    """Without the sockets of builds that run now: the firewall drops what comes from the network to their ports."""
    return (it for it in inspection["sockets"] if it["protocol"] == "tcp" and it["user"] not in BUILDERS)


def _is_loopback(address: str) -> bool:
    # Java shows IPv4 on sockets of both families as [::ffff:127.0.0.1].
    return address.replace("[::ffff:", "").startswith(LOOPBACK)


def test_the_firewall_drops_by_default(inspection: Inspection) -> None:
    """The firewall drops what no rule accepts."""
    chains = [it["chain"] for it in inspection["firewall"] if "chain" in it]
    policies = {it["hook"]: it["policy"] for it in chains if it.get("hook") in {"input", "forward"}}

    assert {"input": "drop", "forward": "drop"} == policies


def test_the_firewall_accepts_only_ssh_and_https(inspection: Inspection) -> None:
    """The firewall accepts only SSH, HTTPS, replies, loopback and ICMP."""
    rules = [it["rule"] for it in inspection["firewall"] if it.get("rule", {}).get("chain") == "input"]
    accepting = [rule["expr"] for rule in rules if {"accept": None} in rule["expr"]]

    ports = {port for rule in accepting for port in list_ports(rule)}
    others = [rule for rule in accepting if not list_ports(rule) and not is_harmless(rule)]

    assert {22, 443} == ports
    assert [] == others


def test_the_firewall_keeps_ordinary_builds_from_the_metadata_service(inspection: Inspection) -> None:
    """The firewall rejects what ordinary builds send to the metadata service."""
    rules = [it["rule"] for it in inspection["firewall"] if "rule" in it]
    jumps = [rule["expr"] for rule in rules if rule["chain"] == "output" and jumps_to_ordinary_builds(rule)]

    assert {"169.254.169.254", "fd00:ec2::254"} <= {rejected_address(rule) for rule in rules}
    assert [["meta skuid"]] == [[asked for asked, _ in list_matches(jump)] for jump in jumps]


def test_only_the_toolkits_builds_get_credentials_of_the_machine(inspection: Inspection) -> None:
    """The metadata service answers the toolkit's builds, and ordinary builds cannot reach it."""
    assert {agent.user: "200" if agent.has_role else "000" for agent in AGENTS} == inspection["metadata"]


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("passwordauthentication", "no"),
        ("kbdinteractiveauthentication", "no"),
        ("permitemptypasswords", "no"),
        ("permitrootlogin", "no"),
        ("pubkeyauthentication", "yes"),
        ("x11forwarding", "no"),
        ("allowagentforwarding", "no"),
        ("permittunnel", "no"),
        ("permituserenvironment", "no"),
    ],
)
def test_sshd_is_hardened(inspection: Inspection, setting: str, expected: str) -> None:
    """SSH accepts public keys only."""
    assert [expected] == inspection["sshd"].get(setting)


def test_only_the_login_user_and_git_may_sign_in(inspection: Inspection, context: Context) -> None:
    """SSH accepts only the machine's login user, if people have keys the repository's, and the agents of the toolkit's jobs."""
    allowed = {name for line in inspection["sshd"].get("allowusers", ()) for name in line.split()}

    agents = {INFRASTRUCTURE.user} if takes_toolkit_jobs(context.settings.agents) else set()
    assert {"admin", *list_key_files(context.settings, "admin"), *agents} == allowed


def test_ssh_forwards_only_to_jenkins(inspection: Inspection) -> None:
    """SSH forwards only to Jenkins and its proxy."""
    # A setting of several values is one line or several, as the version of sshd likes.
    allowed = {place for line in inspection["sshd"].get("permitopen", ()) for place in line.split()}

    assert ["local"] == inspection["sshd"].get("allowtcpforwarding")
    assert {"127.0.0.1:8080", "127.0.0.1:443"} == allowed


@pytest.mark.parametrize("path", FILES)
def test_the_file_has_its_owner_group_and_mode(inspection: Inspection, path: str, context: Context) -> None:
    """The file has its owner, group and mode."""
    found = inspection["files"][path]
    expected = None if path in _list_absent(context) else FILES[path]

    assert expected == (found and (found["mode"], found["owner"], found["group"]))


def test_jenkins_cannot_change_its_own_code(inspection: Inspection) -> None:
    """Jenkins' program belongs to root and is writable by root only."""
    software = ("/usr/local/share/jenkins/jenkins.war", "/usr/local/lib/jenkins-emulator")
    found = [it for path in software if (it := inspection["files"][path])]

    assert ["root"] == [it["owner"] for it in found]
    assert [0] == [int(it["mode"], 8) & 0o022 for it in found]


def test_the_default_site_is_gone(inspection: Inspection) -> None:
    """nginx' default site is disabled."""
    assert inspection["files"]["/etc/nginx/sites-enabled/default"] is None


def test_jenkins_home_is_on_the_data_volume(inspection: Inspection, visible: Visible, context: Context) -> None:
    """JENKINS_HOME is on the data volume."""
    volume = context.outputs("data")["DataVolumeId"].replace("-", "")
    sources = re.findall(r"^What=(.*)$", visible.home_unit, re.MULTILINE)

    assert inspection["mounts"][HOME] is not None
    assert [f"/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{volume}"] == sources
    assert "active" == inspection["units"]["var-lib-jenkins.mount"]["ActiveState"]


def test_the_data_volume_is_mounted_nosuid_and_nodev(inspection: Inspection) -> None:
    """The data volume is mounted with nosuid and nodev."""
    options = set((inspection["mounts"][HOME] or {}).get("options", "").split(","))

    assert {"nosuid", "nodev"} <= options


def test_security_updates_are_automatic(inspection: Inspection) -> None:
    """Security updates are installed automatically, without reboots."""
    found = inspection["upgrades"]

    assert ["1"] == found.get("APT::Periodic::Unattended-Upgrade", [])[-1:]
    assert ["1"] == found.get("APT::Periodic::Update-Package-Lists", [])[-1:]
    assert ["false"] == found.get("Unattended-Upgrade::Automatic-Reboot", [])[-1:]
    assert any("security" in origin for origin in found["Unattended-Upgrade::Origins-Pattern"])


def test_the_kernel_is_hardened(inspection: Inspection, visible: Visible) -> None:
    """The kernel's settings are hardened, now and at every boot."""
    written = dict(re.split(r"\s*=\s*", line, maxsplit=1) for line in visible.sysctls.splitlines() if "=" in line)
    own = ("net.ipv4.conf.", "net.ipv6.conf.") if inspection["system"]["is_container"] else ("",)
    in_force = {name: value for name, value in inspection["kernel"].items() if name.startswith(own)}

    assert dict(SYSCTLS) == written
    assert {} == {name: value for name, value in in_force.items() if value != SYSCTLS[name]}


def test_the_packages_are_installed(inspection: Inspection) -> None:
    """Every Debian package that the machine needs is installed."""
    assert [] == [name for name in PACKAGES if not inspection["packages"].get(name)]


def test_the_time_zone_is_the_environments(inspection: Inspection, context: Context) -> None:
    """The machine's time zone is the environment's."""
    assert context.settings.host.timezone == inspection["system"]["timezone"]


def test_the_clock_is_right(visible: Visible) -> None:
    """The machine's clock agrees with the one here."""
    assert abs(visible.clock - visible.our_clock) < SECONDS_APART
