"""Generates the policies of an environment: of the launcher, and of the operator, who works with it from day to day.

What CloudFormation does for its caller is allowed only through CloudFormation (aws:CalledVia). The policies are small, but not
the smallest possible ones: schemas have permissions for optional features of a handler, and conditions of templates are not
evaluated here.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from bootstrap.doctor.actions import Needs
from bootstrap.environment.models import Settings

LARGEST = 6144  # the longest managed policy, in characters without white space
MOST = 10  # managed policies that a user or a role can have, unless its account's quota was raised
_READS = ("BatchDescribe", "BatchGet", "Describe", "Get", "List", "Simulate")
# The name of a role that CloudFormation generates begins with at least so many characters of the stack's name: IAM's names have
# at most 64 characters.
_KEPT_OF_STACK = 24
_THROUGH_CLOUDFORMATION = {"ForAnyValue:StringEquals": {"aws:CalledVia": ["cloudformation.amazonaws.com"]}}
# Reading a secret's value, and what changes a secret that exists; a new secret has no tag yet.
_OF_EXISTING_SECRETS = ("DeleteSecret", "GetSecretValue", "PutSecretValue", "UpdateSecret")
# What EC2 does with the key of a volume in the caller's name (EBS User Guide, 'Requirements for Amazon EBS encryption').
_OF_VOLUMES = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
_GRANT_IS_FOR_AWS = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
_LOOKS_AT_KEYS = frozenset({"kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants"})
# What makes a role or gives it permissions; IAM compares the role's boundary, or the one that it gets, with the condition.
_BOUNDED = frozenset({"iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"})
Statement = dict[str, Any]


def document(settings: Settings, needs: Needs) -> dict[str, Any]:
    """The launcher's policy: the toolkit's own calls, what CloudFormation does for it, and iam:PassRole for the roles.

    Reading actions are allowed on all resources, because most services do not limit them. Writing actions of the toolkit itself
    are limited to resources with the environment's tags.
    """
    names, kinds = _Names(settings), _sort_actions(needs.own)
    stacks = {*kinds["cloudformation"], *_OF_CHANGE_SETS, "cloudformation:DetectStackResourceDrift"}
    return _policy(
        _statement("Stacks", stacks - _WITHOUT_A_STACK, names.stacks),
        *_looking(settings, names, needs, kinds),
        _statement("Secrets", kinds["secretsmanager"], names.secrets, names.tagged),
        # Whom the roles trust is another matter: of the environment's roles only the one that promotes trusts people.
        _statement("Approve", kinds["sts"] if len(settings.networks) > 1 else (), names.roles),
        _statement("ChangeOwn", kinds["writes"], "*", names.tagged),
        *_direct_connect(settings, names, kinds["directconnect"]),
        *_using_keys(settings, kinds["kms"]),
        *_through_cloudformation(settings, names, needs.through_cloudformation),
        _statement(
            "HandOverTheRoles",
            ["iam:PassRole"] if needs.role_services else (),
            names.roles,
            {"StringEquals": {"iam:PassedToService": sorted(needs.role_services)}},
        ),
    )


def operator(settings: Settings, needs: Needs) -> dict[str, Any]:
    """The operator's policy: looking, sessions, the secrets, plans and drift detection. It changes nothing on AWS.

    An operator changes what is on the machine: packages, settings, jobs. A change set is made for a plan of a stack that
    exists, and deleted; executing one needs the launcher.
    """
    names, kinds = _Names(settings), _sort_actions(needs.own)
    stacks = {it for it in kinds["cloudformation"] if _is_reading(it)} - _WITHOUT_A_STACK
    plans = {"CreateChangeSet", "DeleteChangeSet", "DetectStackDrift", "DetectStackResourceDrift", "TagResource"}
    handlers = [it for it in needs.through_cloudformation if _is_reading(it) and it not in _VALUES]
    return _policy(
        _statement("Stacks", {*stacks, *(f"cloudformation:{it}" for it in plans)}, names.stacks),
        *_looking(settings, names, needs, kinds),
        _statement("Secrets", filter(_is_reading, kinds["secretsmanager"]), names.secrets, names.tagged),
        _statement("Approve", kinds["sts"] if len(settings.networks) > 1 else (), names.roles),
        *_reading_with_keys(settings, kinds["kms"]),
        # CloudFormation's drift detection reads every resource with the caller's permissions.
        _statement("DetectDrift", handlers, "*", _THROUGH_CLOUDFORMATION),
    )


# A change set sets the tags of the stack, which needs these two additional actions.
_OF_CHANGE_SETS = frozenset({"cloudformation:TagResource", "cloudformation:UntagResource"})
# Actions without a resource type: the id of a detection is no resource for IAM.
_WITHOUT_A_STACK = frozenset(
    {"cloudformation:DescribeStackDriftDetectionStatus", "cloudformation:BatchDescribeTypeConfigurations"}
)
_VALUES = frozenset({"secretsmanager:GetSecretValue", "ssm:GetParameter", "ssm:GetParameters", "s3:GetObject"})


class _Names:
    """The ARNs of an environment, and the conditions that bind to it."""

    def __init__(self, settings: Settings) -> None:
        region, prefix = settings.region, f"{settings.project}-{settings.name}-"
        self.own = f"arn:{settings.partition}"
        self.region = region
        self.stacks = f"{self.own}:cloudformation:{region}:*:stack/{prefix}*"
        # CloudFormation names a secret by its logical id, not by its stack: the tags tell whose it is.
        self.secrets = f"{self.own}:secretsmanager:{region}:*:secret:*"
        start = prefix[:_KEPT_OF_STACK]
        self.roles = f"{self.own}:iam::*:role/{start}*"
        self.profiles = f"{self.own}:iam::*:instance-profile/{start}*"
        self.tags = {"Project": settings.project, "Environment": settings.name}
        self.tagged = {"StringEquals": {f"aws:ResourceTag/{key}": value for key, value in self.tags.items()}}

    def secret(self, name: str) -> str:
        """The ARN of a secret by its name or ARN; Secrets Manager adds six characters to the name."""
        return name if name.startswith("arn:") else f"{self.own}:secretsmanager:{self.region}:*:secret:{name}-??????"

    def parameter(self, name: str) -> str:
        """The ARN of a parameter by its name or ARN."""
        return name if name.startswith("arn:") else f"{self.own}:ssm:{self.region}:*:parameter/{name.lstrip('/')}"


def _looking(settings: Settings, names: _Names, needs: Needs, kinds: Mapping[str, list[str]]) -> Iterable[Statement]:
    """What both policies have: reading, the peer's network, the login's key, sessions, images."""
    if needs.peer_network is not None:
        peer = f"{names.own}:cloudformation:{names.region}:*:stack/{needs.peer_network}/*"
        yield _statement("LookAtPeer", ["cloudformation:DescribeStacks"], peer)
    yield _statement("FollowDrift", _WITHOUT_A_STACK, "*")
    yield _statement("LoginKey", kinds["ssm"], f"{names.own}:ssm:{names.region}:*:parameter/ec2/keypair/*")
    if kinds["sessions"] and settings.ssh != "direct":
        yield from _sessions(names)
    # The environment's own secrets carry no tags of the environment: they are named.
    for number, source in enumerate(settings.own_secrets.values(), start=1):
        if source.secret is not None:
            arn, action = names.secret(source.secret), "secretsmanager:GetSecretValue"
        else:
            arn, action = names.parameter(source.parameter or ""), "ssm:GetParameter"
        yield _statement(f"ReadOwnSecret{number}", [action], arn)
    yield _statement("Look", kinds["reads"], "*")
    # The toolkit asks for the newest image, and CloudFormation for that of the bastion, with the caller's permissions.
    yield _statement("FindImage", ["ssm:GetParameters"], f"{names.own}:ssm:{names.region}::parameter/aws/service/*")


def _sessions(names: _Names) -> Iterable[Statement]:
    """SSH sessions with the environment's machines; a caller opens and ends only its own sessions.

    IAM checks the name of the document only with the condition ssm:SessionDocumentAccessCheck. The id of a session begins with
    the name of the user, or of the session of a role.
    """
    document_is_checked = {"BoolIfExists": {"ssm:SessionDocumentAccessCheck": "true"}}
    tagged = {"StringEquals": {f"ssm:resourceTag/{key}": value for key, value in names.tags.items()}}
    start = ["ssm:StartSession"]
    yield _statement(
        "StartSession", start, f"{names.own}:ec2:{names.region}:*:instance/*", document_is_checked | tagged
    )
    yield _statement("StartAsSsh", start, f"{names.own}:ssm:{names.region}::document/AWS-StartSSHSession")
    for sid, variable in (("OwnSessionsOfARole", "aws:userid"), ("OwnSessionsOfAUser", "aws:username")):
        own_sessions = f"{names.own}:ssm:*:*:session/${{{variable}}}-*"
        yield _statement(sid, ["ssm:TerminateSession", "ssmmessages:OpenDataChannel"], own_sessions)


def _using_keys(settings: Settings, actions: Collection[str]) -> Iterable[Statement]:
    """The customer key, through Secrets Manager and EC2 alone: no text is encrypted or decrypted beside them.

    EC2 uses the key by a grant, which it asks for in the caller's name when a volume is made or attached, and when a machine
    with such a volume starts. The log groups need nothing here: CloudWatch Logs is allowed by the key's own policy.
    """
    yield from _reading_with_keys(settings, actions)
    key = settings.account.kms_key_arn
    if key is None:
        return
    yield _statement("EncryptSecrets", ["kms:GenerateDataKey"], key, _via(settings, "secretsmanager"))
    through_ec2 = _via(settings, "ec2")
    yield _statement("EncryptVolumes", _OF_VOLUMES, key, through_ec2)
    yield _statement("GrantToVolumes", ["kms:CreateGrant"], key, through_ec2 | _GRANT_IS_FOR_AWS)


def _reading_with_keys(settings: Settings, actions: Collection[str]) -> Iterable[Statement]:
    """State and policy of each key that the file names, which `doctor` checks, and the values of the secrets."""
    looks = [it for it in actions if it in _LOOKS_AT_KEYS]
    for number, key in enumerate(settings.keys):
        yield _statement(f"LookAtKey{number + 1}", looks, key)
    if settings.account.kms_key_arn is not None:
        via = _via(settings, "secretsmanager")
        yield _statement("DecryptSecrets", ["kms:Decrypt"], settings.account.kms_key_arn, via)


def _via(settings: Settings, service: str) -> dict[str, Any]:
    suffix = "amazonaws.com.cn" if settings.partition == "aws-cn" else "amazonaws.com"
    return {"StringEquals": {"kms:ViaService": f"{service}.{settings.region}.{suffix}"}}


def _direct_connect(settings: Settings, names: _Names, actions: Collection[str]) -> Iterable[Statement]:
    """Direct Connect is not changed by CloudFormation: own interfaces by their tags, what belongs to others by its id."""
    desired, start = settings.network.direct_connect, f"{names.own}:directconnect:{names.region}:*"
    own = [it for it in actions if it.endswith(("DeleteVirtualInterface", "UpdateVirtualInterfaceAttributes"))]
    yield _statement("ChangeOwnInterfaces", own, f"{start}:dxvif/*", names.tagged)
    if desired is None:
        return
    kind = f"{desired.type.capitalize()}VirtualInterface"
    if desired.interface is not None:
        offered = [it for it in actions if it == f"directconnect:Confirm{kind}"]
        yield _statement("AcceptInterface", offered, f"{start}:dxvif/{desired.interface}")
        return
    on_connection = [it for it in actions if it in {"directconnect:ConfirmConnection", f"directconnect:Create{kind}"}]
    requested = {"StringEquals": {f"aws:RequestTag/{key}": value for key, value in names.tags.items()}}
    yield _statement("UseConnection", on_connection, f"{start}:dxcon/{desired.connection}")
    yield _statement("TagNewInterface", ["directconnect:TagResource"], f"{start}:dxvif/*", requested)


def _through_cloudformation(settings: Settings, names: _Names, actions: Collection[str]) -> Iterable[Statement]:
    """What CloudFormation does for its caller: roles by their name, secrets that exist by their tags, everything else.

    With a permissions boundary, it makes only roles that have it, gives permissions only to those, and removes no boundary.
    """
    boundary = settings.account.permissions_boundary
    of_roles = {it for it in actions if it.startswith("iam:") and not it.startswith("iam:List")}
    linked = of_roles & {"iam:CreateServiceLinkedRole"}
    secrets = {it for it in actions if it.startswith("secretsmanager:") and it.endswith(_OF_EXISTING_SECRETS)}
    named = of_roles - linked
    profiles = {it for it in named if it.endswith("InstanceProfile")}
    via, tagged = _THROUGH_CLOUDFORMATION, names.tagged
    bounded = named & _BOUNDED if boundary else set()
    if boundary:
        named = named - {"iam:DeleteRolePermissionsBoundary"}
        has_boundary = via | {"StringEquals": {"iam:PermissionsBoundary": boundary}}
        yield _statement("BoundedRoles", bounded, names.roles, has_boundary)
    yield _statement("Roles", named - profiles - bounded, names.roles, via)
    yield _statement("Profiles", profiles, names.profiles, via)
    yield _statement("LinkedRoles", linked, f"{names.own}:iam::*:role/aws-service-role/*", via)
    yield _statement("OwnSecrets", secrets, names.secrets, via | tagged)
    yield _statement("ThroughCloudFormation", {*actions} - of_roles - secrets, "*", via)


def _is_reading(action: str) -> bool:
    return action.partition(":")[2].startswith(_READS)


def _sort_actions(own_actions: Collection[str]) -> dict[str, list[str]]:
    """The toolkit's own actions by the service that has statements of its own; all others are 'reads' or 'writes'."""
    kinds = {
        it: list[str]() for it in ("cloudformation", "secretsmanager", "ssm", "sts", "directconnect", "sessions", "kms")
    }
    kinds |= {"reads": [], "writes": []}
    for action in sorted(own_actions):
        service = action.partition(":")[0]
        if action == "ssm:GetParameters":
            continue  # only for public parameters: other environments keep private keys in the Parameter Store
        if action in {"ssm:StartSession", "ssm:TerminateSession"}:
            kind = "sessions"
        elif service in {"sts", "directconnect", "ssm"} and _is_reading(action) and action != "ssm:GetParameter":
            kind = "reads"
        elif service in kinds:
            kind = service
        else:
            kind = "reads" if _is_reading(action) else "writes"
        kinds[kind].append(action)
    return kinds


def _statement(
    sid: str, actions: Iterable[str], resource: str, condition: Mapping[str, Any] | None = None
) -> Statement:
    statement: Statement = {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": resource}
    return statement | ({"Condition": dict(condition)} if condition else {})


def _policy(*statements: Statement) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [it for it in statements if it["Action"]]}


def split(policy: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Split the policy into policies that are not longer than LARGEST."""
    documents: list[list[dict[str, Any]]] = [[]]
    for statement in policy["Statement"]:
        for part in _parts(statement):
            if documents[-1] and _size([*documents[-1], part]) > LARGEST:
                documents.append([])
            documents[-1].append(part)
    return [{"Version": policy["Version"], "Statement": statements} for statements in documents]


def _parts(statement: dict[str, Any]) -> list[dict[str, Any]]:
    """A statement, divided into several if it is longer than LARGEST."""
    if _size([statement]) <= LARGEST:
        return [statement]
    actions = statement["Action"]
    middle = len(actions) // 2
    halves = (("A", actions[:middle]), ("B", actions[middle:]))
    return [
        part for mark, half in halves for part in _parts({**statement, "Sid": statement["Sid"] + mark, "Action": half})
    ]


def _size(statements: list[dict[str, Any]]) -> int:
    return len(json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":")))
