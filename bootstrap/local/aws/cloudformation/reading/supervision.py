"""CloudTrail, Config, GuardDuty, Security Hub, Inspector, WAF, budgets, cost categories and resource groups."""

from __future__ import annotations

import json
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.reading.read import Read, Way
from bootstrap.local.aws.cloudformation.reading.rules import read_moment


def _describe_config(method: str, ask: str, root: str, **ways: Way) -> Read:
    return Read("config", method, {ask: ["@id"]}, root, dict(ways))


def _read_acl(answer: Any, to: Context) -> Any:
    name, identity, scope = to.physical_id.split("|")
    return {**to.call("wafv2", "get_web_acl", Name=name, Id=identity, Scope=scope)["WebACL"], "Scope": scope}


def _read_budget(part: Any, _: Context) -> Any:
    """The budget; amounts are texts in the service and numbers in a template, which `property_differences` treats as equal."""
    return part["Budget"]


def _query(part: Any, _: Context) -> dict[str, Any]:
    query = part["GroupQuery"]["ResourceQuery"]
    return {"Type": query["Type"], "Query": json.loads(query["Query"])}


def _read_as_text(name: str) -> Way:
    return lambda part, _: json.dumps(part[name]) if part.get(name) else None


def _is_on(part: Any, _: Context) -> bool:
    return bool(part["Status"] == "ENABLED")


READS: dict[str, tuple[Read, ...]] = {
    "AWS::CloudTrail::Trail": (
        Read(
            "cloudtrail",
            "get_trail",
            {"Name": "@id"},
            "Trail",
            {"TrailName": "Name", "EnableLogFileValidation": "LogFileValidationEnabled"},
        ),
        Read("cloudtrail", "get_trail_status", {"Name": "@id"}),
        Read("cloudtrail", "get_event_selectors", {"TrailName": "@id"}),
        Read("cloudtrail", "get_insight_selectors", {"TrailName": "@id"}),
        Read(
            "cloudtrail",
            "list_tags",
            {"ResourceIdList": ["@Arn"]},
            ways={"Tags": "ResourceTagList.0.TagsList"},
            plain=False,
        ),
    ),
    "AWS::Config::ConfigurationRecorder": (
        _describe_config("describe_configuration_recorders", "ConfigurationRecorderNames", "ConfigurationRecorders.0"),
    ),
    "AWS::Config::DeliveryChannel": (
        _describe_config("describe_delivery_channels", "DeliveryChannelNames", "DeliveryChannels.0"),
    ),
    "AWS::Config::ConfigRule": (_describe_config("describe_config_rules", "ConfigRuleNames", "ConfigRules.0"),),
    "AWS::GuardDuty::Detector": (Read("guardduty", "get_detector", {"DetectorId": "@id"}, "", {"Enable": _is_on}),),
    "AWS::SecurityHub::Hub": (Read("securityhub", "describe_hub", {}),),
    "AWS::InspectorV2::Filter": (
        Read(
            "inspector2",
            "list_filters",
            {"arns": ["@id"]},
            "filters.0",
            {"FilterAction": "action", "FilterCriteria": "criteria"},
        ),
    ),
    "AWS::WAFv2::WebACL": (
        Read("wafv2", "list_web_acls", {"Scope": "#Scope"}, _read_acl),
        Read(
            "wafv2",
            "list_tags_for_resource",
            {"ResourceARN": "@Arn"},
            ways={"Tags": "TagInfoForResource.TagList"},
            plain=False,
        ),
    ),
    "AWS::Budgets::Budget": (
        Read(
            "budgets",
            "describe_budget",
            {"AccountId": "@account", "BudgetName": "@id"},
            "",
            {"Budget": _read_budget},
        ),
    ),
    "AWS::CE::CostCategory": (
        Read(
            "ce",
            "describe_cost_category_definition",
            {"CostCategoryArn": "@id"},
            "CostCategory",
            {"Rules": _read_as_text("Rules"), "SplitChargeRules": _read_as_text("SplitChargeRules")},
        ),
        Read("ce", "list_tags_for_resource", {"ResourceArn": "@id"}, ways={"Tags": "ResourceTags"}, plain=False),
    ),
    "AWS::Scheduler::ScheduleGroup": (
        Read("scheduler", "get_schedule_group", {"Name": "@id"}),
        Read("scheduler", "list_tags_for_resource", {"ResourceArn": "@Arn"}),
    ),
    "AWS::Scheduler::Schedule": (
        Read(
            "scheduler",
            "get_schedule",
            {"Name": "@id", "GroupName": "#GroupName"},
            "",
            {"StartDate": read_moment("StartDate"), "EndDate": read_moment("EndDate")},
        ),
    ),
    "AWS::ResourceGroups::Group": (
        Read("resource-groups", "get_group", {"GroupName": "@id"}, "Group"),
        Read(
            "resource-groups",
            "get_group_query",
            {"GroupName": "@id"},
            ways={"ResourceQuery": _query},
            plain=False,
            when="ResourceQuery",
        ),
        Read(
            "resource-groups",
            "get_group_configuration",
            {"Group": "@id"},
            ways={"Configuration": "GroupConfiguration.Configuration"},
            plain=False,
            when="Configuration",
        ),
        Read("resource-groups", "get_tags", {"Arn": "@Arn"}),
    ),
}
