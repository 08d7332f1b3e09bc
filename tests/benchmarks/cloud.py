"""The local CloudFormation: a stack of sixty resources made and planned again, beside moto's own calls for the same things."""

import json
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

from measure import compare

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "aws"))
from conftest import Cloud, free_port


def template(count: int) -> str:
    parameters = {
        f"P{n}": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": str(n)}}
        for n in range(count)
    }
    return json.dumps({"Resources": parameters})


def create(cloud: Cloud, body: str) -> str:
    client, name = cloud.client("cloudformation"), f"bench-{uuid.uuid4().hex[:8]}"
    client.create_stack(StackName=name, TemplateBody=body)
    client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 2000})
    return name


def directly(cloud: Cloud, count: int) -> None:
    ssm: Any = cloud.client("ssm")
    for number in range(count):
        ssm.put_parameter(Name=f"/bench/{uuid.uuid4().hex}", Type="String", Value=str(number))


def no_change(cloud: Cloud, stack: str, body: str) -> None:
    client = cloud.client("cloudformation")
    made = client.create_change_set(StackName=stack, ChangeSetName=f"c{uuid.uuid4().hex[:8]}", TemplateBody=body)
    while (status := client.describe_change_set(ChangeSetName=made["Id"])["Status"]).endswith(("PENDING", "PROGRESS")):
        pass
    assert status == "FAILED"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        cloud = Cloud(Path(folder), free_port())
        print(f"server ready after {cloud.start():.2f} s")
        try:
            body = template(60)
            stack = create(cloud, body)
            compare(
                "60 resources",
                {
                    "60 direct calls (floor)": lambda: directly(cloud, 60),
                    "a stack of 60, created": lambda: create(cloud, body),
                    "its change set without changes": lambda: no_change(cloud, stack, body),
                },
            )
            status = Path(f"/proc/{cloud.process.pid}/status").read_text() if cloud.process else ""
            print(next((line for line in status.splitlines() if line.startswith("VmRSS")), ""))
        finally:
            cloud.end()


if __name__ == "__main__":
    main()
