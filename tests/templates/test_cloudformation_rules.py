"""The house rules of the templates, each shown able to fail.

A rule is a function from a parsed template to complaints. The functions of CloudFormation are parsed to their long forms.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import decode_str

ROOT = Path(__file__).resolve().parents[2]
PATHS = {path.stem: path for path in sorted((ROOT / "cloudformation").glob("*.yaml"))}
STACK_TAGS = {"Project", "Environment", "Owner", "CostCenter", "ManagedBy", "Commit", "Run"}
Template = dict[str, Any]
Rule = Callable[[Template], Iterator[str]]

# Actions that may be allowed on every resource, because they know no resources, with AWS's Service Authorization Reference as
# the source; an action that is not here needs resources.
RESOURCELESS = re.compile(
    r"(ec2|autoscaling):Describe\w+|ssmmessages:(Create|Open)(Control|Data)Channel|cloudformation:DescribeStackDriftDetectionStatus"
    r"|cloudformation:BatchDescribeTypeConfigurations|logs:Describe(IndexPolicies|LogGroups|ResourcePolicies)"
    r"|cloudtrail:(DescribeTrails|LookupEvents)|route53:ListHostedZones(ByName|ByVPC)?|route53resolver:GetResolverQueryLogConfigAssociation"
    r"|route53resolver:ListResolverQueryLogConfig(Association)?s|ssm:ListAssociations|tag:GetResources"
)
# User data locks the password of a user. It has the names of the metadata service's token and credentials, never their values.
READ_ON_THE_INSTANCE = re.compile(
    r"(?i)lock_passwd: true|x-aws-ec2-metadata-token(-ttl-seconds)?|x_aws_ec2_metadata_token|x-amz-security-token"
    r"|latest/api/token|role\[.{1,3}(Token|SecretAccessKey).{1,3}\]|\btoken = answer|=token\b"
)
# The settings of a bucket, for each of which S3 has an action; neither reads an object.
SETTINGS_OF_BUCKETS = {"s3:Get*Configuration", "s3:GetBucket*"}
# Types that take no stack tags, and why that is right.
TAGLESS = {
    "AWS::IAM::ManagedPolicy": "its type has no tags in CloudFormation",
    "AWS::EC2::LaunchTemplate": "CloudFormation passes it none; Project and Environment stand in its TagSpecifications",
    "AWS::DirectConnect::DirectConnectGatewayAssociation": "a relation",
    "AWS::EC2::NetworkAclEntry": "a line of a network ACL, which is tagged",
    "AWS::EC2::Route": "a line of a route table, which is tagged",
    "AWS::EC2::SecurityGroupEgress": "CloudFormation passes it none; a line of a group, which is tagged",
    "AWS::EC2::SecurityGroupIngress": "CloudFormation passes it none; a line of a group, which is tagged",
    "AWS::EC2::SubnetNetworkAclAssociation": "a relation",
    "AWS::EC2::SubnetRouteTableAssociation": "a relation",
    "AWS::EC2::VPCDHCPOptionsAssociation": "a relation",
    "AWS::EC2::VPCGatewayAttachment": "a relation",
    "AWS::EC2::VPCCidrBlock": "a part of the VPC",
    "AWS::EC2::SubnetCidrBlock": "a part of the subnet",
    "AWS::EC2::VPNConnectionRoute": "a line of a VPN connection, which is tagged",
    "AWS::EC2::VPNGatewayRoutePropagation": "a relation",
    "AWS::EC2::VolumeAttachment": "a relation",
    "AWS::IAM::InstanceProfile": "CloudFormation passes it none; it only wraps the role, which is tagged",
    "AWS::Logs::ResourcePolicy": "CloudFormation passes it none; a permission of log groups, which are tagged",
    "AWS::S3::BucketPolicy": "a setting of a bucket, which is tagged",
    "AWS::Route53::RecordSet": "a line of a zone, which is tagged",
    "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation": "a relation",
}
LASTING = {
    "AWS::EC2::Volume",
    "AWS::SecretsManager::Secret",
    "AWS::S3::Bucket",
    "AWS::EFS::FileSystem",
    "AWS::KMS::Key",
}

# What an action on EC2 makes, which has no tag yet when it is asked for; and what it takes that is there already.
MAKES = {
    "ec2:AllocateAddress": "elastic-ip",
    "ec2:CreateDhcpOptions": "dhcp-options",
    "ec2:CreateNatGateway": "natgateway",
    "ec2:CreateNetworkAcl": "network-acl",
    "ec2:CreateRouteTable": "route-table",
    "ec2:CreateSecurityGroup": "security-group",
    "ec2:CreateSubnet": "subnet",
    "ec2:CreateVpcEndpoint": "vpc-endpoint",
}
TAKES = {
    "ec2:CreateNatGateway": {"elastic-ip", "subnet"},
    "ec2:CreateVpcEndpoint": {"route-table", "security-group", "subnet"},
}


def parse(text: str) -> Template:
    parsed, faults = decode_str(text)
    assert [] == faults
    return dict(parsed)


def resources(template: Template, *types: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for logical, resource in template["Resources"].items():
        if not types or resource["Type"] in types:
            yield logical, resource


def walk(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every (key, value) below, also through lists and functions."""
    yield key, value
    children = (
        value.items() if isinstance(value, dict) else ((key, it) for it in value) if isinstance(value, list) else ()
    )
    for name, child in children:
        yield from walk(child, name)


