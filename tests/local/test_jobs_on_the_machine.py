"""The jobs run the toolkit itself, on the machine, against the same AWS."""

from trial import Launched, commit


def security_group(launched: Launched) -> str:
    context = launched.context
    context.forget()
    found = context.world.aws("ec2").describe_security_groups(
        GroupIds=[context.outputs("network")["ControllerSecurityGroupId"]]
    )
    return next((tag["Value"] for tag in found["SecurityGroups"][0]["Tags"] if tag["Key"] == "Probe"), "")


def test_the_network_job_changes_the_stack_when_its_template_changed(launched: Launched) -> None:
    template = launched.checkout / "cloudformation" / "network.yaml"
    text = template.read_text()
    name = '{Key: Name, Value: !Sub "${Project}-${Environment}-controller"}'
    marked = text.replace(f"        - {name}\n", f"        - {name}\n        - {{Key: Probe, Value: changed}}\n")
    assert marked != text
    template.write_text(marked)
    commit(launched.checkout, "the network changes")
    launched.done("host")

    console = launched.done("build", "network")

    assert "Finished: SUCCESS" in console, console[-3000:]
    assert "changed" == security_group(launched)


def test_a_second_run_of_the_job_changes_nothing(launched: Launched) -> None:
    console = launched.done("build", "network")

    assert "Finished: SUCCESS" in console
    assert "nothing to do" in console


def test_seed_publishes_the_jobs_of_the_repository(launched: Launched) -> None:
    path = launched.checkout / "jobs" / "sown.yaml"
    path.write_text("- job:\n    name: sown\n    node: infrastructure\n    builders:\n      - shell: 'true'\n")
    commit(launched.checkout, "a job comes")
    launched.done("host")

    console = launched.done("build", "seed")

    assert "Finished: SUCCESS" in console, console[-3000:]
    assert launched.context.jenkins.job_exists("sown")


def test_verify_holds_on_the_machine_too(launched: Launched) -> None:
    console = launched.done("build", "verify")

    assert "Finished: SUCCESS" in console, console[-6000:]
