"""One machine of the local cloud, and what is wished of it: this checkout's settings, with the emulator as Jenkins."""

from __future__ import annotations

import datetime
import http.client
import ssl
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from bootstrap.acts import casc, host
from bootstrap.cloud import certificates
from bootstrap.environment.models import Settings
from bootstrap.errors import BootstrapError, ConvergeFailed, Unreachable
from bootstrap.jenkins.controller.password_hash import hash_password
from bootstrap.jenkins.distribution import Distribution, load_lock
from bootstrap.local.machines import InstanceSpec, Machines
from bootstrap.remote import artifacts, operator_machine, toolkit_repository
from bootstrap.remote.desired.inputs import HostInputs, Toolkit
from bootstrap.remote.shell import FabricShell
from bootstrap.values import Change, Machine, Result, Secret, Shell

ROOT = Path(__file__).resolve().parents[2]
INSTANCE = "i-0c0ffee"
VOLUME = "vol-0c0ffee"
ADDRESS = "10.214.7.37"
SPEC = InstanceSpec(
    instance_id=INSTANCE,
    private_ip=ADDRESS,
    subnet_id="subnet-0c0ffee",
    subnet_cidr="10.214.7.0/24",
    image_id="ami-0debian",
    user_data=b"",
    public_key=None,
    gateway="10.214.7.1",
)
PASSWORDS = {name: Secret(f"{name.lower()}-5f4dcc3b") for name in ("ADMIN_PASSWORD", "TOOLKIT_PASSWORD")}
SECRETS = {name: hash_password(password, name) for name, password in PASSWORDS.items()}


@dataclass
class Report:
    """What a run told."""

    changes: list[Change] = field(default_factory=list)

    def change(self, change: Change) -> None:
        self.changes.append(change)

    def progress(self, text: str) -> None:
        print(text)

    def notice(self, text: str) -> None:
        print(text)

    @property
    def names(self) -> set[str]:
        return {change.name for change in self.changes}


@dataclass
class Counting:
    """A shell that counts what is asked of it."""

    inner: Shell
    asked: int = 0

    def run(self, command: Sequence[str], **options: Any) -> Result:
        self.asked += 1
        return self.inner.run(command, **options)

    def put(self, content: bytes | Path, path: str, mode: int = 0o600, *, sudo: bool = False) -> None:
        self.asked += 1
        self.inner.put(content, path, mode, sudo=sudo)

    def forward(self, port: int, *, local_port: int = 0) -> AbstractContextManager[int]:
        return self.inner.forward(port, local_port=local_port)

    def close(self) -> None:
        self.inner.close()


@dataclass
class Trial:
    """One machine with what is wished of it."""

    machines: Machines
    login: Machine
    inputs: HostInputs
    artifacts: dict[str, artifacts.Artifact]
    shell: FabricShell

    def converge(self, **changes: Any) -> Report:
        report = Report()
        host.apply(self.shell, replace(self.inputs, **changes), self.artifacts, report)
        return report

    def root(self, script: str, check: bool = True) -> str:
        return self.shell.run(["sh", "-c", script], sudo=True, check=check).stdout.strip()

    def https(self, path: str, headers: dict[str, str] | None = None) -> http.client.HTTPResponse:
        context = ssl.create_default_context(cadata=self.inputs.authority)
        connection = http.client.HTTPSConnection(ADDRESS, context=context, timeout=20)
        connection.request("GET", path, headers=headers or {})
        return connection.getresponse()


def key_pair() -> tuple[str, str]:
    """A private key and its public key, as OpenSSH writes them."""
    private = ed25519.Ed25519PrivateKey.generate()
    encoding, form = serialization.Encoding, serialization.PrivateFormat.OpenSSH
    text = private.private_bytes(encoding.PEM, form, serialization.NoEncryption()).decode()
    return text, private.public_key().public_bytes(encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()


def issued_for(address: str) -> certificates.Certificates:
    """New certificates, valid for one address."""
    subjects = certificates.Subjects((), (address,), f"{address}/32")
    return certificates.issue(None, None, subjects, datetime.datetime.now(datetime.UTC))[0]


def wished(folder: Path) -> tuple[HostInputs, dict[str, artifacts.Artifact]]:
    """This checkout's own settings on a machine of the local cloud, with the emulator as Jenkins."""
    lock = load_lock(ROOT / "jenkins.lock.yaml")
    resolved = Distribution("emulator", lock.core.version, lock.plugins)
    software, sent = artifacts.pack(resolved, ROOT / "bootstrap/local/emulator")
    issued = issued_for(ADDRESS)
    taken = toolkit_repository.take_snapshot(ROOT, folder)
    bundle = toolkit_repository.write_bundle(taken, "main", folder / "toolkit.bundle")
    sent[artifacts.hash_of(bundle)] = bundle
    settings = Settings.model_validate({"environment": "converge", "cloud": "local", "owner": "t", "cost_center": "n"})
    url = f"https://{ADDRESS}/"
    inputs = HostInputs(
        settings=settings,
        instance_id=INSTANCE,
        data_volume_id=VOLUME,
        url=url,
        software=software,
        secrets=SECRETS,
        toolkit_password=PASSWORDS["TOOLKIT_PASSWORD"],
        toolkit_token=Secret("0123456789abcdef" * 2),
        certificate=issued.chain_pem,
        certificate_key=issued.key,
        authority=issued.authority_pem,
        casc_files=casc.read(ROOT / "casc"),
        casc_variables=casc.make_variables(settings, url, "localhost"),
        aws_environment={"AWS_REGION": "eu-central-1"},
        ca_certificates=operator_machine.read_certificates("auto"),
        pip_configuration=operator_machine.make_pip_configuration(),
        toolkit=Toolkit("main", taken.commit, artifacts.hash_of(bundle)),
    )
    return inputs, sent


def kill_converge(shell: Shell, pattern: str, seconds: float = 60) -> bool:
    """Kill the program on the machine, and what it has started, as soon as a process with `pattern` runs there."""
    script = """
import os, re, sys, time
def alive():
    for name in filter(str.isdigit, os.listdir('/proc')):
        try: yield int(name), open(f'/proc/{name}/cmdline', 'rb').read().replace(b'\\0', b' ').decode()
        except OSError: pass
end = time.monotonic() + float(sys.argv[2])
while time.monotonic() < end:
    found = [(pid, line) for pid, line in alive() if pid != os.getpid() and 'kill-converge' not in line]
    if any(re.search(sys.argv[1], line) for _, line in found):
        for pid, line in found:
            if not re.search('memfd_create|apt-get|dpkg|systemctl', line): continue
            try: os.kill(pid, 9)
            except ProcessLookupError: pass
        print('killed')
        break
    time.sleep(0.05)
"""
    done = shell.run(["python3", "-c", f"# kill-converge\n{script}", pattern, str(seconds)], sudo=True)
    return "killed" in done.stdout


def run_and_kill(trial: Trial, pattern: str) -> None:
    """Converge, and kill it on the machine once `pattern` runs there."""
    other = FabricShell(trial.login, patience=30)
    outcomes: list[bool] = []
    killer = threading.Thread(target=lambda: outcomes.append(kill_converge(other, pattern)))
    killer.start()
    with pytest.raises(BootstrapError) as caught:
        trial.converge()
    killer.join()
    other.close()
    assert [True] == outcomes
    assert isinstance(caught.value, ConvergeFailed | Unreachable)
