"""The machine is cattle: it goes, it comes back, and what is data stays."""

from trial import Launched


def test_a_terminated_machine_is_rebuilt_with_its_history(launched: Launched) -> None:
    context = launched.context
    builds = context.jenkins.get_job_info("canary")["lastBuild"]["number"]
    password = context.secret("AdminPasswordSecret")
    instance = context.machine.instance_id
    context.world.aws("ec2").terminate_instances(InstanceIds=[instance])
    assert 1 == launched.run("status").returncode

    launched.done("launch")

    context = launched.reopen()
    assert instance != context.machine.instance_id
    assert password == context.secret("AdminPasswordSecret")
    assert builds <= context.jenkins.get_job_info("canary")["lastBuild"]["number"]
    assert 1 == context.jenkins.get_build_info("canary", 1)["number"], "the first build's record is still there"


def test_stop_and_start_through_ec2_act_on_the_machine(launched: Launched) -> None:
    context = launched.context
    instance, ec2 = context.machine.instance_id, context.world.aws("ec2")
    address = context.machine.address
    ec2.stop_instances(InstanceIds=[instance])
    ec2.get_waiter("instance_stopped").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1})
    assert 1 == launched.run("status").returncode

    ec2.start_instances(InstanceIds=[instance])
    ec2.get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1})

    context = launched.reopen()
    assert address == context.machine.address
    assert "nothing had to change" in launched.done("launch")
