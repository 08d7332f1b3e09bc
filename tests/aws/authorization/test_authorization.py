"""The role of the controller's machine may do what the jobs on it do, and nothing else: attacks with its temporary keys.

The role is that of cloudformation/controller.yaml, with all of its policies; only its trust policy lets the tests in. The role
that changes the second network is the template's, unchanged.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from conftest import ROOT, Cloud

from bootstrap import launch
from bootstrap.cloud import promotion
from bootstrap.context import Context
from bootstrap.environment import settings
from bootstrap.local.aws.cloudformation.template.parsing import read
from bootstrap.planning import look
from bootstrap.preconditions import host_inputs, stack_inputs
from bootstrap.runs.journal import start
from bootstrap.views import network_reading
from bootstrap.views.drift import stacks as drifted

HEAD = "environment: {}\nproject: guarded\ncloud: local\nowner: somebody\ncost_center: none\nnetwork:\n  cidr: {}\n"
BLOCKS = {"left": "10.64.0.0/16", "right": "10.65.0.0/16", "other": "10.66.0.0/16"}
ACCOUNT = "123456789012"
ROOT_OF_ACCOUNT = f"arn:aws:iam::{ACCOUNT}:root"
UNREADABLE = ("AdminPasswordSecret", "AuthorityKeySecret", "PeopleSecret")
ONCE = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def opened(module_cloud: Cloud, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Context]:
    """Opens an environment in the name of the operator, or of the owner of `keys`."""
    monkeypatch.setattr(host_inputs, "take_snapshot", lambda _: SimpleNamespace(label="commit"))

    def run(name: str, options: str = "", keys: dict[str, str] | None = None) -> Context:
        monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
        for variable, value in (keys or module_cloud.keys).items():
            monkeypatch.setenv(variable.upper(), value)
        path = folder / f"{name}.yaml"
        path.write_text(HEAD.format(name, BLOCKS[name]) + options)
        made = Context(path, settings.load(path), module_cloud.endpoint)
        if keys:  # a job runs on the environment's machine, where a file says so
            made.world.__dict__["is_on_machine"] = True
        return made

    return run


def apply(context: Context, folder: Path) -> None:
    run = start(folder / "runs", as_json=False, is_verbose=False)
    launch.launch_stacks(context, run, stack_inputs.list_network_stacks(context))
    context.forget()


CONDITIONS = ("HasBoundary", "HasBucket", "HasKmsKey", "HasSecond", "HasPeer")  # of the roles


def roles_of_the_controller(cloud: Cloud, secrets: dict[str, str]) -> dict[str, str]:
    """The ARNs of the machine's IAM role and of the role Promotion, created from their template."""
    body = read((ROOT / "cloudformation" / "controller.yaml").read_text(), {}).document
    role = body["Resources"]["Role"]
    trust = {"Effect": "Allow", "Principal": {"AWS": ROOT_OF_ACCOUNT}, "Action": "sts:AssumeRole"}
    role["Properties"]["AssumeRolePolicyDocument"]["Statement"].append(trust)
    used = {"Project": "guarded", "Environment": "left", "FirstNetwork": "left", "SecondNetwork": "right", **secrets}
    names = {*used, "PermissionsBoundary", "KmsKeyArn", "PeerNetwork", "DistributionBucket"}
    made = {
        "Parameters": {name: body["Parameters"][name] for name in names},
        "Conditions": {name: body["Conditions"][name] for name in CONDITIONS},
        "Resources": {"Role": role, "Promotion": body["Resources"]["Promotion"]},
        "Outputs": {name: {"Value": {"Fn::GetAtt": [name, "Arn"]}} for name in ("Role", "Promotion")},
    }
    stacks = cloud.client("cloudformation")
    stacks.create_stack(
        StackName="guarded-left-controller",
        TemplateBody=json.dumps(made, default=str),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in used.items()],
        Tags=[{"Key": "Project", "Value": "guarded"}, {"Key": "Environment", "Value": "left"}],
    )
    stacks.get_waiter("stack_create_complete").wait(StackName="guarded-left-controller", WaiterConfig={"Delay": 1})
    (stack,) = stacks.describe_stacks(StackName="guarded-left-controller")["Stacks"]
    return {it["OutputKey"]: str(it["OutputValue"]) for it in stack["Outputs"]}


