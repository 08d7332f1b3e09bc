"""The keys of environment files: each with its type, its default and its bounds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from bootstrap.environment import agent_key, other_environments, versions
from bootstrap.environment.agents import Agents
from bootstrap.environment.network_options import (
    Bastion,
    DirectConnect,
    DomainName,
    FlowLogs,
    Peering,
    PublicZone,
    Service,
    TransitGateway,
    Vpn,
    Zones,
)
from bootstrap.environment.network_section import Intentions
from bootstrap.environment.people import People
from bootstrap.environment.sections import (
    AllowedBlock,
    BoundaryArn,
    InstanceType,
    KeyArn,
    Name,
    NetworkBlock,
    OwnSecret,
    SecretName,
    Section,
    ServerUrl,
)
from bootstrap.environment.sign_in import SignIn

Port = Annotated[int, Field(ge=1, le=65535)]
Security = Literal["none", "starttls", "tls"]
_MAIL_PORTS: dict[Security, int] = {"none": 25, "starttls": 587, "tls": 465}
SMTP_PASSWORD = "SMTP_PASSWORD"  # noqa: S105 (a name)
"""The name under which Jenkins' settings use the password of the mail server."""
LOCAL_MAIL_USER = "jenkins"
"""The user of the local cloud's mail server; its password is made at the first start."""
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}  # by the begin of the region's name
AgentKey = Annotated[str, AfterValidator(agent_key.check_agent_key)]
Address = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]


class Account(Section):
    """What the account demands of the environment, or has for it.

    `permissions_boundary` is the policy that bounds every role which the templates make. `kms_key_arn` is the customer key that
    encrypts volumes, secrets and log groups; without it they are encrypted with the keys of AWS.
    """

    permissions_boundary: BoundaryArn | None = None
    kms_key_arn: KeyArn | None = None


class Network(Section):
    """The VPC: its block, its availability zones and tiers, its NAT gateways, and its options."""

    cidr: NetworkBlock = other_environments.CIDR
    # The number of availability zones (the first ones by name), or their names in the order of the subnets.
    zones: Zones = 2
    nat: Literal["none", "one", "per-zone"] = "none"
    # Whether there is an isolated subnet in each zone beside the public and the private one.
    isolated: bool = True
    ipv6: bool = False
    endpoints: tuple[Service, ...] = ()
    flow_logs: FlowLogs | None = None
    private_zone: DomainName | None = None
    public_zone: PublicZone | None = None
    bastion: Bastion | None = None
    vpn: Vpn | None = None
    transit_gateway: TransitGateway | None = None
    direct_connect: DirectConnect | None = None
    peering: Peering | None = None
    # The environments whose networks the job 'network' changes; the second one after an approval. Empty: only its own.
    promotion: Annotated[tuple[Name, ...], Field(max_length=2)] = ()
    intentions: Intentions = Intentions()

    @property
    def zone_count(self) -> int:
        """The number of availability zones with subnets."""
        return self.zones if isinstance(self.zones, int) else len(self.zones)

    @property
    def zone_names(self) -> tuple[str, ...]:
        """The zones that the file names; empty if it has only their number."""
        return () if isinstance(self.zones, int) else self.zones


class Access(Section):
    """Who may reach the machine (at most four blocks, or nobody) and how SSH gets there.

    The default of `ssh` is 'session-manager' on AWS and 'direct' in the local cloud. `agent_key` is the public key with which
    Amazon signs the agent of Session Manager: the machine installs an agent only if this key signed it.
    """

    operator_cidrs: Annotated[tuple[AllowedBlock, ...], Field(max_length=4)] = ()
    ssh: Literal["session-manager", "direct", "bastion"] | None = None
    agent_key: AgentKey | None = None


class ControllerMachine(Section):
    """The EC2 instance of the controller, and the sizes of its volumes in GiB."""

    instance_type: InstanceType = "t3.large"
    root_gib: Annotated[int, Field(ge=8, le=1024)] = 16
    data_gib: Annotated[int, Field(ge=1, le=16384)] = 20


