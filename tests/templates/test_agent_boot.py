"""What an agent's instance does at its first boot, before sshd starts: the program in the template, run in a sandbox.

It fetches its keys from a metadata service and a Parameter Store of the test's own, which check its requests with botocore.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.templates.agent_user_data import read_cloud_config

REGION, PARAMETER = "eu-central-1", "/ec2/keypair/key-0123456789abcdef0"
CLIENT = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGHPY4xH0sTdDIhFtJ9TXyGx8BTkYMPcLQuL6oxL9aSy jenkins-trial-agents-linux"
DOOR = "-----BEGIN OPENSSH PRIVATE KEY-----\ndef\n-----END OPENSSH PRIVATE KEY-----\n"
OF_CONTROLLER = "/ec2/keypair/key-0fedcba9876543210"
HOST = "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n"
ROLE = Credentials("ASIAEXAMPLE", "secret/of+the=role", "token/of+the=session==")
_SIGNED = re.compile(r"AWS4-HMAC-SHA256 Credential=(\S+), SignedHeaders=(\S+), Signature=([0-9a-f]{64})")


@dataclass
class World:
    """What the instance asks, and what is refused first."""

    port: int = 0
    failures: list[str] = field(default_factory=list)  # paths that are refused once
    asked: list[str] = field(default_factory=list)
    tokens: int = 0
    faults: list[str] = field(default_factory=list)

    def verify(self, headers: Any, body: bytes) -> None:
        """Remember what is wrong with a request's signature, by botocore's own computation of it."""
        match = _SIGNED.fullmatch(headers.get("authorization", ""))
        if match is None:
            self.faults.append("no signature")
            return
        credential, names, signature = match.groups()
        signed = {name: headers[name] for name in names.split(";")}
        signer = SigV4Auth(ROLE, "ssm", REGION)
        request = AWSRequest("POST", f"http://{headers['host']}/", headers=signed, data=body)
        request.context["timestamp"] = headers["x-amz-date"]
        wished = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        if (credential, signature) != (signer.scope(request), wished):
            self.faults.append(f"{credential} signed {signature}, {signer.scope(request)} signs {wished}")
        if {"host", "x-amz-date", "x-amz-security-token", "x-amz-target"} - signed.keys():
            self.faults.append(f"signed headers: {names}")


class Handler(BaseHTTPRequestHandler):
    """The metadata service, of which version 1 is off, and Parameter Store."""

    world: World

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, text: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def _is_refused(self) -> bool:
        self.world.asked.append(f"{self.command} {self.path}")
        if self.path in self.world.failures:
            self.world.failures.remove(self.path)
            self._answer(503, "not yet")
            return True
        return False

    def do_PUT(self) -> None:
        if self._is_refused():
            return
        if self.path != "/latest/api/token" or "x-aws-ec2-metadata-token-ttl-seconds" not in self.headers:
            self._answer(400)
            return
        self.world.tokens += 1
        self._answer(200, f"token-{self.world.tokens}")

    def do_GET(self) -> None:
        if self._is_refused():
            return
        if self.headers.get("x-aws-ec2-metadata-token") not in {f"token-{it + 1}" for it in range(self.world.tokens)}:
            self._answer(401)
            return
        keys = {"AccessKeyId": ROLE.access_key, "SecretAccessKey": ROLE.secret_key, "Token": ROLE.token}
        answers = {
            "public-keys/0/openssh-key": CLIENT,
            "iam/security-credentials/": "role-of-agents\n",
            "iam/security-credentials/role-of-agents": json.dumps({"Code": "Success", **keys}),
        }
        path = self.path.removeprefix("/latest/meta-data/")
        self._answer(200 if path in answers else 404, answers.get(path, ""))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self._is_refused():
            return
        self.world.verify(self.headers, body)
        if self.headers["x-amz-target"] != "AmazonSSM.GetParameter" or self.world.faults:
            self._answer(400)
            return
        asked = json.loads(body)
        values = {PARAMETER: HOST, OF_CONTROLLER: DOOR}
        assert {"Name": asked["Name"], "WithDecryption": True} == asked
        self._answer(200, json.dumps({"Parameter": {"Name": asked["Name"], "Value": values[asked["Name"]]}}))


@pytest.fixture
def world() -> Iterator[World]:
    served = World()
    handler = type("OfThisTest", (Handler,), {"world": served})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    served.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield served
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Sandbox:
    """A folder that stands for /etc/ssh, and a program that stands for nft."""

    folder: Path

    def run(
        self, world: World, attempts: int = 60, *, has_nft: bool = True, of_controller: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run the program as cloud-init does; without nft, the package brings it."""
        address = f"http://127.0.0.1:{world.port}"
        known = {
            "AWS__Region": REGION,
            "HostKey_KeyPairId": PARAMETER.rpartition("/")[2],
            "Packages": "git",
            "Containers": "no",
            "OfController": of_controller,
        }
        (command,) = read_cloud_config(MetadataUrl=address, Url=address, **known)["bootcmd"]
        assert ["python3", "-c"] == command[:2]
        assert [address, address, REGION, PARAMETER, of_controller] == command[3:]
        program = command[2]
        for old, new in {"/etc/ssh": str(self.folder / "ssh"), "range(60)": f"range({attempts})"}.items():
            assert old in program
            program = program.replace(old, new)
        tools = self.folder / "tools"
        tools.mkdir()
        (tools / "python3").symlink_to(sys.executable)
        nft, apt = self.folder / "nft", tools / "apt-get"
        nft.write_text(f'#!/bin/sh\n[ "$*" = "-f -" ] && exec /bin/cat > {self.folder}/rules\n')
        apt.write_text(
            f'#!/bin/sh\necho "$*" >> {self.folder}/packages\ncase "$*" in *install*nftables) /bin/cp {nft} {tools} ;; esac\n'
        )
        for program_file in (nft, apt):
            program_file.chmod(0o755)
        if has_nft:
            (tools / "nft").symlink_to(nft)
        environ = {"PATH": str(tools)}
        found = [*command[:2], program, *command[3:]]
        return subprocess.run(found, env=environ, capture_output=True, text=True, timeout=60)

    def read(self, name: str) -> tuple[str, int]:
        """Content and mode of a file below /etc/ssh."""
        path = self.folder / "ssh" / name
        return path.read_text(), path.stat().st_mode & 0o777


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return Sandbox(tmp_path)


