"""Every type that has an adapter is made, read back, altered, compared, kept over a kill, and deleted: one template a file."""

from __future__ import annotations

import json
import signal
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Client = Callable[[str], Any]
FILES = sorted((Path(__file__).parent / "types").glob("*.yaml"))
GIVEN = {"Capabilities": ["CAPABILITY_NAMED_IAM"], "Tags": [{"Key": "Project", "Value": "jenkins"}]}

# What the service says of a resource: service, call, parameters (with the stack's outputs), path, value.
READ: dict[str, list[tuple[str, str, dict[str, Any], str, Any]]] = {
    "scaling": [
        ("autoscaling", "describe_auto_scaling_groups", {"AutoScalingGroupNames": ["{Group}"]}, "0.0.MaxSize", 2),
        ("autoscaling", "describe_lifecycle_hooks", {"AutoScalingGroupName": "{Group}"}, "0.0.HeartbeatTimeout", 300),
        (
            "autoscaling",
            "describe_scheduled_actions",
            {"AutoScalingGroupName": "{Group}"},
            "0.0.Recurrence",
            "0 20 * * *",
        ),
        ("autoscaling", "describe_policies", {"AutoScalingGroupName": "{Group}"}, "0.0.PolicyARN", "{Policy}"),
        ("elbv2", "describe_target_health", {"TargetGroupArn": "{Targets}"}, "0.0.Target.Port", 8080),
        ("elbv2", "describe_listeners", {"LoadBalancerArn": "{Balancer}"}, "0.0.ListenerArn", "{Listener}"),
        ("elbv2", "describe_rules", {"RuleArns": ["{Rule}"]}, "0.0.Priority", "10"),
        ("elbv2", "describe_load_balancers", {"LoadBalancerArns": ["{Balancer}"]}, "0.0.DNSName", "{BalancerHost}"),
    ],
    "addressing": [
        ("ec2", "describe_vpcs", {"VpcIds": ["{Vpc}"]}, "0.0.CidrBlockAssociationSet.1.CidrBlock", "10.45.0.0/16"),
        (
            "ec2",
            "describe_subnets",
            {"SubnetIds": ["{Subnet}"]},
            "0.0.Ipv6CidrBlockAssociationSet.0.Ipv6CidrBlockState.State",
            "associated",
        ),
        (
            "ec2",
            "describe_egress_only_internet_gateways",
            {"EgressOnlyInternetGatewayIds": ["{Way}"]},
            "0.0.Attachments.0.VpcId",
            "{Vpc}",
        ),
    ],
    "connectivity": [
        ("ec2", "describe_vpn_gateways", {"VpnGatewayIds": ["{Gateway}"]}, "0.0.AmazonSideAsn", 64512),
        ("ec2", "describe_vpn_gateways", {"VpnGatewayIds": ["{Gateway}"]}, "0.0.VpcAttachments.0.State", "attached"),
        ("ec2", "describe_customer_gateways", {"CustomerGatewayIds": ["{Customer}"]}, "0.0.BgpAsn", "65000"),
        ("ec2", "describe_vpn_connections", {"VpnConnectionIds": ["{Connection}"]}, "0.0.VpnGatewayId", "{Gateway}"),
        (
            "ec2",
            "describe_vpn_connections",
            {"VpnConnectionIds": ["{Connection}"]},
            "0.0.Options.StaticRoutesOnly",
            True,
        ),
        (
            "ec2",
            "describe_vpn_connections",
            {"VpnConnectionIds": ["{Connection}"]},
            "0.0.Routes.0.DestinationCidrBlock",
            "10.200.0.0/16",
        ),
        (
            "ec2",
            "describe_route_tables",
            {"RouteTableIds": ["{Table}"]},
            "0.0.PropagatingVgws.0.GatewayId",
            "{Gateway}",
        ),
        ("ec2", "describe_route_tables", {"RouteTableIds": ["{Table}"]}, "0.0.Routes.1.GatewayId", "{Gateway}"),
        (
            "route53resolver",
            "get_resolver_query_log_config",
            {"ResolverQueryLogConfigId": "{QueryLog}"},
            "0.AssociationCount",
            1,
        ),
        ("ec2", "describe_transit_gateways", {"TransitGatewayIds": ["{Hub}"]}, "0.0.Description", "hub"),
        (
            "ec2",
            "describe_vpc_peering_connections",
            {"VpcPeeringConnectionIds": ["{Peering}"]},
            "0.0.Status.Code",
            "active",
        ),
        ("directconnect", "describe_connections", {"connectionId": "{Line}"}, "0.0.bandwidth", "1Gbps"),
    ],
    "storage": [
        ("efs", "describe_file_systems", {"FileSystemId": "{Files}"}, "0.0.Encrypted", True),
        ("efs", "describe_lifecycle_configuration", {"FileSystemId": "{Files}"}, "0.0.TransitionToIA", "AFTER_30_DAYS"),
        ("efs", "describe_access_points", {"AccessPointId": "{Access}"}, "0.0.RootDirectory.Path", "/jenkins"),
        ("ecr", "describe_repositories", {"repositoryNames": ["{Images}"]}, "0.0.imageTagMutability", "IMMUTABLE"),
        ("dynamodb", "describe_table", {"TableName": "{Table}"}, "0.BillingModeSummary.BillingMode", "PAY_PER_REQUEST"),
        ("dynamodb", "describe_time_to_live", {"TableName": "{Table}"}, "0.AttributeName", "ends"),
        ("backup", "get_backup_plan", {"BackupPlanId": "{Plan}"}, "0.Rules.0.Lifecycle.DeleteAfterDays", 30),
        ("codecommit", "get_repository", {"repositoryName": "{CodeName}"}, "0.repositoryId", "{Code}"),
    ],
    "identities": [
        ("iam", "get_group", {"GroupName": "{People}"}, "1.0.UserName", "{Person}"),
        ("iam", "list_attached_user_policies", {"UserName": "{Person}"}, "0.0.PolicyName", "IAMUserChangePassword"),
        ("iam", "list_access_keys", {"UserName": "{Person}"}, "0.0.Status", "Inactive"),
        ("iam", "get_login_profile", {"UserName": "{Person}"}, "0.UserName", "{Person}"),
        ("lambda", "get_function", {"FunctionName": "{Function}"}, "0.Environment.Variables.WORD", "hello"),
        ("logs", "describe_metric_filters", {"logGroupName": "{Logs}"}, "0.0.filterName", "{Errors}"),
        ("logs", "describe_subscription_filters", {"logGroupName": "{Logs}"}, "0.0.destinationArn", "{FunctionArn}"),
        ("ssm", "describe_document", {"Name": "{Document}"}, "0.DocumentType", "Command"),
        ("ssm", "get_maintenance_window", {"WindowId": "{Window}"}, "Duration", 2),
        ("route53", "get_health_check", {"HealthCheckId": "{Check}"}, "0.HealthCheckConfig.ResourcePath", "/login"),
        ("acm", "describe_certificate", {"CertificateArn": "{Certificate}"}, "0.DomainName", "jenkins.example.com"),
        ("logs", "describe_resource_policies", {}, "0.0.policyName", "{Writers}"),
        ("route53", "list_resource_record_sets", {"HostedZoneId": "{Zone}"}, "0.2.Name", "a.identities.example."),
    ],
    "supporting": [
        (
            "autoscaling",
            "describe_auto_scaling_groups",
            {"AutoScalingGroupNames": ["{Group}"]},
            "0.0.LaunchConfigurationName",
            "{Launch}",
        ),
        (
            "autoscaling",
            "describe_launch_configurations",
            {"LaunchConfigurationNames": ["{Launch}"]},
            "0.0.InstanceType",
            "t3.small",
        ),
        ("logs", "describe_log_streams", {"logGroupName": "{Logs}"}, "0.0.logStreamName", "{Stream}"),
        ("logs", "describe_query_definitions", {}, "0.0.queryDefinitionId", "{Query}"),
        ("iam", "get_role", {"RoleName": "{Linked}"}, "0.Path", "/aws-service-role/autoscaling.amazonaws.com/"),
        ("cloudwatch", "describe_alarms", {"AlarmNames": ["{Both}"]}, "CompositeAlarms.0.AlarmArn", "{BothArn}"),
        ("scheduler", "get_schedule_group", {"Name": "{Times}"}, "Arn", "{TimesArn}"),
        ("scheduler", "get_schedule", {"Name": "{Nightly}", "GroupName": "{Times}"}, "Arn", "{NightlyArn}"),
        ("rds", "describe_db_subnet_groups", {"DBSubnetGroupName": "{Places}"}, "0.0.SubnetGroupStatus", "Complete"),
        ("rds", "describe_db_instances", {"DBInstanceIdentifier": "{Database}"}, "0.0.Endpoint.Address", "{Host}"),
        ("rds", "describe_db_instances", {"DBInstanceIdentifier": "{Database}"}, "0.0.DBInstanceArn", "{DatabaseArn}"),
    ],
    "watching": [
        ("cloudwatch", "get_dashboard", {"DashboardName": "{Dashboard}"}, "DashboardBody", '{"widgets":[]}'),
        ("cloudtrail", "get_trail_status", {"Name": "{Trail}"}, "IsLogging", True),
        (
            "config",
            "describe_config_rules",
            {"ConfigRuleNames": ["{Rule}"]},
            "0.0.Source.SourceIdentifier",
            "REQUIRED_TAGS",
        ),
        ("config", "describe_delivery_channels", {}, "0.0.s3BucketName", "{Bucket}"),
        ("guardduty", "get_detector", {"DetectorId": "{Detector}"}, "FindingPublishingFrequency", "SIX_HOURS"),
        ("securityhub", "describe_hub", {}, "HubArn", "{Hub}"),
        (
            "budgets",
            "describe_budget",
            {"AccountId": "123456789012", "BudgetName": "{Budget}"},
            "0.BudgetLimit.Unit",
            "USD",
        ),
        ("ce", "describe_cost_category_definition", {"CostCategoryArn": "{Category}"}, "0.Rules.0.Value", "jenkins"),
        ("resource-groups", "get_group", {"GroupName": "{Group}"}, "0.Name", "{Group}"),
    ],
}

