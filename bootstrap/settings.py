"""Environment files: what a person wishes, read into frozen, typed settings.

The models below are the whole vocabulary. A file is refused as a whole, before anything is touched, with every fault at its
line and column; a key that is nearly right gets a suggestion. `schema()` is the same vocabulary as JSON Schema, checked in as
`environments/schema.json` so that editors complete it.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from bootstrap import agent_key, consistency, neighbours, written
from bootstrap.consistency import NO_WAY
from bootstrap.errors import Fault, SettingsInvalid
from bootstrap.network.section import Intentions
from bootstrap.network_options import (
    Bastion,
    DirectConnect,
    FlowLogs,
    Peering,
    PublicZone,
    Service,
    TransitGateway,
    Vpn,
    Zone,
    Zones,
)
from bootstrap.sections import AllowedBlock, InstanceType, Name, NetworkBlock, Section

Port = Annotated[int, Field(ge=1, le=65535)]
AgentKey = Annotated[str, AfterValidator(agent_key.checked)]
Address = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]


class Network(Section):
    """The VPC: its block, how many availability zones, its tiers, how private subnets reach out, and what else it has."""

    cidr: NetworkBlock = neighbours.CIDR
    # How many availability zones, or which: the first by name, or those that are named, in the order of the subnets.
    zones: Zones = 2
    nat: Literal["none", "one", "per-zone"] = "none"
    # Whether there is an isolated subnet in each zone beside the public and the private one.
    isolated: bool = True
    ipv6: bool = False
    endpoints: tuple[Service, ...] = ()
    flow_logs: FlowLogs | None = None
    private_zone: Zone | None = None
    public_zone: PublicZone | None = None
    bastion: Bastion | None = None
    vpn: Vpn | None = None
    transit_gateway: TransitGateway | None = None
    direct_connect: DirectConnect | None = None
    peering: Peering | None = None
    # The environments whose networks the job 'network' brings up, the second after a question; none means its own.
    promotion: Annotated[tuple[Name, ...], Field(max_length=2)] = ()
    intentions: Intentions = Intentions()

    @property
    def zone_count(self) -> int:
        """How many availability zones the subnets are spread over."""
        return self.zones if isinstance(self.zones, int) else len(self.zones)

    @property
    def zone_names(self) -> tuple[str, ...]:
        """The zones that the file names; none where it says only how many."""
        return () if isinstance(self.zones, int) else self.zones


class Access(Section):
    """Who may reach the machine (one block, or nobody) and how SSH gets there.

    `ssh` left out is 'session-manager' on AWS and 'direct' on this machine. `agent_key` is the public key with which Amazon
    signs the agent of Session Manager: the machine installs only what that key signed.
    """

    operator_cidr: AllowedBlock | None = None
    ssh: Literal["session-manager", "direct", "bastion"] | None = None
    agent_key: AgentKey | None = None


class ControllerMachine(Section):
    """The EC2 instance and its volumes; sizes in GiB."""

    instance_type: InstanceType = "t3.large"
    root_gib: Annotated[int, Field(ge=8, le=1024)] = 16
    data_gib: Annotated[int, Field(ge=1, le=16384)] = 20


class JenkinsSettings(Section):
    """Where Jenkins comes from and how it runs."""

    source: Literal["official", "mirror", "file", "emulator"] = "official"
    mirror: Annotated[str, Field(pattern=r"^https?://")] | None = None
    file: str | None = None
    fallback: Literal["none", "emulator"] = "none"
    heap: Annotated[str, Field(pattern=r"^[1-9][0-9]*[mg]$")] = "1g"
    # At least two: a build of 'verify' waits for one of 'canary'.
    executors: Annotated[int, Field(ge=2, le=64)] = 2
    # How long a restart waits for running builds; 0 does not wait.
    drain_minutes: Annotated[int, Field(ge=0, le=240)] = 10
    admin_address: Address = "jenkins@localhost"
    url: Annotated[str, Field(pattern=r"^https://[^\s/]+/$")] | None = None

    @model_validator(mode="after")
    def _source_has_its_place(self) -> JenkinsSettings:
        if self.source == "mirror" and not self.mirror:
            raise ValueError("'source: mirror' needs the key 'mirror' with the mirror's base URL")
        if self.source == "file" and not self.file:
            raise ValueError("'source: file' needs the key 'file' with the path of a WAR")
        return self


class Mail(Section):
    """The mail server that Jenkins sends through.

    No host is on AWS the machine itself, and on this machine the local cloud's, which keeps what comes to be read.
    """

    smtp_host: str | None = None
    smtp_port: Port = 25
    reply_to: Address = "no-reply@localhost"


class Repository(Section):
    """Where the jobs find this toolkit; no URL means a bare repository on the machine."""

    url: str | None = None
    branch: Annotated[str, Field(pattern=r"^[A-Za-z0-9._/-]+$")] = "main"


class Host(Section):
    """What the machine gets beside what Jenkins needs."""

    timezone: Annotated[str, Field(pattern=r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$")] = "Etc/UTC"
    extra_packages: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]+$")], ...] = ()
    ca_certificates: Literal["auto"] | tuple[str, ...] = "auto"


class Settings(Section):
    """One environment: what to launch and where."""

    environment: Name
    project: Name = neighbours.PROJECT
    cloud: Literal["local", "aws"]
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")] = neighbours.REGION
    owner: Annotated[str, Field(min_length=1, max_length=256)]
    cost_center: Annotated[str, Field(min_length=1, max_length=256)]
    # A protected environment is destroyed only with --unprotect, and each of its stacks guards itself against deletion.
    protect: bool = False
    network: Network = Network()
    access: Access = Access()
    controller: ControllerMachine = ControllerMachine()
    jenkins: JenkinsSettings = JenkinsSettings()
    mail: Mail = Mail()
    repository: Repository = Repository()
    host: Host = Host()

    @property
    def name(self) -> str:
        """The environment's name."""
        return self.environment

    @property
    def ssh(self) -> Literal["session-manager", "direct", "bastion"]:
        """How SSH reaches the machine."""
        return self.access.ssh or ("session-manager" if self.cloud == "aws" else "direct")

    @property
    def names(self) -> tuple[str, ...]:
        """The controller's names in the environment's zones, the one that everybody finds first."""
        public = self.network.public_zone.domain if self.network.public_zone else None
        zones = dict.fromkeys(it for it in (public, self.network.private_zone) if it)
        return tuple(f"{self.project}.{zone}" for zone in zones)

    @property
    def networks(self) -> tuple[str, ...]:
        """The environments whose networks this Jenkins' job serves, in their order."""
        return self.network.promotion or (self.environment,)

    def stack_name(self, stack: str) -> str:
        """The full name of one of the environment's stacks: <project>-<environment>-<stack>."""
        return f"{self.project}-{self.environment}-{stack}"


