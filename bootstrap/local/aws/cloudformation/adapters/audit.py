"""What watches an account: CloudTrail, Config, GuardDuty, Security Hub, Inspector, WAF."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.fitting import is_true
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter, as_json, setter
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging
from bootstrap.local.aws.cloudformation.template.parsing import read
from bootstrap.local.aws.cloudformation.template.template import dependencies

RECORDER = "AWS::Config::ConfigurationRecorder"


def _logging(to: To, value: Any) -> None:
    to.call("cloudtrail", "start_logging" if is_true(value) else "stop_logging", Name=to.physical_id)


class Trail(TableAdapter):
    """AWS::CloudTrail::Trail; Ref is its name."""

    def tag(self, to: To, gone: Iterable[str]) -> None:
        """One list for both calls."""
        arn, names = self.attributes(to)["Arn"], [{"Key": name} for name in gone]
        if names:
            to.call("cloudtrail", "remove_tags", ResourceId=arn, TagsList=names)
        if to.tags:
            to.call("cloudtrail", "add_tags", ResourceId=arn, TagsList=to.tag_list())


class _Wrapped(TableAdapter):
    """A thing of Config: the name is inside the wrapping structure, and deletion takes a name of its own."""

    def keys(self, to: To) -> dict[str, Any]:
        """The name alone."""
        return {self.entry.key: to.physical_id}

    def update(self, to: To) -> None:
        """Put again, whole."""
        entry = self.entry
        given = {**self.given(to, to.properties), entry.name_as or entry.name: to.physical_id}
        to.call(entry.service, entry.create, **{entry.inside: given})


class DeliveryChannel(_Wrapped):
    """AWS::Config::DeliveryChannel; Ref is its name.

    Config takes none without a recorder, and a recorder without a channel cannot start: templates name neither before the
    other, and CloudFormation tries the one again while the other is being made.
    """

    def create(self, to: To) -> str:
        """As soon as there is a recorder, if the stack makes one that does not wait for this."""
        if self._recorder_comes(to):
            to.wait(lambda: self._is_recorded(to) or to.cancelled(), f"{to.logical_id}: the configuration recorder")
        return super().create(to)

    def _is_recorded(self, to: To) -> bool:
        return bool(to.call("config", "describe_configuration_recorders")["ConfigurationRecorders"])

    def _recorder_comes(self, to: To) -> bool:
        stack = to.stacks.store.find(to.stack_id, to.region)
        assert stack is not None, "the resource belongs to a stack"
        template = read(stack.wanted.template, stack.wanted.parameters)
        graph, waiting = dependencies(template, frozenset(template.resources)), {to.logical_id}
        while more := {name for name, needs in graph.items() if needs & waiting} - waiting:
            waiting |= more
        recorders = {name for name, one in template.resources.items() if one["Type"] == RECORDER}
        return bool(recorders - waiting)


class WebAcl(TableAdapter):
    """AWS::WAFv2::WebACL; Ref is name, id and scope. Every change needs the lock's token."""

    def create(self, to: To) -> str:
        """Under its name."""
        name = self.own_name(to)
        made = to.call("wafv2", "create_web_acl", **{**self.given(to, to.properties), "Name": name})["Summary"]
        return f"{made['Name']}|{made['Id']}|{to.get('Scope')}"

    def update(self, to: To) -> None:
        """The whole of it."""
        given = self.given(to, to.properties.keys() - {"Scope"})
        to.call("wafv2", "update_web_acl", **{**given, **self.keys(to)}, LockToken=self._token(to))

    def delete(self, to: To) -> None:
        """With the token."""
        to.call("wafv2", "delete_web_acl", **self.keys(to), LockToken=self._token(to))

    def keys(self, to: To) -> dict[str, Any]:
        """The three parts of its physical id."""
        name, identity, scope = to.physical_id.split("|")
        return {"Name": name, "Id": identity, "Scope": scope}

    def attributes(self, to: To) -> dict[str, Any]:
        """As the service describes it."""
        found = to.call("wafv2", "get_web_acl", **self.keys(to))["WebACL"]
        names = {"Arn": "ARN", "Capacity": "Capacity", "Id": "Id", "LabelNamespace": "LabelNamespace"}
        return {name: found.get(key) for name, key in names.items()}

    def _token(self, to: To) -> Any:
        return to.call("wafv2", "get_web_acl", **self.keys(to))["LockToken"]


class Hub(TableAdapter):
    """AWS::SecurityHub::Hub; Ref is its ARN. There is one in a region."""

    def create(self, to: To) -> str:
        """Switched on, with its tags: the service has no other way to set them here."""
        to.call("securityhub", "enable_security_hub", **self.given(to, to.properties), Tags=to.tags or None)
        return str(to.call("securityhub", "describe_hub")["HubArn"])

    def delete(self, to: To) -> None:
        """Switched off."""
        to.call("securityhub", "disable_security_hub")


class Detector(TableAdapter):
    """AWS::GuardDuty::Detector; Ref is its id. Tags go with the creation."""

    def given(self, to: To, names: Any) -> dict[str, Any]:
        """With tags when it is made."""
        made = super().given(to, names)
        return made if to.physical_id or not to.tags else {**made, "Tags": to.tags}


class InspectorFilter(TableAdapter):
    """AWS::InspectorV2::Filter; Ref is its ARN."""

    def item(self, to: To) -> Any:
        """Among all."""
        found = to.call("inspector2", "list_filters", arns=[to.physical_id])["filters"]
        return found[0] if found else None


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
            limit=128,
            settings={
                "EventSelectors": setter("cloudtrail", "put_event_selectors", "TrailName", "EventSelectors"),
                "AdvancedEventSelectors": setter(
                    "cloudtrail", "put_event_selectors", "TrailName", "AdvancedEventSelectors"
                ),
                "InsightSelectors": setter("cloudtrail", "put_insight_selectors", "TrailName", "InsightSelectors"),
                "IsLogging": _logging,
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
    _Wrapped(
        Entry(
            RECORDER,
            "config",
            "put_configuration_recorder",
            "delete_configuration_recorder",
            "ConfigurationRecorderName",
            name="Name",
            name_as="name",
            limit=256,
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
            limit=256,
            inside="DeliveryChannel",
        )
    ),
    _Wrapped(
        Entry(
            "AWS::Config::ConfigRule",
            "config",
            "put_config_rule",
            "delete_config_rule",
            "ConfigRuleName",
            name="ConfigRuleName",
            limit=128,
            shaped={"InputParameters": as_json},
            inside="ConfigRule",
            read="describe_config_rules",
            read_key="ConfigRuleNames",
            item="ConfigRules.0",
            attributes={"Arn": "ConfigRuleArn", "ConfigRuleId": "ConfigRuleId"},
        )
    ),
    Detector(
        Entry(
            "AWS::GuardDuty::Detector",
            "guardduty",
            "create_detector",
            "delete_detector",
            "DetectorId",
            found="DetectorId",
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
            found="arn",
            name="Name",
            name_as="name",
            limit=128,
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
            limit=128,
            tags=Tagging("ResourceARN", target="Arn"),
        )
    ),
)