def statements(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is granted. An endpoint's policy grants nothing, it bounds; a rule of its own holds it."""
    for logical, resource in resources(template):
        if resource["Type"] == "AWS::EC2::VPCEndpoint":
            continue
        for _, value in walk(resource.get("Properties", {})):
            if isinstance(value, dict) and value.get("Effect") == "Allow":
                yield logical, value


def several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def no_way_in_from_everywhere(template: Template) -> Iterator[str]:
    """No ingress from the world: neither written down, nor by a parameter that would take it."""
    for logical, resource in resources(template, "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress"):
        properties = resource["Properties"]
        ingress = properties.get("SecurityGroupIngress", []) if resource["Type"].endswith("Group") else properties
        for key, value in walk(ingress):
            if key not in {"CidrIp", "CidrIpv6"} or not isinstance(value, str | dict):
                continue
            if value in ("0.0.0.0/0", "::/0"):
                yield f"{logical} lets everybody in"
            if isinstance(value, dict) and "Ref" in value:
                pattern = template["Parameters"][value["Ref"]].get("AllowedPattern", ".*")
                if re.fullmatch(pattern, "0.0.0.0/0"):
                    yield f"{logical} lets in whom {value['Ref']} names, which may be everybody"


def ways_in(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every rule by which something comes in: those within a group, and those that stand alone."""
    for logical, resource in resources(template, "AWS::EC2::SecurityGroup"):
        for _, rule in walk(resource["Properties"].get("SecurityGroupIngress", [])):
            if isinstance(rule, dict) and "IpProtocol" in rule:
                yield logical, rule
    for logical, resource in resources(template, "AWS::EC2::SecurityGroupIngress"):
        yield logical, resource["Properties"]


def only_ssh_and_https_come_in(template: Template) -> Iterator[str]:
    """From outside; what holds data takes its own ports too, from a group that is named."""
    for logical, rule in ways_in(template):
        ports = (rule["IpProtocol"], rule.get("FromPort"), rule.get("ToPort"))
        to_data = rule.get("GroupId") == {"Ref": "DataSecurityGroup"} and "SourceSecurityGroupId" in rule
        if ports not in {("tcp", 22, 22), ("tcp", 443, 443)} | (
            {("tcp", 2049, 2049), ("tcp", 5432, 5432)} if to_data else set()
        ):
            yield f"{logical} opens {ports}"


def roles_name_each_other(template: Template) -> Iterator[str]:
    """An address stands in a rule for the way in only where it is that of people; machines are named by their group."""
    for logical, rule in ways_in(template):
        people = {*(f"OperatorCidr{place}" for place in ("", 2, 3, 4)), *(f"Allowed{place}" for place in range(1, 5))}
        if "CidrIp" in rule and not (isinstance(rule["CidrIp"], dict) and rule["CidrIp"].get("Ref") in people):
            yield f"{logical} lets in {rule['CidrIp']}, which is no group"


def every_group_names_its_ways_out(template: Template) -> Iterator[str]:
    """A group without a rule for the way out gets EC2's, to everywhere; and no rule may say the same."""
    for logical, resource in resources(template, "AWS::EC2::SecurityGroup"):
        rules = resource["Properties"].get("SecurityGroupEgress")
        if not rules:
            yield f"{logical} lets everything out, as EC2 does where nothing is said"
        for written in rules or []:
            rule = written["Fn::If"][1] if "Fn::If" in written else written
            if rule["IpProtocol"] == "-1" and rule.get("CidrIp") != "127.0.0.1/32":
                yield f"{logical} lets everything out"


# A router's word that a packet is too large: of ICMP (RFC 792, RFC 1191) and of ICMPv6 (RFC 4443).
_TOO_LARGE = {1: {"Type": 3, "Code": 4}, 58: {"Type": 2, "Code": 0}}


def acls_open_no_more_than_replies(template: Template) -> Iterator[str]:
    """From everywhere come only replies, to the ports that callers choose, and a router's word about sizes."""
    for logical, resource in resources(template, "AWS::EC2::NetworkAclEntry"):
        entry = resource["Properties"]
        if entry["Protocol"] not in {1, 6, 17, 58}:
            yield f"{logical} does not say which protocol"
        elif entry.get("Icmp") != _TOO_LARGE.get(entry["Protocol"]):
            yield f"{logical} opens more of ICMP than path MTU discovery needs"
        block = entry.get("CidrBlock", entry.get("Ipv6CidrBlock"))
        is_from_everywhere = not entry.get("Egress") and block in ("0.0.0.0/0", "::/0")
        if is_from_everywhere and entry.get("PortRange", {"From": 1024, "To": 65535}) != {"From": 1024, "To": 65535}:
            yield f"{logical} lets everybody in"


def acl_numbers_are_unique(template: Template) -> Iterator[str]:
    seen = set()
    for logical, resource in resources(template, "AWS::EC2::NetworkAclEntry"):
        entry = resource["Properties"]
        place = (json.dumps(entry["NetworkAclId"]), bool(entry.get("Egress")), entry["RuleNumber"])
        if place in seen:
            yield f"{logical} has the number of another entry"
        seen.add(place)


def the_isolated_tier_has_no_way_out(template: Template) -> Iterator[str]:
    tables = [("AWS::EC2::Route", "RouteTableId"), ("AWS::EC2::VPCEndpoint", "RouteTableIds")]
    for kind, key in tables:
        for logical, resource in resources(template, kind):
            if {"Ref": "DataRoutes"} in several(resource["Properties"].get(key, [])):
                yield f"{logical} leads out of the isolated subnets"
    for logical, resource in resources(template, "AWS::EC2::SubnetRouteTableAssociation"):
        is_data = resource["Properties"]["SubnetId"]["Ref"].startswith("Data")
        if is_data != (resource["Properties"]["RouteTableId"] == {"Ref": "DataRoutes"}):
            yield f"{logical} mixes the tiers"


def no_subnet_hands_out_public_addresses(template: Template) -> Iterator[str]:
    for logical, resource in resources(template, "AWS::EC2::Subnet"):
        if resource["Properties"].get("MapPublicIpOnLaunch") is not False:
            yield f"{logical} gives every machine a public address"
    for logical, resource in resources(template, "AWS::EC2::LaunchTemplate"):
        for key, value in walk(resource["Properties"]):
            if key == "AssociatePublicIpAddress" and value is True:
                yield f"{logical} gives its machines public addresses, asked or not"


def endpoints_serve_this_account_alone(template: Template) -> Iterator[str]:
    for logical, resource in resources(template, "AWS::EC2::VPCEndpoint"):
        properties = resource["Properties"]
        bound = {"StringEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}}
        listed = properties.get("PolicyDocument", {}).get("Statement", [{}])
        if any(it.get("Condition") != bound and not downloads_of_amazons_agent(it) for it in listed):
            yield f"{logical} lets the principals of other accounts through"
        if properties["VpcEndpointType"] != "Interface":
            continue
        if properties.get("PrivateDnsEnabled") is not True or not properties.get("SecurityGroupIds"):
            yield f"{logical} is not found under the service's name, or has the default group"


def downloads_of_amazons_agent(statement: dict[str, Any]) -> bool:
    """Whether a statement lets through no more than downloads from named buckets of Amazon's, which nobody signs."""
    texts = [it.get("Fn::Sub", "") if isinstance(it, dict) else it for it in several(statement.get("Resource", "*"))]
    bucket = re.compile(r"arn:\$\{AWS::Partition\}:s3:::(amazon|aws)-ssm(-packages)?-\$\{AWS::Region\}/\*")
    return statement.get("Action") == "s3:GetObject" and all(bucket.fullmatch(text) for text in texts)


def logs_are_complete_and_end(template: Template) -> Iterator[str]:
    for logical, resource in resources(template, "AWS::Logs::LogGroup"):
        if not {"RetentionInDays", "KmsKeyId"} <= set(resource["Properties"]):
            yield f"{logical} keeps its lines for ever, or cannot be encrypted with a key of one's own"
    for logical, resource in resources(template, "AWS::EC2::FlowLog"):
        if resource["Properties"]["TrafficType"] != "ALL":
            yield f"{logical} does not tell all"


def disks_are_encrypted(template: Template) -> Iterator[str]:
    for logical, resource in resources(template):
        properties = resource.get("Properties", {})
        disks = [properties] if resource["Type"] in {"AWS::EC2::Volume", "AWS::EFS::FileSystem"} else []
        disks += [value for key, value in walk(properties) if key == "Ebs" and isinstance(value, dict)]
        if any(disk.get("Encrypted") is not True for disk in disks):
            yield f"{logical} has a disk that is not encrypted"


# What a template encrypts, by type: the property with the key.
ENCRYPTED = {
    "AWS::EC2::Volume": "KmsKeyId",
    "AWS::EFS::FileSystem": "KmsKeyId",
    "AWS::Logs::LogGroup": "KmsKeyId",
    "AWS::S3::Bucket": "BucketEncryption",
    "AWS::SNS::Topic": "KmsMasterKeyId",
    "AWS::SQS::Queue": "KmsMasterKeyId",
    "AWS::SecretsManager::Secret": "KmsKeyId",
}
CUSTOMER_KEY = {"Fn::If": ["HasKmsKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}
BOUNDARY = {"Fn::If": ["HasBoundary", {"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]}
PRINCIPALS = ("AWS::IAM::Role", "AWS::IAM::User")


def the_customer_key_encrypts_everything(template: Template) -> Iterator[str]:
    """Volumes, the disks of machines, secrets, logs: each has the customer key where one is given."""
    for logical, resource in resources(template):
        properties = resource.get("Properties", {})
        name = ENCRYPTED.get(resource["Type"])
        given = [properties.get(name)] if name else []
        given += [it.get("KmsKeyId") for key, it in walk(properties) if key == "Ebs" and isinstance(it, dict)]
        if any(json.dumps(CUSTOMER_KEY) not in json.dumps(it) for it in given):
            yield f"{logical} is encrypted without the customer key"


def everybody_has_the_boundary(template: Template) -> Iterator[str]:
    """Every role and user: an account can demand a boundary, and then it refuses one without."""
    for logical, resource in resources(template, *PRINCIPALS):
        if resource["Properties"].get("PermissionsBoundary") != BOUNDARY:
            yield f"{logical} has no permissions boundary"


def machines_ask_for_metadata_with_a_token(template: Template) -> Iterator[str]:
    for logical, resource in resources(template, "AWS::EC2::LaunchTemplate"):
        options = resource["Properties"]["LaunchTemplateData"].get("MetadataOptions", {})
        if (options.get("HttpTokens"), options.get("HttpPutResponseHopLimit")) != ("required", 1):
            yield f"{logical} lets metadata be read without a token, or from a container"
    for logical, resource in resources(template, "AWS::EC2::Instance"):
        if "LaunchTemplate" not in resource["Properties"]:
            yield f"{logical} is not made from a launch template"


def no_secret_is_written_down(template: Template) -> Iterator[str]:
    """None in user data, none as a default; a parameter about a secret takes an ARN and nothing else."""
    for logical, resource in resources(template):
        for key, value in walk(resource.get("Properties", {})):
            text = READ_ON_THE_INSTANCE.sub("", json.dumps(value))
            if key == "UserData" and re.search(r"passw(or)?d:|secret|token|PRIVATE KEY|resolve:", text, re.I):
                yield f"{logical} has a secret in its user data"
            if key == "SecretString" and value != "{}":
                yield f"{logical} is a secret that the template tells"
    for name, parameter in template.get("Parameters", {}).items():
        if parameter.get("AllowedValues") == ["yes", "no"]:
            continue
        if re.search("password|secret|token", name, re.I) and "arn" not in parameter.get("AllowedPattern", ""):
            yield f"the parameter {name} takes a secret itself"


def permissions_are_named(template: Template) -> Iterator[str]:
    for logical, statement in statements(template):
        told = f"{logical}, statement {statement.get('Sid', '')}"
        if "NotAction" in statement or "NotResource" in statement or "ManagedPolicyArns" in statement:
            yield f"{told} allows what it does not name"
        actions = several(statement.get("Action", []))
        if any("*" in action and action not in SETTINGS_OF_BUCKETS for action in actions):
            yield f"{told} allows every action of a service"
        if "*" in several(statement.get("Resource", [])):
            yield from (f"{told} allows {it} on everything" for it in actions if not RESOURCELESS.fullmatch(it))
    for logical, resource in resources(template, "AWS::IAM::Role"):
        if resource["Properties"].get("ManagedPolicyArns"):
            yield f"{logical} has permissions that are not written here"


def only_own_things_are_touched(template: Template) -> Iterator[str]:
    """A role writes on EC2's things only through CloudFormation, and on those that are there only where their tags are its own.

    What an action makes has no tag yet; `MAKES` says what that is. Tags are given at creation, never to take a thing over.
    """
    for logical, statement in statements(template):
        told = f"{logical}, statement {statement.get('Sid', '')}"
        writes = [it for it in several(statement.get("Action", [])) if re.match(r"ec2:(?!Describe|Get)", it)]
        condition = statement.get("Condition", {})
        if is_marking(writes, condition):
            continue
        if writes and "aws:CalledVia" not in json.dumps(condition.get("ForAnyValue:StringEquals", {})):
            yield f"{told} writes beside CloudFormation"
        if {"aws:ResourceTag/Project", "aws:ResourceTag/Environment"} <= set(condition.get("StringEquals", {})):
            continue
        kinds = {str(it).split(":")[-1].split("/")[0] for it in several(statement.get("Resource", []))}
        named = several(condition.get("StringEquals", {}).get("ec2:CreateAction", []))
        created = [f"ec2:{it}" for it in named] or ["none"]
        for action in writes:
            if action == "ec2:CreateTags":
                if not named:
                    yield f"{told} gives tags to anything"
            elif action not in MAKES:
                yield f"{told} allows {action} on what is another's"
            yield from (f"{told} allows {action} on any {kind}" for kind in sorted(kinds & TAKES.get(action, set())))
        if writes == ["ec2:CreateTags"] and set(created) <= set(MAKES):
            continue  # EC2 takes these tags only in a call that makes the resource, so it is nobody's yet
        if writes and kinds - set(MAKES.values()):
            yield f"{told} reaches {sorted(kinds - set(MAKES.values()))} of others"


def is_marking(writes: list[str], condition: dict[str, Any]) -> bool:
    """Whether a statement lets a role give its own instances one tag that means nothing to policies."""
    keys = several(condition.get("ForAllValues:StringEquals", {}).get("aws:TagKeys", []))
    own = {"aws:ResourceTag/Project", "aws:ResourceTag/Environment"} <= set(condition.get("StringEquals", {}))
    return writes == ["ec2:CreateTags"] and own and keys == ["ec2-fleet-plugin:cloud-name"]


def policies_of_a_role_fit_into_it(template: Template) -> Iterator[str]:
    """IAM takes 10240 characters for all inline policies of a role, white space not counted; here with the longest values."""
    for logical, resource in resources(template, "AWS::IAM::Role"):
        documents = [longest(it["PolicyDocument"]) for it in resource["Properties"].get("Policies", [])]
        size = sum(len(json.dumps(it, separators=(",", ":"))) for it in documents)
        if size > 10240:
            yield f"{logical} has policies of {size} characters"


LENGTHS = {"AWS::Partition": 10, "AWS::Region": 14, "AWS::AccountId": 12, "AWS::URLSuffix": 13, "AWS::StackName": 76}
# Of a key in us-gov-west-1, whose id has 36 characters.
LENGTHS |= {"KmsKeyArn": 86, "PeerNetwork": 73, "DistributionBucket": 63}


def longest(value: Any) -> Any:
    """A value with the functions in it replaced by texts that are as long as those that they give."""

    def text(name: str) -> str:
        return "x" * LENGTHS.get(name, 92 if name.endswith("Secret") else 32)  # the ARN of a secret; a name

    if isinstance(value, list):
        return [longest(it) for it in value if it != {"Ref": "AWS::NoValue"}]
    if not isinstance(value, dict):
        return value
    if "Fn::Sub" in value:
        return re.sub(r"\$\{([A-Za-z:]+)\}", lambda match: text(match[1]), value["Fn::Sub"])
    if "Ref" in value:
        return text(value["Ref"])
    if "Fn::If" in value:
        return longest(value["Fn::If"][1])
    return {key: longest(it) for key, it in value.items()}


def expires(bucket: dict[str, Any]) -> bool:
    """Whether every object of the bucket expires, so that nothing lasts there."""
    rules = bucket["Properties"].get("LifecycleConfiguration", {}).get("Rules", [])
    limits = {"Prefix", "Filter", "TagFilters", "ObjectSizeGreaterThan", "ObjectSizeLessThan"}
    return any("ExpirationInDays" in it and it["Status"] == "Enabled" and not limits & set(it) for it in rules)


def buckets_are_closed(template: Template) -> Iterator[str]:
    """Each bucket is private whatever its policy says, refuses what comes without TLS, and has no access control lists."""
    policies = [json.dumps(it["Properties"]) for _, it in resources(template, "AWS::S3::BucketPolicy")]
    for logical, resource in resources(template, "AWS::S3::Bucket"):
        properties = resource["Properties"]
        block = properties.get("PublicAccessBlockConfiguration", {})
        wanted = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        if not all(block.get(it) is True for it in wanted):
            yield f"{logical} can be made public"
        if {"ObjectOwnership": "BucketOwnerEnforced"} not in properties.get("OwnershipControls", {}).get("Rules", []):
            yield f"{logical} has access control lists"
        own = [json.loads(it) for it in policies if json.loads(it)["Bucket"] == {"Ref": logical}]
        denials = [one for it in own for one in it["PolicyDocument"]["Statement"] if one["Effect"] == "Deny"]
        if not any(
            (one["Principal"], one["Action"], one["Condition"])
            == ("*", "s3:*", {"Bool": {"aws:SecureTransport": "false"}})
            and len(one["Resource"]) == 2
            for one in denials
        ):
            yield f"{logical} takes requests without TLS"


def what_lasts_is_kept(template: Template) -> Iterator[str]:
    for logical, resource in resources(template, *LASTING):
        if resource["Type"] == "AWS::S3::Bucket" and expires(resource):
            continue
        if resource.get("DeletionPolicy") not in {"Retain", "RetainExceptOnCreate", "Snapshot"}:
            yield f"{logical} goes with its stack"
        if resource.get("UpdateReplacePolicy") not in {"Retain", "Snapshot"}:
            yield f"{logical} goes when it is replaced"


def stack_tags_reach_everything(template: Template) -> Iterator[str]:
    """Every type takes tags or is known not to, and no resource sets one of the stack's tags to something else."""
    from bootstrap.local.aws.cloudformation.template import schemas

    for logical, resource in resources(template):
        schema = schemas.load(resource["Type"], "eu-central-1")
        if schema is None or (not schemas.find_tag_property(schema) and not TAGLESS.get(resource["Type"])):
            yield f"{logical} can carry no tags, and nothing says why that is right"
        own = {tag["Key"] for tag in resource.get("Properties", {}).get("Tags", [])}
        if own & STACK_TAGS:
            yield f"{logical} overrides {sorted(own & STACK_TAGS)}"


def everything_is_described(template: Template) -> Iterator[str]:
    for section in ("Parameters", "Outputs"):
        for name, it in template.get(section, {}).items():
            if not it.get("Description"):
                yield f"{section}: {name} says nothing about itself"
    groups = template.get("Metadata", {}).get("AWS::CloudFormation::Interface", {}).get("ParameterGroups", [])
    shown = [name for group in groups for name in group["Parameters"]]
    if sorted(shown) != sorted(template.get("Parameters", {})):
        yield f"the interface shows {sorted(shown)}"


def every_parameter_is_used(template: Template) -> Iterator[str]:
    used = json.dumps([template["Resources"], template.get("Conditions", {}), template.get("Outputs", {})])
    for name in template.get("Parameters", {}):
        if f'"Ref": "{name}"' not in used and f"${{{name}}}" not in used:
            yield f"the parameter {name} decides nothing"


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
    (policies_of_a_role_fit_into_it, "controller", "Sid: Register", f"Sid: {'R' * 4000}"),
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
