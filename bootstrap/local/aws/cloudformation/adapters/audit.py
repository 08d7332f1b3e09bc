"""CloudTrail, Config, GuardDuty, Security Hub, Inspector and WAF."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.conversions import is_true
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter, format_json, make_setter
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging
from bootstrap.local.aws.cloudformation.template.parsing import read
from bootstrap.local.aws.cloudformation.template.template import find_dependencies

RECORDER = "AWS::Config::ConfigurationRecorder"
# What Config says of a rule without results (API_Compliance); the local cloud evaluates no rule, so there are never results.
NOT_EVALUATED = "INSUFFICIENT_DATA"


def _set_logging(to: To, value: Any) -> None:
    to.call("cloudtrail", "start_logging" if is_true(value) else "stop_logging", Name=to.physical_id)


class Trail(TableAdapter):
    """AWS::CloudTrail::Trail; Ref is its name."""

    def tag(self, to: To, removed: Iterable[str]) -> None:
        """Remove the tags `removed` and add `to.tags`; both calls take a list of keys and values."""
        arn, names = self.read_attributes(to)["Arn"], [{"Key": name} for name in removed]
        if names:
            to.call("cloudtrail", "remove_tags", ResourceId=arn, TagsList=names)
        if to.tags:
            to.call("cloudtrail", "add_tags", ResourceId=arn, TagsList=to.list_tags())


class _NamedInside(TableAdapter):
    """A resource of Config: its name is inside the structure of the call; the deletion takes it as a parameter."""

    def identify(self, to: To) -> dict[str, Any]:
        """Return the name, the only parameter of the deletion."""
        return {self.entry.key: to.physical_id}

    def update(self, to: To) -> None:
        """Write the whole resource again by the call that creates it."""
        entry = self.entry
        parameters = {**self.make_parameters(to, to.properties), entry.name_as or entry.name: to.physical_id}
        to.call(entry.service, entry.create, **{entry.inside: parameters})


class DeliveryChannel(_NamedInside):
    """AWS::Config::DeliveryChannel; Ref is its name.

    Config creates no channel without a recorder, and a recorder cannot start without a channel. In templates neither
    depends on the other: CloudFormation retries the channel while it creates the recorder.
    """

    def create(self, to: To) -> str:
        """Create the channel; first wait for the recorder, if the stack creates one that does not depend on the channel."""
        if self._makes_recorder_first(to):
            to.wait(lambda: self._has_recorder(to) or to.cancelled(), f"{to.logical_id}: the configuration recorder")
        return super().create(to)

    def _has_recorder(self, to: To) -> bool:
        return bool(to.call("config", "describe_configuration_recorders")["ConfigurationRecorders"])

    def _makes_recorder_first(self, to: To) -> bool:
        stack = to.stacks.store.find(to.stack_id, to.region)
        assert stack is not None, "the resource belongs to a stack"
        template = read(stack.wanted.template, stack.wanted.parameters, stack.region)
        graph, waiting = find_dependencies(template, frozenset(template.resources)), {to.logical_id}
        while more := {name for name, needs in graph.items() if needs & waiting} - waiting:
            waiting |= more
        recorders = {name for name, one in template.resources.items() if one["Type"] == RECORDER}
        return bool(recorders - waiting)


class WebAcl(TableAdapter):
    """AWS::WAFv2::WebACL; Ref is name, id and scope. Each update and the deletion take the current lock token."""

    def create(self, to: To) -> str:
        """Create the ACL; return its name, id and scope, joined by "|"."""
        name = self.choose_name(to)
        summary = to.call("wafv2", "create_web_acl", **{**self.make_parameters(to, to.properties), "Name": name})[
            "Summary"
        ]
        return f"{summary['Name']}|{summary['Id']}|{to.get('Scope')}"

    def update(self, to: To) -> None:
        """Replace all settings of the ACL."""
        parameters = self.make_parameters(to, to.properties.keys() - {"Scope"})
        to.call("wafv2", "update_web_acl", **{**parameters, **self.identify(to)}, LockToken=self._read_token(to))

    def delete(self, to: To) -> None:
        """Delete the ACL."""
        to.call("wafv2", "delete_web_acl", **self.identify(to), LockToken=self._read_token(to))

    def identify(self, to: To) -> dict[str, Any]:
        """Return the three parts of the physical id as parameters."""
        name, identity, scope = to.physical_id.split("|")
        return {"Name": name, "Id": identity, "Scope": scope}

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return ARN, capacity, id and label namespace."""
        description = to.call("wafv2", "get_web_acl", **self.identify(to))["WebACL"]
        names = {"Arn": "ARN", "Capacity": "Capacity", "Id": "Id", "LabelNamespace": "LabelNamespace"}
        return {name: description.get(key) for name, key in names.items()}

    def _read_token(self, to: To) -> Any:
        return to.call("wafv2", "get_web_acl", **self.identify(to))["LockToken"]


