"""What services say of the resources of the templates in `types/`, by template: their settings, and the tags of the stack.

Each entry is a call: service, operation, parameters with the stack's outputs, the path of a value in the answer.
"""

from __future__ import annotations

from typing import Any

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
