"""Plans as files: read back as written, and compared with what is so now."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bootstrap.errors import UsageError
from bootstrap.planning import saved
from bootstrap.planning.saved import ActPlan, Plan
from bootstrap.values import Change, ChangeKind

NGINX = Change("host", ChangeKind.ADD, "package nginx", "1.26", diff="+x")
UNKNOWN = ActPlan({"a.yaml": "i"}, None, None)
PLAN = Plan(
    "trial",
    "run-1",
    "c" * 40,
    {
        "stack": ActPlan({"a.yaml": "i"}, {"it": "s"}, ()),
        "host": ActPlan({"a.yaml": "i"}, {"it": "s"}, (NGINX,)),
        "casc": ActPlan({"a.yaml": "i"}, {"it": "s"}, ()),
        "jobs": UNKNOWN,
    },
)


def with_act(act: str, plan: ActPlan) -> Plan:
    return replace(PLAN, run="run-2", acts={**PLAN.acts, act: plan})


def test_a_plan_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    saved.write(PLAN, tmp_path / "plan")

    found = saved.read(tmp_path / "plan")

    assert PLAN == found
    assert "+x" == found.changes[0].diff
    assert 0o600 == (tmp_path / "plan").stat().st_mode & 0o777


def test_an_unmoved_world_fits_its_plan_whoever_planned_it() -> None:
    assert [] == list(saved.compare(PLAN, replace(PLAN, run="run-2")))


MOVED = {
    "the code": (
        with_act("casc", ActPlan({"a.yaml": "j"}, {"it": "s"}, ())),
        ["casc: changed since the plan: a.yaml"],
    ),
    "the world": (with_act("stack", ActPlan({"a.yaml": "i"}, {"it": "t"}, ())), ["stack: changed since the plan: it"]),
    "a change less": (
        with_act("host", ActPlan({"a.yaml": "i"}, {"it": "s"}, ())),
        ["host: planned, but no longer pending: add package nginx 1.26"],
    ),
    "a change more": (
        with_act("casc", ActPlan({"a.yaml": "i"}, {"it": "s"}, (Change("casc", ChangeKind.ALTER, "a.yaml"),))),
        ["casc: pending, but not planned: alter a.yaml"],
    ),
    "a stack that came": (
        with_act("jobs", ActPlan({"a.yaml": "i"}, {"it": "s"}, ())),
        ["jobs: could not be planned when the plan was saved, and can now"],
    ),
    "a stack that went": (
        with_act("host", UNKNOWN),
        ["host: could be planned when the plan was saved, and cannot now"],
    ),
    "another environment": (replace(PLAN, environment="other"), ["it is a plan for 'trial', not for 'other'"]),
}


@pytest.mark.parametrize("case", MOVED)
def test_a_moved_world_is_told_by_what_moved(case: str) -> None:
    now, expected = MOVED[case]

    found = list(saved.compare(PLAN, now))

    assert len(expected) == len(found)
    assert all(line.startswith(start) for line, start in zip(found, expected, strict=True))


def test_a_plan_of_the_network_is_no_plan_of_a_launch(tmp_path: Path) -> None:
    alone = replace(PLAN, acts={"stack": ActPlan({"a.yaml": "i"}, {"it": "s"}, (replace(NGINX, act="stack"),))})
    saved.write(alone, tmp_path / "plan")

    found = saved.read(tmp_path / "plan")

    assert alone == found
    assert 1 == json.loads((tmp_path / "plan").read_text())["pending"]
    assert ["it is a plan of the network alone, not of a launch"] == list(saved.compare(found, PLAN))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 1}', json.dumps({"format": 2, "environment": "trial", "acts": {}})]
)
def test_what_is_no_plan_is_a_usage_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan").write_text(text)

    with pytest.raises(UsageError):
        saved.read(tmp_path / "plan")


def test_a_plan_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        saved.read(tmp_path / "plan")