# Changes in place: resource, property, new value.
ALTER: dict[str, list[tuple[str, str, Any]]] = {
    "addressing": [("Way", "Tags", [{"Key": "Name", "Value": "out"}])],
    "scaling": [
        ("Group", "MaxSize", "3"),
        ("Group", "MinSize", "2"),
        ("Night", "Recurrence", "0 21 * * *"),
        ("Hook", "HeartbeatTimeout", 600),
        ("Targets", "HealthCheckPath", "/whoAmI"),
        ("ListenerRule", "Priority", 20),
        ("Listener", "Port", 81),
    ],
    "connectivity": [("Hub", "Description", "other"), ("Line", "ConnectionName", "other")],
    "storage": [
        ("Files", "LifecyclePolicies", [{"TransitionToIA": "AFTER_7_DAYS"}]),
        ("Images", "ImageTagMutability", "MUTABLE"),
        ("Table", "DeletionProtectionEnabled", False),
        ("Table", "PointInTimeRecoverySpecification", {"PointInTimeRecoveryEnabled": False}),
    ],
    "identities": [
        ("Person", "ManagedPolicyArns", ["arn:aws:iam::aws:policy/ReadOnlyAccess"]),
        ("Person", "Policies", []),
        ("Key", "Status", "Active"),
        ("Function", "Timeout", 60),
        ("Function", "Code", {"ZipFile": "def handler(event, context): return 2"}),
        ("Errors", "FilterPattern", "FATAL"),
        ("Document", "Content", {"schemaVersion": "2.2", "description": "d", "mainSteps": []}),
        ("Provider", "ThumbprintList", ["d3768084dfb3d2b68b7897bf5f565da8efa1ff00"]),
    ],
    "supporting": [
        ("Query", "QueryString", "fields @message"),
        ("Linked", "Description", "another"),
        ("Both", "AlarmRule", "FALSE"),
        ("Nightly", "ScheduleExpression", "rate(1 day)"),
        ("Places", "DBSubnetGroupDescription", "other places"),
        ("Database", "BackupRetentionPeriod", 14),
        ("Database", "AllocatedStorage", "30"),
    ],
    "watching": [
        ("Dashboard", "DashboardBody", '{"widgets":[],"start":"-PT6H"}'),
        ("Trail", "IsLogging", False),
        ("Rule", "InputParameters", {"tag1Key": "CostCenter"}),
        ("Detector", "FindingPublishingFrequency", "ONE_HOUR"),
        ("Acl", "DefaultAction", {"Block": {}}),
        ("Group", "Description", "all of it"),
    ],
}
ALTERED: dict[str, list[tuple[str, str, dict[str, Any], str, Any]]] = {
    "addressing": [("ec2", "describe_vpcs", {"VpcIds": ["{Vpc}"]}, "0.0.CidrBlock", "10.44.0.0/16")],
    "scaling": [
        ("autoscaling", "describe_auto_scaling_groups", {"AutoScalingGroupNames": ["{Group}"]}, "0.0.MaxSize", 3),
        (
            "autoscaling",
            "describe_auto_scaling_groups",
            {"AutoScalingGroupNames": ["{Group}"]},
            "0.0.DesiredCapacity",
            2,
        ),
        ("autoscaling", "describe_lifecycle_hooks", {"AutoScalingGroupName": "{Group}"}, "0.0.HeartbeatTimeout", 600),
        ("elbv2", "describe_rules", {"RuleArns": ["{Rule}"]}, "0.0.Priority", "20"),
        ("elbv2", "describe_listeners", {"LoadBalancerArn": "{Balancer}"}, "0.0.Port", 81),
        ("elbv2", "describe_target_groups", {"TargetGroupArns": ["{Targets}"]}, "0.0.HealthCheckPath", "/whoAmI"),
    ],
    "connectivity": [
        ("ec2", "describe_transit_gateways", {"TransitGatewayIds": ["{Hub}"]}, "0.0.Description", "other"),
        ("directconnect", "describe_connections", {"connectionId": "{Line}"}, "0.0.connectionName", "other"),
    ],
    "storage": [
        ("efs", "describe_lifecycle_configuration", {"FileSystemId": "{Files}"}, "0.0.TransitionToIA", "AFTER_7_DAYS"),
        ("ecr", "describe_repositories", {"repositoryNames": ["{Images}"]}, "0.0.imageTagMutability", "MUTABLE"),
    ],
    "identities": [
        ("iam", "list_attached_user_policies", {"UserName": "{Person}"}, "0.0.PolicyName", "ReadOnlyAccess"),
        ("iam", "list_user_policies", {"UserName": "{Person}"}, "0", []),
        ("iam", "list_access_keys", {"UserName": "{Person}"}, "0.0.Status", "Active"),
        ("lambda", "get_function", {"FunctionName": "{Function}"}, "0.Timeout", 60),
        ("logs", "describe_metric_filters", {"logGroupName": "{Logs}"}, "0.0.filterPattern", "FATAL"),
        ("ssm", "describe_document", {"Name": "{Document}"}, "0.DefaultVersion", "2"),
    ],
    "supporting": [
        ("logs", "describe_query_definitions", {}, "0.0.queryString", "fields @message"),
        ("iam", "get_role", {"RoleName": "{Linked}"}, "0.Description", "another"),
        ("cloudwatch", "describe_alarms", {"AlarmNames": ["{Both}"]}, "CompositeAlarms.0.AlarmRule", "FALSE"),
        (
            "scheduler",
            "get_schedule",
            {"Name": "{Nightly}", "GroupName": "{Times}"},
            "ScheduleExpression",
            "rate(1 day)",
        ),
        ("rds", "describe_db_instances", {"DBInstanceIdentifier": "{Database}"}, "0.0.AllocatedStorage", 30),
        ("rds", "describe_db_instances", {"DBInstanceIdentifier": "{Database}"}, "0.0.BackupRetentionPeriod", 14),
    ],
    "watching": [
        ("cloudtrail", "get_trail_status", {"Name": "{Trail}"}, "IsLogging", False),
        ("guardduty", "get_detector", {"DetectorId": "{Detector}"}, "FindingPublishingFrequency", "ONE_HOUR"),
        ("resource-groups", "get_group", {"GroupName": "{Group}"}, "0.Description", "all of it"),
    ],
}

