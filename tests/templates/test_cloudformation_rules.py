"""The house rules of the templates, each shown able to fail.

A rule is a function from a parsed template to complaints. The functions of CloudFormation are parsed to their long forms.
"""

from pathlib import Path

import pytest

from tests.templates.network_rules import (
    acl_numbers_are_unique,
    acls_open_no_more_than_replies,
    endpoints_serve_this_account_alone,
    every_group_names_its_ways_out,
    no_subnet_hands_out_public_addresses,
    no_way_in_from_everywhere,
    only_ssh_and_https_come_in,
    roles_name_each_other,
    the_isolated_tier_has_no_way_out,
)
from tests.templates.permission_rules import (
    everybody_has_the_boundary,
    machines_ask_for_metadata_with_a_token,
    no_secret_is_written_down,
    only_own_things_are_touched,
    permissions_are_named,
    policies_of_a_role_fit_into_it,
)
from tests.templates.resource_rules import (
    buckets_are_closed,
    disks_are_encrypted,
    every_parameter_is_used,
    everything_is_described,
    logs_are_complete_and_end,
    stack_tags_reach_everything,
    the_customer_key_encrypts_everything,
    what_lasts_is_kept,
)
from tests.templates.template_reading import Rule, parse

ROOT = Path(__file__).resolve().parents[2]
PATHS = {path.stem: path for path in sorted((ROOT / "cloudformation").glob("*.yaml"))}
RULES: tuple[Rule, ...] = (
    no_way_in_from_everywhere,
    only_ssh_and_https_come_in,
    roles_name_each_other,
    every_group_names_its_ways_out,
    acls_open_no_more_than_replies,
    acl_numbers_are_unique,
    the_isolated_tier_has_no_way_out,
    no_subnet_hands_out_public_addresses,
    endpoints_serve_this_account_alone,
    logs_are_complete_and_end,
    disks_are_encrypted,
    the_customer_key_encrypts_everything,
    everybody_has_the_boundary,
    machines_ask_for_metadata_with_a_token,
    no_secret_is_written_down,
    permissions_are_named,
    only_own_things_are_touched,
    policies_of_a_role_fit_into_it,
    what_lasts_is_kept,
    buckets_are_closed,
    stack_tags_reach_everything,
    everything_is_described,
    every_parameter_is_used,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", PATHS)
def test_the_template_keeps(name: str, rule: Rule) -> None:
    assert [] == list(rule(parse(PATHS[name].read_text())))


# Rule, template, what is changed in it and into what: each must be complained of.
FAULTS: tuple[tuple[Rule, str, str, str], ...] = (
    (no_way_in_from_everywhere, "network", "ToPort: 22, CidrIp: !Ref OperatorCidr", "ToPort: 22, CidrIp: 0.0.0.0/0"),
    (no_way_in_from_everywhere, "network", "/([1-9]|[12][0-9]|3[0-2])", "/[0-9]{1,2}"),
    (only_ssh_and_https_come_in, "network", "FromPort: 22,", "FromPort: 20,"),
    (only_ssh_and_https_come_in, "network", "- {IpProtocol: tcp, FromPort: 443, ToPort: 443,", '- {IpProtocol: "-1",'),
    (only_ssh_and_https_come_in, "network", "FromPort: 2049\n      ToPort: 2049", "FromPort: 0\n      ToPort: 65535"),
    (only_ssh_and_https_come_in, "bastion", "FromPort: 22\n      ToPort: 22", "FromPort: 22\n      ToPort: 23"),
    (no_way_in_from_everywhere, "bastion", "CidrIp: !Ref Allowed1", "CidrIp: 0.0.0.0/0"),
    (roles_name_each_other, "network", "SourceSecurityGroupId: !Ref BastionSecurityGroup", "CidrIp: 10.0.0.0/8"),
    (roles_name_each_other, "network", "SourceSecurityGroupId: !Ref EdgeSecurityGroup", "CidrIp: !Ref VpcCidr"),
    (
        every_group_names_its_ways_out,
        "network",
        "      SecurityGroupEgress:\n        # A group",
        "      Ignored:\n        # A group",
    ),
    (every_group_names_its_ways_out, "network", "CidrIp: 127.0.0.1/32", "CidrIp: 0.0.0.0/0"),
    (acls_open_no_more_than_replies, "acls", "Protocol: 6", "Protocol: -1"),
    (acls_open_no_more_than_replies, "acls", "CidrBlock: !Ref OperatorCidr", "CidrBlock: 0.0.0.0/0"),
    (acls_open_no_more_than_replies, "acls", "CidrBlock: !Ref OperatorCidr", 'Ipv6CidrBlock: "::/0"'),
    (acls_open_no_more_than_replies, "acls", "Icmp: {Type: 2, Code: 0}", "Icmp: {Type: -1, Code: -1}"),
    (
        every_group_names_its_ways_out,
        "network",
        "IpProtocol: udp, FromPort: 123, ToPort: 123, CidrIpv6",
        'IpProtocol: "-1", CidrIpv6',
    ),
    (acls_open_no_more_than_replies, "acls", "Icmp: {Type: 3, Code: 4}", "Icmp: {Type: -1, Code: -1}"),
    (acls_open_no_more_than_replies, "acls", "{From: 1024, To: 65535}", "{From: 1, To: 65535}"),
    (acl_numbers_are_unique, "acls", "RuleNumber: 120", "RuleNumber: 100"),
    (
        the_isolated_tier_has_no_way_out,
        "network",
        "RouteTableId: !Ref PrivateRoutes1\n      Dest",
        "RouteTableId: !Ref DataRoutes\n      Dest",
    ),
    (the_isolated_tier_has_no_way_out, "network", "        - !Ref PublicRoutes\n", "        - !Ref DataRoutes\n"),
    (
        the_isolated_tier_has_no_way_out,
        "network",
        "SubnetId: !Ref DataSubnet1\n      RouteTableId: !Ref DataRoutes",
        "SubnetId: !Ref DataSubnet1\n      RouteTableId: !Ref PublicRoutes",
    ),
    (no_subnet_hands_out_public_addresses, "network", "MapPublicIpOnLaunch: false", "MapPublicIpOnLaunch: true"),
    (no_subnet_hands_out_public_addresses, "bastion", "!If [IsPublic, true, false]", "true"),
    (endpoints_serve_this_account_alone, "endpoints", "aws:PrincipalAccount", "aws:SourceAccount"),
    (endpoints_serve_this_account_alone, "network", "aws:PrincipalAccount", "aws:SourceAccount"),
    (endpoints_serve_this_account_alone, "network", "Action: s3:GetObject", 'Action: "s3:*"'),
    (endpoints_serve_this_account_alone, "network", "s3:::aws-ssm-${AWS::Region}/*", "s3:::*"),
    (endpoints_serve_this_account_alone, "endpoints", "PrivateDnsEnabled: true", "PrivateDnsEnabled: false"),
    (buckets_are_closed, "distribution", "BlockPublicPolicy: true", "BlockPublicPolicy: false"),
    (buckets_are_closed, "distribution", "BucketOwnerEnforced", "ObjectWriter"),
    (buckets_are_closed, "distribution", 'SecureTransport": "false"', 'SecureTransport": "true"'),
    (what_lasts_is_kept, "distribution", "            ExpirationInDays: 7\n", ""),
    (what_lasts_is_kept, "distribution", "            Status: Enabled\n", "            Status: Disabled\n"),
    (
        the_customer_key_encrypts_everything,
        "distribution",
        "KMSMasterKeyID: !If [HasKmsKey",
        "KMSMasterKeyID: !If [HasKey",
    ),
    (permissions_are_named, "controller", '"s3:GetBucket*"', '"s3:Get*"'),
    (logs_are_complete_and_end, "traffic-logs", "      RetentionInDays: !Ref RetentionDays\n", ""),
    (logs_are_complete_and_end, "traffic-logs", "TrafficType: ALL", "TrafficType: REJECT"),
    (everybody_has_the_boundary, "bastion", "PermissionsBoundary: !If", "Path: !If"),
    (everybody_has_the_boundary, "traffic-logs", "PermissionsBoundary: !If", "Path: !If"),
    (
        everybody_has_the_boundary,
        "controller",
        "!Ref PermissionsBoundary, !Ref AWS::NoValue",
        "!Ref Project, !Ref AWS::NoValue",
    ),
    (
        everybody_has_the_boundary,
        "endpoints",
        "Resources:\n",
        "Resources:\n  U: {Type: AWS::IAM::User, Properties: {}}\n",
    ),
    (the_customer_key_encrypts_everything, "bastion", "KmsKeyId: !If", "SnapshotId: !If"),
    (
        the_customer_key_encrypts_everything,
        "controller",
        "              KmsKeyId: !If",
        "              SnapshotId: !If",
    ),
    (the_customer_key_encrypts_everything, "data", "!If [HasKmsKey, !Ref KmsKeyArn,", "!If [HasKmsKey, !Ref Project,"),
    (the_customer_key_encrypts_everything, "public-zone", "      KmsKeyId: !If [", "      LogGroupName: !If ["),
    (the_customer_key_encrypts_everything, "traffic-logs", "      KmsKeyId: !If [", "      LogGroupName: !If ["),
    (disks_are_encrypted, "bastion", "Encrypted: true", "Encrypted: false"),
    (machines_ask_for_metadata_with_a_token, "bastion", "HttpTokens: required", "HttpTokens: optional"),
    (disks_are_encrypted, "data", "Encrypted: true", "Encrypted: false"),
    (disks_are_encrypted, "controller", "Encrypted: true", "Encrypted: false"),
    (machines_ask_for_metadata_with_a_token, "controller", "HttpTokens: required", "HttpTokens: optional"),
    (machines_ask_for_metadata_with_a_token, "controller", "HopLimit: 1", "HopLimit: 2"),
    (no_secret_is_written_down, "controller", "ssh_pwauth: false", "password: hunter2"),
    (no_secret_is_written_down, "data", 'SecretString: "{}"', "SecretString: hunter2"),
    (
        no_secret_is_written_down,
        "data",
        "  KmsKeyArn:\n    Type",
        "  AdminPassword: {Type: String}\n  KmsKeyArn:\n    Type",
    ),
    (permissions_are_named, "controller", "Action: kms:Decrypt", "Action: kms:*"),
    (permissions_are_named, "controller", "Resource: !Ref KmsKeyArn", 'Resource: "*"'),
    (permissions_are_named, "controller", "Action: sts:AssumeRole", "NotAction: sts:TagSession"),
    (permissions_are_named, "controller", "      Policies:\n", "      ManagedPolicyArns: [a]\n      Policies:\n"),
    (everybody_has_the_boundary, "controller", "PermissionsBoundary: !If", "Path: !If"),
    (only_own_things_are_touched, "controller", ':vpc-endpoint/*"\n', ':vpc/*"\n'),
    (only_own_things_are_touched, "controller", ':natgateway/*"\n', ':subnet/*"\n'),
    (only_own_things_are_touched, "controller", "- ec2:CreateSubnet\n", "- ec2:CreateTags\n"),
    (only_own_things_are_touched, "controller", "- ec2:CreateSubnet\n", "- ec2:DeleteSubnet\n"),
    (
        only_own_things_are_touched,
        "controller",
        "- AllocateAddress\n                      - ",
        "- CreateVpc\n                      - ",
    ),
    (only_own_things_are_touched, "controller", '"ec2:CreateAction":', '"aws:RequestedRegion":'),
    (only_own_things_are_touched, "controller", '"aws:ResourceTag/Environment": !Ref FirstN', '"aws:x": !Ref FirstN'),
    (only_own_things_are_touched, "controller", "ForAnyValue:StringEquals:", "ForAnyValue:StringLike:"),
    (policies_of_a_role_fit_into_it, "controller", "Sid: Register", f"Sid: {'R' * 10000}"),
    (policies_of_a_role_fit_into_it, "controller", "Sid: ReadPrefixLists", f"Sid: {'R' * 4000}"),
    (what_lasts_is_kept, "data", "DeletionPolicy: RetainExceptOnCreate", "DeletionPolicy: Delete"),
    (what_lasts_is_kept, "data", "    UpdateReplacePolicy: Retain\n", ""),
    (stack_tags_reach_everything, "network", "AWS::EC2::VPCGatewayAttachment", "AWS::EC2::EIPAssociation"),
    (stack_tags_reach_everything, "data", "{Key: Name,", "{Key: Owner,"),
    (everything_is_described, "network", "    Description: The VPC.\n", ""),
    (everything_is_described, "network", "Parameters: [Nat, Ipv6", "Parameters: [Ipv6"),
    (every_parameter_is_used, "data", "Size: !Ref DataGib", "Size: 20"),
)


@pytest.mark.parametrize(("rule", "name", "good", "bad"), FAULTS)
def test_the_rule_notices(rule: Rule, name: str, good: str, bad: str) -> None:
    text = PATHS[name].read_text()
    assert good in text, "the planted fault must change something"

    assert [] != list(rule(parse(text.replace(good, bad, 1))))
