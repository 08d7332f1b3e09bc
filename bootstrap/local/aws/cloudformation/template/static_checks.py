"""Checks of a template that CloudFormation makes before any change, besides its structure: functions, attributes, policies.

`parsing` checks the structure. These checks need the resource schemas, so they run once for each request with a template.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.operations import life_policies
from bootstrap.local.aws.cloudformation.template import cidr, declarations, foreach, forms, limits, rules, schemas
from bootstrap.local.aws.cloudformation.template.template import Template, find_names

# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
SNAPSHOT_TYPES = frozenset(
    (
        "AWS::DocDB::DBCluster",
        "AWS::EC2::Volume",
        "AWS::ElastiCache::CacheCluster",
        "AWS::ElastiCache::ReplicationGroup",
        "AWS::Neptune::DBCluster",
        "AWS::RDS::DBCluster",
        "AWS::RDS::DBInstance",
        "AWS::Redshift::Cluster",
    )
)
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-ssm-secure-strings.html
SECURE = {
    "AWS::DirectoryService::MicrosoftAD": ("Password",),
    "AWS::DirectoryService::SimpleAD": ("Password",),
    "AWS::ElastiCache::ReplicationGroup": ("AuthToken",),
    "AWS::IAM::User": ("LoginProfile/Password",),
    "AWS::KinesisFirehose::DeliveryStream": ("RedshiftDestinationConfiguration/Password",),
    "AWS::OpsWorks::App": ("AppSource/Password",),
    "AWS::OpsWorks::Stack": ("CustomCookbooksSource/Password", "RdsDbInstances/DbPassword"),
    "AWS::RDS::DBCluster": ("MasterUserPassword",),
    "AWS::RDS::DBInstance": ("MasterUserPassword",),
    "AWS::Redshift::Cluster": ("MasterUserPassword",),
}
# In the order of CloudFormation's error message.
SUPPORTED = (
    "Fn::Base64",
    "Fn::GetAtt",
    "Fn::GetAZs",
    "Fn::ImportValue",
    "Fn::Join",
    "Fn::Split",
    "Fn::FindInMap",
    "Fn::Select",
    "Ref",
    "Fn::Equals",
    "Fn::If",
    "Fn::Not",
    "Condition",
    "Fn::And",
    "Fn::Or",
    "Fn::Contains",
    "Fn::EachMemberEquals",
    "Fn::EachMemberIn",
    "Fn::ValueOf",
    "Fn::ValueOfAll",
    "Fn::RefAll",
    "Fn::Sub",
    "Fn::Cidr",
)
OF_EXTENSIONS = frozenset(("Fn::Length", "Fn::ToJsonString"))  # functions of AWS::LanguageExtensions, without its loops


def check(template: Template, region: str) -> None:
    """Raise Refused for a template that is invalid for all values of its parameters."""
    limits.check(template)
    life_policies.check(template)
    declarations.check(template)
    for logical, resource in template.resources.items():
        for attribute in ("DeletionPolicy", "UpdateReplacePolicy"):
            if not isinstance(resource.get(attribute, ""), str) and not template.is_extended:
                raise Refused(f"Template format error: Every {attribute} member must be a string.")
            if resource.get(attribute) == "Snapshot" and resource["Type"] not in SNAPSHOT_TYPES:
                raise Refused(
                    f"Template error: resource type {resource['Type']} does not support deletion policy Snapshot ({logical})"
                )
    _check_secure_references(template)
    for key, output in template.read_section("Outputs").items():
        if _is_list(template, output["Value"]) or _is_map(output["Value"]):
            raise Refused(
                f"Template format error: The Value field of every Outputs member must evaluate to a String ({key})."
            )
        for _, name in find_names((output.get("Export") or {}).get("Name")):
            if name in template.resources:
                raise Refused("Template error: Export Name field must not depend on any resources")
    rules.check_form(template, walk_functions)
    if any(name == "Fn::ImportValue" for name, _ in walk_functions(template.read_section("Conditions"))):
        raise Refused("Template error: Cannot use Fn::ImportValue in Conditions.")
    for section in ("Resources", "Outputs", "Conditions"):
        for name, argument in walk_functions(template.read_section(section)):
            _check_function(template, name, argument, region)


def _is_list(template: Template, value: Any) -> bool:
    if not isinstance(value, dict) or len(value) != 1:
        return isinstance(value, list)
    ((name, argument),) = value.items()
    declared = template.read_section("Parameters").get(str(argument), {}) if name == "Ref" else {}
    kind = str(declared.get("Type", "")).removeprefix("AWS::SSM::Parameter::Value<")
    return name in {"Fn::Split", "Fn::GetAZs", "Fn::Cidr"} or kind.startswith(("List<", "CommaDelimitedList"))


def _is_map(value: Any) -> bool:
    return isinstance(value, dict) and not forms.is_function(value)


def _check_secure_references(template: Template) -> None:
    for resource in template.resources.values():
        kind = str(resource["Type"])
        for path in _find_secure(resource.get("Properties"), "Properties"):
            if path.removeprefix("Properties/") not in SECURE.get(kind, ()):
                raise Refused(f"SSM Secure reference is not supported in: [{kind}/{path}]")


def _find_secure(value: Any, path: str) -> Iterator[str]:
    """The paths of properties with a reference to a SecureString parameter of SSM."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _find_secure(item, path if str(key).startswith("Fn::") else f"{path}/{key}")
    elif isinstance(value, list):
        for item in value:
            yield from _find_secure(item, path)
    elif "{{resolve:ssm-secure:" in str(value):
        yield path


