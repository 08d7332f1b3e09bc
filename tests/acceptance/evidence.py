"""What the checks look at, gathered once and at the same time: the machine, the controller, its TLS and the account.

Each function asks for one thing and judges nothing. `Evidence` starts those that the chosen checks need and hands out what
came back; what a function raises is raised for every check that needed it.
"""

from __future__ import annotations

import base64
import json
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import canary
import requests
import yaml
from canary import CANARY
from handshake import Place, Spoken, is_open, offer, speak
from testinfra.host import Host

from bootstrap.acts import jobs
from bootstrap.cloud.secrets import has_authority_key
from bootstrap.cloud.tags import list_tagged
from bootstrap.context import Context
from bootstrap.jenkins.controller.api import ask, expect
from bootstrap.network.model import Network
from bootstrap.stacks import composition
from bootstrap.values import Change
from bootstrap.views import network_reading, people

INSPECT = "/usr/local/sbin/inspect-machine"  # finds its own way to root, for operators and for Jenkins' builds
HOME_UNIT = "var-lib-jenkins.mount"
SYSCTL_FILE = "/etc/sysctl.d/90-bootstrap.conf"
_SECONDS = 60


@dataclass(frozen=True)
class Subject:
    """Everything through which a question may be asked; all of it is open before the first is."""

    context: Context
    host: Host
    server: str  # the controller's URL at this end of the tunnel, ending in '/'
    place: Place  # where its TLS is spoken


class Client:
    """One thread's own signed-in client: python-jenkins' single session is not made for several threads."""

    def __init__(self, subject: Subject) -> None:
        controller = subject.context.controller
        self.server = subject.server
        self._session = requests.Session()
        self._session.auth = (controller.user, controller.token.reveal())

    def jenkins_request(self, req: requests.Request, add_crumb: bool = True, resolve_auth: bool = True) -> Any:
        """Send it; an API token needs no crumb."""
        return self._session.send(self._session.prepare_request(req), timeout=_SECONDS)

    def json(self, path: str, tree: str) -> Any:
        """The answer of the API at `path`, cut to `tree`."""
        answer = ask(self, "GET", f"{path}api/json", params={"tree": tree})
        return expect(answer, f"asking Jenkins for {path or '/'}").json()


def inspection(subject: Subject) -> dict[str, Any]:
    """Everything about the machine that takes root to know, by its one inspector."""
    found: dict[str, Any] = json.loads(subject.host.check_output(INSPECT))
    return found


@dataclass(frozen=True)
class Visible:
    """What anybody on the machine may see: its clock (seconds since 1970, and ours then), a unit's and a file's text."""

    clock: float
    our_clock: float
    home_unit: str
    sysctls: str


def visible(subject: Subject) -> Visible:
    """All of it in one round trip; the clock of ours is that of its middle."""
    begun = time.time()
    told = subject.host.check_output(
        "date +%%s.%%N; echo ---; systemctl cat %s; echo ---; cat %s", HOME_UNIT, SYSCTL_FILE
    )
    clock, home_unit, sysctls = told.split("---\n")
    return Visible(float(clock), (begun + time.time()) / 2, home_unit, sysctls)


# --- the controller


def sign_in_page(subject: Subject) -> requests.Response:
    """The sign-in page, which everybody may see."""
    return requests.get(f"{subject.server}login", timeout=_SECONDS)


def strangers_answers(subject: Subject) -> dict[str, int]:
    """What pages a client without a name is answered with."""
    own = ("computer/api/json", "manage", "script", f"job/{CANARY}/", "configuration-as-code/", "prometheus/")
    paths = ("", "api/json", *own)
    with requests.Session() as session:
        return {
            path: session.get(f"{subject.server}{path}", timeout=_SECONDS, allow_redirects=False).status_code
            for path in paths
        }


def guessed_passwords(subject: Subject) -> dict[str, int]:
    """What signing in with the passwords that everybody tries first is answered with."""
    guesses = [
        ("admin", "admin"),
        ("admin", "password"),
        ("toolkit", "toolkit"),
        ("jenkins", "jenkins"),
        ("builds", "builds"),
    ]
    return {
        f"{user}:{word}": requests.get(f"{subject.server}api/json", auth=(user, word), timeout=_SECONDS).status_code
        for user, word in guesses
    }


