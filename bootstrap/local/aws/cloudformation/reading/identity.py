"""IAM, secrets, parameters, keys and certificates."""

from __future__ import annotations

import json
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.adapters.conversions import find_at
from bootstrap.local.aws.cloudformation.reading import spelling
from bootstrap.local.aws.cloudformation.reading.policies import (
    HOLDERS,
    read_attached,
    read_document,
    read_holders,
    read_inline,
    read_name,
)
from bootstrap.local.aws.cloudformation.reading.read import Read
from bootstrap.local.aws.cloudformation.reading.rules import read_ids, read_one_of


def _read_principal(kind: str) -> tuple[Read, ...]:
    key = f"{kind.title()}Name"
    root = kind.title()
    boundary = {"PermissionsBoundary": "PermissionsBoundary.PermissionsBoundaryArn"} if kind != "group" else {}
    return (
        Read("iam", f"get_{kind}", {key: "@id"}, root, dict(boundary)),
        Read(
            "iam",
            f"list_attached_{kind}_policies",
            {key: "@id"},
            ways={"ManagedPolicyArns": read_attached},
            plain=False,
        ),
        Read("iam", f"list_{kind}_policies", {key: "@id"}, ways={"Policies": read_inline(kind)}, plain=False),
    )


def _read_policy_document(part: Any, to: Context) -> Any:
    answer = to.call("iam", "get_policy_version", PolicyArn=to.physical_id, VersionId=part["DefaultVersionId"])
    return find_at(answer, "PolicyVersion.Document")


def _read_replicas(part: Any, _: Context) -> Any:
    listed = part.get("ReplicationStatus")
    return listed and [{key: item[key] for key in ("Region", "KmsKeyId") if item.get(key)} for item in listed]


def _read_url(part: Any, _: Context) -> str:
    """The URL of a provider; IAM returns it without the protocol."""
    return f"https://{str(part['Url']).removeprefix('https://')}"


def _read_policies(part: Any, _: Context) -> Any:
    """The policies of a parameter as one text; SSM returns a text for each policy."""
    listed = part.get("Policies")
    return listed and f"[{','.join(item['PolicyText'] for item in listed)}]"


def _read_alternative_names(part: Any, _: Context) -> list[str]:
    """The alternative names; ACM also lists the first name among them."""
    return [name for name in part.get("SubjectAlternativeNames", []) if name != part["DomainName"]]


def _read_validation_options(part: Any, to: Context) -> list[dict[str, Any]]:
    """The validation options of domains in the template; ACM has options for every name."""
    named = {item["DomainName"] for item in to.get("DomainValidationOptions") or []}
    return [item for item in part.get("DomainValidationOptions", []) if item["DomainName"] in named]


def _read_attachment(answer: Any, to: Context) -> Any:
    """The attachment, as far as the secret shows it: the identifier of the database in its JSON."""
    try:
        content = json.loads(answer.get("SecretString") or "")
    except ValueError:
        content = None
    target = content.get("dbInstanceIdentifier") if isinstance(content, dict) else None
    return {**to.pick("SecretId"), "TargetId": target, "TargetType": "AWS::RDS::DBInstance"}


