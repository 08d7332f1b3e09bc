"""Changes of resources of the templates in `types/` that are made in place, and what services say of them afterwards."""

from __future__ import annotations

from typing import Any

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
