"""A plan as a file: what a launch would change, and digests of what that was computed from.

For each act the file holds its changes, a digest of its inputs (what people wrote, and the commit) and a digest of what was
looked at: stacks with their status, outputs and last update; the machine; the settings that Jenkins exports; its jobs. A launch
with a plan computes all of it afresh, under the environment's lock, and applies nothing where anything differs: PlanStale.

What cannot be looked at yet, the acts behind a stack that does not exist, is in the plan with its inputs alone, as 'known once
the stacks exist': a launch with that plan goes on through them with exactly these inputs.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bootstrap import launch
from bootstrap.acts import casc, jobs
from bootstrap.context import ROOT, Context
from bootstrap.errors import PlanStale, UsageError
from bootstrap.run import Journal, Run
from bootstrap.values import Change, ChangeKind

FORMAT = 1
ACTS = ("stack", "host", "casc", "jobs")
_AGAIN = "Plan again, read it, and launch with the new one: plan --out FILE, launch --plan FILE."


@dataclass(frozen=True)
class ActPlan:
    """One act of a plan: `changes` and `seen` are None where there was nothing to look at yet."""

    inputs: str
    seen: str | None
    changes: tuple[Change, ...] | None


@dataclass(frozen=True)
class Plan:
    """A plan of the four acts that change things; `run` is the run that made it."""

    environment: str
    run: str
    commit: str
    acts: Mapping[str, ActPlan] = field(default_factory=dict)

    @property
    def changes(self) -> tuple[Change, ...]:
        """Every change that is known."""
        return tuple(change for act in self.acts.values() for change in act.changes or ())


def make(context: Context, run: Run) -> Plan:
    """Look at everything and plan it; nothing is changed."""
    found = launch.plan(context, run)
    inputs, seen = _inputs(context), _seen(context)
    acts = {}
    for act in ACTS:
        changes = tuple(change for change in found if change.act == act) if act in seen else None
        acts[act] = ActPlan(_digest(inputs[act]), _digest(seen[act]) if act in seen else None, changes)
    return Plan(context.settings.name, run.run_id, launch.snapshot(context).label, acts)


def write(plan: Plan, path: Path) -> None:
    """Keep a plan; readable for its maker alone, for differences of settings are in it."""
    path.touch(mode=0o600)
    path.write_text(
        json.dumps({"format": FORMAT, **asdict(plan)}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def read(path: Path) -> Plan:
    """A kept plan; UsageError where the file is none."""
    doing = f"reading the plan {path}"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["format"] != FORMAT:
            raise UsageError(doing, f"its format is {told['format']}, this version reads {FORMAT}", _AGAIN)
        acts = {act: _act(told["acts"][act]) for act in ACTS}
        return Plan(told["environment"], told["run"], told["commit"], acts)
    except OSError as error:
        raise UsageError(doing, f"it cannot be read: {error.strerror}", _AGAIN) from error
    except json.JSONDecodeError as error:
        found = f"{path}:{error.lineno}:{error.colno}: it is not a plan: {error.msg}"
        raise UsageError(doing, found, _AGAIN) from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(doing, f"it is not a plan: {type(error).__name__}: {error}", _AGAIN) from error


def check(context: Context, run: Run, plan: Plan) -> None:
    """Plan afresh and compare; PlanStale, with every difference, where the world or the code has moved."""
    aside = Run(run.run_id, Journal(run.folder / "plan"), out=io.StringIO())
    with run.act("plan", f"is it still that of run {plan.run}?"):
        differences = list(compare(plan, make(context, aside)))
        if differences:
            doing = f"holding the plan of run {plan.run} against the world"
            raise PlanStale(doing, "\n".join(differences), f"Nothing was changed. {_AGAIN}")


def compare(plan: Plan, now: Plan) -> Iterator[str]:
    """A line for each way in which two plans differ; none where a launch would do what the first one says."""
    if plan.environment != now.environment:
        yield f"it is a plan for '{plan.environment}', not for '{now.environment}'"
        return
    for act in ACTS:
        old, new = plan.acts[act], now.acts[act]
        if old.inputs != new.inputs:
            commits = f" (commit {plan.commit[:12]}, now {now.commit[:12]})" if plan.commit != now.commit else ""
            yield f"{act}: the code or the settings are no longer those that were planned with{commits}"
        if (old.changes is None) != (new.changes is None):
            yield f"{act}: {'can be' if new.changes is not None else 'cannot be'} looked at now, unlike then"
            continue
        if old.seen != new.seen:
            yield f"{act}: what was looked at is no longer as it was"
        before, after = set(old.changes or ()), set(new.changes or ())
        yield from (
            f"{act}: planned, but no longer to do: {_told(change)}" for change in sorted(before - after, key=_told)
        )
        yield from (f"{act}: to do, but not planned: {_told(change)}" for change in sorted(after - before, key=_told))


def _told(change: Change) -> str:
    return f"{change.kind} {change.name} {change.detail}".rstrip()


def _act(told: Mapping[str, Any]) -> ActPlan:
    changes = told["changes"]
    known = None if changes is None else tuple(Change(**{**it, "kind": ChangeKind(it["kind"])}) for it in changes)
    return ActPlan(told["inputs"], told["seen"], known)


def _inputs(context: Context) -> dict[str, Any]:
    """What people wrote, act by act, and the commit that the machine would get."""
    settings = context.settings.model_dump(mode="json")
    templates = {name: (launch.TEMPLATES / f"{name}.yaml").read_text(encoding="utf-8") for name in context.wanted}
    commit = launch.snapshot(context).commit
    lock = (ROOT / "jenkins.lock.yaml").read_text(encoding="utf-8")
    return {
        "stack": [settings, templates],
        "host": [settings, commit, lock],
        "casc": [settings, dict(context.casc_files)],
        "jobs": [dict(context.jobset.jobs), dict(context.jobset.views)],
    }


def _seen(context: Context) -> dict[str, Any]:
    """What was looked at, act by act; only the stacks where there is no machine to look at."""
    seen: dict[str, Any] = {"stack": [_stack(context, name) for name in context.wanted]}
    if launch.can_look(context):
        seen["host"] = context.machine.instance_id
        seen["casc"] = casc.export(context.jenkins)
        seen["jobs"] = jobs.look(context.jenkins)
    return seen


def _stack(context: Context, name: str) -> Any:
    if name not in context.stacks:
        return None
    found = context.world.aws("cloudformation").describe_stacks(StackName=context.settings.stack_name(name))["Stacks"][
        0
    ]
    told = ("StackId", "StackStatus", "CreationTime", "LastUpdatedTime", "Outputs")
    return {key: str(found.get(key)) for key in told}


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