# Where each service keeps the tags of a resource: service, call, parameters, path of the list.
TAGS: dict[str, list[tuple[str, str, dict[str, Any], str]]] = {
    "addressing": [
        ("ec2", "describe_egress_only_internet_gateways", {"EgressOnlyInternetGatewayIds": ["{Way}"]}, "0.0.Tags")
    ],
    "scaling": [
        ("autoscaling", "describe_auto_scaling_groups", {"AutoScalingGroupNames": ["{Group}"]}, "0.0.Tags"),
        ("elbv2", "describe_tags", {"ResourceArns": ["{Balancer}"]}, "0.0.Tags"),
        ("elbv2", "describe_tags", {"ResourceArns": ["{Rule}"]}, "0.0.Tags"),
    ],
    "connectivity": [
        ("ec2", "describe_vpn_gateways", {"VpnGatewayIds": ["{Gateway}"]}, "0.0.Tags"),
        ("ec2", "describe_vpn_connections", {"VpnConnectionIds": ["{Connection}"]}, "0.0.Tags"),
        ("ec2", "describe_transit_gateways", {"TransitGatewayIds": ["{Hub}"]}, "0.0.Tags"),
        ("ec2", "describe_vpc_peering_connections", {"VpcPeeringConnectionIds": ["{Peering}"]}, "0.0.Tags"),
        ("directconnect", "describe_tags", {"resourceArns": ["{Line}"]}, "0.0.tags"),
        ("route53resolver", "list_tags_for_resource", {"ResourceArn": "{QueryLogArn}"}, "0"),
    ],
    "storage": [
        ("efs", "describe_file_systems", {"FileSystemId": "{Files}"}, "0.0.Tags"),
        ("ecr", "list_tags_for_resource", {"resourceArn": "{ImagesArn}"}, "0"),
        ("dynamodb", "list_tags_of_resource", {"ResourceArn": "{TableArn}"}, "0"),
        ("backup", "list_tags", {"ResourceArn": "{VaultArn}"}, "0"),
    ],
    "identities": [
        ("iam", "list_user_tags", {"UserName": "{Person}"}, "0"),
        ("lambda", "list_tags", {"Resource": "{FunctionArn}"}, "0"),
        ("acm", "list_tags_for_certificate", {"CertificateArn": "{Certificate}"}, "0"),
        ("ssm", "list_tags_for_resource", {"ResourceType": "Document", "ResourceId": "{Document}"}, "0"),
        ("route53", "list_tags_for_resource", {"ResourceType": "healthcheck", "ResourceId": "{Check}"}, "0.Tags"),
    ],
    "supporting": [
        ("cloudwatch", "list_tags_for_resource", {"ResourceARN": "{BothArn}"}, "0"),
        ("scheduler", "list_tags_for_resource", {"ResourceArn": "{TimesArn}"}, "Tags"),
        ("rds", "list_tags_for_resource", {"ResourceName": "{DatabaseArn}"}, "0"),
    ],
    "watching": [
        ("cloudtrail", "list_tags", {"ResourceIdList": ["{TrailArn}"]}, "0.0.TagsList"),
        ("guardduty", "get_detector", {"DetectorId": "{Detector}"}, "Tags"),
        ("resource-groups", "get_tags", {"Arn": "{GroupArn}"}, "Tags"),
        ("wafv2", "list_tags_for_resource", {"ResourceARN": "{AclArn}"}, "0.TagList"),
    ],
}


