"""The resources of every machine, whatever runs on it: certificates, packages, clock, hardening and services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from bootstrap.remote.templates import read_text, render

JENKINS_PORT = 8080
# The metadata service of EC2; of the local cloud's, botocore's own variable tells where it is.
_METADATA, _METADATA_VARIABLE = "http://169.254.169.254/", "AWS_EC2_METADATA_SERVICE_ENDPOINT"
JAVA = "openjdk-25-jre-headless"
# Debian's Java only recommends the libraries that its own need for text and sound; Jenkins refuses to run without the first.
JAVA_PACKAGES = (JAVA, "libharfbuzz0b", "libasound2t64", "fontconfig")
PACKAGES = (
    *JAVA_PACKAGES,
    *("ca-certificates", "curl", "e2fsprogs", "git", "nftables", "nginx"),
    *("openssh-server", "python3-venv", "sudo", "tzdata", "unattended-upgrades"),
)
# What machines got from earlier versions of this list.
OBSOLETE_PACKAGES = ("openjdk-21-jre-headless",)
# On a machine the emulator runs with Debian's own Python packages and Groovy.
EMULATOR_PACKAGES = (
    *("groovy", "python3-aiohttp", "python3-bcrypt", "python3-croniter", "python3-cryptography", "python3-lxml"),
    "python3-yaml",
)
# With groups of agents the emulator also calls AWS, as the plugin ec2-fleet does.
EMULATED_FLEET_PACKAGES = ("python3-boto3",)
SYSCTLS: Mapping[str, str] = {
    "fs.protected_fifos": "2",
    "fs.protected_hardlinks": "1",
    "fs.protected_regular": "2",
    "fs.protected_symlinks": "1",
    "fs.suid_dumpable": "0",
    "kernel.dmesg_restrict": "1",
    "kernel.kptr_restrict": "2",
    "kernel.unprivileged_bpf_disabled": "1",
    "net.core.bpf_jit_harden": "2",
    "net.ipv4.conf.all.accept_redirects": "0",
    "net.ipv4.conf.all.accept_source_route": "0",
    "net.ipv4.conf.all.log_martians": "1",
    "net.ipv4.conf.all.rp_filter": "1",
    "net.ipv4.conf.all.send_redirects": "0",
    "net.ipv4.conf.default.accept_redirects": "0",
    "net.ipv4.conf.default.send_redirects": "0",
    "net.ipv4.icmp_echo_ignore_broadcasts": "1",
    "net.ipv4.tcp_syncookies": "1",
    "net.ipv6.conf.all.accept_redirects": "0",
    "net.ipv6.conf.all.accept_source_route": "0",
    "net.ipv6.conf.default.accept_redirects": "0",
}
_EXTRA_CERTIFICATES = "/usr/local/share/ca-certificates"
_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
# The kernel's rules can be changed without the file: their listing is compared with what it was when the file was loaded.
_LISTING = "/usr/sbin/nft --stateless list ruleset | sha256sum"
_KEPT = "/var/lib/bootstrap/firewall.sum"
_LOAD_FIREWALL = f"set -e; /usr/sbin/nft -f /etc/nftables.conf; mkdir -p /var/lib/bootstrap; {_LISTING} > {_KEPT}"
_IS_FIREWALL_LOADED = f'test /etc/nftables.conf -ot {_KEPT} && test "$({_LISTING})" = "$(cat {_KEPT})"'
Resources = list[dict[str, Any]]


def list_emulator_packages(kind: str, *, has_groups: bool) -> tuple[str, ...]:
    """The packages with which the emulator runs, where it is the one that runs; `has_groups`: with groups of agents."""
    if kind != "emulator":
        return ()
    return (*EMULATOR_PACKAGES, *(EMULATED_FLEET_PACKAGES if has_groups else ()))


def make_packages(kind: str, extra: Sequence[str], *, has_groups: bool = False) -> dict[str, Any]:
    """All Debian packages, in one transaction."""
    names = {*PACKAGES, *list_emulator_packages(kind, has_groups=has_groups), *extra}
    return {"id": "packages", "kind": "packages", "names": sorted(names)}


def make_java_for_groovy() -> dict[str, Any]:
    """Provides a Java for groovy: Debian's Java 25 does not declare that, and apt would install an older one."""
    return {
        "id": "java for groovy",
        "kind": "metapackage",
        "name": "bootstrap-java-runtime",
        "version": "25",
        # Those that groovy and what it needs ask for.
        "provides": [f"java{number}-runtime-headless" for number in (2, 5, 6, 7, 8)],
        "summary": f"{JAVA} runs what asks for an older Java",
    }


