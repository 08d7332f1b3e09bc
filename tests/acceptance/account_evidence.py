"""What the checks look at in the account: stacks, the instance, its network, secrets, rights and bucket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from subject import Subject, place_of

from bootstrap.cloud.secrets import has_authority_key
from bootstrap.environment.agents import takes_toolkit_jobs
from bootstrap.network.model import Network
from bootstrap.stacks.composition import OF_JOBS
from bootstrap.views import network_reading, people


def stacks_told(subject: Subject) -> dict[str, dict[str, Any]]:
    """CloudFormation's own description of each stack."""
    client = subject.context.world.aws("cloudformation")
    return {
        name: client.describe_stacks(StackName=stack.name)["Stacks"][0]
        for name, stack in subject.context.stacks.items()
    }


def instance(subject: Subject) -> dict[str, Any]:
    """The machine as EC2 describes it."""
    ec2 = subject.context.world.aws("ec2")
    told = ec2.describe_instances(InstanceIds=[subject.context.outputs("controller")["InstanceId"]])
    found: dict[str, Any] = told["Reservations"][0]["Instances"][0]
    return found


def volumes(subject: Subject) -> dict[str, dict[str, Any]]:
    """The data volume, and all that are attached to the machine, by id."""
    ec2, context = subject.context.world.aws("ec2"), subject.context
    of_machine = {"Name": "attachment.instance-id", "Values": [context.outputs("controller")["InstanceId"]]}
    told = ec2.describe_volumes(Filters=[of_machine])["Volumes"]
    told += ec2.describe_volumes(VolumeIds=[context.outputs("data")["DataVolumeId"]])["Volumes"]
    return {volume["VolumeId"]: volume for volume in told}


def security_groups(subject: Subject) -> dict[str, dict[str, Any]]:
    """Every security group of the VPC, by id."""
    ec2, network = subject.context.world.aws("ec2"), subject.context.outputs("network")
    told = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [network["VpcId"]]}])
    return {group["GroupId"]: group for group in told["SecurityGroups"]}


SECRETS = (
    *("AdminPasswordSecret", "ToolkitPasswordSecret", "ToolkitTokenSecret", "CertificatesSecret"),
    "AuthorityKeySecret",
    "PeopleSecret",
)
UNREADABLE = ("AdminPasswordSecret", "AuthorityKeySecret", "PeopleSecret")


def network(subject: Subject) -> Network:
    """Everything that decides who reaches whom, as EC2 tells it; who is not there yet is where the stacks will put them."""
    return network_reading.add_planned_interfaces(subject.context, network_reading.read(subject.context))


def kept_secrets(subject: Subject) -> dict[str, dict[str, Any]]:
    """Secrets Manager's description of each secret; their values are not asked for."""
    client, data = subject.context.world.aws("secretsmanager"), subject.context.outputs("data")
    return {name: client.describe_secret(SecretId=data[name]) for name in SECRETS}


def trust_in_people(subject: Subject) -> dict[str, list[Mapping[str, Any]]]:
    """The statements of the trust policies of the roles for people, by role."""
    return people.read_trust(subject.context)


def machines_rights(subject: Subject) -> dict[str, str]:
    """What IAM's simulator decides of what the role of the machine must not do, nor that of agents of the toolkit's jobs."""
    context = subject.context
    controller, data = context.outputs("controller"), context.outputs("data")
    asked = [("secretsmanager:GetSecretValue", data[name]) for name in UNREADABLE]
    if len(context.settings.networks) > 1:
        partition, region, account = place_of(context)
        stack = f"{context.settings.project}-{context.settings.networks[-1]}-network"
        asked.append(("sts:AssumeRole", controller["PromotionRoleArn"]))
        arn = f"arn:{partition}:cloudformation:{region}:{account}:stack/{stack}/any"
        asked.append(("cloudformation:ExecuteChangeSet", arn))
    roles = {"the machine": controller["RoleArn"]}
    if takes_toolkit_jobs(context.settings.agents):
        roles["the jobs"] = context.outputs(OF_JOBS)["AgentsRoleArn"]
        asked.append(("secretsmanager:GetSecretValue", data["ToolkitTokenSecret"]))
    iam, found = context.world.aws("iam"), dict[str, str]()
    for owner, role in roles.items():
        for action, resource in asked:
            if owner == "the jobs" and resource == data["ToolkitTokenSecret"]:
                continue  # the jobs sign in with it
            (told,) = iam.simulate_principal_policy(
                PolicySourceArn=role, ActionNames=[action], ResourceArns=[resource]
            )["EvaluationResults"]
            found[f"{owner}: {action} on {resource}"] = told["EvalDecision"]
    return found


def files_bucket(subject: Subject) -> dict[str, Any]:
    """The settings of the bucket with the files of Jenkins; empty if the environment has none."""
    context = subject.context
    if not context.settings.jenkins.bucket:
        return {}
    s3, name = context.world.aws("s3"), context.outputs("distribution")["DistributionBucket"]
    encryption = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    return {
        "encryption": [it["ApplyServerSideEncryptionByDefault"] for it in encryption],
        "blocks": s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"],
        "statements": json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"],
        "rules": s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"],
    }


def key_beside_certificates(subject: Subject) -> bool:
    """Whether the secret with the certificates, which the machine's role reads, has the authority's key in it."""
    arn = subject.context.outputs("data")["CertificatesSecret"]
    return has_authority_key(subject.context.world.aws("secretsmanager"), arn)