class JenkinsSettings(Section):
    """The source of Jenkins' distribution, and how Jenkins runs."""

    source: Literal["official", "mirror", "file", "emulator"] = "official"
    mirror: Annotated[str, Field(pattern=r"^https?://")] | None = None
    file: str | None = None
    # Whether the machine downloads these files from a bucket of the environment, through the gateway endpoint of S3.
    bucket: bool = False
    fallback: Literal["none", "emulator"] = "none"
    heap: Annotated[str, Field(pattern=r"^[1-9][0-9]*[mg]$")] = "1g"
    # At least two: a build of 'verify' waits for one of 'canary'.
    executors: Annotated[int, Field(ge=2, le=64)] = 2
    # How long a restart waits for running builds; 0 does not wait.
    drain_minutes: Annotated[int, Field(ge=0, le=240)] = 10
    admin_address: Address = "jenkins@localhost"
    url: ServerUrl | None = None
    # Secrets of one's own, by the names with which the files in casc/ use them: ${NAME}.
    secrets: dict[SecretName, OwnSecret] = {}

    @model_validator(mode="after")
    def _check_source(self) -> JenkinsSettings:
        if self.source == "mirror" and not self.mirror:
            raise ValueError("'source: mirror' needs the key 'mirror' with the mirror's base URL")
        if self.source == "file" and not self.file:
            raise ValueError("'source: file' needs the key 'file' with the path of a WAR")
        return self


class Mail(Section):
    """The mail server that Jenkins sends through, and the login there.

    Without `smtp_host` it is a mail server on the machine itself on AWS, and the local cloud's own, which keeps the messages
    and has a login of its own. `Settings.mail_security` and `Settings.mail_port` have the defaults of `security` and
    `smtp_port`. Without `sender`, mail comes from `jenkins.admin_address`.
    """

    smtp_host: str | None = None
    smtp_port: Port | None = None
    security: Security | None = None
    user: Annotated[str, Field(pattern=r"^[^\s$]{1,320}$")] | None = None
    password: OwnSecret | None = None
    sender: Address | None = None
    # Whether the local cloud's mail server is in the sandbox, as a new account of SES is: recipients must be verified, too.
    sandbox: bool = False
    reply_to: Address = "no-reply@localhost"


def _check_branch(name: str) -> str:
    """Returns the name of a branch; ValueError for the place where a launch keeps commits that were pushed."""
    if name.partition("/")[0] == "pushed":
        raise ValueError(f"{name!r}: a launch keeps pushed commits in branches below 'pushed'; choose another branch")
    return name


class Repository(Section):
    """The Git repository from which the jobs check out this toolkit; without `url`, a bare repository on the machine."""

    url: str | None = None
    branch: Annotated[str, Field(pattern=r"^[A-Za-z0-9._/-]+$"), AfterValidator(_check_branch)] = "main"


