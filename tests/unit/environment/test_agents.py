"""The groups of agents in an environment file: what is refused, with its place, before anything is touched."""

from pathlib import Path

import pytest

from bootstrap.environment import agents, settings
from bootstrap.environment.models import Settings
from bootstrap.errors import SettingsInvalid

HEAD = """\
version: 2
environment: {name}
cloud: {cloud}
owner: ci@example.org
cost_center: engineering
"""


def load(tmp_path: Path, text: str, cloud: str = "local") -> Settings:
    path = tmp_path / "team.yaml"
    path.write_text(HEAD.format(name="team", cloud=cloud) + text)
    return settings.load(path)


def test_a_group_has_defaults_that_cost_nothing_while_nothing_is_built(tmp_path: Path) -> None:
    group = load(tmp_path, "agents:\n  linux: {}\n").agents["linux"]

    assert (0, 0, 2) == (group.minimum, group.spare, group.maximum)
    assert group.exclusive and not group.spot
    assert not agents.takes_ordinary_jobs({"linux": group})


def test_an_agent_stands_by_for_the_jobs_of_the_toolkit(tmp_path: Path) -> None:
    chosen = load(tmp_path, "agents:\n  infrastructure: {}\n  linux: {}\n").agents
    fewer = load(tmp_path, "agents:\n  infrastructure: {spare: 0}\n").agents["infrastructure"]

    assert agents.takes_toolkit_jobs(chosen) and not agents.takes_toolkit_jobs({"linux": chosen["linux"]})
    own = chosen["infrastructure"]
    assert (1, 2, True) == (own.spare, own.executors, own.exclusive)
    assert (0, 2) == (fewer.spare, fewer.executors)
    assert (0, 1) == (chosen["linux"].spare, chosen["linux"].executors)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("infrastructure: {exclusive: false}", 7, "would get the IAM role of the toolkit's jobs"),
        ("infrastructure: {maximum: 1, executors: 1}", 7, "waits for a build that it starts"),
        ("built-in: {}", 7, "choose another name"),
        ("Linux: {}", 7, "does not match"),
        ("linux: {minimum: 3}", 7, "above the maximum, 2"),
        ("linux: {spare: 3}", 7, "above the maximum, 2"),
        ("linux: {maximum: 0}", 7, "greater than or equal to 1"),
        ("linux: {idle_minutes: 0}", 7, "greater than or equal to 1"),
        ("linux: {instance_types: []}", 7, "at least 1"),
        ("linux: {instance_types: [t3.large, t3.large]}", 7, "twice"),
        ("linux: {instance_types: [t3.large, t4g.large]}", 7, "one image serves one kind"),
        ("linux: {instance_types: [m7g.large]}", 7, "x86-64 like this one"),
        ("linux: {uses: 5, executors: 2}", 7, "share the count"),
        ("linux: {packages: ['git; reboot']}", 7, "does not match"),
        ("linux: {label: other}", 7, "unknown key"),
    ],
)
def test_a_wrong_group_is_refused_with_its_place(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load(tmp_path, f"agents:\n  {text}\n")

    (fault,) = caught.value.faults
    assert line == fault.line
    assert words in fault.message


def test_agents_on_aws_need_a_way_to_the_packages(tmp_path: Path) -> None:
    text = "agents:\n  linux: {}\nnetwork: {nat: none, endpoints: [ssm, ssmmessages, ec2messages]}\n"

    with pytest.raises(SettingsInvalid, match=r"set network\.nat"):
        load(tmp_path, text, cloud="aws")


@pytest.mark.parametrize("name", ["t4g.small", "m7gd.large", "im4gn.large", "is4gen.medium", "a1.large", "g5g.xlarge"])
def test_a_type_with_an_arm_processor_is_known_by_its_name(name: str) -> None:
    assert agents.is_arm(name)


@pytest.mark.parametrize(
    "name", ["t3.large", "g4dn.xlarge", "m6i.large", "c7a.large", "u7i-12tb.224xlarge", "p4d.24xlarge"]
)
def test_other_types_have_none(name: str) -> None:
    assert not agents.is_arm(name)
