"""Environment files: what a person wishes, read into frozen, typed settings.

The models below are the whole vocabulary. A file is refused as a whole, before anything is touched, with every fault at its
line and column; a key that is nearly right gets a suggestion. `schema()` is the same vocabulary as JSON Schema, checked in as
`environments/schema.json` so that editors complete it.
"""

from __future__ import annotations

import difflib
import ipaddress
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from bootstrap import agent_key, written
from bootstrap.errors import Fault, SettingsInvalid
from bootstrap.network.section import Intentions
from bootstrap.network.section import faults as faults_of_intentions
from bootstrap.network_options import Bastion, DirectConnect, FlowLogs, Peering, Service, Vpn, Zone
from bootstrap.sections import AllowedBlock, InstanceType, Name, NetworkBlock, Section

Port = Annotated[int, Field(ge=1, le=65535)]
AgentKey = Annotated[str, AfterValidator(agent_key.checked)]
Address = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]


_NO_WAY = (
    "The key stands on the page 'Verifying the signature of SSM Agent' in the user guide of AWS Systems Manager; "
    "access.ssh 'direct' or 'bastion' needs neither agent nor endpoints."
)


class Network(Section):
    """The VPC: its block, how many availability zones, how its private subnets reach out, and what else it has."""

    cidr: NetworkBlock = "10.77.0.0/16"
    zones: Literal[2, 3] = 2
    nat: Literal["none", "one", "per-zone"] = "none"
    ipv6: bool = False
    endpoints: tuple[Service, ...] = ()
    flow_logs: FlowLogs | None = None
    private_zone: Zone | None = None
    bastion: Bastion | None = None
    vpn: Vpn | None = None
    direct_connect: DirectConnect | None = None
    peering: Peering | None = None
    # The environments whose networks the job 'network' brings up, the second after a question; none means its own.
    promotion: Annotated[tuple[Name, ...], Field(max_length=2)] = ()
    intentions: Intentions = Intentions()


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
    """The mail server that Jenkins sends through."""

    smtp_host: str = "localhost"
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
    project: Name = "jenkins"
    cloud: Literal["local", "aws"]
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")] = "eu-central-1"
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
            faults = list(_faults_beside_others(path, document, settings))
    if faults or settings is None:
        remedy = "Mend the file; environments/aws.yaml explains every key."
        raise SettingsInvalid(doing, sorted(faults, key=lambda fault: (fault.line, fault.column)), remedy)
    return settings


def check_ssh(path: Path, settings: Settings) -> None:
    """SettingsInvalid where the machine is to be reached through Session Manager and its agent could not be had or be heard.

    Apart from `load`, for only what makes a machine asks for this: a copy of the example can be looked at as it is.
    """
    if settings.ssh != "session-manager":
        return
    document, _ = written.mapping(str(path), written.text(path))
    faults = [
        Fault(str(path), *_position(document, place, of_key=True), f"{'.'.join(place)}: {message}")
        for place, message in _faults_of_agent(settings)
    ]
    if faults:
        raise SettingsInvalid(f"looking for the way of SSH to the machine of '{settings.name}'", faults, _NO_WAY)


def _faults_of_agent(settings: Settings) -> Iterator[tuple[tuple[str, str], str]]:
    missing = [it for it in ("ssm", "ssmmessages", "ec2messages") if it not in settings.network.endpoints]
    if settings.network.nat == "none" and missing:
        yield (
            ("network", "endpoints"),
            (
                "without NAT the machine's agent reaches Session Manager by interface endpoints alone; "
                f"there is none for {', '.join(missing)}"
            ),
        )
    if settings.access.agent_key is None:
        yield (
            ("access", "agent_key"),
            (
                "is missing: Debian's image brings no agent of Session Manager, and the machine installs what Amazon signed"
            ),
        )


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


def _faults_beside_others(path: Path, document: CommentedMap, settings: Settings) -> Iterator[Fault]:
    """What is wrong only in view of the file's name and of its neighbours: two networks of one cloud may not overlap."""
    if settings.environment != path.stem:
        message = f"the name must equal the file's: '{path.stem}', not '{settings.environment}'"
        yield Fault(str(path), *_position(document, ("environment",)), message)
    block = ipaddress.ip_network(settings.network.cidr)
    for other in sorted(path.parent.glob("*.yaml")):
        theirs = _network_of(other, settings.cloud, settings.region) if other.stem != path.stem else None
        if theirs is not None and block.overlaps(theirs):
            message = f"network.cidr: {block} overlaps with {theirs} of the environment '{other.stem}' ({other.name})"
            yield Fault(str(path), *_position(document, ("network", "cidr")), message)
    for key, message in _faults_of_access(settings):
        yield Fault(str(path), *_position(document, ("access", key)), f"access.{key}: {message}")
    for place, message in _faults_of_network(path, settings):
        yield Fault(
            str(path), *_position(document, ("network", *place)), f"network.{'.'.join(map(str, place))}: {message}"
        )


