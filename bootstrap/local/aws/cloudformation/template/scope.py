"""The values of the names in a stack's template: resources, exports of other stacks, zones, dynamic references."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused, ResourceFailed
from bootstrap.local.aws.cloudformation.store import Resource, Stack, Store, Wanted
from bootstrap.local.aws.cloudformation.template import parameters, schemas
from bootstrap.local.aws.cloudformation.template.absent_resources import make_unresolved
from bootstrap.local.aws.cloudformation.template.intrinsics import UNKNOWN, Scope
from bootstrap.local.aws.cloudformation.template.known_values import ACCOUNT
from bootstrap.local.aws.cloudformation.template.parsing import read
from bootstrap.local.aws.cloudformation.template.template import Template

CAPABILITY_TYPES = {
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": "",
    "AWS::IAM::RolePolicy": "",
    "AWS::IAM::AccessKey": "",
}


class Scopes:
    """Makes the scopes in which templates of stacks are evaluated."""

    def __init__(self, store: Store, client: Any) -> None:
        self._store = store
        self._client = client

    def make_scope(
        self,
        stack: Stack | None,
        wanted: Wanted,
        region: str,
        resources: dict[str, Resource] | None = None,
        *,
        is_execution: bool = False,
    ) -> Scope:
        """Return the scope of a stack for a desired state; `resources` replace the stack's own. Raises Refused.

        In an execution, a reference to a resource that does not exist is refused; otherwise its value is `UNKNOWN`.
        """
        template = read(wanted.template, wanted.parameters, region)
        values, _ = parameters.resolve(template, wanted.parameters, lambda name: self._find_image(wanted, name, region))
        present = stack.resources if stack and resources is None else resources or {}
        return Scope(
            template,
            values,
            make_pseudo_parameters(stack, wanted, region),
            lambda logical: _resolve_reference(present, logical, is_execution=is_execution),
            lambda logical, name: _resolve_attribute(present, logical, name, is_execution=is_execution),
            lambda name: self._import(name, region, stack),
            cache(self.list_zones),  # of one scope: another caller may have no right to ask for them
        )

    def list_zones(self, region: str) -> list[str]:
        """Return the availability zones of a region; raises Refused if there is no such region, or EC2 refuses."""
        from botocore.exceptions import ClientError

        if region not in schemas.list_regions():
            raise Refused(f"Template error: Fn::GetAZs got {region}, which is no region")
        try:
            answer = self._client("ec2", region).describe_availability_zones()
        except ClientError as refusal:
            raise Refused(
                f"Template error: Fn::GetAZs failed: {refusal.response['Error'].get('Message', '')}"
            ) from None
        return [zone["ZoneName"] for zone in answer["AvailabilityZones"]]

    def make_ssm_lookup(self, region: str) -> Callable[[str], str]:
        """Return a function that looks up an SSM parameter; it raises LookupError, and Refused for a SecureString."""

        def lookup(name: str) -> str:
            value, kind = self._read_parameter(name, region)
            if kind == "SecureString":
                raise Refused(f"Parameters [{name}] referenced by template have types not supported by CloudFormation.")
            return value

        return lookup

    def _read_parameter(self, name: str, region: str) -> tuple[str, str]:
        """Return value and type of an SSM parameter; raises LookupError."""
        from botocore.exceptions import ClientError

        try:
            parameter = self._client("ssm", region).get_parameter(Name=name, WithDecryption=True)["Parameter"]
        except ClientError:
            raise LookupError(name) from None
        return str(parameter["Value"]), str(parameter["Type"])

    def make_dynamic_lookup(self, region: str) -> Callable[[str, str], str]:
        """Return a function that looks up a dynamic reference, by service and name; it raises ResourceFailed."""

        def lookup(service: str, name: str) -> str:
            try:
                if service == "ssm-secure":
                    return self._read_parameter(name, region)[0]
                return (
                    self._read_secret(name, region)
                    if service == "secretsmanager"
                    else self.make_ssm_lookup(region)(name)
                )
            except Refused as refusal:
                raise ResourceFailed(refusal.message) from None
            except (LookupError, TypeError, ValueError):
                raise ResourceFailed(
                    f"Could not resolve the dynamic reference {{{{resolve:{service}:{name}}}}}"
                ) from None

        return lookup

    def list_exports(self, region: str) -> dict[str, tuple[Stack, Any]]:
        """Return the exports in a region by name: the stack and the value."""
        exports = {}
        for stack in self._store.list_stacks(region):
            for output in stack.outputs.values() if stack.is_living else ():
                if output.get("ExportName"):
                    exports[output["ExportName"]] = (stack, output["OutputValue"])
        return exports

    def list_importers(self, name: str, region: str) -> list[str]:
        """Return the names of the stacks that import an export."""
        return [stack.name for stack in self._store.list_stacks(region) if stack.is_living and name in stack.imports]

    def _read_secret(self, reference: str, region: str) -> str:
        from botocore.exceptions import ClientError

        head, _, selector = reference.partition(":SecretString")
        if not selector and ":" in head and not head.startswith("arn:"):
            raise ValueError(reference)
        name, stage, version = ([*selector.removeprefix(":").split(":"), "", "", ""])[:3]
        arguments = {"SecretId": head, "VersionStage": stage, "VersionId": version}
        try:
            answer = self._client("secretsmanager", region).get_secret_value(
                **{k: v for k, v in arguments.items() if v}
            )
        except ClientError:
            raise LookupError(reference) from None
        text = str(answer["SecretString"])
        return str(json.loads(text)[name]) if name else text

    def _find_image(self, wanted: Wanted, name: str, region: str) -> str:
        for parameter, value in wanted.looked_up.items():
            if wanted.parameters.get(parameter) == name:
                return value
        return self.make_ssm_lookup(region)(name)

    def _import(self, name: str, region: str, stack: Stack | None) -> Any:
        if UNKNOWN in name:
            return UNKNOWN
        owner, value = self.list_exports(region).get(name, (None, None))
        if owner is None or (stack and owner.id == stack.id):
            raise Refused(f"No export named {name} found.")
        return value


def make_pseudo_parameters(stack: Stack | None, wanted: Wanted, region: str) -> dict[str, Any]:
    """Return the values of the pseudo parameters."""
    return {
        "AWS::AccountId": stack.account if stack else ACCOUNT,
        "AWS::NotificationARNs": wanted.notification_arns,
        "AWS::Partition": "aws",
        "AWS::Region": region,
        "AWS::StackId": stack.id if stack else UNKNOWN,
        "AWS::StackName": stack.name if stack else UNKNOWN,
        "AWS::URLSuffix": "amazonaws.com",
    }


def list_capabilities(template: Template) -> list[str]:
    """Return the capabilities that a template needs: for IAM resources, and for IAM resources with custom names."""
    needed = set()
    for resource in template.resources.values():
        kind = str(resource["Type"])
        if kind in CAPABILITY_TYPES:
            needed.add("CAPABILITY_IAM")
            if CAPABILITY_TYPES[kind] in (resource.get("Properties") or {}):
                needed.add("CAPABILITY_NAMED_IAM")
    return ["CAPABILITY_NAMED_IAM"] if "CAPABILITY_NAMED_IAM" in needed else sorted(needed)


def check_capabilities(
    template: Template, acknowledged: list[str], *, is_reviewed: bool, has_snippets: bool = False
) -> None:
    """Raise Refused for a template that needs capabilities which were not acknowledged.

    A template with transforms, also with included snippets, needs CAPABILITY_AUTO_EXPAND, except if it `is_reviewed` in a
    change set (API reference, CreateChangeSet).
    """
    needed = list_capabilities(template)
    if (has_snippets or template.document.get("Transform")) and not is_reviewed:
        needed = [*needed, "CAPABILITY_AUTO_EXPAND"]
    granted = set(acknowledged) | ({"CAPABILITY_IAM"} if "CAPABILITY_NAMED_IAM" in acknowledged else set())
    missing = [name for name in needed if name not in granted]
    if missing:
        raise Refused(f"Requires capabilities : [{', '.join(missing)}]", "InsufficientCapabilitiesException")


def _resolve_reference(present: dict[str, Resource], logical: str, *, is_execution: bool) -> Any:
    resource = present.get(logical)
    if resource is not None and resource.physical_id:
        return resource.physical_id
    if is_execution:
        raise make_unresolved([logical], "Resources")
    return UNKNOWN


def _resolve_attribute(present: dict[str, Resource], logical: str, name: str, *, is_execution: bool) -> Any:
    resource = present.get(logical)
    if resource is None or not resource.physical_id:
        return _resolve_reference(present, logical, is_execution=is_execution)
    if name in resource.attributes:
        return resource.attributes[name]
    if resource.attributes.get("*") == UNKNOWN:
        return UNKNOWN
    raise Refused(f"Template error: resource {logical} does not support attribute type {name} in Fn::GetAtt")