@pytest.fixture(scope="module")
def secrets(module_cloud: Cloud) -> dict[str, str]:
    manager = module_cloud.client("secretsmanager")
    names = ("ToolkitPasswordSecret", "ToolkitTokenSecret", "CertificatesSecret", *UNREADABLE)
    return {name: manager.create_secret(Name=name, SecretString=f"of {name}")["ARN"] for name in names}


@pytest.fixture(scope="module")
def roles(module_cloud: Cloud, secrets: dict[str, str]) -> dict[str, str]:
    return roles_of_the_controller(module_cloud, secrets)


@pytest.fixture(scope="module")
def role(roles: dict[str, str]) -> str:
    return roles["Role"]


@pytest.fixture(scope="module")
def keys(module_cloud: Cloud, role: str) -> dict[str, str]:
    """Temporary keys of the machine's role."""
    return _named(
        module_cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="i-0123456789abcdef0")["Credentials"]
    )


@pytest.fixture(scope="module")
def approved(module_cloud: Cloud, roles: dict[str, str]) -> dict[str, str]:
    """Temporary keys that the person who approves passes to the job."""
    told = json.loads(promotion.take_session(module_cloud.client("sts"), roles["Promotion"], "network-1").reveal())
    return _named(told)


def _named(given: dict[str, str]) -> dict[str, str]:
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }


@pytest.fixture(scope="module")
def inside(module_cloud: Cloud, keys: dict[str, str]) -> Callable[[str], Any]:
    """Clients with the machine's keys."""
    made: dict[str, Any] = {}

    def run(service: str) -> Any:
        if service not in made:
            region = "eu-central-1"
            made[service] = boto3.client(
                service, endpoint_url=module_cloud.endpoint, region_name=region, config=ONCE, **keys
            )
        return made[service]

    return run


def refusal(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response["Error"]["Code"], caught.value.response["Error"].get("Message", "")


def test_a_build_does_not_start_a_machine(module_cloud: Cloud, inside: Callable[[str], Any], role: str) -> None:
    before = module_cloud.records()
    asked = {"ImageId": "ami-01234567", "MinCount": 1, "MaxCount": 1, "UserData": "#!/bin/sh\nid"}
    code, words = refusal(lambda: inside("ec2").run_instances(**asked))
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.rpartition('/')[2]}/i-0123456789abcdef0"
    assert "UnauthorizedOperation" == code
    assert words.startswith(f"You are not authorized to perform this operation. User: {session} is not authorized to ")
    assert "perform: ec2:RunInstances on resource: arn:aws:ec2:eu-central-1" in words
    assert words.endswith("because no identity-based policy allows the ec2:RunInstances action")
    assert before == module_cloud.records()


ATTACKS: dict[str, Callable[[Callable[[str], Any]], Any]] = {
    "becomes an administrator": lambda inside: inside("iam").attach_role_policy(
        RoleName="x", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    ),
    "makes a user": lambda inside: inside("iam").create_user(UserName="x"),
    "writes its own policy": lambda inside: inside("iam").put_role_policy(
        RoleName="x", PolicyName="x", PolicyDocument="{}"
    ),
    "assumes another role": lambda inside: inside("sts").assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/x", RoleSessionName="job"
    ),
    "opens a group": lambda inside: inside("ec2").authorize_security_group_ingress(
        GroupId="sg-01234567", IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
    ),
    "makes a network beside the stack": lambda inside: inside("ec2").create_vpc(CidrBlock="10.0.0.0/16"),
    "makes a stack": lambda inside: inside("cloudformation").create_stack(StackName="guarded-left-x", TemplateBody="{}"),
    "deletes a stack": lambda inside: inside("cloudformation").delete_stack(StackName="guarded-left-controller"),
    "changes the controller's stack": lambda inside: inside("cloudformation").execute_change_set(
        StackName="guarded-left-controller", ChangeSetName="x"
    ),
    "looks at another environment": lambda inside: inside("cloudformation").describe_stacks(
        StackName="guarded-other-network"
    ),
    "looks at all stacks": lambda inside: inside("cloudformation").list_stacks(),
    "reads parameters": lambda inside: inside("ssm").get_parameters_by_path(Path="/", Recursive=True, WithDecryption=True),
    "reads the login's key": lambda inside: inside("ssm").get_parameter(Name="/ec2/keypair/key-0", WithDecryption=True),
    "opens a session": lambda inside: inside("ssm").start_session(Target="i-0123456789abcdef0"),
    "lists the secrets": lambda inside: inside("secretsmanager").list_secrets(),
    "lists the buckets": lambda inside: inside("s3").list_buckets(),
    "makes a bucket": lambda inside: inside("s3").create_bucket(Bucket="taken"),
    "sends messages": lambda inside: inside("sns").publish(TopicArn=f"arn:aws:sns:eu-central-1:{ACCOUNT}:t", Message="x"),
    "changes a zone": lambda inside: inside("route53").create_hosted_zone(Name="evil.example", CallerReference="x"),
    "makes a function": lambda inside: inside("lambda").list_functions(),
    "reads metrics": lambda inside: inside("cloudwatch").describe_alarms(),
    "makes a key": lambda inside: inside("kms").create_key(),
    "replaces machines": lambda inside: inside("autoscaling").set_desired_capacity(
        AutoScalingGroupName="x", DesiredCapacity=0
    ),
}  # fmt: skip
DENIED = {"UnauthorizedOperation", "AccessDenied", "AccessDeniedException", "AuthorizationError"}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_build_cannot_do_what_its_role_does_not_allow(
    module_cloud: Cloud, inside: Callable[[str], Any], attack: str
) -> None:
    before = module_cloud.records()
    code, words = refusal(lambda: ATTACKS[attack](inside))
    assert code in DENIED
    assert f"User: arn:aws:sts::{ACCOUNT}:assumed-role/" in words
    assert before == module_cloud.records()