@dataclass(frozen=True)
class Forged:
    """A request as a foreign page would forge it: a signed-in session's, with and without the crumb."""

    signed_in: int
    without_crumb: int
    with_crumb: int


def forged_request(subject: Subject) -> Forged:
    """Post an empty, harmless configuration to be checked, in a session that signed in with the password."""
    controller, path = subject.context.controller, f"{subject.server}configuration-as-code/check"
    with requests.Session() as session:
        session.auth = (controller.user, controller.password.reveal())
        signed_in = session.get(f"{subject.server}me/api/json", timeout=_SECONDS).status_code
        without = session.post(path, data="jenkins: {}\n", timeout=_SECONDS).status_code
        told = session.get(f"{subject.server}crumbIssuer/api/json", timeout=_SECONDS).json()
        crumb = {told["crumbRequestField"]: told["crumb"]}
        with_crumb = session.post(path, data="jenkins: {}\n", headers=crumb, timeout=_SECONDS).status_code
    return Forged(signed_in, without, with_crumb)


def controllers_state(subject: Subject) -> dict[str, Any]:
    """The controller about itself."""
    tree = "useCrumbs,useSecurity,quietingDown,mode,slaveAgentPort"
    found: dict[str, Any] = Client(subject).json("", tree)
    return found


def computers(subject: Subject) -> dict[str, dict[str, Any]]:
    """Every node of Jenkins, by its name."""
    told = Client(subject).json("computer/", "computer[displayName,offline,numExecutors]")
    return {computer["displayName"]: computer for computer in told["computer"]}


def installed_plugins(subject: Subject) -> dict[str, dict[str, Any]]:
    """Every plugin that Jenkins has, by its id."""
    told = Client(subject).json("pluginManager/", "plugins[shortName,version,active,enabled]")
    return {plugin["shortName"]: plugin for plugin in told["plugins"]}


def exported_settings(subject: Subject) -> dict[str, Any]:
    """The settings as Jenkins exports them."""
    answer = expect(ask(Client(subject), "POST", "configuration-as-code/export"), "exporting Jenkins' settings")
    found: dict[str, Any] = yaml.safe_load(answer.text)
    return found


def known_users(subject: Subject) -> dict[str, int]:
    """How Jenkins answers for each user that the configuration names: 200 for one that exists."""
    client, names = Client(subject), set()
    for text in subject.context.casc_files.values():
        realm = (yaml.safe_load(text).get("jenkins") or {}).get("securityRealm") or {}
        names |= {user["id"] for user in (realm.get("local") or {}).get("users", ())}
    return {name: ask(client, "GET", f"user/{name}/api/json").status_code for name in sorted(names)}


def job_changes(subject: Subject) -> tuple[Change, ...]:
    """What publishing the jobs would change."""
    return jobs.plan(Client(subject), subject.context.jobset)


def canary_build(subject: Subject) -> canary.Build:
    """The canary, started by these checks and followed to its end, or why it could not start."""
    return canary.build(Client(subject))


# --- TLS


def spoken(subject: Subject) -> Spoken:
    """The sign-in page, as a browser gets it."""
    return speak(subject.place, subject.context.controller.authority, "/login")


def signed_in(subject: Subject) -> Spoken:
    """A session, as a browser gets it: a crumb is made for one, and so brings one into being."""
    controller = subject.context.controller
    given = base64.b64encode(f"{controller.user}:{controller.password.reveal()}".encode()).decode()
    return speak(subject.place, controller.authority, "/crumbIssuer/api/json", f"Basic {given}")


def offers(subject: Subject) -> dict[str, str]:
    """What comes of offering each protocol version alone."""
    versions = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
    return {version.name: offer(subject.place, version) for version in versions}


def open_ports(subject: Subject) -> dict[int, bool]:
    """Which of the ports that must be closed are open, seen from here: plain HTTP, and Jenkins' own."""
    address = subject.context.machine.address
    with ThreadPoolExecutor() as pool:
        return dict(zip((80, 8080), pool.map(lambda port: is_open(address, port), (80, 8080)), strict=True))