def walk_functions(value: Any) -> Iterator[tuple[str, Any]]:
    """Every function in a value, outermost first: name and argument."""
    if isinstance(value, list):
        for item in value:
            yield from walk_functions(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if str(name).startswith("Fn::" if len(value) == 1 else foreach.PREFIX):
                yield name, item
            yield from walk_functions(item)


def _check_function(template: Template, name: str, argument: Any, region: str) -> None:
    if name in forms.RULE_FUNCTIONS:
        raise Refused(forms.NOT_OUTSIDE_OF_RULES.format(name))
    if name not in SUPPORTED and not (template.is_extended and name in OF_EXTENSIONS):
        raise Refused(
            f"Template Error: Encountered unsupported function: {name} Supported functions are: [{', '.join(SUPPORTED)}]"
        )
    if name == "Fn::Select" and isinstance(argument, list) and len(argument) == 2:
        _check_select(*argument)
    if name == "Fn::Cidr" and not any(map(forms.is_function, argument)):
        cidr.split(argument[0], *map(int, argument[1:]))
    if name == "Fn::FindInMap":
        _check_map(template, argument)
    if name == "Fn::ImportValue":
        _check_import(template, argument)
    if name == "Fn::GetAtt":
        _check_attribute(template, argument, region)


def _check_select(index: Any, items: Any) -> None:
    if isinstance(items, list) and str(index).lstrip("-").isdigit() and not 0 <= int(index) < len(items):
        raise Refused(f"Template error: Fn::Select cannot select nonexistent value at index {index}")


def _check_map(template: Template, argument: Any) -> None:
    if len(argument) == 4 or any(isinstance(key, dict | list) for key in argument):
        return
    table, first, second = map(str, argument)
    if second not in template.read_section("Mappings").get(table, {}).get(first, {}):
        raise Refused(f"Template error: Unable to get mapping for {table}::{first}::{second}")


def _check_import(template: Template, argument: Any) -> None:
    uses_resources = any(name in template.resources for _, name in find_names(argument))
    if uses_resources or any(name in {"Fn::ImportValue", "Fn::GetAZs"} for name, _ in walk_functions(argument)):
        raise Refused(
            "Template error: the attribute in Fn::ImportValue must not depend on any resources, imported values, or Fn::GetAZs"
        )


def _check_attribute(template: Template, argument: Any, region: str) -> None:
    logical, name = argument if isinstance(argument, list) else str(argument).split(".", 1)
    if not isinstance(logical, str):
        return
    kind = str(template.resources.get(logical, {}).get("Type", ""))
    schema = schemas.load(kind, region)
    if schema is None or not isinstance(name, str) or kind.startswith("AWS::CloudFormation::"):
        return
    if name.split(".")[0] not in schema.get("properties", {}):
        raise Refused(f"Template error: resource {logical} does not support attribute type {name} in Fn::GetAtt")
