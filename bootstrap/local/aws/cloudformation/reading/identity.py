"""IAM, secrets, parameters, keys and certificates."""

from __future__ import annotations

import json
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.adapters.conversions import at
from bootstrap.local.aws.cloudformation.reading import spelling
from bootstrap.local.aws.cloudformation.reading.policies import HOLDERS, attached, document, holders, inline, its_name
from bootstrap.local.aws.cloudformation.reading.read import Read
from bootstrap.local.aws.cloudformation.reading.rules import ids, one_of


def _principal(kind: str) -> tuple[Read, ...]:
    key = f"{kind.title()}Name"
    root = kind.title()
    boundary = {"PermissionsBoundary": "PermissionsBoundary.PermissionsBoundaryArn"} if kind != "group" else {}
    return (
        Read("iam", f"get_{kind}", {key: "@id"}, root, dict(boundary)),
        Read("iam", f"list_attached_{kind}_policies", {key: "@id"}, ways={"ManagedPolicyArns": attached}, plain=False),
        Read("iam", f"list_{kind}_policies", {key: "@id"}, ways={"Policies": inline(kind)}, plain=False),
    )


def _policy_document(part: Any, to: Context) -> Any:
    answer = to.call("iam", "get_policy_version", PolicyArn=to.physical_id, VersionId=part["DefaultVersionId"])
    return at(answer, "PolicyVersion.Document")


def _replicas(part: Any, _: Context) -> Any:
    listed = part.get("ReplicationStatus")
    return listed and [{key: item[key] for key in ("Region", "KmsKeyId") if item.get(key)} for item in listed]


def _url(part: Any, _: Context) -> str:
    """The URL of a provider; IAM returns it without the protocol."""
    return f"https://{str(part['Url']).removeprefix('https://')}"


def _policies(part: Any, _: Context) -> Any:
    """The policies of a parameter as one text; SSM returns a text for each policy."""
    listed = part.get("Policies")
    return listed and f"[{','.join(item['PolicyText'] for item in listed)}]"


def _alternative_names(part: Any, _: Context) -> list[str]:
    """The alternative names; ACM also lists the first name among them."""
    return [name for name in part.get("SubjectAlternativeNames", []) if name != part["DomainName"]]


def _validation_options(part: Any, to: Context) -> list[dict[str, Any]]:
    """The validation options of domains in the template; ACM has options for every name."""
    named = {item["DomainName"] for item in to.get("DomainValidationOptions") or []}
    return [item for item in part.get("DomainValidationOptions", []) if item["DomainName"] in named]


def _attachment(answer: Any, to: Context) -> Any:
    """The attachment, as far as the secret shows it: the identifier of the database in its JSON."""
    try:
        content = json.loads(answer.get("SecretString") or "")
    except ValueError:
        content = None
    target = content.get("dbInstanceIdentifier") if isinstance(content, dict) else None
    return {**to.pick("SecretId"), "TargetId": target, "TargetType": "AWS::RDS::DBInstance"}


READS: dict[str, tuple[Read, ...]] = {
    "AWS::IAM::Role": _principal("role"),
    "AWS::IAM::Group": _principal("group"),
    "AWS::IAM::User": (
        *_principal("user"),
        Read(
            "iam", "list_groups_for_user", {"UserName": "@id"}, ways={"Groups": ids("Groups", "GroupName")}, plain=False
        ),
        Read("iam", "get_login_profile", {"UserName": "@id"}, ways={"LoginProfile": "LoginProfile"}, plain=False),
    ),
    "AWS::IAM::AccessKey": (
        Read("iam", "list_access_keys", {"UserName": "#UserName"}, one_of("AccessKeyMetadata", AccessKeyId="@id")),
    ),
    "AWS::IAM::OIDCProvider": (
        Read("iam", "get_open_id_connect_provider", {"OpenIDConnectProviderArn": "@id"}, "", {"Url": _url}),
    ),
    "AWS::IAM::InstanceProfile": (
        Read(
            "iam",
            "get_instance_profile",
            {"InstanceProfileName": "@id"},
            "InstanceProfile",
            {"Roles": ids("Roles", "RoleName")},
        ),
    ),
    "AWS::IAM::ManagedPolicy": (
        Read(
            "iam",
            "get_policy",
            {"PolicyArn": "@id"},
            "Policy",
            {"ManagedPolicyName": "PolicyName", "PolicyDocument": _policy_document},
        ),
        Read(
            "iam",
            "list_entities_for_policy",
            {"PolicyArn": "@id"},
            ways={name: ids(f"Policy{name}", key) for name, (_, key) in HOLDERS.items()},
            plain=False,
        ),
    ),
    "AWS::IAM::Policy": (
        Read(
            "iam",
            "get_account_summary",
            {},
            ways={
                "PolicyName": its_name,
                "PolicyDocument": document,
                **{name: holders(name) for name in HOLDERS},
            },
            plain=False,
        ),
    ),
    "AWS::IAM::RolePolicy": (Read("iam", "get_role_policy", {"RoleName": "#RoleName", "PolicyName": "#PolicyName"}),),
    "AWS::IAM::ServiceLinkedRole": (Read("iam", "get_role", {"RoleName": "@id"}, "Role"),),
    "AWS::SecretsManager::SecretTargetAttachment": (
        Read("secretsmanager", "get_secret_value", {"SecretId": "@id"}, _attachment),
    ),
    "AWS::SecretsManager::Secret": (
        Read("secretsmanager", "describe_secret", {"SecretId": "@id"}, "", {"ReplicaRegions": _replicas}),
    ),
    "AWS::SSM::Parameter": (
        Read("ssm", "get_parameter", {"Name": "@id", "WithDecryption": True}, "Parameter"),
        Read(
            "ssm",
            "describe_parameters",
            {"ParameterFilters": [{"Key": "Name", "Option": "Equals", "Values": ["@id"]}]},
            "Parameters.0",
            {"Policies": _policies},
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
            one_of("Aliases", AliasName="@id"),
            {"TargetKeyId": spelling.spelled("TargetKeyId", "TargetKeyId", spelling.key)},
        ),
    ),
    "AWS::CertificateManager::Certificate": (
        Read(
            "acm",
            "describe_certificate",
            {"CertificateArn": "@id"},
            "Certificate",
            {
                "SubjectAlternativeNames": _alternative_names,
                "DomainValidationOptions": _validation_options,
                "CertificateTransparencyLoggingPreference": "Options.CertificateTransparencyLoggingPreference",
                "CertificateExport": "Options.Export",
                "ValidationMethod": "DomainValidationOptions.0.ValidationMethod",
            },
        ),
        Read("acm", "list_tags_for_certificate", {"CertificateArn": "@id"}),
    ),
}