# --- the account


@dataclass(frozen=True)
class Resource:
    """A resource of one of the stacks."""

    stack: str
    logical_id: str
    type: str
    physical_id: str

    @property
    def shown(self) -> str:
        """Stack, logical id and kind: 'network Vpc (AWS::EC2::VPC)'."""
        return f"{self.stack} {self.logical_id} ({self.type})"


# Kinds that take no tags of their own, by the CloudFormation resource specification.
UNTAGGED = frozenset(
    f"AWS::{kind}"
    for kind in (
        "DirectConnect::DirectConnectGatewayAssociation",
        "EC2::NetworkAclEntry",
        "EC2::Route",
        "EC2::SecurityGroupEgress",
        "EC2::SecurityGroupIngress",
        "EC2::SubnetCidrBlock",
        "EC2::SubnetNetworkAclAssociation",
        "EC2::SubnetRouteTableAssociation",
        "EC2::VPCCidrBlock",
        "EC2::VPCDHCPOptionsAssociation",
        "EC2::VPCGatewayAttachment",
        "EC2::VPNConnectionRoute",
        "EC2::VPNGatewayRoutePropagation",
        "EC2::VolumeAttachment",
        "IAM::InstanceProfile",
        "IAM::ManagedPolicy",
        "IAM::RolePolicy",
        "Logs::ResourcePolicy",
        "Route53::RecordSet",
        "Route53Resolver::ResolverQueryLoggingConfigAssociation",
        "S3::BucketPolicy",
    )
)


def tags_of_resources(subject: Subject) -> dict[str, dict[str, str]]:
    """Every resource of the stacks that takes tags, as shown to people, with its tags; ValueError for a kind unknown here."""
    context = subject.context
    client = context.world.aws("cloudformation")
    found = [
        Resource(name, it["LogicalResourceId"], it["ResourceType"], it["PhysicalResourceId"])
        for name, stack in context.stacks.items()
        for page in client.get_paginator("list_stack_resources").paginate(StackName=stack.name)
        for it in page["StackResourceSummaries"]
        if it["ResourceType"] not in UNTAGGED
    ]
    by_id = _tags_in_ec2(context, [it for it in found if it.type.startswith("AWS::EC2::")])
    told = {it: by_id[it.physical_id] if it.physical_id in by_id else _tags(context, it) for it in found}
    # Which kinds a stack of one's own has is not known, so that one without any tag may be one that takes none.
    return {it.shown: tags for it, tags in told.items() if tags or composition.is_of_toolkit(it.stack)}


def _tags_in_ec2(context: Context, resources: list[Resource]) -> dict[str, dict[str, str]]:
    """Tags by physical id, in one request; where CloudFormation's id is not EC2's own, it is looked up first."""
    ec2 = context.world.aws("ec2")
    own = {it.physical_id: it.physical_id for it in resources}
    for it in resources:
        if it.type == "AWS::EC2::KeyPair":
            (pair,) = ec2.describe_key_pairs(KeyNames=[it.physical_id])["KeyPairs"]
            own[it.physical_id] = pair["KeyPairId"]
        if it.type == "AWS::EC2::EIP":
            (address,) = ec2.describe_addresses(PublicIps=[it.physical_id])["Addresses"]
            own[it.physical_id] = address["AllocationId"]
    pages = ec2.get_paginator("describe_tags").paginate(Filters=[{"Name": "resource-id", "Values": list(own.values())}])
    told = [tag for page in pages for tag in page["Tags"]]
    return {
        physical: {tag["Key"]: tag["Value"] for tag in told if tag["ResourceId"] == real}
        for physical, real in own.items()
    }