class _Loader(yaml.SafeLoader):
    """Keeps short forms as functions."""


def _function(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    else:
        value = loader.construct_sequence(node, deep=True)  # type: ignore[arg-type]
    return {suffix if suffix == "Ref" else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _function)


def document(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = yaml.load(path.read_text(), _Loader)  # noqa: S506 (a safe loader with CloudFormation's tags)
    return read


def filled(value: Any, outputs: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: filled(item, outputs) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, outputs) for item in value]
    return (
        outputs[value[1:-1]] if isinstance(value, str) and value.startswith("{") and value[1:-1] in outputs else value
    )


def at(answer: Any, path: str) -> Any:
    """The value at a path; a number counts the members of an answer as well as of a list."""
    for part in path.split("."):
        if isinstance(answer, dict) and part.isdigit():
            members = [
                value for key, value in answer.items() if key not in {"ResponseMetadata", "NextToken", "IsTruncated"}
            ]
            answer = members[int(part)]
        else:
            answer = answer[int(part)] if part.isdigit() else answer[part]
    return answer


class Stack:
    """A stack of one template."""

    def __init__(self, client: Client, path: Path) -> None:
        self.client, self.api, self.document = client, client("cloudformation"), document(path)
        name = f"{path.stem}-{uuid.uuid4().hex[:6]}"
        self.id: str = self.api.create_stack(StackName=name, TemplateBody=json.dumps(self.document), **GIVEN)["StackId"]

    def settled(self) -> dict[str, Any]:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            found: dict[str, Any] = self.api.describe_stacks(StackName=self.id)["Stacks"][0]
            if not found["StackStatus"].endswith("_IN_PROGRESS"):
                assert {} == self.failures()
                return found
            time.sleep(0.05)
        raise AssertionError("still in progress")

    def failures(self) -> dict[str, str]:
        pages = self.api.get_paginator("describe_stack_events").paginate(StackName=self.id)
        events = [event for page in pages for event in page["StackEvents"]]
        return {
            one["LogicalResourceId"]: one.get("ResourceStatusReason", "")
            for one in events
            if one["ResourceStatus"].endswith("_FAILED")
        }

    def outputs(self) -> dict[str, str]:
        found = self.api.describe_stacks(StackName=self.id)["Stacks"][0]["Outputs"]
        return {one["OutputKey"]: one["OutputValue"] for one in found}

    def physical(self) -> dict[str, str]:
        found = self.api.list_stack_resources(StackName=self.id)["StackResourceSummaries"]
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}

    def ask(self, service: str, call: str, given: dict[str, Any], path: str) -> Any:
        return at(getattr(self.client(service), call)(**filled(given, self.outputs())), path)

    def drifted(self) -> dict[str, str]:
        self.api.detect_stack_drift(StackName=self.id)
        found = self.api.describe_stack_resource_drifts(StackName=self.id)["StackResourceDrifts"]
        return {
            one["LogicalResourceId"]: one["StackResourceDriftStatus"]
            for one in found
            if one["StackResourceDriftStatus"] not in {"IN_SYNC", "NOT_CHECKED"}
        }