def test_secrets_are_read_as_the_template_says(inside: Callable[[str], Any], secrets: dict[str, str]) -> None:
    manager = inside("secretsmanager")
    for name, arn in secrets.items():
        assert name == manager.describe_secret(SecretId=arn)["Name"]
        if name in UNREADABLE:
            code, words = refusal(lambda arn=arn: manager.get_secret_value(SecretId=arn))
            assert ("AccessDeniedException", True) == (
                code,
                f"secretsmanager:GetSecretValue on resource: {arn}" in words,
            )
            code, _ = refusal(lambda name=name: manager.get_secret_value(SecretId=name))
            assert "AccessDeniedException" == code
        else:
            assert f"of {name}" == manager.get_secret_value(SecretId=arn)["SecretString"]


MULTIPART = b'--b\r\nContent-Disposition: form-data; name="Action"\r\n\r\nRunInstances\r\n--b--\r\n'
DESCRIBE = {"X-Amz-Target": "secretsmanager.DescribeSecret", "Content-Type": "application/x-amz-json-1.1"}
SMUGGLED = b'{"SecretId": "AdminPasswordSecret", "x": "&Action=GetSecretValue&"}'


def test_the_operation_that_is_checked_is_the_one_that_is_carried_out(
    module_cloud: Cloud, keys: dict[str, str]
) -> None:
    """The requests name a second operation in a place where moto would read it."""

    def asked(service: str, path: str, headers: dict[str, str], body: bytes) -> int:
        import urllib.error
        import urllib.request

        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        held = Credentials(
            *(keys[name] for name in ("aws_access_key_id", "aws_secret_access_key", "aws_session_token"))
        )
        request = AWSRequest("POST", module_cloud.endpoint + path, headers, body)
        SigV4Auth(held, service, "eu-central-1").add_auth(request)
        prepared = request.prepare()
        call = urllib.request.Request(prepared.url, body, dict(prepared.headers.items()), method="POST")
        try:
            with urllib.request.urlopen(call, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    look, run = b"Action=DescribeVpcs&Version=2016-11-15", "Action=RunInstances&ImageId=ami-1&MinCount=1&MaxCount=1"
    assert 200 == asked("ec2", "/", form, look)
    for attempt in (
        ("ec2", f"/?{run}", form, look),
        ("ec2", "/", form, look + b"&" + run.encode()),
        ("ec2", "/?Action=DescribeVpcs", {"Content-Type": "text/plain"}, run.encode()),
        ("ec2", "/", {**form, "X-Amz-Target": "x.DescribeVpcs"}, run.encode()),
        ("ec2", "/", {"X-Amz-Target": "x.DescribeVpcs", "Content-Type": "text/plain"}, run.encode()),
        ("ssm", "/?Action=PutParameter", {"X-Amz-Target": "AmazonSSM.GetParameters"}, b"{}"),
        ("iam", "/", {"Content-Type": "text/plain"}, b"Action=CreateUser&UserName=x"),
        ("motoapi", "/", form, look),
        ("sts", "/", form, b"Action=GetCallerIdentity&Action=AssumeRole"),
        ("EC2", "/", form, look),
        (
            "ec2",
            "/?Action=DescribeVpcs&Version=2016-11-15",
            {"Content-Type": "multipart/form-data; boundary=b"},
            MULTIPART,
        ),
        ("ec2", "/", {**form, "Content-Encoding": "gzip"}, look),
        ("secretsmanager", "/", DESCRIBE, SMUGGLED),
        ("secretsmanager", "/", DESCRIBE, SMUGGLED.replace(b"Action", b"%41ction")),
        ("route53", "/2013-04-01/hostedzonesbyname", {"Content-Type": "text/plain"}, b"Action=CreateHostedZone"),
    ):
        before = module_cloud.records()
        assert asked(*attempt) in {400, 403} or attempt[3] == look, attempt
        assert before == module_cloud.records(), attempt
    assert [] == module_cloud.client("ec2").describe_instances()["Reservations"]


def test_only_the_current_version_of_a_secret_can_be_read(
    module_cloud: Cloud, inside: Callable[[str], Any], secrets: dict[str, str]
) -> None:
    """The previous version can be of an earlier toolkit, which stored the authority's key with the certificates."""
    arn, owner, manager = secrets["CertificatesSecret"], module_cloud.client("secretsmanager"), inside("secretsmanager")
    before = manager.get_secret_value(SecretId=arn)
    owner.put_secret_value(SecretId=arn, SecretString=before["SecretString"])
    assert owner.get_secret_value(SecretId=arn, VersionStage="AWSPREVIOUS")["SecretString"]
    assert manager.get_secret_value(SecretId=arn, VersionStage="AWSCURRENT")["SecretString"]
    for other in ({"VersionStage": "AWSPREVIOUS"}, {"VersionId": before["VersionId"]}):
        code, _ = refusal(lambda other=other: manager.get_secret_value(SecretId=arn, **other))
        assert "AccessDeniedException" == code


LOGS = "  flow_logs: {}\n"  # a stack of the network that only a person changes: it is planned with the others
CHANGES = ("  zones: 3\n  nat: one\n  endpoints: [ssm]\n", "  endpoints: [ssm, logs]\n")
FORBIDDEN = "is not authorized to perform: cloudformation:"


def test_the_jobs_plan_both_networks_and_each_is_changed_by_its_role(
    opened: Callable[..., Context], folder: Path, keys: dict[str, str], approved: dict[str, str]
) -> None:
    """Do what the job 'network' does: plan, apply, verify, with every option whose stacks it may change."""
    for name in ("left", "right", "other"):
        apply(opened(name, LOGS), folder)
    for name, changing in (("left", keys), ("right", approved)):
        for options in (LOGS + it for it in CHANGES):
            planned = opened(name, options, keys)
            run = start(folder / "runs", as_json=False, is_verbose=False)
            if "endpoints" in planned.stacks:  # a stack that a plan opens is not deleted again by the role
                assert look.plan_stacks(planned, run, stack_inputs.list_network_stacks(planned))
            apply(opened(name, options, changing), folder)
        context = opened(name, options, keys)
        assert network_reading.read(context).subnets
        for made in context.stacks.values():  # as the job 'drift' does
            assert [] == list(drifted.find_stack_drift(context.world.aws("cloudformation"), made.name, "launch"))
    for name, held in (("right", keys), ("left", approved), ("other", keys), ("other", approved)):
        with pytest.raises(Exception, match=FORBIDDEN):
            apply(opened(name, f"{LOGS}  endpoints: [ssm]\n", held), folder)


def test_the_machine_cannot_assume_the_role_promotion(
    module_cloud: Cloud, inside: Callable[[str], Any], roles: dict[str, str]
) -> None:
    """The trust policy refuses it even if somebody gave the machine the permission."""
    iam, machine = module_cloud.client("iam"), roles["Role"].rpartition("/")[2]
    asked = {"RoleArn": roles["Promotion"], "RoleSessionName": "network-1"}
    assert "AccessDenied" == refusal(lambda: inside("sts").assume_role(**asked))[0]
    given = json.dumps({"Version": "2012-10-17", "Statement": [allow("sts:*")]})
    iam.put_role_policy(RoleName=machine, PolicyName="given", PolicyDocument=given)
    try:
        for more in ({}, {"ExternalId": "approved"}, {"Tags": [{"Key": "Approved", "Value": "yes"}]}):
            assert "AccessDenied" == refusal(lambda more=more: inside("sts").assume_role(**asked, **more))[0]
    finally:
        iam.delete_role_policy(RoleName=machine, PolicyName="given")


def test_a_change_of_the_first_network_cannot_change_the_second(
    module_cloud: Cloud, inside: Callable[[str], Any]
) -> None:
    """A change set of a stack that the machine may change opens a security group of the other network."""
    groups = module_cloud.client("ec2").describe_security_groups()["SecurityGroups"]
    (group,) = [
        it["GroupId"] for it in groups if {"Key": "Name", "Value": "guarded-right-controller"} in it.get("Tags", ())
    ]
    opening = {"GroupId": group, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "10.0.0.0/8"}
    rule = {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": opening}
    said = attempt(module_cloud, inside, {"Opened": rule})
    assert any("is not authorized to perform: ec2:AuthorizeSecurityGroupIngress" in text for text in said), said
    rules = module_cloud.client("ec2").describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    assert "10.0.0.0/8" not in [it.get("CidrIpv4") for it in rules["SecurityGroupRules"]]


def attempt(module_cloud: Cloud, inside: Callable[[str], Any], more: dict[str, Any]) -> list[str]:
    """Execute a change set with the machine's keys; returns the reasons of the resources that were not created."""
    stacks, name = inside("cloudformation"), "guarded-left-acls"
    before = module_cloud.client("cloudformation").get_template(StackName=name)["TemplateBody"]
    body = dict(read(before if isinstance(before, str) else json.dumps(before), {}).document)
    body["Resources"] = {**body["Resources"], **more}
    given = module_cloud.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    stacks.create_change_set(
        StackName=name,
        ChangeSetName=f"attack-{min(more)}",
        TemplateBody=json.dumps(body, default=str),
        Parameters=[{"ParameterKey": one["ParameterKey"], "UsePreviousValue": True} for one in given["Parameters"]],
        Tags=given["Tags"],
    )
    stacks.execute_change_set(StackName=name, ChangeSetName=f"attack-{min(more)}")
    with pytest.raises(Exception, match="terminal failure"):
        module_cloud.client("cloudformation").get_waiter("stack_update_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1}
        )
    events = module_cloud.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    return [it["ResourceStatusReason"] for it in events if it["ResourceStatus"] == "CREATE_FAILED"]


def test_cloudformation_can_do_only_what_the_role_of_the_caller_allows(
    module_cloud: Cloud, inside: Callable[[str], Any]
) -> None:
    """A change set of a stack that the role may change adds resources that the role may not create."""
    data = base64.b64encode(b"#!/bin/sh").decode()
    machine = {"Type": "AWS::EC2::Instance", "Properties": {"ImageId": "ami-01234567", "UserData": data}}
    said = attempt(module_cloud, inside, {"Machine": machine})
    assert any("is not authorized to perform: ec2:RunInstances" in text for text in said), said
    assert [] == module_cloud.client("ec2").describe_instances()["Reservations"]


def test_the_simulator_answers_as_the_server_does(module_cloud: Cloud, role: str, secrets: dict[str, str]) -> None:
    iam = module_cloud.client("iam")

    def decide(action: str, resource: str = "*", **found: str) -> str:
        entries = [
            {"ContextKeyName": name.replace("__", ":"), "ContextKeyType": "string", "ContextKeyValues": [value]}
            for name, value in found.items()
        ]
        asked = {
            "PolicySourceArn": role,
            "ActionNames": [action],
            "ResourceArns": [resource],
            "ContextEntries": entries,
        }
        (result,) = iam.simulate_principal_policy(**asked)["EvaluationResults"]
        return str(result["EvalDecision"])

    assert "implicitDeny" == decide("ec2:RunInstances")
    assert "allowed" == decide("ec2:DescribeVpcs")
    assert "allowed" == decide("secretsmanager:GetSecretValue", secrets["ToolkitTokenSecret"])
    for name in UNREADABLE:
        assert "implicitDeny" == decide("secretsmanager:GetSecretValue", secrets[name])
    stack = f"arn:aws:cloudformation:eu-central-1:{ACCOUNT}:stack/guarded-{{}}-network/x"
    assert "allowed" == decide("cloudformation:ExecuteChangeSet", stack.format("left"))
    assert "implicitDeny" == decide("cloudformation:ExecuteChangeSet", stack.format("right"))
    vpc = f"arn:aws:ec2:eu-central-1:{ACCOUNT}:subnet/*"
    assert "implicitDeny" == decide("ec2:CreateSubnet", vpc)
    assert "allowed" == decide("ec2:CreateSubnet", vpc, aws__CalledVia="cloudformation.amazonaws.com")
    operator = module_cloud.client("sts").get_caller_identity()["Arn"]
    (result,) = iam.simulate_principal_policy(PolicySourceArn=operator, ActionNames=["iam:*"])["EvaluationResults"]
    assert "allowed" == result["EvalDecision"]


def test_the_machine_asks_the_simulator_about_its_own_roles_alone(
    module_cloud: Cloud, inside: Callable[[str], Any], roles: dict[str, str], secrets: dict[str, str]
) -> None:
    asked = {"ActionNames": ["secretsmanager:GetSecretValue"], "ResourceArns": [secrets["AuthorityKeySecret"]]}
    for role in roles.values():
        (told,) = inside("iam").simulate_principal_policy(PolicySourceArn=role, **asked)["EvaluationResults"]
        assert "implicitDeny" == told["EvalDecision"]
    operator = module_cloud.client("sts").get_caller_identity()["Arn"]
    code, _ = refusal(lambda: inside("iam").simulate_principal_policy(PolicySourceArn=operator, **asked))
    assert "AccessDenied" == code


@pytest.fixture
def person(module_cloud: Cloud) -> Iterator[Callable[..., Any]]:
    """Makes clients of a user with an inline policy and, if given, a permissions boundary."""
    iam = module_cloud.client("iam")
    iam.create_user(UserName="person")
    made = iam.create_access_key(UserName="person")["AccessKey"]
    held = {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}

    def run(service: str, *statements: dict[str, Any]) -> Any:
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_user_policy(UserName="person", PolicyName="own", PolicyDocument=document)
        return boto3.client(
            service, endpoint_url=module_cloud.endpoint, region_name="eu-central-1", config=ONCE, **held
        )

    yield run
    iam.delete_user_policy(UserName="person", PolicyName="own")
    iam.delete_access_key(UserName="person", AccessKeyId=made["AccessKeyId"])
    iam.delete_user(UserName="person")


def allow(action: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def test_an_explicit_deny_decides_and_is_named_in_the_error(person: Callable[..., Any]) -> None:
    api = person("ec2", allow("*"), {**allow("ec2:CreateVpc"), "Effect": "Deny"})
    code, words = refusal(lambda: api.create_vpc(CidrBlock="10.0.0.0/16"))
    assert "UnauthorizedOperation" == code
    assert words.endswith("with an explicit deny in an identity-based policy")


def test_a_new_policy_applies_at_once(person: Callable[..., Any]) -> None:
    assert "AccessDeniedException" == refusal(lambda: person("ssm", allow("ec2:*")).describe_parameters())[0]
    assert person("ssm", allow("ssm:DescribeParameters")).describe_parameters()["ResponseMetadata"]


def test_objects_are_reached_as_the_policies_of_user_and_bucket_say(
    module_cloud: Cloud, person: Callable[..., Any]
) -> None:
    owner = module_cloud.client("s3")
    owner.create_bucket(Bucket="shared", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    for key in ("open/a", "closed/a"):
        owner.put_object(Bucket="shared", Key=key, Body=b"x")
    api = person("s3", allow("s3:GetObject", "arn:aws:s3:::shared/*"))
    assert b"x" == api.get_object(Bucket="shared", Key="open/a")["Body"].read()
    assert "AccessDenied" == refusal(lambda: api.put_object(Bucket="shared", Key="open/b", Body=b""))[0]
    assert "AccessDenied" == refusal(lambda: api.list_objects_v2(Bucket="shared"))[0]
    copy = {"Bucket": "shared", "Key": "stolen", "CopySource": "shared/closed/a"}
    assert "AccessDenied" == refusal(lambda: api.copy_object(**copy))[0]
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::shared/closed/*",
    }
    owner.put_bucket_policy(Bucket="shared", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    _, words = refusal(lambda: api.get_object(Bucket="shared", Key="closed/a"))
    assert 's3:GetObject on resource: "arn:aws:s3:::shared/closed/a" with an explicit deny in a resource-based' in words


def test_a_role_can_be_assumed_by_principals_that_it_trusts(module_cloud: Cloud, person: Callable[..., Any]) -> None:
    iam = module_cloud.client("iam")

    def trusting(name: str, principal: dict[str, str], **more: Any) -> str:
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        return str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"])

    user = f"arn:aws:iam::{ACCOUNT}:user/person"
    by_account, by_name = trusting("by-account", {"AWS": ROOT_OF_ACCOUNT}), trusting("by-name", {"AWS": user})
    ec2 = trusting("ec2", {"Service": "ec2.amazonaws.com"})
    secret = {"StringEquals": {"sts:ExternalId": "secret"}}
    outside = trusting("outside", {"AWS": ROOT_OF_ACCOUNT}, Condition=secret)
    named = {"RoleSessionName": "job"}
    api = person("sts", allow("ec2:*"))
    assert api.assume_role(RoleArn=by_name, **named)["Credentials"]
    code, words = refusal(lambda: api.assume_role(RoleArn=by_account, **named))
    assert ("AccessDenied", f"User: {user} is not authorized to perform: sts:AssumeRole on resource: {by_account}") == (
        code,
        words,
    )
    api = person("sts", allow("sts:AssumeRole"))
    assert api.assume_role(RoleArn=by_account, **named)["Credentials"]
    for arn, more in ((ec2, {}), (outside, {}), (outside, {"ExternalId": "guess"}), (f"{ec2}-gone", {})):
        assert "AccessDenied" == refusal(lambda arn=arn, more=more: api.assume_role(RoleArn=arn, **named, **more))[0]
    assert api.assume_role(RoleArn=outside, ExternalId="secret", **named)["Credentials"]
    assert "AccessDenied" == refusal(lambda: module_cloud.client("sts").assume_role(RoleArn=ec2, **named))[0]
    seconds = refusal(lambda: api.assume_role(RoleArn=by_account, DurationSeconds=7200, **named))
    assert "exceeds the MaxSessionDuration" in seconds[1]
    for name in ("by-account", "by-name", "ec2", "outside"):
        iam.delete_role(RoleName=name)


def test_a_boundary_and_a_session_policy_limit_permissions(module_cloud: Cloud) -> None:
    iam, sts = module_cloud.client("iam"), module_cloud.client("sts")
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("ssm:*")]})
    boundary = iam.create_policy(PolicyName="bound", PolicyDocument=document)["Policy"]["Arn"]
    trust = {"Effect": "Allow", "Principal": {"AWS": ROOT_OF_ACCOUNT}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    trusted = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    asked = {"RoleName": "bounded", "AssumeRolePolicyDocument": trusted, "PermissionsBoundary": boundary}
    arn = iam.create_role(**asked)["Role"]["Arn"]
    iam.attach_role_policy(RoleName="bounded", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")

    def client(service: str, **more: Any) -> Any:
        given = sts.assume_role(RoleArn=arn, RoleSessionName="job", **more)["Credentials"]
        held = [given[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
        session = boto3.Session(*held, region_name="eu-central-1")
        return session.client(service, endpoint_url=module_cloud.endpoint, config=ONCE)

    assert client("ssm").put_parameter(Name="bounded", Value="x", Type="String")
    _, words = refusal(client("ec2").describe_vpcs)
    assert words.endswith("because no permissions boundary allows the ec2:DescribeVpcs action")
    session = json.dumps({"Version": "2012-10-17", "Statement": [allow("ssm:GetParameter")]})
    bounded = client("ssm", Policy=session)
    assert "x" == bounded.get_parameter(Name="bounded")["Parameter"]["Value"]
    _, words = refusal(lambda: bounded.delete_parameter(Name="bounded"))
    assert words.endswith("because no session policy allows the ssm:DeleteParameter action")
    tagged = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [allow("ssm:*", Condition={"StringEquals": {"aws:PrincipalTag/Stage": "a"}})],
        }
    )
    right, wrong = ([{"Key": "Stage", "Value": value}] for value in "ab")
    assert client("ssm", Policy=tagged, Tags=right).get_parameter(Name="bounded")
    assert (
        "AccessDeniedException"
        == refusal(lambda: client("ssm", Policy=tagged, Tags=wrong).get_parameter(Name="bounded"))[0]
    )


def test_a_call_that_uses_a_customer_key_needs_permissions_for_the_key(
    module_cloud: Cloud, person: Callable[..., Any]
) -> None:
    key = module_cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    zone = module_cloud.client("ec2").describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    volume = {"AvailabilityZone": zone, "Size": 1, "Encrypted": True, "KmsKeyId": key}
    services = allow("secretsmanager:*"), allow("ec2:*")
    uses = {
        "kms:GenerateDataKey": lambda api: api("secretsmanager").create_secret(
            Name="a", SecretString="x", KmsKeyId=key
        ),
        "kms:GenerateDataKeyWithoutPlaintext": lambda api: api("ec2").create_volume(**volume),
    }
    for action, use in uses.items():
        _, words = refusal(lambda use=use: use(lambda service: person(service, *services)))
        assert f"is not authorized to perform: {action} on resource: {key} because no identity-based" in words
    granted = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    by_ec2 = {"StringEquals": {"kms:ViaService": "ec2.eu-central-1.amazonaws.com"}}
    keys = [
        allow("kms:GenerateDataKey*", key),
        allow("kms:Decrypt", key),
        allow("kms:CreateGrant", key, Condition=granted | by_ec2),
    ]
    for use in uses.values():
        assert use(lambda service: person(service, *services, *keys))
    without_grant = person("ec2", *services, *keys[:2])
    assert "kms:CreateGrant" in refusal(lambda: without_grant.create_volume(**volume))[1]
    del volume["KmsKeyId"]
    assert without_grant.create_volume(**volume)["KmsKeyId"] != key  # the key of AWS is everybody's


def test_a_role_can_be_changed_only_with_the_boundary_that_the_policy_requires(
    module_cloud: Cloud, person: Callable[..., Any]
) -> None:
    iam = module_cloud.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("ssm:*")]})
    boundary = iam.create_policy(PolicyName="demanded", PolicyDocument=document)["Policy"]["Arn"]
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trusted = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName="free", AssumeRolePolicyDocument=trusted)
    demanded = {"StringEquals": {"iam:PermissionsBoundary": boundary}}
    api = person("iam", allow("iam:*Role*", Condition=demanded), allow("iam:DeleteRole"))
    policy = {"PolicyName": "x", "PolicyDocument": document}
    for refused in (
        lambda: api.create_role(RoleName="new", AssumeRolePolicyDocument=trusted),
        lambda: api.put_role_policy(RoleName="free", **policy),
        lambda: api.delete_role_permissions_boundary(RoleName="free"),
    ):
        assert "AccessDenied" == refusal(refused)[0]
    assert api.create_role(RoleName="new", AssumeRolePolicyDocument=trusted, PermissionsBoundary=boundary)
    assert api.put_role_policy(RoleName="new", **policy)
    assert api.put_role_permissions_boundary(RoleName="free", PermissionsBoundary=boundary)
    assert api.put_role_policy(RoleName="free", **policy)


def test_a_boundary_that_does_not_exist_is_refused(module_cloud: Cloud) -> None:
    iam, absent = module_cloud.client("iam"), f"arn:aws:iam::{ACCOUNT}:policy/absent"
    iam.create_role(RoleName="unbounded", AssumeRolePolicyDocument="{}")
    expected = ("NoSuchEntity", f"Scope ARN: {absent} does not exist or is not attachable.")
    for refused in (
        lambda: iam.create_role(RoleName="x", AssumeRolePolicyDocument="{}", PermissionsBoundary=absent),
        lambda: iam.put_role_permissions_boundary(RoleName="unbounded", PermissionsBoundary=absent),
    ):
        assert expected == refusal(refused)


def test_a_log_group_needs_a_key_whose_policy_allows_cloudwatch_logs(module_cloud: Cloud) -> None:
    kms, logs = module_cloud.client("kms"), module_cloud.client("logs")
    closed = kms.create_key()["KeyMetadata"]["Arn"]
    code, words = refusal(lambda: logs.create_log_group(logGroupName="closed", kmsKeyId=closed))
    assert "AccessDeniedException" == code and "is not allowed to be used with LogGroup" in words
    group = f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:own-*"
    statement = allow(
        "kms:*",
        Principal={"Service": "logs.eu-central-1.amazonaws.com"},
        Condition={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": group}},
    )
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    named = kms.create_key(Policy=document, BypassPolicyLockoutSafetyCheck=True)["KeyMetadata"]["Arn"]
    assert logs.create_log_group(logGroupName="own-group", kmsKeyId=named)
    assert "AccessDeniedException" == refusal(lambda: logs.create_log_group(logGroupName="other", kmsKeyId=named))[0]
