"""A job that is not the approved stage tries to change the second network of a promotion, and changes nothing."""

import base64
import re
from collections.abc import Callable, Iterator

import pytest
from promoted import FIRST, NEXT, marked, serve_both
from trial import NAME, Launched

# With the keys that every build gets from the machine's role. Each line of the output says what came of one attempt.
CALLS = """
import os, sys, json, boto3
environment, second = sys.argv[1:]
session = boto3.session.Session(region_name=os.environ["AWS_REGION"])
stacks, ec2, sts, iam = (session.client(service) for service in ("cloudformation", "ec2", "sts", "iam"))
told = stacks.describe_stacks(StackName=f"jenkins-{environment}-controller")["Stacks"][0]["Outputs"]
roles = {it["OutputKey"]: it["OutputValue"] for it in told if it["OutputKey"].endswith("RoleArn")}
machine, promotion = (roles[it].rpartition("/")[2] for it in ("RoleArn", "PromotionRoleArn"))
named = [{"Name": "tag:Name", "Values": [f"jenkins-{second}-controller"]}]
(group,) = [it["GroupId"] for it in ec2.describe_security_groups(Filters=named)["SecurityGroups"]]
name = f"jenkins-{second}-network"
body = stacks.get_template(StackName=name)["TemplateBody"]
given = stacks.describe_stacks(StackName=name)["Stacks"][0]
stacks.create_change_set(
    StackName=name,
    ChangeSetName="attack",
    Tags=given["Tags"],
    TemplateBody=(body if isinstance(body, str) else json.dumps(body)).replace("10.0.0.0", "10.0.0.1"),
    Parameters=[{"ParameterKey": it["ParameterKey"], "UsePreviousValue": True} for it in given["Parameters"]],
)
rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "10.0.0.0/8"}
policy = json.dumps({"Version": "2012-10-17", "Statement": []})
attempts = {
    "execute": lambda: stacks.execute_change_set(StackName=name, ChangeSetName="attack"),
    "delete": lambda: stacks.delete_stack(StackName=name),
    "unprotect": lambda: stacks.update_termination_protection(StackName=name, EnableTerminationProtection=False),
    "open": lambda: ec2.authorize_security_group_ingress(GroupId=group, **rule),
    "tag": lambda: ec2.create_tags(Resources=[group], Tags=[{"Key": "Attacked", "Value": "yes"}]),
    "assume": lambda: sts.assume_role(RoleArn=roles["PromotionRoleArn"], RoleSessionName="network-1"),
    "trust": lambda: iam.update_assume_role_policy(RoleName=promotion, PolicyDocument=policy),
    "allow": lambda: iam.put_role_policy(RoleName=machine, PolicyName="attack", PolicyDocument=policy),
}
for what, call in attempts.items():
    try:
        call()
        print(f"{what}: done")
    except Exception as error:
        print(f"{what}: {error.response['Error']['Code']}")
stacks.delete_change_set(StackName=name, ChangeSetName="attack")
"""
# As the job itself does it, with a change of the template; then with that 'approved' which the question would bring.
COMMANDS = """
sed -i 's/-controller"}$/&\\n        - {Key: Attacked, Value: "yes"}/' cloudformation/network.yaml
git diff --stat
./bootstrap.py --environment "$2" --yes network apply; echo "applied with $?"
./bootstrap.py --environment "$2" --yes network apply --approved; echo "approved with $?"
"$BOOTSTRAP_VENVS"/*/bin/python calls.py "$1" "$2"
"""
PIPELINE = """
node('infrastructure') {{
    deleteDir()
    git branch: 'main', url: 'file:///srv/git/toolkit.git'
    sh 'echo {calls} | base64 -d > calls.py; echo {commands} | base64 -d > commands.sh; sh commands.sh {environment} {second}'
}}
"""
DENIED = {"AccessDenied", "UnauthorizedOperation", "AccessDeniedException"}


@pytest.fixture(scope="module")
def pair(launched: Launched) -> Iterator[Launched]:
    yield from serve_both(launched)


def look(launched: Launched) -> tuple[dict[str, str], list[str], str]:
    """The marks of the templates, the rules of all groups, and when the second network's stack was last changed."""
    aws = launched.context.world.aws
    rules = aws("ec2").describe_security_group_rules()["SecurityGroupRules"]
    (stack,) = aws("cloudformation").describe_stacks(StackName=f"jenkins-{NEXT}-network")["Stacks"]
    return marked(launched), sorted(it["SecurityGroupRuleId"] for it in rules), str(stack.get("LastUpdatedTime"))


def test_another_job_does_not_change_the_second_network(pair: Launched, run_pipeline: Callable[[str], str]) -> None:
    before = look(pair)
    encoded = {"calls": CALLS, "commands": COMMANDS}
    texts = {name: base64.b64encode(text.encode()).decode() for name, text in encoded.items()}

    console = run_pipeline(PIPELINE.format(**texts, environment=NAME, second=NEXT))

    outcomes = dict(re.findall(r"^(?!Finished)(\w+): (\w+)$", console, re.MULTILINE))
    assert "cloudformation/network.yaml | 1 +" in console, console
    assert "applied with 1" in console and "is not authorized to perform: cloudformation:ExecuteChangeSet" in console
    assert "approved with 2" in console and "looking for the session of the approval" in console
    assert {"execute", "delete", "unprotect", "open", "tag", "assume", "trust", "allow"} == outcomes.keys(), console
    assert set(outcomes.values()) <= DENIED, outcomes
    assert before == look(pair)
    assert {FIRST, NEXT} == before[0].keys()