def schema() -> str:
    """The environment files' JSON Schema, as text; `environments/schema.json` holds exactly this."""
    document = Settings.model_json_schema()
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(document, indent=2) + "\n"


def load(path: Path) -> Settings:
    """Read one environment file, or raise SettingsInvalid with every fault in it."""
    doing = f"reading the environment file {path}"
    try:
        text = written.text(path)
    except written.Unreadable as error:
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.yaml"))) if path.parent.is_dir() else "none"
        remedy = f"Name an environment with --environment; there are: {known}."
        raise SettingsInvalid(doing, [Fault(str(path), error.line, 1, str(error))], remedy) from error
    document, faults = written.mapping(str(path), text, "an environment file is a mapping of keys")
    settings: Settings | None = None
    if not faults:
        try:
            # JSON mode takes a list for a tuple, as YAML has no tuples, and is strict in everything else.
            settings = Settings.model_validate_json(json.dumps(document, default=str))
        except ValidationError as error:
            faults = list(_faults(str(path), document, error.errors()))
        else:
            faults = [_placed(path, document, *it) for it in consistency.faults(path, settings)]
    if faults or settings is None:
        remedy = "Mend the file; environments/aws.yaml explains every key."
        raise SettingsInvalid(doing, sorted(faults, key=lambda fault: (fault.line, fault.column)), remedy)
    return settings


