"""Environments that a launcher makes under its own policy, one of them with every option, and the account around them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bootstrap.context import Context
from bootstrap.preconditions import policy_parts
from bootstrap.runs.journal import Run, start
from tests.aws.conftest import ROOT, Cloud

SHIPPED = {name: (ROOT / "environments" / f"{name}.yaml").read_text() for name in ("local", "aws")}
PEER = """
environment: peer
project: jenkins
cloud: local
region: us-east-1
owner: somebody
cost_center: none
network:
  cidr: 10.99.0.0/16
"""
ACCOUNT = "123456789012"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
# Query logs of a public zone are in us-east-1 only. The key is made by the tests.
EVERYTHING = """
environment: everything
project: jenkins
cloud: local
region: us-east-1
owner: somebody
cost_center: none
protect: true
account:
  permissions_boundary: BOUNDARY
  kms_key_arn: KEY
network:
  cidr: 10.98.0.0/16
  zones: 3
  nat: per-zone
  ipv6: true
  endpoints: [ssm, ssmmessages, ec2messages, secretsmanager, logs, cloudformation, ec2, kms, sts]
  flow_logs: {retention_days: 7, queries: true}
  private_zone: ci.internal
  public_zone:
    domain: ci.example.org
    parent: example.org
    authorities: [letsencrypt.org]
    queries: {retention_days: 7}
  # The local cloud has images of Debian alone.
  bastion: {allow: [198.51.100.0/24], image: /aws/service/debian/release/13/latest/amd64}
  vpn: {customer_address: 198.51.100.7, routes: [10.1.0.0/16]}
  transit_gateway: {routes: [10.2.0.0/16]}
  peering: {environment: peer}
  promotion: [everything, peer]
access:
  operator_cidrs: [10.1.0.0/16, 10.2.0.0/16]
  ssh: bastion
jenkins:
  bucket: true
  secrets:
    DEPLOY_TOKEN: {secret: team/deploy-token}
    MAIL_PASSWORD: {parameter: /team/mail}
mail:
  smtp_host: email-smtp.eu-central-1.amazonaws.com
  user: AKIAEXAMPLE
  password: {secret: team/ses}
  sender: ci@example.org
"""
FILES = {**SHIPPED, "everything": EVERYTHING, "peer": PEER}
ENVIRONMENTS = ("local", "aws", "everything")  # what office.yaml has more than aws.yaml, everything has, too
Open = Callable[..., Context]


# What the boundary of the account keeps from every role: here one action that the machine's role is given by its template.
BOUNDED = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "autoscaling:DescribeNotificationConfigurations", "Resource": "*"},
    ],
}
LOGS = {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:jenkins-everything-*"}
# What a launcher cannot do in an account with a boundary: roles by their properties.
ROGUE = {
    "without the boundary": {},
    "with another boundary": {"PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"},
}
# The number of roles of each environment: the machine; flow logs; the bastion, and who promotes.
ROLES = {"local": 1, "aws": 2, "everything": 4}
# What an operator cannot do.
REFUSED: dict[str, Callable[[Context], Any]] = {
    "executes a change set": lambda it: it.world.aws("cloudformation").execute_change_set(
        StackName=it.stacks["network"].name, ChangeSetName="x"
    ),
    "deletes a stack": lambda it: it.world.aws("cloudformation").delete_stack(StackName=it.stacks["network"].name),
    "writes a secret": lambda it: it.world.aws("secretsmanager").put_secret_value(
        SecretId=it.outputs("data")["AuthorityKeySecret"], SecretString="x"
    ),
    "deletes a volume": lambda it: it.world.aws("ec2").delete_volume(VolumeId=it.outputs("data")["DataVolumeId"]),
    "stops the machine": lambda it: it.world.aws("ec2").stop_instances(
        InstanceIds=[it.outputs("controller")["InstanceId"]]
    ),
    "makes a role": lambda it: it.world.aws("iam").create_role(RoleName="jenkins-x", AssumeRolePolicyDocument="{}"),
    "reads a foreign secret": lambda it: it.world.aws("secretsmanager").get_secret_value(SecretId="foreign"),
}


def of_account(sid: str, principal: dict[str, str], *actions: str, **more: Any) -> dict[str, Any]:
    """A statement of the policy of a key."""
    return {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": list(actions), "Resource": "*", **more}


def key_policy() -> str:
    """As docs/aws.md says that the policy of a customer key must be."""
    used = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")
    autoscaling = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    statements = [
        of_account("AccountDecides", {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "kms:*"),
        of_account("Logs", {"Service": "logs.us-east-1.amazonaws.com"}, *used, Condition={"ArnLike": LOGS}),
        of_account("AutoScaling", {"AWS": autoscaling}, *used, "kms:CreateGrant"),
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def journal(folder: Path) -> Run:
    """The journal of one command."""
    return start(folder / "runs", as_json=False, is_verbose=False)


def user(cloud: Cloud, name: str, document: dict[str, Any]) -> dict[str, str]:
    """The keys of a new user with this policy, cut as IAM takes it."""
    iam = cloud.client("iam")
    iam.create_user(UserName=name)
    parts = policy_parts.split(document)
    assert len(parts) <= policy_parts.MOST
    for number, part in enumerate(parts):
        made = iam.create_policy(PolicyName=f"{name}-{number}", PolicyDocument=json.dumps(part))
        iam.attach_user_policy(UserName=name, PolicyArn=made["Policy"]["Arn"])
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
