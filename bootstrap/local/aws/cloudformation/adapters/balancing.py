"""Elastic Load Balancing (version 2): load balancers, target groups, listeners and listener rules."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter, make_setter
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging

TAGS = Tagging("ResourceArns", add="add_tags", remove="remove_tags")


def _set_targets(to: To, value: Any) -> None:
    before, after = to.old.get("Targets") or [], value or []
    removed, new = [one for one in before if one not in after], [one for one in after if one not in before]
    if removed:
        to.call("elbv2", "deregister_targets", TargetGroupArn=to.physical_id, Targets=removed)
    if new:
        to.call("elbv2", "register_targets", TargetGroupArn=to.physical_id, Targets=new)


def _set_priority(to: To, value: Any) -> None:
    priorities = [{"RuleArn": to.physical_id, "Priority": value}]
    to.call("elbv2", "set_rule_priorities", RulePriorities=priorities)


ADAPTERS = (
    TableAdapter(
        Entry(
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "elbv2",
            "create_load_balancer",
            "delete_load_balancer",
            "LoadBalancerArn",
            id_path="LoadBalancers.0.LoadBalancerArn",
            name="Name",
            settings={
                "LoadBalancerAttributes": make_setter(
                    "elbv2", "modify_load_balancer_attributes", "LoadBalancerArn", "Attributes"
                )
            },
            alters={
                "Subnets": make_setter("elbv2", "set_subnets", "LoadBalancerArn", "Subnets"),
                "SecurityGroups": make_setter("elbv2", "set_security_groups", "LoadBalancerArn", "SecurityGroups"),
                "IpAddressType": make_setter("elbv2", "set_ip_address_type", "LoadBalancerArn", "IpAddressType"),
            },
            read="describe_load_balancers",
            read_key="LoadBalancerArns",
            item="LoadBalancers.0",
            attributes={
                "LoadBalancerArn": "@id",
                "DNSName": "DNSName",
                "CanonicalHostedZoneID": "CanonicalHostedZoneId",
                "LoadBalancerName": "LoadBalancerName",
                "LoadBalancerFullName": lambda item: item["LoadBalancerArn"].partition(":loadbalancer/")[2],
                "SecurityGroups": "SecurityGroups",
            },
            tags=TAGS,
        )
    ),
    TableAdapter(
        Entry(
            "AWS::ElasticLoadBalancingV2::TargetGroup",
            "elbv2",
            "create_target_group",
            "delete_target_group",
            "TargetGroupArn",
            id_path="TargetGroups.0.TargetGroupArn",
            name="Name",
            settings={
                "TargetGroupAttributes": make_setter(
                    "elbv2", "modify_target_group_attributes", "TargetGroupArn", "Attributes"
                ),
                "Targets": _set_targets,
            },
            update="modify_target_group",
            takes=(
                "HealthCheckEnabled",
                "HealthCheckIntervalSeconds",
                "HealthCheckPath",
                "HealthCheckPort",
                "HealthCheckProtocol",
                "HealthCheckTimeoutSeconds",
                "HealthyThresholdCount",
                "Matcher",
                "UnhealthyThresholdCount",
            ),
            read="describe_target_groups",
            read_key="TargetGroupArns",
            item="TargetGroups.0",
            attributes={
                "TargetGroupArn": "@id",
                "TargetGroupName": "TargetGroupName",
                "TargetGroupFullName": lambda item: item["TargetGroupArn"].rpartition(":")[2],
                "LoadBalancerArns": lambda item: item.get("LoadBalancerArns", []),
            },
            tags=TAGS,
        )
    ),
    TableAdapter(
        Entry(
            "AWS::ElasticLoadBalancingV2::Listener",
            "elbv2",
            "create_listener",
            "delete_listener",
            "ListenerArn",
            id_path="Listeners.0.ListenerArn",
            settings={
                "ListenerAttributes": make_setter("elbv2", "modify_listener_attributes", "ListenerArn", "Attributes")
            },
            update="modify_listener",
            takes=("AlpnPolicy", "Certificates", "DefaultActions", "Port", "Protocol", "SslPolicy"),
            read="describe_listeners",
            read_key="ListenerArns",
            item="Listeners.0",
            attributes={"ListenerArn": "@id"},
            tags=TAGS,
        )
    ),
    TableAdapter(
        Entry(
            "AWS::ElasticLoadBalancingV2::ListenerRule",
            "elbv2",
            "create_rule",
            "delete_rule",
            "RuleArn",
            id_path="Rules.0.RuleArn",
            alters={"Priority": _set_priority},
            update="modify_rule",
            takes=("Actions", "Conditions"),
            read="describe_rules",
            read_key="RuleArns",
            item="Rules.0",
            attributes={"RuleArn": "@id", "IsDefault": "IsDefault"},
            tags=TAGS,
        )
    ),
)
