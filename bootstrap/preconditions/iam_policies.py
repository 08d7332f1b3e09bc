"""Generates the policies of an environment: of the launcher, and of the operator, who works with it from day to day.

What CloudFormation does for its caller is allowed only through CloudFormation (aws:CalledVia). The policies are small, but not
the smallest possible ones: schemas have permissions for optional features of a handler, and conditions of templates are not
evaluated here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from bootstrap.environment.models import Settings
from bootstrap.preconditions.policy_statements import Names, Statement, make_statement
from bootstrap.preconditions.required_actions import Needs

_READS = ("BatchDescribe", "BatchGet", "Describe", "Get", "List", "Simulate")
THROUGH_CLOUDFORMATION = {"ForAnyValue:StringEquals": {"aws:CalledVia": ["cloudformation.amazonaws.com"]}}
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
# Actions on managed policies; those that attach one to a user or a group are for nothing here.
_OF_POLICIES = frozenset(
    f"iam:{it}"
    for it in (
        *("CreatePolicy", "CreatePolicyVersion", "DeletePolicy", "DeletePolicyVersion"),
        *("GetPolicy", "GetPolicyVersion", "TagPolicy", "UntagPolicy"),
    )
)
_OF_ROLES = frozenset(
    f"iam:{it}"
    for it in (
        *("AttachRolePolicy", "DeleteRolePolicy", "DetachRolePolicy", "GetRolePolicy", "PutRolePolicy"),
        *("UpdateAssumeRolePolicy",),
    )
)


def make_launcher_policy(settings: Settings, needs: Needs) -> dict[str, Any]:
    """The launcher's policy: the toolkit's own calls, what CloudFormation does for it, and iam:PassRole for the roles.

    Reading actions are allowed on all resources, because most services do not limit them. Writing actions of the toolkit itself
    are limited to resources with the environment's tags.
    """
    names, kinds = Names(settings), _sort_actions(needs.own)
    stacks = {*kinds["cloudformation"], *OF_CHANGE_SETS, "cloudformation:DetectStackResourceDrift"}
    return make_document(
        make_statement("Stacks", stacks - _WITHOUT_A_STACK, names.stacks),
        *_allow_looking(settings, names, needs, kinds),
        make_statement("Secrets", kinds["secretsmanager"], names.secrets, names.tagged),
        # Whom the roles trust is another matter: of the environment's roles only the one that promotes trusts people.
        make_statement("Approve", kinds["sts"] if len(settings.networks) > 1 else (), names.roles),
        make_statement("ChangeOwn", kinds["writes"], "*", names.tagged),
        *_allow_direct_connect(settings, names, kinds["directconnect"]),
        *_allow_key_use(settings, kinds["kms"]),
        *_allow_bucket_use(settings, names, kinds["s3"]),
        *_allow_through_cloudformation(settings, names, needs.through_cloudformation),
        make_statement(
            "HandOverTheRoles",
            ["iam:PassRole"] if needs.role_services else (),
            names.roles,
            {"StringEquals": {"iam:PassedToService": sorted(needs.role_services)}},
        ),
    )


def make_operator_policy(settings: Settings, needs: Needs) -> dict[str, Any]:
    """The operator's policy: looking, sessions, the secrets, plans and drift detection. It changes nothing on AWS.

    An operator changes what is on the machine: packages, settings, jobs. A change set is made for a plan of a stack that
    exists, and deleted; executing one needs the launcher.
    """
    names, kinds = Names(settings), _sort_actions(needs.own)
    stacks = {it for it in kinds["cloudformation"] if is_reading(it)} - _WITHOUT_A_STACK
    plans = {"CreateChangeSet", "DeleteChangeSet", "DetectStackDrift", "DetectStackResourceDrift", "TagResource"}
    handlers = [it for it in needs.through_cloudformation if is_reading(it) and it not in _VALUES]
    return make_document(
        make_statement("Stacks", {*stacks, *(f"cloudformation:{it}" for it in plans)}, names.stacks),
        *_allow_looking(settings, names, needs, kinds),
        make_statement("Secrets", filter(is_reading, kinds["secretsmanager"]), names.secrets, names.tagged),
        make_statement("Approve", kinds["sts"] if len(settings.networks) > 1 else (), names.roles),
        *_allow_key_reading(settings, kinds["kms"]),
        *_allow_bucket_reading(settings, names, kinds["s3"]),
        # CloudFormation's drift detection reads every resource with the caller's permissions.
        make_statement("DetectDrift", handlers, "*", THROUGH_CLOUDFORMATION),
    )


# A change set sets the tags of the stack, which needs these two additional actions.
OF_CHANGE_SETS = frozenset({"cloudformation:TagResource", "cloudformation:UntagResource"})
# Actions without a resource type: the id of a detection is no resource for IAM.
_WITHOUT_A_STACK = frozenset(
    {
        "cloudformation:BatchDescribeTypeConfigurations",
        "cloudformation:DescribeStackDriftDetectionStatus",
        "cloudformation:ListStacks",
    }
)
_VALUES = frozenset({"secretsmanager:GetSecretValue", "ssm:GetParameter", "ssm:GetParameters", "s3:GetObject"})


def _allow_looking(
    settings: Settings, names: Names, needs: Needs, kinds: Mapping[str, list[str]]
) -> Iterable[Statement]:
    """What both policies have: reading, the peer's network, the login's key, sessions, images."""
    if needs.peer_network is not None:
        peer = f"{names.own}:cloudformation:{names.region}:*:stack/{needs.peer_network}/*"
        yield make_statement("LookAtPeer", ["cloudformation:DescribeStacks"], peer)
    yield make_statement("FollowDrift", _WITHOUT_A_STACK, "*")
    yield make_statement("LoginKey", kinds["ssm"], f"{names.own}:ssm:{names.region}:*:parameter/ec2/keypair/*")
    if kinds["sessions"] and settings.ssh != "direct":
        yield from _allow_sessions(names)
    # The environment's own secrets carry no tags of the environment: they are named.
    for number, source in enumerate(settings.own_secrets.values(), start=1):
        if source.secret is not None:
            arn, action = names.name_secret(source.secret), "secretsmanager:GetSecretValue"
        else:
            arn, action = names.name_parameter(source.parameter or ""), "ssm:GetParameter"
        yield make_statement(f"ReadOwnSecret{number}", [action], arn)
    yield make_statement("Look", kinds["reads"], "*")
    # The toolkit asks for the newest image, and CloudFormation for that of the bastion, with the caller's permissions.
    yield make_statement("FindImage", ["ssm:GetParameters"], f"{names.own}:ssm:{names.region}::parameter/aws/service/*")


def _allow_sessions(names: Names) -> Iterable[Statement]:
    """SSH sessions with the environment's machines; a caller opens and ends only its own sessions.

    IAM checks the name of the document only with the condition ssm:SessionDocumentAccessCheck. The id of a session begins with
    the name of the user, or of the session of a role.
    """
    document_is_checked = {"BoolIfExists": {"ssm:SessionDocumentAccessCheck": "true"}}
    tagged = {"StringEquals": {f"ssm:resourceTag/{key}": value for key, value in names.tags.items()}}
    start = ["ssm:StartSession"]
    yield make_statement(
        "StartSession", start, f"{names.own}:ec2:{names.region}:*:instance/*", document_is_checked | tagged
    )
    yield make_statement("StartAsSsh", start, f"{names.own}:ssm:{names.region}::document/AWS-StartSSHSession")
    for sid, variable in (("OwnSessionsOfARole", "aws:userid"), ("OwnSessionsOfAUser", "aws:username")):
        own_sessions = f"{names.own}:ssm:*:*:session/${{{variable}}}-*"
        yield make_statement(sid, ["ssm:TerminateSession", "ssmmessages:OpenDataChannel"], own_sessions)


def _allow_key_use(settings: Settings, actions: Collection[str]) -> Iterable[Statement]:
    """The customer key, through Secrets Manager and EC2 alone: no text is encrypted or decrypted beside them.

    EC2 uses the key by a grant, which it asks for in the caller's name when a volume is made or attached, and when a machine
    with such a volume starts. The log groups need nothing here: CloudWatch Logs is allowed by the key's own policy.
    """
    yield from _allow_key_reading(settings, actions)
    key = settings.account.kms_key_arn
    if key is None:
        return
    yield make_statement("EncryptSecrets", ["kms:GenerateDataKey"], key, _limit_to_service(settings, "secretsmanager"))
    through_ec2 = _limit_to_service(settings, "ec2")
    yield make_statement("EncryptVolumes", _OF_VOLUMES, key, through_ec2)
    yield make_statement("GrantToVolumes", ["kms:CreateGrant"], key, through_ec2 | _GRANT_IS_FOR_AWS)


def _allow_key_reading(settings: Settings, actions: Collection[str]) -> Iterable[Statement]:
    """State and policy of each key that the file names, which `doctor` checks, and the values of the secrets."""
    looks = [it for it in actions if it in _LOOKS_AT_KEYS]
    for number, key in enumerate(settings.keys):
        yield make_statement(f"LookAtKey{number + 1}", looks, key)
    if settings.account.kms_key_arn is not None:
        via = _limit_to_service(settings, "secretsmanager")
        yield make_statement("DecryptSecrets", ["kms:Decrypt"], settings.account.kms_key_arn, via)


def _allow_bucket_use(settings: Settings, names: Names, actions: Collection[str]) -> Iterable[Statement]:
    """The bucket with the files of Jenkins, by the name that CloudFormation generates: files come, are signed for, and go."""
    yield from _allow_bucket_reading(settings, names, actions)
    if settings.jenkins.bucket:
        yield make_statement("BucketFiles", (it for it in actions if it.endswith("Object")), f"{names.buckets}/*")
        key = settings.account.kms_key_arn
        if key is not None:
            yield make_statement(
                "EncryptFiles", ["kms:Decrypt", "kms:GenerateDataKey"], key, _limit_to_service(settings, "s3")
            )


def _allow_bucket_reading(settings: Settings, names: Names, actions: Collection[str]) -> Iterable[Statement]:
    """The settings of the bucket, which the acceptance suite checks, and the list of its files."""
    if settings.jenkins.bucket:
        yield make_statement("LookAtBucket", (it for it in actions if not it.endswith("Object")), names.buckets)


def _limit_to_service(settings: Settings, service: str) -> dict[str, Any]:
    suffix = "amazonaws.com.cn" if settings.partition == "aws-cn" else "amazonaws.com"
    return {"StringEquals": {"kms:ViaService": f"{service}.{settings.region}.{suffix}"}}


def _allow_direct_connect(settings: Settings, names: Names, actions: Collection[str]) -> Iterable[Statement]:
    """Direct Connect is not changed by CloudFormation: own interfaces by their tags, what belongs to others by its id."""
    desired, start = settings.network.direct_connect, f"{names.own}:directconnect:{names.region}:*"
    own = [it for it in actions if it.endswith(("DeleteVirtualInterface", "UpdateVirtualInterfaceAttributes"))]
    yield make_statement("ChangeOwnInterfaces", own, f"{start}:dxvif/*", names.tagged)
    if desired is None:
        return
    kind = f"{desired.type.capitalize()}VirtualInterface"
    if desired.interface is not None:
        offered = [it for it in actions if it == f"directconnect:Confirm{kind}"]
        yield make_statement("AcceptInterface", offered, f"{start}:dxvif/{desired.interface}")
        return
    on_connection = [it for it in actions if it in {"directconnect:ConfirmConnection", f"directconnect:Create{kind}"}]
    requested = {"StringEquals": {f"aws:RequestTag/{key}": value for key, value in names.tags.items()}}
    yield make_statement("UseConnection", on_connection, f"{start}:dxcon/{desired.connection}")
    yield make_statement("TagNewInterface", ["directconnect:TagResource"], f"{start}:dxvif/*", requested)


def _allow_through_cloudformation(settings: Settings, names: Names, actions: Collection[str]) -> Iterable[Statement]:
    """What CloudFormation does for its caller: roles by their name, secrets that exist by their tags, everything else.

    With a permissions boundary, it makes only roles that have it, gives permissions only to those, and removes no boundary.
    """
    boundary = settings.account.permissions_boundary
    of_roles = {it for it in actions if it.startswith("iam:") and not it.startswith("iam:List")}
    linked = of_roles & {"iam:CreateServiceLinkedRole"}
    secrets = {it for it in actions if it.startswith("secretsmanager:") and it.endswith(_OF_EXISTING_SECRETS)}
    named = of_roles - linked
    profiles = {it for it in named if it.endswith("InstanceProfile")}
    policies = {it for it in named if it.endswith(("Policy", "PolicyVersion")) and it not in _OF_ROLES}
    via, tagged = THROUGH_CLOUDFORMATION, names.tagged
    bounded = named & _BOUNDED if boundary else set()
    if boundary:
        named = named - {"iam:DeleteRolePermissionsBoundary"}
        has_boundary = via | {"StringEquals": {"iam:PermissionsBoundary": boundary}}
        yield make_statement("BoundedRoles", bounded, names.roles, has_boundary)
    yield make_statement("Roles", named - profiles - policies - bounded, names.roles, via)
    yield make_statement("Policies", policies & _OF_POLICIES, names.policies, via)
    yield make_statement("Profiles", profiles, names.profiles, via)
    yield make_statement("LinkedRoles", linked, f"{names.own}:iam::*:role/aws-service-role/*", via)
    yield make_statement("OwnSecrets", secrets, names.secrets, via | tagged)
    yield make_statement("ThroughCloudFormation", {*actions} - of_roles - secrets, "*", via)


def is_reading(action: str) -> bool:
    """Whether an action of IAM only reads."""
    return action.partition(":")[2].startswith(_READS)


def _sort_actions(own_actions: Collection[str]) -> dict[str, list[str]]:
    """The toolkit's own actions by the service that has statements of its own; all others are 'reads' or 'writes'."""
    kinds = {
        it: list[str]()
        for it in ("cloudformation", "secretsmanager", "ssm", "sts", "directconnect", "sessions", "kms", "s3")
    }
    kinds |= {"reads": [], "writes": []}
    for action in sorted(own_actions):
        service = action.partition(":")[0]
        if action == "ssm:GetParameters":
            continue  # only for public parameters: other environments keep private keys in the Parameter Store
        if action in {"ssm:StartSession", "ssm:TerminateSession"}:
            kind = "sessions"
        elif service in {"sts", "directconnect", "ssm"} and is_reading(action) and action != "ssm:GetParameter":
            kind = "reads"
        elif service in kinds:
            kind = service
        else:
            kind = "reads" if is_reading(action) else "writes"
        kinds[kind].append(action)
    return kinds


def make_document(*statements: Statement) -> dict[str, Any]:
    """A policy of these statements, without those that allow nothing."""
    return {"Version": "2012-10-17", "Statement": [it for it in statements if it["Action"]]}