def make_obsolete_packages(kind: str, extra: Sequence[str]) -> dict[str, Any]:
    """The packages to remove, unless the environment has them in its list; their services must be restarted before."""
    names = [name for name in OBSOLETE_PACKAGES if name not in extra]
    awaited = ["java for groovy"] if kind == "emulator" else []
    return {"id": "obsolete packages", "kind": "absent_packages", "names": names, "awaits": awaited}


def list_trust_resources(certificates: Mapping[str, str]) -> Resources:
    """The operator's certificate authorities, before any download: a company's mirrors may have certificates of them."""
    files = [
        make_file(f"certificate {name}", f"{_EXTRA_CERTIFICATES}/{name}", pem)
        for name, pem in sorted(certificates.items())
    ]
    update = {
        "id": "certificates",
        "kind": "command",
        "needs": "/usr/sbin/update-ca-certificates",
        "command": ["update-ca-certificates"],
        "creates": _BUNDLE,
        "sources": [each["path"] for each in files],
    }
    return [*files, update] if files else []


def list_clock_resources(timezone: str) -> Resources:
    """The machine's time zone; its time comes from the hypervisor."""
    return [
        {"id": "localtime", "kind": "symlink", "path": "/etc/localtime", "target": f"/usr/share/zoneinfo/{timezone}"},
        make_file("timezone", "/etc/timezone", f"{timezone}\n"),
    ]


def find_metadata_service(aws_environment: Mapping[str, str]) -> str:
    """The URL at which the machine reaches the metadata service, ending in a slash."""
    return aws_environment.get(_METADATA_VARIABLE, _METADATA)


def list_hardening_resources(login_user: str, ordinary_user: int, metadata: str, ways: Mapping[str, bool]) -> Resources:
    """sshd, firewall, kernel, journal and security upgrades; their services read them later.

    `ordinary_user` is the number of the user that the firewall keeps from the metadata service at the URL `metadata`. `ways`
    says whether there are people who log in, people who reach the repository, and agents that ask the machine.
    """
    port = None if metadata == _METADATA else urlsplit(metadata).port
    rules = render("nftables.conf", ordinary_user=ordinary_user, metadata_port=port, jenkins_port=JENKINS_PORT)
    return [
        {
            **make_file(
                "sshd settings",
                # Before cloud-init's own file there: sshd takes the first value that it reads.
                "/etc/ssh/sshd_config.d/10-bootstrap.conf",
                render("sshd.conf", user=login_user, jenkins_port=JENKINS_PORT, **ways),
            ),
            "validate": ["/usr/sbin/sshd", "-t", "-f", "%s"],
        },
        {
            **make_file("firewall rules", "/etc/nftables.conf", rules, mode="0755"),
            "validate": ["/usr/sbin/nft", "-c", "-f", "%s"],
        },
        {"id": "kernel settings", "kind": "sysctl", "path": "/etc/sysctl.d/90-bootstrap.conf", "values": dict(SYSCTLS)},
        make_file("journal settings", "/etc/systemd/journald.conf.d/10-bootstrap.conf", read_text("journald.conf")),
        make_file("upgrade settings", "/etc/apt/apt.conf.d/52bootstrap-upgrades", read_text("upgrades.conf")),
    ]


def list_service_resources() -> Resources:
    """The services that read the files of `list_hardening_resources`."""
    return [
        make_unit("systemd-journald.service", restart_on=["journal settings"]),
        make_unit("nftables.service", restart_on=["firewall rules"], reload=True),
        {
            "id": "firewall",
            "kind": "command",
            "needs": "/usr/sbin/nft",
            "command": ["sh", "-c", _LOAD_FIREWALL],
            "unless": ["sh", "-c", _IS_FIREWALL_LOADED],
            "reason": "the kernel's rules differ from those of the file",
        },
        make_unit("ssh.service", restart_on=["sshd settings"], reload=True, runs_on=["openssh-server"]),
        make_unit("apt-daily.timer"),
        make_unit("apt-daily-upgrade.timer"),
    ]


def make_unit(name: str, **properties: Any) -> dict[str, Any]:
    """A unit resource with the name of its unit."""
    return {"id": name, "kind": "unit", "name": name, **properties}


def make_file(identity: str, path: str, content: str, **properties: Any) -> dict[str, Any]:
    """A file of root; everybody may read it, unless `properties` say otherwise."""
    return {
        "id": identity,
        "kind": "file",
        "path": path,
        "content": content,
        "owner": "root",
        "group": "root",
        **properties,
    }


def make_directory(path: str, **properties: Any) -> dict[str, Any]:
    """A directory of root; its path is its name."""
    return {"id": path, "kind": "directory", "path": path, "owner": "root", "group": "root", **properties}