@pytest.fixture(scope="module", params=FILES, ids=lambda path: path.stem)
def made(client: Client, request: pytest.FixtureRequest) -> tuple[str, Stack]:
    stack = Stack(client, request.param)
    assert "CREATE_COMPLETE" == stack.settled()["StackStatus"]
    return request.param.stem, stack


def test_resources_read_back_as_written(made: tuple[str, Stack]) -> None:
    name, stack = made
    outputs = stack.outputs()
    expected = [(call, path, filled(value, outputs)) for _, call, _, path, value in READ[name]]
    assert expected == [
        (call, path, stack.ask(service, call, given, path)) for service, call, given, path, _ in READ[name]
    ]


def test_stack_tags_are_on_them(made: tuple[str, Stack]) -> None:
    name, stack = made
    for service, call, given, path in TAGS[name]:
        found = stack.ask(service, call, given, path)
        pairs = [found] if isinstance(found, dict) else found
        flat = {text for pair in pairs for item in pair.items() for text in item}
        assert {"Project", "jenkins"} <= flat, (call, found)


def test_changes_are_made_in_place(made: tuple[str, Stack]) -> None:
    name, stack = made
    before = stack.physical()
    for logical, key, value in ALTER[name]:
        stack.document["Resources"][logical]["Properties"][key] = value
    stack.api.update_stack(StackName=stack.id, TemplateBody=json.dumps(stack.document), **GIVEN)
    assert "UPDATE_COMPLETE" == stack.settled()["StackStatus"]
    assert before == stack.physical()
    outputs = stack.outputs()
    expected = [(call, path, filled(value, outputs)) for _, call, _, path, value in ALTERED[name]]
    found = [(call, path, stack.ask(service, call, given, path)) for service, call, given, path, _ in ALTERED[name]]
    assert expected == found


