"""The inputs of a machine's desired state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bootstrap.environment.models import Settings
from bootstrap.values import Secret


@dataclass(frozen=True)
class Bundle:
    """A tar artifact: its own SHA-256, and that of each file in it by path."""

    sha256: str
    files: Mapping[str, str]


@dataclass(frozen=True)
class Software:
    """The distribution: a WAR with plugin files (SHA-256 each), or the emulator, which reports the same versions.

    `urls` are the addresses from which the machine may download files, by SHA-256; they are no part of the desired state.
    """

    kind: Literal["war", "emulator"]
    version: str
    plugins: Mapping[str, str]
    war: str = ""
    plugin_files: Mapping[str, str] = field(default_factory=dict)
    emulator: Bundle | None = None
    urls: Mapping[str, str] = field(default_factory=dict)

    @property
    def files(self) -> frozenset[str]:
        """The SHA-256 of every file."""
        bundle = {self.emulator.sha256} if self.emulator else set()
        return frozenset(filter(None, {self.war, *self.plugin_files.values(), *bundle}))


@dataclass(frozen=True)
class Toolkit:
    """The toolkit's repository on the machine: `branch` at `commit`, from the git bundle with that SHA-256."""

    branch: str
    commit: str
    bundle: str


@dataclass(frozen=True)
class HostInputs:
    """Everything that the desired state of a machine depends on.

    `secrets` is what systemd hands to Jenkins, by name: whoever takes Jenkins over can read it, so there is the hash of a
    password and never its text. `own_secrets` are those of the environment file, which Jenkins gets in the same way, in clear
    text; `removed_secrets` are names of earlier ones, which the settings on the machine still use. The toolkit's own password
    and token are for root alone. `casc_files` are laid down for a first start only; from then on they are the casc act's.
    `casc_variables` and `aws_environment` are environment variables of Jenkins and its builds. `people_passwords` are the
    hashes of the passwords of people, by their ids. With a group of agents for the toolkit's jobs, `jobs_key` is the public key
    with which they log in, and `jobs_commands` are the commands with which they ask the machine.
    """

    settings: Settings
    instance_id: str
    data_volume_id: str
    url: str
    software: Software
    secrets: Mapping[str, Secret]
    toolkit_password: Secret
    toolkit_token: Secret
    certificate: str
    certificate_key: Secret
    authority: str
    casc_files: Mapping[str, str]
    casc_variables: Mapping[str, str] = field(default_factory=dict)
    aws_environment: Mapping[str, str] = field(default_factory=dict)
    ca_certificates: Mapping[str, str] = field(default_factory=dict)
    pip_configuration: str = ""
    toolkit: Toolkit | None = None
    own_secrets: Mapping[str, Secret] = field(default_factory=dict)
    removed_secrets: tuple[str, ...] = ()
    people_passwords: Mapping[str, Secret] = field(default_factory=dict)
    login_user: str = "admin"
    jobs_key: str = ""
    jobs_commands: tuple[tuple[str, ...], ...] = ()
