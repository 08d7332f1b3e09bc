"""The templates against checkov's published policies: clean, or waived with a reason and for a time.

checkov lives in an environment of its own, which tox makes from `requirements.lock` beside this file; POLICY_TOOL names it.
"""

from __future__ import annotations

import datetime
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "cloudformation"
Place = tuple[str, str, str]


@dataclass(frozen=True)
class Waiver:
    """A finding that is let pass."""

    check: str
    template: str
    resource: str
    reason: str
    expires: datetime.date

    @property
    def place(self) -> Place:
        return (self.check, self.template, self.resource)


def read(text: str) -> tuple[Waiver, ...]:
    return tuple(Waiver(**it) for it in YAML(typ="safe").load(text) or ())


WAIVERS = read((Path(__file__).parent / "waivers.yaml").read_text())


def run(folder: Path) -> list[dict[str, Any]]:
    """What checkov says of every template of a folder."""
    tool = os.environ.get("POLICY_TOOL")
    assert tool, "POLICY_TOOL names checkov: run this by './bootstrap.py test -e policy'"
    command = [tool, "-d", str(folder), "--framework", "cloudformation", "--compact", "--skip-download", "-o", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode in {0, 1}, done.stderr[-2000:]
    found = json.loads(done.stdout)
    return found if isinstance(found, list) else [found]


@pytest.fixture(scope="module")
def reports() -> list[dict[str, Any]]:
    return run(TEMPLATES)


def failed(reports: list[dict[str, Any]]) -> set[Place]:
    """Check, template and resource of every finding."""
    return {
        (it["check_id"], Path(it["file_path"]).name, it["resource"].rpartition(".")[2])
        for report in reports
        for it in report["results"]["failed_checks"]
    }


def unwaived(found: set[Place], waivers: tuple[Waiver, ...], today: datetime.date) -> set[Place]:
    """The findings that no waiver lets pass today."""
    return found - {it.place for it in waivers if it.expires >= today}


def unused(found: set[Place], waivers: tuple[Waiver, ...]) -> set[Place]:
    """The waivers that nothing needs."""
    return {it.place for it in waivers} - found


def today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


def test_every_template_is_read(reports: list[dict[str, Any]]) -> None:
    assert 0 == sum(it["summary"]["parsing_errors"] for it in reports)
    assert 50 < sum(it["summary"]["passed"] for it in reports)


def test_nothing_is_found_that_is_not_waived(reports: list[dict[str, Any]]) -> None:
    assert set() == unwaived(failed(reports), WAIVERS, today())


def test_every_waiver_is_needed_and_says_why(reports: list[dict[str, Any]]) -> None:
    assert set() == unused(failed(reports), WAIVERS)
    assert [] == [it.place for it in WAIVERS if len(it.reason.split()) < 5]
    assert len(WAIVERS) == len({it.place for it in WAIVERS})


def test_an_open_group_is_found(tmp_path: Path) -> None:
    (tmp_path / "open.yaml").write_text(
        "Resources:\n  Group:\n    Type: AWS::EC2::SecurityGroup\n    Properties:\n      GroupDescription: open\n"
        "      SecurityGroupIngress:\n"
        "        - {IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0, Description: everybody}\n"
    )

    assert ("CKV_AWS_24", "open.yaml", "Group") in failed(run(tmp_path))


def test_a_waiver_ends_on_its_day_and_one_for_nothing_is_told() -> None:
    (waiver,) = read("- {check: A, template: t.yaml, resource: R, reason: because, expires: 2026-01-31}\n")
    found = {("A", "t.yaml", "R")}

    assert set() == unwaived(found, (waiver,), datetime.date(2026, 1, 31))
    assert found == unwaived(found, (waiver,), datetime.date(2026, 2, 1))
    assert {("A", "t.yaml", "R")} == unused(set(), (waiver,))
