"""Environments that are launched under the policy of a launcher, in a cloud of the module's own."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from launcher_environments import ACCOUNT, BOUNDARY, BOUNDED, ENVIRONMENTS, FILES, Open, journal, key_policy, user

from bootstrap import launch
from bootstrap.cloud import instance
from bootstrap.context import Context
from bootstrap.environment import settings
from bootstrap.preconditions import host_inputs, launcher_policy, required_actions, stack_inputs
from bootstrap.stacks import composition
from tests.aws.conftest import ROOT, Cloud


@pytest.fixture(scope="module")
def key(module_cloud: Cloud) -> str:
    """The customer key of the account, whose boundary is made, too."""
    assert module_cloud.client("sts").get_caller_identity()["Account"] == ACCOUNT
    module_cloud.client("iam").create_policy(PolicyName="boundary", PolicyDocument=json.dumps(BOUNDED))
    kms = module_cloud.new_client("kms", region="us-east-1")
    return str(kms.create_key(Policy=key_policy())["KeyMetadata"]["Arn"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, key: str) -> Path:
    made = tmp_path_factory.mktemp("environments")
    for name, text in FILES.items():
        (made / f"{name}.yaml").write_text(text.replace("BOUNDARY", BOUNDARY).replace("KEY", key))
    return made


@pytest.fixture(scope="module")
def opened(module_cloud: Cloud, folder: Path) -> Iterator[Open]:
    """A context of an environment, in the name of the operator of the cloud or of whoever has `keys`."""
    patch = pytest.MonkeyPatch()
    patch.setattr(host_inputs, "take_snapshot", lambda _: SimpleNamespace(label="commit"))
    # There are no machines here: an instance runs, but nobody answers on it.
    patch.setattr(instance, "wait", lambda _, outputs, *rest: SimpleNamespace(instance_id=outputs["InstanceId"]))

    def run(name: str, keys: dict[str, str] | None = None) -> Context:
        path = folder / f"{name}.yaml"
        made = Context(path, settings.load(path), module_cloud.endpoint)
        with pytest.MonkeyPatch.context() as variables:
            variables.delenv("AWS_SESSION_TOKEN", raising=False)
            for variable, value in (keys or module_cloud.keys).items():
                variables.setenv(variable.upper(), value)
            for service in required_actions.list_services():
                made.world.aws(service)  # each client keeps these keys
        return made

    yield run
    patch.undo()


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def launched(request: pytest.FixtureRequest, module_cloud: Cloud, opened: Open, folder: Path) -> Iterator[Context]:
    """An environment that its launcher made."""
    name = request.param
    if name == "everything":
        peer = opened("peer")
        launch.launch_stacks(peer, journal(folder), stack_inputs.list_network_stacks(peer))
        module_cloud.client("route53").create_hosted_zone(Name="example.org", CallerReference="parent")
        theirs = opened("everything").world.aws  # in the region of the environment
        secrets_manager, parameters = theirs("secretsmanager"), theirs("ssm")
        secrets_manager.create_secret(Name="team/deploy-token", SecretString="token")
        secrets_manager.create_secret(Name="team/deploy-token-2", SecretString="another")
        secrets_manager.create_secret(Name="team/ses", SecretString="ses")
        parameters.put_parameter(Name="/team/mail", Value="word", Type="SecureString")
        parameters.put_parameter(Name="/team/mail/other", Value="another", Type="SecureString")
    keys = user(module_cloud, f"{name}-launcher", launcher_policy.make_policy(opened(name)))
    context = opened(name, keys)
    launch.launch_stacks(context, journal(folder))
    yield context


# --- the machine


@pytest.fixture(scope="module")
def evidence() -> Any:
    """What the acceptance suite looks at; its folder is no package."""
    sys.path.append(str(ROOT / "tests" / "acceptance"))
    return importlib.import_module("evidence")


@pytest.fixture
def on_machine(launched: Context, module_cloud: Cloud, opened: Open) -> Context:
    """The environment as its jobs see it: with the role of the machine, or of their agents, which also trusts this test."""
    of_jobs, iam = composition.OF_JOBS in launched.stacks, module_cloud.client("iam")
    arn = (
        launched.outputs(composition.OF_JOBS)["AgentsRoleArn"] if of_jobs else launched.outputs("controller")["RoleArn"]
    )
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{arn.split(':')[4]}:root"},
        "Action": "sts:AssumeRole",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.update_assume_role_policy(RoleName=arn.rpartition("/")[2], PolicyDocument=document)
    region = launched.settings.region
    sts = module_cloud.new_client("sts", region=region)
    given = sts.assume_role(RoleArn=arn, RoleSessionName="i-0123456789abcdef0")["Credentials"]
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    variables = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    made = opened(launched.settings.name, dict(zip(variables, (given[it] for it in names), strict=True)))
    made.world.__dict__["is_on_machine"] = True
    return made