def test_an_instance_gets_its_keys_before_sshd_starts(world: World, sandbox: Sandbox) -> None:
    done = sandbox.run(world)

    assert (0, "", []) == (done.returncode, done.stderr, world.faults)
    assert (HOST, 0o600) == sandbox.read("ssh_host_ed25519_key")
    assert (f"{CLIENT}\n", 0o644) == sandbox.read("authorized_keys/jenkins")
    settings, mode = sandbox.read("sshd_config.d/10-agent.conf")
    assert 0o644 == mode
    lines = settings.replace(str(sandbox.folder / "ssh"), "/etc/ssh").splitlines()
    assert {
        "HostKey /etc/ssh/ssh_host_ed25519_key",
        "AuthorizedKeysFile /etc/ssh/authorized_keys/%u",
        "AllowUsers jenkins",
        "PasswordAuthentication no",
        "DisableForwarding yes",
    } <= set(lines)


def test_an_image_without_nft_gets_it_before_any_key(world: World, sandbox: Sandbox) -> None:
    done = sandbox.run(world, has_nft=False)

    assert (0, "") == (done.returncode, done.stderr)
    options = "-o DPkg::Lock::Timeout=300"
    asked = (sandbox.folder / "packages").read_text().splitlines()
    assert [f"{options} update", f"{options} install --yes nftables"] == asked
    assert "169.254.169.254 reject" in (sandbox.folder / "rules").read_text()
    assert (HOST, 0o600) == sandbox.read("ssh_host_ed25519_key")


def test_the_metadata_service_is_closed_before_it_is_asked(world: World, sandbox: Sandbox) -> None:
    world.failures = ["/latest/api/token"] * 2

    done = sandbox.run(world, attempts=2)

    assert 0 != done.returncode
    rules = (sandbox.folder / "rules").read_text()
    assert rules.startswith("table inet metadata\ndelete table inet metadata\n"), (
        "a second boot would add the rules again"
    )
    for place in ("ip daddr 169.254.169.254", "ip6 daddr fd00:ec2::254", f"tcp dport {world.port}"):
        assert f"meta skuid != 0 {place} reject\n" in rules


def test_the_jobs_of_the_toolkit_reach_the_metadata_service_and_get_the_key_of_the_controller(
    world: World, sandbox: Sandbox
) -> None:
    done = sandbox.run(world, of_controller=OF_CONTROLLER)

    assert (0, "") == (done.returncode, done.stderr)
    assert "reject" not in (sandbox.folder / "rules").read_text()
    assert (DOOR, 0o600) == sandbox.read("controller_key")
    assert (HOST, 0o600) == sandbox.read("ssh_host_ed25519_key")


def test_other_groups_get_no_key_of_the_controller(world: World, sandbox: Sandbox) -> None:
    sandbox.run(world)

    assert not (sandbox.folder / "ssh" / "controller_key").exists()


def test_an_answer_that_comes_late_is_waited_for(world: World, sandbox: Sandbox) -> None:
    """The role may be seconds old, and Parameter Store may refuse at first."""
    world.failures = ["/latest/meta-data/iam/security-credentials/", "/"]

    done = sandbox.run(world)

    assert 0 == done.returncode, done.stderr
    assert 2 == done.stdout.count("the keys of this agent cannot be read yet: HTTP Error 503")
    assert (HOST, 0o600) == sandbox.read("ssh_host_ed25519_key")


def test_without_its_keys_an_instance_lets_nobody_in(world: World, sandbox: Sandbox) -> None:
    world.failures = ["/"] * 9

    done = sandbox.run(world, attempts=2)

    assert 0 != done.returncode
    assert "nobody can log in" in done.stderr
    assert not (sandbox.folder / "ssh").exists()


def test_no_secret_is_printed(world: World, sandbox: Sandbox) -> None:
    """What it prints is in the console output of the instance."""
    world.failures = ["/"]

    done = sandbox.run(world)

    printed = done.stdout + done.stderr
    assert [] == [it for it in (ROLE.secret_key, ROLE.token, "abc\n", "token-1") if it in printed]


def test_builds_run_as_a_user_without_rights() -> None:
    known = {
        "AWS__Region": REGION,
        "HostKey_KeyPairId": "key-1",
        "Packages": "git, maven",
        "Containers": "no",
        "OfController": "",
    }
    found = read_cloud_config(MetadataUrl="http://169.254.169.254", Url="https://ssm.example", **known)

    (user,) = found["users"]
    assert ("jenkins", True) == (user["name"], user["lock_passwd"])
    assert not {"sudo", "groups", "doas", "ssh_authorized_keys", "uid"} & user.keys()
    assert (True, False, False) == (found["disable_root"], found["ssh_pwauth"], found["ssh_deletekeys"])
    assert ["git", "maven"] == found["packages"]