class Host(Section):
    """Settings of the machine that Jenkins itself does not need."""

    timezone: Annotated[str, Field(pattern=r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$")] = "Etc/UTC"
    extra_packages: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]+$")], ...] = ()
    ca_certificates: Literal["auto"] | tuple[str, ...] = "auto"


class Settings(Section):
    """An environment: what is launched, and where."""

    # The version of these files, by which an older one is told what to change (`versions`).
    version: Annotated[int, Field(ge=1)] = versions.CURRENT
    environment: Name
    project: Name = other_environments.PROJECT
    cloud: Literal["local", "aws"]
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")] = other_environments.REGION
    owner: Annotated[str, Field(min_length=1, max_length=256)]
    cost_center: Annotated[str, Field(min_length=1, max_length=256)]
    # Tags of every resource, beside the toolkit's own seven; `tags.find_faults` has the rules of AWS.
    tags: dict[str, str] = {}
    # Stacks of one's own, by the names of their templates in cloudformation/, in the order of their creation.
    stacks: tuple[Name, ...] = ()
    # A protected environment is destroyed only with --unprotect, and each of its stacks has termination protection.
    protect: bool = False
    account: Account = Account()
    network: Network = Network()
    access: Access = Access()
    controller: ControllerMachine = ControllerMachine()
    jenkins: JenkinsSettings = JenkinsSettings()
    mail: Mail = Mail()
    repository: Repository = Repository()
    host: Host = Host()
    # The groups of agents on which builds run, by their labels (`agents`).
    agents: Agents = {}
    # Who works with the environment, by their ids (`people`).
    people: People = {}
    # The identity provider at which people sign in to Jenkins (`sign_in`); without it, they have accounts in Jenkins itself.
    sign_in: SignIn | None = None

    @property
    def name(self) -> str:
        """The environment's name."""
        return self.environment

    @property
    def keys(self) -> tuple[str, ...]:
        """The customer keys that the file names, each once."""
        network = self.network
        logs = network.flow_logs.kms_key_arn if network.flow_logs else None
        queries = network.public_zone.queries if network.public_zone else None
        named = (self.account.kms_key_arn, logs, queries.kms_key_arn if queries else None)
        return tuple(dict.fromkeys(it for it in named if it))

    @property
    def partition(self) -> str:
        """The partition of AWS to which the region belongs, as ARNs have it."""
        return next((name for start, name in _PARTITIONS.items() if self.region.startswith(start)), "aws")

    @property
    def ssh(self) -> Literal["session-manager", "direct", "bastion"]:
        """How SSH reaches the machine."""
        return self.access.ssh or ("session-manager" if self.cloud == "aws" else "direct")

    @property
    def emulator_key(self) -> str:
        """The key by which the emulator takes the place of Jenkins, always or if need be; '' if it never does."""
        by_key = {"jenkins.source": self.jenkins.source, "jenkins.fallback": self.jenkins.fallback}
        return next((key for key, value in by_key.items() if value == "emulator"), "")

    @property
    def provider(self) -> SignIn | None:
        """The provider at which people sign in; None where the emulator may run, which has accounts of its own alone."""
        return None if self.emulator_key else self.sign_in

    @property
    def is_mail_kept(self) -> bool:
        """Whether the mail goes to the local cloud's own mail server."""
        return self.cloud == "local" and self.mail.smtp_host is None

    @property
    def mail_security(self) -> Security:
        """How the connection to the mail server is encrypted; a login is sent on an encrypted one only."""
        return self.mail.security or ("starttls" if self.mail.user or self.is_mail_kept else "none")

    @property
    def mail_port(self) -> int:
        """The port of the mail server."""
        return self.mail.smtp_port or _MAIL_PORTS[self.mail_security]

    @property
    def mail_sender(self) -> str:
        """The address that Jenkins' mail comes from."""
        return self.mail.sender or self.jenkins.admin_address

    @property
    def own_secrets(self) -> dict[tuple[str, ...], OwnSecret]:
        """The secrets that exist elsewhere, by their keys in the file; the last part of a key is not always their name."""
        named = {("jenkins", "secrets", name): source for name, source in self.jenkins.secrets.items()}
        return named | ({("mail", "password"): self.mail.password} if self.mail.password else {})

    @property
    def names(self) -> tuple[str, ...]:
        """The controller's names in the environment's hosted zones, first the one in the public hosted zone."""
        public = self.network.public_zone.domain if self.network.public_zone else None
        zones = dict.fromkeys(it for it in (public, self.network.private_zone) if it)
        return tuple(f"{self.project}.{zone}" for zone in zones)

    @property
    def networks(self) -> tuple[str, ...]:
        """The environments whose networks the job 'network' of this Jenkins changes, in their order."""
        return self.network.promotion or (self.environment,)

    def name_stack(self, stack: str) -> str:
        """The full name of one of the environment's stacks: <project>-<environment>-<stack>."""
        return f"{self.project}-{self.environment}-{stack}"
