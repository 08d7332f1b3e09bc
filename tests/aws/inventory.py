"""What the services of a cloud hold, by their own lists: for tests that compare it before and after an operation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

GONE = frozenset(("deleted", "terminated", "PendingDeletion"))
# Service -> its lists: call, member of the answer, member with the id ('' if the entry is the id).
LISTS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "autoscaling": (
        ("describe_auto_scaling_groups", "AutoScalingGroups", "AutoScalingGroupName"),
        ("describe_launch_configurations", "LaunchConfigurations", "LaunchConfigurationName"),
    ),
    "backup": (
        ("list_backup_plans", "BackupPlansList", "BackupPlanId"),
        ("list_backup_vaults", "BackupVaultList", "BackupVaultName"),
    ),
    "acm": (("list_certificates", "CertificateSummaryList", "CertificateArn"),),
    "config": (
        ("describe_config_rules", "ConfigRules", "ConfigRuleName"),
        ("describe_configuration_recorders", "ConfigurationRecorders", "name"),
        ("describe_delivery_channels", "DeliveryChannels", "name"),
    ),
    "guardduty": (("list_detectors", "DetectorIds", ""),),
    "cloudtrail": (("describe_trails", "trailList", "Name"),),
    "cloudwatch": (
        ("describe_alarms", "MetricAlarms", "AlarmName"),
        ("list_dashboards", "DashboardEntries", "DashboardName"),
    ),
    "dynamodb": (("list_tables", "TableNames", ""),),
    "ec2": (
        ("describe_addresses", "Addresses", "AllocationId"),
        ("describe_customer_gateways", "CustomerGateways", "CustomerGatewayId"),
        ("describe_dhcp_options", "DhcpOptions", "DhcpOptionsId"),
        ("describe_egress_only_internet_gateways", "EgressOnlyInternetGateways", "EgressOnlyInternetGatewayId"),
        ("describe_flow_logs", "FlowLogs", "FlowLogId"),
        ("describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
        ("describe_key_pairs", "KeyPairs", "KeyPairId"),
        ("describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"),
        ("describe_managed_prefix_lists", "PrefixLists", "PrefixListId"),
        ("describe_nat_gateways", "NatGateways", "NatGatewayId"),
        ("describe_network_acls", "NetworkAcls", "NetworkAclId"),
        ("describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
        ("describe_route_tables", "RouteTables", "RouteTableId"),
        ("describe_security_groups", "SecurityGroups", "GroupId"),
        ("describe_subnets", "Subnets", "SubnetId"),
        ("describe_transit_gateways", "TransitGateways", "TransitGatewayId"),
        ("describe_transit_gateway_attachments", "TransitGatewayAttachments", "TransitGatewayAttachmentId"),
        ("describe_volumes", "Volumes", "VolumeId"),
        ("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
        ("describe_vpc_peering_connections", "VpcPeeringConnections", "VpcPeeringConnectionId"),
        ("describe_vpcs", "Vpcs", "VpcId"),
        ("describe_vpn_connections", "VpnConnections", "VpnConnectionId"),
        ("describe_vpn_gateways", "VpnGateways", "VpnGatewayId"),
    ),
    "ecr": (("describe_repositories", "repositories", "repositoryName"),),
    "efs": (("describe_file_systems", "FileSystems", "FileSystemId"),),
    "elbv2": (
        ("describe_load_balancers", "LoadBalancers", "LoadBalancerArn"),
        ("describe_target_groups", "TargetGroups", "TargetGroupArn"),
    ),
    "events": (("list_rules", "Rules", "Name"),),
    "iam": (
        ("list_groups", "Groups", "GroupName"),
        ("list_instance_profiles", "InstanceProfiles", "InstanceProfileName"),
        ("list_roles", "Roles", "RoleName"),
        ("list_users", "Users", "UserName"),
    ),
    "kms": (("list_aliases", "Aliases", "AliasName"),),
    "lambda": (("list_functions", "Functions", "FunctionName"),),
    "logs": (("describe_log_groups", "logGroups", "logGroupName"),),
    "route53": (("list_hosted_zones", "HostedZones", "Id"), ("list_health_checks", "HealthChecks", "Id")),
    "s3": (("list_buckets", "Buckets", "Name"),),
    "secretsmanager": (("list_secrets", "SecretList", "Name"),),
    "sns": (("list_topics", "Topics", "TopicArn"), ("list_subscriptions", "Subscriptions", "SubscriptionArn")),
    "sqs": (("list_queues", "QueueUrls", ""),),
    "ssm": (("describe_parameters", "Parameters", "Name"),),
}


# The service of a resource type, where its name is not that of the type in small letters.
_SERVICES = {"ElasticLoadBalancingV2": "elbv2", "CertificateManager": "acm", "WAFv2": "wafv2"}


def services_of(types: Iterable[str]) -> frozenset[str]:
    """The services that hold resources of these types, as far as their things are listed here."""
    names = (kind.split("::")[1] for kind in types if kind.startswith("AWS::"))
    return frozenset(_SERVICES.get(name, name.lower()) for name in names) & LISTS.keys()


def count(client: Callable[[str], Any], services: Iterable[str] = LISTS) -> set[str]:
    """Return what exists in the services, each thing as 'service id'."""
    things = set()
    for service in services:
        for call, member, key in LISTS[service]:
            for entry in _list_all(client(service), call, member):
                if not key or not GONE & {_state(entry)}:
                    things.add(f"{service} {entry[key] if key else entry}")
        if service == "iam":
            policies = client("iam").list_policies(Scope="Local")["Policies"]
            things |= {f"iam {policy['Arn']}" for policy in policies}
    return things


def _list_all(client: Any, call: str, member: str) -> list[Any]:
    if client.can_paginate(call):
        entries: list[Any] = client.get_paginator(call).paginate().build_full_result().get(member, [])
        return entries
    return list(getattr(client, call)().get(member, []))


def _state(entry: dict[str, Any]) -> str:
    state = entry.get("State") or entry.get("Status") or ""
    return str(state.get("Code", "") if isinstance(state, dict) else state)
