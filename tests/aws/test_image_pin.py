"""The image of the machine, with the project's own templates: pinned, upgraded, deregistered, and of an older toolkit."""

from __future__ import annotations

import datetime
import itertools
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap import launch
from bootstrap.acts import stack
from bootstrap.cloud import images
from bootstrap.cloud.images import Image
from bootstrap.context import ROOT, Context
from bootstrap.doctor import cloud as doctor
from bootstrap.environment import settings
from bootstrap.errors import ImageMissing
from bootstrap.planning import look
from bootstrap.preconditions import host_inputs, image_choice, stack_inputs
from bootstrap.runs.journal import Run, start
from bootstrap.values import Change, ChangeKind
from bootstrap.views import machine_image
from tests.aws.conftest import Cloud

FILE = "environment: pinned\nproject: image\ncloud: local\nowner: somebody\ncost_center: none\nnetwork: {cidr: 10.72.0.0/16}\n"


class World:
    """The environment 'pinned' over a cloud without machines; each launch of the machine opens it anew, as a command does."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.cloud = cloud
        self.path = folder / "pinned.yaml"
        self.runs = folder / "runs"
        self.days = itertools.count()

    def open(self, chosen: str | None = None) -> tuple[Context, Run]:
        context = Context(self.path, settings.load(self.path), self.cloud.endpoint)
        context.chosen_image = chosen
        return context, start(self.runs, as_json=False, is_verbose=False)

    def launch(self, chosen: str | None = None, names: Sequence[str] = ("controller",)) -> list[Change]:
        context, run = self.open(chosen)
        launch.launch_stacks(context, run, names, waits=False)
        return run.changes

    def plan(self, chosen: str | None = None) -> tuple[list[Change], list[str]]:
        """The changes, and what is said of the image."""
        context, run = self.open(chosen)
        changes = look.plan_stacks(context, run, ("controller",))
        return list(changes), [line for line in run.notices if " image " in line]

    def publish(self) -> Image:
        """A newer image than all that were."""
        day = datetime.date(2025, 11, 15) + datetime.timedelta(next(self.days))
        published = self.cloud.control("images", {"publish": f"debian-13-amd64-{day:%Y%m%d}-2300"})["images"][-1]
        return images.describe(self.cloud.client, published["id"])

    @property
    def stack(self) -> Any:
        return self.open()[0].stacks["controller"]

    @property
    def instance(self) -> dict[str, Any]:
        """The instance of the stack, as EC2 has it."""
        found = self.cloud.client("ec2").describe_instances(InstanceIds=[self.stack.outputs["InstanceId"]])
        instance: dict[str, Any] = found["Reservations"][0]["Instances"][0]
        return instance

    @property
    def volume(self) -> tuple[str, str]:
        """The data volume, and the instance that has it."""
        volume = self.open()[0].stacks["data"].outputs["DataVolumeId"]
        found = self.cloud.client("ec2").describe_volumes(VolumeIds=[volume])["Volumes"][0]
        return volume, found["Attachments"][0]["InstanceId"]


@pytest.fixture(scope="module")
def standing(
    tmp_path_factory: pytest.TempPathFactory, new_cloud: Callable[[Path], AbstractContextManager[Cloud]]
) -> Iterator[World]:
    """The environment in a cloud that nobody else changes, still without its stacks."""
    folder = tmp_path_factory.mktemp("pinned")
    with new_cloud(folder / "cloud") as cloud:
        yield World(cloud, folder)


@pytest.fixture
def world(standing: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The environment without a stack of the machine."""
    monkeypatch.setattr(host_inputs, "take_snapshot", lambda _: SimpleNamespace(label="commit"))
    monkeypatch.setattr(launch.machine, "wait", lambda *_: None)  # no machine boots in this cloud
    monkeypatch.setattr(launch.running_builds, "wait", lambda *_, **__: None)
    for name, value in standing.cloud.environment.items():
        monkeypatch.setenv(name, value)
    standing.path.write_text(FILE)
    context, run = standing.open()
    if "data" in context.stacks:
        stack.destroy(context.world.aws("cloudformation"), "image-pinned-controller", run)
    else:
        standing.launch(names=("network", "data"))
    return standing


def kinds(changes: list[Change]) -> dict[str, ChangeKind]:
    return {change.name.partition("/")[2]: change.kind for change in changes}


def test_a_new_image_replaces_the_machine_only_by_an_upgrade(world: World) -> None:
    world.launch()
    image_choice.check_other(world.open()[0], world.instance["ImageId"], None)
    first, volume = world.instance, world.volume[0]
    assert images.read_newest(world.cloud.client) == first["ImageId"]

    newer = world.publish()

    changes, said = world.plan()
    assert [] == changes
    keeps = f"the machine keeps {images.describe(world.cloud.client, first['ImageId'])}"
    assert [f"a newer image is there: {newer}; {keeps}"] == [
        line.partition(", and './bootstrap.py")[0] for line in said
    ]
    assert [] == world.launch()
    assert first["InstanceId"] == world.instance["InstanceId"]

    changes, said = world.plan(newer.id)
    assert (ChangeKind.REPLACE, []) == (kinds(changes)["Instance"], said)
    assert "Volume" not in kinds(changes)
    world.launch(newer.id)
    assert newer.id == world.instance["ImageId"] == world.stack.parameters["ImageId"]
    assert (volume, world.instance["InstanceId"]) == world.volume
    assert first["InstanceId"] != world.instance["InstanceId"]
    assert ([], []) == world.plan()