class Hub(TableAdapter):
    """AWS::SecurityHub::Hub; Ref is its ARN. A region has one hub."""

    def create(self, to: To) -> str:
        """Enable Security Hub with the tags: moto has no other call that sets them."""
        to.call("securityhub", "enable_security_hub", **self.make_parameters(to, to.properties), Tags=to.tags or None)
        return str(to.call("securityhub", "describe_hub")["HubArn"])

    def delete(self, to: To) -> None:
        """Disable Security Hub."""
        to.call("securityhub", "disable_security_hub")


class Detector(TableAdapter):
    """AWS::GuardDuty::Detector; Ref is its id. The call that creates it also sets its tags."""

    def make_parameters(self, to: To, names: Any) -> dict[str, Any]:
        """Add the tags to the call that creates the detector."""
        parameters = super().make_parameters(to, names)
        return parameters if to.physical_id or not to.tags else {**parameters, "Tags": to.tags}


class InspectorFilter(TableAdapter):
    """AWS::InspectorV2::Filter; Ref is its ARN."""

    def read_item(self, to: To) -> Any:
        """Return the filter with this ARN, or None."""
        filters = to.call("inspector2", "list_filters", arns=[to.physical_id])["filters"]
        return filters[0] if filters else None


ADAPTERS = (
    Trail(
        Entry(
            "AWS::CloudTrail::Trail",
            "cloudtrail",
            "create_trail",
            "delete_trail",
            "Name",
            name="TrailName",
            name_as="Name",
            settings={
                "EventSelectors": make_setter("cloudtrail", "put_event_selectors", "TrailName", "EventSelectors"),
                "AdvancedEventSelectors": make_setter(
                    "cloudtrail", "put_event_selectors", "TrailName", "AdvancedEventSelectors"
                ),
                "InsightSelectors": make_setter("cloudtrail", "put_insight_selectors", "TrailName", "InsightSelectors"),
                "IsLogging": _set_logging,
            },
            update="update_trail",
            takes=(
                "CloudWatchLogsLogGroupArn",
                "CloudWatchLogsRoleArn",
                "EnableLogFileValidation",
                "IncludeGlobalServiceEvents",
                "IsMultiRegionTrail",
                "IsOrganizationTrail",
                "KMSKeyId",
                "S3BucketName",
                "S3KeyPrefix",
                "SnsTopicName",
            ),
            read="get_trail",
            item="Trail",
            attributes={"Arn": "TrailARN", "SnsTopicArn": "SnsTopicARN"},
        )
    ),
    _NamedInside(
        Entry(
            RECORDER,
            "config",
            "put_configuration_recorder",
            "delete_configuration_recorder",
            "ConfigurationRecorderName",
            name="Name",
            name_as="name",
            inside="ConfigurationRecorder",
        )
    ),
    DeliveryChannel(
        Entry(
            "AWS::Config::DeliveryChannel",
            "config",
            "put_delivery_channel",
            "delete_delivery_channel",
            "DeliveryChannelName",
            name="Name",
            name_as="name",
            inside="DeliveryChannel",
        )
    ),
    _NamedInside(
        Entry(
            "AWS::Config::ConfigRule",
            "config",
            "put_config_rule",
            "delete_config_rule",
            "ConfigRuleName",
            name="ConfigRuleName",
            shaped={"InputParameters": format_json},
            inside="ConfigRule",
            read="describe_config_rules",
            read_key="ConfigRuleNames",
            item="ConfigRules.0",
            attributes={
                "Arn": "ConfigRuleArn",
                "ConfigRuleId": "ConfigRuleId",
                "Compliance.Type": lambda _: NOT_EVALUATED,
            },
        )
    ),
    Detector(
        Entry(
            "AWS::GuardDuty::Detector",
            "guardduty",
            "create_detector",
            "delete_detector",
            "DetectorId",
            id_path="DetectorId",
            update="update_detector",
            takes=("DataSources", "Enable", "Features", "FindingPublishingFrequency"),
            read="get_detector",
            attributes={"Id": "@id"},
        )
    ),
    Hub(
        Entry(
            "AWS::SecurityHub::Hub",
            "securityhub",
            "enable_security_hub",
            "disable_security_hub",
            "HubArn",
            ignored=frozenset({"AutoEnableControls"}),
            read="describe_hub",
            attributes={"ARN": "@id", "SubscribedAt": "SubscribedAt"},
        )
    ),
    InspectorFilter(
        Entry(
            "AWS::InspectorV2::Filter",
            "inspector2",
            "create_filter",
            "delete_filter",
            "arn",
            id_path="arn",
            name="Name",
            name_as="name",
            renamed={"FilterAction": "action"},
            read="list_filters",
            attributes={"Arn": "@id"},
            tags=Tagging("resourceArn", as_map=True),
        )
    ),
    WebAcl(
        Entry(
            "AWS::WAFv2::WebACL",
            "wafv2",
            "create_web_acl",
            "delete_web_acl",
            "Id",
            name="Name",
            tags=Tagging("ResourceARN", target="Arn"),
        )
    ),
)
