"""The templates as a whole: nothing for cfn-lint to say, and fitting to each other and to the launch."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from bootstrap import composition, settings
from bootstrap.errors import TemplateInvalid
from bootstrap.stacks import template
from bootstrap.values import Stack

ROOT = Path(__file__).resolve().parents[2]
PATHS = {path.stem: path for path in sorted((ROOT / "cloudformation").glob("*.yaml"))}
ENVIRONMENTS = sorted((ROOT / "environments").glob("*.yaml"))

# Outputs that no program reads, and who does.
FOR_PEOPLE = {
    "PrivateSubnetIds": "who adds machines to the network by hand",
    "PrivateIp": "who looks for the machine in the console",
    "PublicSubnetIds": "who adds machines to the network by hand",
    "RoleArn": "who grants the machine something in another account",
    "VpcCidr": "who routes to the environment",
    "VpcId": "who peers with the environment",
}


def outputs(name: str) -> Mapping[str, str]:
    return dict.fromkeys(template.parse(PATHS[name].read_text())["Outputs"], "x")


def test_each_stack_of_the_launch_has_a_template() -> None:
    assert sorted(composition.ORDER) == sorted(PATHS)


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1"])
@pytest.mark.parametrize("name", PATHS)
def test_cfn_lint_has_nothing_to_say(name: str, region: str) -> None:
    assert [] == [str(fault) for fault, _ in template.findings(PATHS[name], region)]


def test_an_error_is_refused_with_its_place(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(PATHS["network"].read_text().replace("!Ref Vpc\n", "!Ref Vcp\n", 1))
    line = 1 + broken.read_text().splitlines().index("      VpcId: !Ref Vcp")

    with pytest.raises(TemplateInvalid) as caught:
        template.lint(broken, "eu-central-1")

    assert [(line, True)] == [(fault.line, fault.message.startswith("E1020")) for fault in caught.value.faults]


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
@pytest.mark.parametrize("name", composition.ORDER)
def test_the_launch_gives_the_template_what_it_takes(name: str, path: Path) -> None:
    from bootstrap import launch

    context = SimpleNamespace(settings=settings.load(path))
    before = composition.ORDER[: composition.ORDER.index(name)]
    made = {other: Stack(other, "CREATE_COMPLETE", outputs(other)) for other in before}

    source = template.load(PATHS[name], launch.parameters(context, name, made))

    assert {"Project", "Environment"} <= set(source.defaults)


@pytest.mark.parametrize("name", composition.ORDER)
def test_every_output_is_read_by_somebody(name: str) -> None:
    programs = "\n".join(
        path.read_text() for path in (ROOT / "bootstrap").rglob("*.py") if "local/" not in path.as_posix()
    )

    unread = [it for it in outputs(name) if not re.search(rf"[\"']{it}[\"']", programs) and it not in FOR_PEOPLE]

    assert [] == unread


def test_what_is_listed_for_people_is_an_output() -> None:
    assert set(FOR_PEOPLE) <= {it for name in composition.ORDER for it in outputs(name)}


def test_what_is_replaced_by_way_of_absence_is_absent_then() -> None:
    source = template.load(PATHS["controller"], dict.fromkeys(controllers_own(), "x"))
    content = template.parse(source.body)

    conditional = {name for name, it in content["Resources"].items() if it.get("Condition") == "IsPresent"}

    assert conditional == set(source.replaced)
    assert {"Presence": "absent"} == source.by_way_of


def controllers_own() -> list[str]:
    content = template.parse(PATHS["controller"].read_text())
    return [name for name, it in content["Parameters"].items() if "Default" not in it]


def test_only_a_good_template_is_remembered_and_for_its_region_alone(tmp_path: Path) -> None:
    memory = tmp_path / ".bootstrap" / "linted.json"
    memory.parent.mkdir()
    copy = tmp_path / "templates" / "data.yaml"
    copy.parent.mkdir()
    copy.write_text(PATHS["data"].read_text())

    for region in ("eu-central-1", "eu-central-1", "us-east-1"):
        template.lint(copy, region)
    copy.write_text(copy.read_text().replace("VolumeType: gp3", "VolumeType: gp9"))
    with pytest.raises(TemplateInvalid):
        template.lint(copy, "eu-central-1")

    assert 2 == len(set(json.loads(memory.read_text())))


def test_a_remembered_template_costs_no_lint(tmp_path: Path) -> None:
    (tmp_path / ".bootstrap").mkdir()
    copy = tmp_path / "templates" / "data.yaml"
    copy.parent.mkdir()
    copy.write_text(PATHS["data"].read_text())
    program = (
        "import sys; from bootstrap.stacks import template; from pathlib import Path; "
        f"template.lint(Path({str(copy)!r}), 'eu-central-1'); print('cfnlint' in sys.modules)"
    )

    loaded = [
        subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True).stdout for _ in "12"
    ]

    assert ["True\n", "False\n"] == loaded


def test_text_that_is_not_yaml_is_refused_with_its_place(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("Resources:\n  A: [\n")

    with pytest.raises(TemplateInvalid) as caught:
        template.load(broken, {})

    assert [3] == [fault.line for fault in caught.value.faults]