def _faults_of_access(settings: Settings) -> Iterator[tuple[str, str]]:
    """What the way of SSH needs beside itself: the key below 'access' that decides it, and what is missing."""
    network, access = settings.network, settings.access
    if settings.ssh == "bastion" and network.bastion is None:
        yield "ssh", "there is no bastion to come through; add network.bastion"
    if settings.ssh == "direct" and settings.cloud == "aws" and access.operator_cidr is None:
        yield "ssh", "nobody may reach port 22; name access.operator_cidr, or leave 'ssh' out to use Session Manager"
    if settings.ssh == "session-manager" and settings.cloud == "local":
        yield "ssh", "the AWS on this machine has no Session Manager; leave 'ssh' out to connect directly"


def _faults_of_network(path: Path, settings: Settings) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What an option of the network cannot be beside the others: its place below 'network', and why."""
    network, block = settings.network, ipaddress.ip_network(settings.network.cidr)
    routes = network.vpn.routes if network.vpn else ()
    for number, route in enumerate(routes):
        if block.overlaps(ipaddress.ip_network(route)):
            yield ("vpn", "routes", number), f"{route} overlaps with the VPC's own {block}"
    if network.peering is not None:
        other = network.peering.environment
        if other == settings.name:
            yield ("peering", "environment"), "an environment does not peer with itself"
        elif _network_of(path.with_name(f"{other}.yaml"), settings.cloud, settings.region) is None:
            yield ("peering", "environment"), f"'{other}' is no environment of the same cloud and region"
    for number, name in enumerate(network.promotion):
        if name in network.promotion[:number]:
            yield ("promotion", number), f"'{name}' stands twice"
        elif name != settings.name and _project_of(path.with_name(f"{name}.yaml"), settings) != settings.project:
            yield ("promotion", number), f"'{name}' is no environment of the same project, cloud and region"
    if settings.cloud == "local" and network.direct_connect is not None:
        yield ("direct_connect",), "the AWS on this machine has no virtual interfaces"
    if network.vpn and network.vpn.direct_connect_gateway and network.direct_connect:
        ours, theirs = network.direct_connect.gateway, network.vpn.direct_connect_gateway
        if network.direct_connect.type == "private" and ours != theirs:
            yield ("direct_connect", "gateway"), f"vpn.direct_connect_gateway is another: {theirs}"
    bastion = network.bastion.allow if network.bastion else ()
    direct = settings.ssh == "direct"
    named = spoken_of(path, settings, network.intentions.environments())
    if not network.intentions.environments() <= named.keys():  # only then are all of them wanted, to name what there is
        named = spoken_of(path, settings, sorted(it.stem for it in path.parent.glob("*.yaml")))
    for place, message in faults_of_intentions(
        *(network.intentions, settings.access.operator_cidr, bastion),
        environments={name: block for name, (_, block) in named.items()},
        own=settings.name,
        is_ssh_direct=direct,
    ):
        yield ("intentions", *place), message


def spoken_of(path: Path, settings: Settings, names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Which of these names are environments of the same cloud and region: each with its project and its network's block."""
    found = {settings.name: (settings.project, settings.network.cidr)}
    for name in names:
        file = path.with_name(f"{name}.yaml")
        project, block = _project_of(file, settings), _network_of(file, settings.cloud, settings.region)
        if name != settings.name and project is not None and block is not None:
            found[name] = (project, str(block))
    return found


def _project_of(path: Path, settings: Settings) -> str | None:
    """The project of a neighbouring file, where it is readable and lies in the same cloud and region."""
    if _network_of(path, settings.cloud, settings.region) is None:
        return None
    document, _ = written.mapping(str(path), written.text(path))
    return str(document.get("project", Settings.model_fields["project"].default))


def _network_of(path: Path, cloud: str, region: str) -> ipaddress.IPv4Network | None:
    """The network block of a neighbouring file, where it is readable and lies in the same cloud and region."""
    try:
        document, faults = written.mapping(str(path), written.text(path))
        if faults or (document.get("cloud"), document.get("region", region)) != (cloud, region):
            return None
        return ipaddress.IPv4Network(document.get("network", {}).get("cidr", Network().cidr))
    except (OSError, ValueError, AttributeError):
        return None  # its own launch will say what is wrong with it