def _tags(context: Context, resource: Resource) -> dict[str, str]:
    match resource.type:
        case "AWS::SecretsManager::Secret":
            told = context.world.aws("secretsmanager").describe_secret(SecretId=resource.physical_id)
        case "AWS::IAM::Role":
            told = context.world.aws("iam").list_role_tags(RoleName=resource.physical_id)
        case "AWS::Logs::LogGroup":
            told = context.world.aws("logs").list_tags_log_group(logGroupName=resource.physical_id)
            return dict(told["tags"])
        case "AWS::Route53::HostedZone":
            asked = {"ResourceType": "hostedzone", "ResourceId": resource.physical_id}
            told = context.world.aws("route53").list_tags_for_resource(**asked)["ResourceTagSet"]
        case "AWS::S3::Bucket":
            told = {"Tags": context.world.aws("s3").get_bucket_tagging(Bucket=resource.physical_id)["TagSet"]}
        case "AWS::AutoScaling::AutoScalingGroup":
            mine = [{"Name": "auto-scaling-group", "Values": [resource.physical_id]}]
            told = context.world.aws("autoscaling").describe_tags(Filters=mine)
        case "AWS::Route53Resolver::ResolverQueryLoggingConfig":
            partition, region, account = _place_of(context)
            arn = f"arn:{partition}:route53resolver:{region}:{account}:resolver-query-log-config/{resource.physical_id}"
            told = context.world.aws("route53resolver").list_tags_for_resource(ResourceArn=arn)
        case _ if not composition.is_of_toolkit(resource.stack):
            return _tags_of_own(context, resource)
        case _:
            raise ValueError(f"{resource.shown}: this suite does not know how to ask for the tags of that kind")
    return {tag["Key"]: tag["Value"] for tag in told.get("Tags", ())}


def _tags_of_own(context: Context, resource: Resource) -> dict[str, str]:
    """The tags of a resource of any kind, as the tagging service tells them; {} where it does not know the resource."""
    mine = {"Environment": context.settings.name}
    ends = (f":{resource.physical_id}", f"/{resource.physical_id}")
    told = (
        it for it in list_tagged(context.world.aws, mine) if it.arn == resource.physical_id or it.arn.endswith(ends)
    )
    return next((dict(it.tags) for it in told), {})


def _place_of(context: Context) -> tuple[str, str, str]:
    """Partition, region and account, as the ARN of the machine's role and the settings tell them."""
    _, partition, _, _, account, _ = context.outputs("controller")["RoleArn"].split(":", 5)
    return partition, context.settings.region, account


def stacks_told(subject: Subject) -> dict[str, dict[str, Any]]:
    """CloudFormation's own description of each stack."""
    client = subject.context.world.aws("cloudformation")
    return {
        name: client.describe_stacks(StackName=stack.name)["Stacks"][0]
        for name, stack in subject.context.stacks.items()
    }


def instance(subject: Subject) -> dict[str, Any]:
    """The machine as EC2 describes it."""
    ec2 = subject.context.world.aws("ec2")
    told = ec2.describe_instances(InstanceIds=[subject.context.outputs("controller")["InstanceId"]])
    found: dict[str, Any] = told["Reservations"][0]["Instances"][0]
    return found


def volumes(subject: Subject) -> dict[str, dict[str, Any]]:
    """The data volume, and all that are attached to the machine, by id."""
    ec2, context = subject.context.world.aws("ec2"), subject.context
    of_machine = {"Name": "attachment.instance-id", "Values": [context.outputs("controller")["InstanceId"]]}
    told = ec2.describe_volumes(Filters=[of_machine])["Volumes"]
    told += ec2.describe_volumes(VolumeIds=[context.outputs("data")["DataVolumeId"]])["Volumes"]
    return {volume["VolumeId"]: volume for volume in told}


def security_groups(subject: Subject) -> dict[str, dict[str, Any]]:
    """Every security group of the VPC, by id."""
    ec2, network = subject.context.world.aws("ec2"), subject.context.outputs("network")
    told = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [network["VpcId"]]}])
    return {group["GroupId"]: group for group in told["SecurityGroups"]}


SECRETS = (
    *("AdminPasswordSecret", "ToolkitPasswordSecret", "ToolkitTokenSecret", "CertificatesSecret"),
    "AuthorityKeySecret",
    "PeopleSecret",
)
UNREADABLE = ("AdminPasswordSecret", "AuthorityKeySecret", "PeopleSecret")