def test_an_upgrade_that_was_killed_between_its_updates_goes_on_by_a_launch(world: World) -> None:
    world.launch()
    newer = world.publish()
    context, run = world.open(newer.id)
    wished = stack_inputs.make_template(context, "controller", context.stacks, context.make_tags("commit", run.run_id))
    without = replace(wished, parameters={**wished.parameters, "Presence": "absent"})
    stack.apply(context.world.aws("cloudformation"), without, run)
    newest = world.publish()  # in the meantime

    world.launch()

    assert newer.id == world.instance["ImageId"]
    assert newest.id in world.plan()[1][0]


def test_an_update_that_a_killed_command_left_running_is_waited_for(world: World) -> None:
    world.launch()
    newer = world.publish()
    context, run = world.open(newer.id)
    wished = stack_inputs.make_template(context, "controller", context.stacks, context.make_tags("commit", run.run_id))
    world.cloud.control("faults", {"faults": [{"call": "ec2.TerminateInstances", "do": "slow", "seconds": 4}]})
    parameters = {**wished.parameters, "Presence": "absent"}
    world.cloud.client("cloudformation").update_stack(
        StackName=wished.name,
        TemplateBody=wished.path.read_text(),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    context, run = world.open()
    assert context.stacks["controller"].status.endswith("_IN_PROGRESS")

    image_choice.await_rest(context, run)

    assert "UPDATE_COMPLETE" == context.stacks["controller"].status
    assert newer.id == machine_image.find_pinned(context.stacks)
    world.launch()
    assert newer.id == world.instance["ImageId"]


def test_a_replacement_checks_the_image_that_the_stack_has_after_the_wait(world: World) -> None:
    world.launch()
    first = world.instance
    world.path.write_text(FILE + "controller: {instance_type: t3.xlarge}\n")
    context, run = world.open()
    # As it was read while an update to another image was being rolled back.
    seen = context.stacks["controller"]
    parameters = {**seen.parameters, "ImageId": "ami-0123456789abcdef0"}
    seen = replace(seen, status="UPDATE_ROLLBACK_IN_PROGRESS", parameters=parameters)
    context.__dict__["stacks"] = {**context.stacks, "controller": seen}

    launch.launch_stacks(context, run, ("controller",), waits=False)

    assert (first["ImageId"], "t3.xlarge") == (world.instance["ImageId"], world.instance["InstanceType"])


def test_an_image_that_is_gone_stops_only_what_needs_it(world: World) -> None:
    world.launch()
    before = world.instance
    newer = world.publish()
    world.cloud.control("images", {"deregister": before["ImageId"]})

    changes, said = world.plan()
    assert [] == changes
    assert [True] == ["no longer available: the machine runs on" in line for line in said]
    assert [] == world.launch()
    finding = doctor.judge_image(
        machine_image.read_machine_image(world.open()[0]), datetime.date(2025, 12, 1), "./bootstrap.py"
    )
    assert ("warning", True) == (finding.health, newer.id in finding.remedy)

    world.path.write_text(FILE + "controller: {instance_type: t3.xlarge}\n")
    with pytest.raises(ImageMissing) as caught:
        world.launch()
    assert before["ImageId"] in caught.value.found
    assert "image upgrade" in caught.value.remedy
    assert ("running", before["InstanceId"]) == (world.instance["State"]["Name"], world.instance["InstanceId"])

    world.cloud.client("ec2").terminate_instances(InstanceIds=[before["InstanceId"]])
    with pytest.raises(ImageMissing):
        world.launch()
    world.launch(newer.id)
    assert (newer.id, "t3.xlarge") == (world.instance["ImageId"], world.instance["InstanceType"])


def test_an_environment_of_an_older_toolkit_keeps_its_machine(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its template took the name of the public parameter."""
    older = tmp_path / "cloudformation"
    shutil.copytree(ROOT / "cloudformation", older)
    text = (older / "controller.yaml").read_text()
    begin, end = text.index("  ImageId:\n"), text.index("  ControllerSubnetId:\n")
    parameter = f"  ImageId: {{Type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>', Default: {images.PARAMETER}}}\n"
    (older / "controller.yaml").write_text(text[:begin] + parameter + text[end:])
    with monkeypatch.context() as old:
        old.setattr(stack_inputs, "find_template", lambda name: older / f"{name}.yaml")
        old.setattr(stack, "lint", lambda *_: None)  # it takes as long as all else here
        old.setattr(image_choice, "choose", lambda *_: images.PARAMETER)
        old.setattr(image_choice, "check", lambda *_: None)
        world.launch()
    before = world.instance
    newer = world.publish()

    changes, said = world.plan()
    world.launch()

    assert "Instance" not in kinds(changes)
    assert newer.id in said[0]
    assert before["InstanceId"] == world.instance["InstanceId"]
    assert before["ImageId"] == machine_image.find_pinned(world.open()[0].stacks)
    assert ([], True) == (world.plan()[0], newer.id in world.plan()[1][0])
    world.launch(newer.id)
    assert newer.id == world.instance["ImageId"]