def check_ssh(path: Path, settings: Settings) -> None:
    """SettingsInvalid where the machine is to be reached through Session Manager and its agent could not be had or be heard.

    Apart from `load`, for only what makes a machine asks for this: a copy of the example can be looked at as it is.
    """
    document, _ = written.mapping(str(path), written.text(path))
    faults = [_placed(path, document, *it, of_key=True) for it in consistency.of_agents(settings)]
    if faults:
        raise SettingsInvalid(f"looking for the way of SSH to the machines of '{settings.name}'", faults, NO_WAY)


def placed(path: Path, found: Iterable[tuple[tuple[str | int, ...], str]]) -> list[Fault]:
    """Faults that somebody else found (in view of the cloud, say), each with the line and column of its key's value."""
    document, _ = written.mapping(str(path), written.text(path))
    return [_placed(path, document, *it) for it in found]


def _placed(
    path: Path, document: CommentedMap, place: tuple[str | int, ...], message: str, *, of_key: bool = False
) -> Fault:
    key = f"{'.'.join(map(str, place))}: " if len(place) > 1 else ""
    return Fault(str(path), *_position(document, place, of_key=of_key), f"{key}{message}")


def _faults(file: str, document: CommentedMap, errors: Sequence[ErrorDetails]) -> Iterator[Fault]:
    seen: set[tuple[int, int]] = set()
    for error in errors:
        path = tuple(part for part in error["loc"] if _is_in_file(part))
        line, column = _position(document, path, of_key=error["type"] == "extra_forbidden")
        if (line, column) in seen and error["type"] != "missing":
            continue  # a union reports once for each of its branches
        seen.add((line, column))
        yield Fault(file, line, column, _message(path, error))


def _is_in_file(part: str | int) -> bool:
    """Whether a part of pydantic's path is the file's: the names of union branches are pydantic's own."""
    return isinstance(part, int) or not re.search(r"[\[\](]|^(literal|str|tuple|constrained)", part)


def _message(path: tuple[str | int, ...], error: ErrorDetails) -> str:
    key = ".".join(str(part) for part in path)
    match error["type"]:
        case "extra_forbidden":
            return f"unknown key '{key}'{_suggestion(path)}"
        case "missing":
            return f"the key '{key}' is missing"
        case "value_error":
            text = error["msg"].removeprefix("Value error, ")
            return f"{key}: {text}" if key else text
        case "string_pattern_mismatch":
            return f"{key}: {error['input']!r} does not match {error['ctx']['pattern']}"
        case _:
            return f"{key}: {error['msg']}, not {error['input']!r}"


def _suggestion(path: tuple[str | int, ...]) -> str:
    model: Any = Settings
    for part in path[:-1]:
        field = model.model_fields.get(part) if isinstance(part, str) else None
        parts = (
            (field.annotation, *get_args(field.annotation)) if field else ()
        )  # an optional section is one of a union
        model = next((it for it in parts if isinstance(it, type) and issubclass(it, BaseModel)), None)
        if model is None:
            return ""
    near = difflib.get_close_matches(str(path[-1]), list(model.model_fields), n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else f"; known keys: {', '.join(model.model_fields)}"


def _position(document: CommentedMap, path: Sequence[str | int], *, of_key: bool = False) -> tuple[int, int]:
    """Line and column of the value that `path` leads to; of its key, where that is asked for or the value has parts."""
    node: Any = document
    line, column = 1, 1
    for part in path:
        if isinstance(node, CommentedMap) and part in node:
            is_scalar = not isinstance(node[part], CommentedMap | CommentedSeq)
            row, col = node.lc.value(part) if is_scalar and not of_key else node.lc.key(part)
        elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            row, col = node.lc.item(part)
        else:
            break
        line, column = row + 1, col + 1
        node = node[part]
    return line, column


def spoken_of(path: Path, settings: Settings, names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Which of these names are environments of the same cloud and region: each with its project and its network's block."""
    return consistency.spoken_of(path, settings, names)