def test_same_template_again_is_no_change(made: tuple[str, Stack]) -> None:
    _, stack = made
    shown = stack.api.create_change_set(StackName=stack.id, ChangeSetName="again", UsePreviousTemplate=True, **GIVEN)
    described = stack.api.describe_change_set(ChangeSetName=shown["Id"])
    assert ([], "FAILED") == (described["Changes"], described["Status"])


def test_nothing_has_drifted_and_deletion_leaves_nothing(made: tuple[str, Stack]) -> None:
    _, stack = made
    assert {} == stack.drifted()
    stack.api.delete_stack(StackName=stack.id)
    assert "DELETE_COMPLETE" == stack.settled()["StackStatus"]


def test_every_type_is_as_it_was_after_a_kill(own_cloud: Any) -> None:
    stacks = [Stack(own_cloud.client, path) for path in FILES]
    before = {}
    for stack in stacks:
        stack.settled()
        before[stack.id] = (stack.physical(), stack.outputs())
    own_cloud.end(signal.SIGKILL)
    own_cloud.start()
    for stack in stacks:
        assert before[stack.id] == (stack.physical(), stack.outputs())
        assert {} == stack.drifted()
        stack.api.delete_stack(StackName=stack.id)
    for stack in stacks:
        assert "DELETE_COMPLETE" == stack.settled()["StackStatus"]