def network(subject: Subject) -> Network:
    """Everything that decides who reaches whom, as EC2 tells it; who is not there yet is where the stacks will put them."""
    return network_reading.add_planned_interfaces(subject.context, network_reading.read(subject.context))


def kept_secrets(subject: Subject) -> dict[str, dict[str, Any]]:
    """Secrets Manager's description of each secret; their values are not asked for."""
    client, data = subject.context.world.aws("secretsmanager"), subject.context.outputs("data")
    return {name: client.describe_secret(SecretId=data[name]) for name in SECRETS}


def trust_in_people(subject: Subject) -> dict[str, list[Mapping[str, Any]]]:
    """The statements of the trust policies of the roles for people, by role."""
    return people.read_trust(subject.context)


def machines_rights(subject: Subject) -> dict[str, str]:
    """What IAM's simulator decides of what the machine's role must not do."""
    context = subject.context
    controller, data = context.outputs("controller"), context.outputs("data")
    asked = [("secretsmanager:GetSecretValue", data[name]) for name in UNREADABLE]
    if len(context.settings.networks) > 1:
        partition, region, account = _place_of(context)
        stack = f"{context.settings.project}-{context.settings.networks[-1]}-network"
        asked.append(("sts:AssumeRole", controller["PromotionRoleArn"]))
        arn = f"arn:{partition}:cloudformation:{region}:{account}:stack/{stack}/any"
        asked.append(("cloudformation:ExecuteChangeSet", arn))
    iam, found = context.world.aws("iam"), dict[str, str]()
    for action, resource in asked:
        (told,) = iam.simulate_principal_policy(
            PolicySourceArn=controller["RoleArn"], ActionNames=[action], ResourceArns=[resource]
        )["EvaluationResults"]
        found[f"{action} on {resource}"] = told["EvalDecision"]
    return found


def files_bucket(subject: Subject) -> dict[str, Any]:
    """The settings of the bucket with the files of Jenkins; empty if the environment has none."""
    context = subject.context
    if not context.settings.jenkins.bucket:
        return {}
    s3, name = context.world.aws("s3"), context.outputs("distribution")["DistributionBucket"]
    encryption = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    return {
        "encryption": [it["ApplyServerSideEncryptionByDefault"] for it in encryption],
        "blocks": s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"],
        "statements": json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"],
        "rules": s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"],
    }


def key_beside_certificates(subject: Subject) -> bool:
    """Whether the secret with the certificates, which the machine's role reads, has the authority's key in it."""
    arn = subject.context.outputs("data")["CertificatesSecret"]
    return has_authority_key(subject.context.world.aws("secretsmanager"), arn)


GATHERERS: dict[str, Callable[[Subject], Any]] = {
    function.__name__: function
    for function in (
        # The slowest first, for they set how long it all takes.
        canary_build,
        inspection,
        visible,
        job_changes,
        open_ports,
        sign_in_page,
        strangers_answers,
        guessed_passwords,
        forged_request,
        controllers_state,
        computers,
        installed_plugins,
        exported_settings,
        known_users,
        trust_in_people,
        spoken,
        signed_in,
        offers,
        tags_of_resources,
        stacks_told,
        instance,
        volumes,
        security_groups,
        kept_secrets,
        machines_rights,
        key_beside_certificates,
        files_bucket,
        network,
    )
}


class Evidence:
    """What was gathered, by the gatherers' names."""

    def __init__(self, subject: Subject, wanted: Iterable[str]) -> None:
        self._pool = ThreadPoolExecutor(len(GATHERERS))
        names = set(wanted)
        self._found: dict[str, Future[Any]] = {
            name: self._pool.submit(gather, subject) for name, gather in GATHERERS.items() if name in names
        }
        # pytest deletes a variable of the environment after each test, and clients of HTTP copy the environment: a thread
        # that does so at that moment ends with KeyError. So no test ends before every thread has.
        wait(self._found.values())

    def of(self, name: str) -> Any:
        """What one gatherer returned, or its exception."""
        return self._found[name].result()

    def close(self) -> None:
        """Wait for whoever still gathers."""
        self._pool.shutdown()