READS: dict[str, tuple[Read, ...]] = {
    "AWS::IAM::Role": _read_principal("role"),
    "AWS::IAM::Group": _read_principal("group"),
    "AWS::IAM::User": (
        *_read_principal("user"),
        Read(
            "iam",
            "list_groups_for_user",
            {"UserName": "@id"},
            ways={"Groups": read_ids("Groups", "GroupName")},
            plain=False,
        ),
        Read("iam", "get_login_profile", {"UserName": "@id"}, ways={"LoginProfile": "LoginProfile"}, plain=False),
    ),
    "AWS::IAM::AccessKey": (
        Read("iam", "list_access_keys", {"UserName": "#UserName"}, read_one_of("AccessKeyMetadata", AccessKeyId="@id")),
    ),
    "AWS::IAM::OIDCProvider": (
        Read("iam", "get_open_id_connect_provider", {"OpenIDConnectProviderArn": "@id"}, "", {"Url": _read_url}),
    ),
    "AWS::IAM::InstanceProfile": (
        Read(
            "iam",
            "get_instance_profile",
            {"InstanceProfileName": "@id"},
            "InstanceProfile",
            {"Roles": read_ids("Roles", "RoleName")},
        ),
    ),
    "AWS::IAM::ManagedPolicy": (
        Read(
            "iam",
            "get_policy",
            {"PolicyArn": "@id"},
            "Policy",
            {"ManagedPolicyName": "PolicyName", "PolicyDocument": _read_policy_document},
        ),
        Read(
            "iam",
            "list_entities_for_policy",
            {"PolicyArn": "@id"},
            ways={name: read_ids(f"Policy{name}", key) for name, (_, key) in HOLDERS.items()},
            plain=False,
        ),
    ),
    "AWS::IAM::Policy": (
        Read(
            "iam",
            "get_account_summary",
            {},
            ways={
                "PolicyName": read_name,
                "PolicyDocument": read_document,
                **{name: read_holders(name) for name in HOLDERS},
            },
            plain=False,
        ),
    ),
    "AWS::IAM::RolePolicy": (Read("iam", "get_role_policy", {"RoleName": "#RoleName", "PolicyName": "#PolicyName"}),),
    "AWS::IAM::ServiceLinkedRole": (Read("iam", "get_role", {"RoleName": "@id"}, "Role"),),
    "AWS::SecretsManager::SecretTargetAttachment": (
        Read("secretsmanager", "get_secret_value", {"SecretId": "@id"}, _read_attachment),
    ),
    "AWS::SecretsManager::Secret": (
        Read("secretsmanager", "describe_secret", {"SecretId": "@id"}, "", {"ReplicaRegions": _read_replicas}),
    ),
    "AWS::SSM::Parameter": (
        Read("ssm", "get_parameter", {"Name": "@id", "WithDecryption": True}, "Parameter"),
        Read(
            "ssm",
            "describe_parameters",
            {"ParameterFilters": [{"Key": "Name", "Option": "Equals", "Values": ["@id"]}]},
            "Parameters.0",
            {"Policies": _read_policies},
        ),
        Read(
            "ssm",
            "list_tags_for_resource",
            {"ResourceType": "Parameter", "ResourceId": "@id"},
            ways={"Tags": "TagList"},
            plain=False,
        ),
    ),
    "AWS::KMS::Key": (
        Read("kms", "describe_key", {"KeyId": "@id"}, "KeyMetadata"),
        Read(
            "kms",
            "get_key_rotation_status",
            {"KeyId": "@id"},
            ways={"EnableKeyRotation": "KeyRotationEnabled", "RotationPeriodInDays": "RotationPeriodInDays"},
            plain=False,
        ),
        Read(
            "kms",
            "get_key_policy",
            {"KeyId": "@id", "PolicyName": "default"},
            ways={"KeyPolicy": "Policy"},
            plain=False,
        ),
        Read("kms", "list_resource_tags", {"KeyId": "@id"}),
    ),
    "AWS::KMS::Alias": (
        Read(
            "kms",
            "list_aliases",
            {},
            read_one_of("Aliases", AliasName="@id"),
            {"TargetKeyId": spelling.read_spelled("TargetKeyId", "TargetKeyId", spelling.spell_key)},
        ),
    ),
    "AWS::CertificateManager::Certificate": (
        Read(
            "acm",
            "describe_certificate",
            {"CertificateArn": "@id"},
            "Certificate",
            {
                "SubjectAlternativeNames": _read_alternative_names,
                "DomainValidationOptions": _read_validation_options,
                "CertificateTransparencyLoggingPreference": "Options.CertificateTransparencyLoggingPreference",
                "CertificateExport": "Options.Export",
                "ValidationMethod": "DomainValidationOptions.0.ValidationMethod",
            },
        ),
        Read("acm", "list_tags_for_certificate", {"CertificateArn": "@id"}),
    ),
}
