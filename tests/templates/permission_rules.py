"""House rules of permissions and secrets: what roles may do, their boundary, and no secret in a template."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.templates.template_reading import Template, resources, several, walk

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


def statements(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is granted. An endpoint's policy grants nothing, it bounds; a rule of its own holds it."""
    for logical, resource in resources(template):
        if resource["Type"] == "AWS::EC2::VPCEndpoint":
            continue
        for _, value in walk(resource.get("Properties", {})):
            if isinstance(value, dict) and value.get("Effect") == "Allow":
                yield logical, value


BOUNDARY = {"Fn::If": ["HasBoundary", {"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]}
PRINCIPALS = ("AWS::IAM::Role", "AWS::IAM::User")


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
    """IAM takes 10240 characters for all inline policies of a role, and 6144 for a managed one; here with the longest values.

    White space is not counted.
    """
    for logical, resource in resources(template, "AWS::IAM::Role"):
        documents = [longest(it["PolicyDocument"]) for it in resource["Properties"].get("Policies", [])]
        size = sum(len(json.dumps(it, separators=(",", ":"))) for it in documents)
        if size > 10240:
            yield f"{logical} has policies of {size} characters"
    for logical, resource in resources(template, "AWS::IAM::ManagedPolicy"):
        size = len(json.dumps(longest(resource["Properties"]["PolicyDocument"]), separators=(",", ":")))
        if size > 6144:
            yield f"{logical} has {size} characters"


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
