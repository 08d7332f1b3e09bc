"""A plan as a file: what a launch would change, or the network alone, and digests of what that was computed from.

For each act the file holds its changes, digests of its inputs (what people wrote, and the commit) and digests of what was
looked at, each by its name: stacks with their status, outputs and last update; the machine; the settings that Jenkins exports;
its jobs, as they are there. A launch with a plan computes all of it afresh, under the environment's lock, and applies nothing
where anything differs: PlanStale, which names what moved.

What cannot be looked at yet, the acts behind a stack that does not exist, is in the plan with its inputs alone, as 'known once
the stacks exist': a launch with that plan goes on through them with exactly these inputs.

A plan of the network has its stacks and no other act. `pending`, how many changes are known, is there for other programs: the
job 'network' asks nobody where it is 0.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bootstrap import launch
from bootstrap.acts import casc, jobs
from bootstrap.context import ROOT, Context
from bootstrap.errors import PlanStale, UsageError
from bootstrap.jenkins.controller import edits, job_xml
from bootstrap.jenkins.controller.api import ask, expect, job_path
from bootstrap.preconditions import stack_inputs
from bootstrap.runs.journal import Journal, Run
from bootstrap.values import Change, ChangeKind

FORMAT = 2
ACTS = ("stack", "host", "casc", "jobs")
_NAMED = 5  # of what moved
_AGAIN = (
    "Plan again, read the new plan, and apply it: plan --out FILE, launch --plan FILE; "
    "of the network alone: network plan --out FILE, network apply --plan FILE."
)


@dataclass(frozen=True)
class ActPlan:
    """One act of a plan: `inputs` and `seen` are digests by name; the others None where there was nothing to see."""

    inputs: Mapping[str, str]
    seen: Mapping[str, str] | None
    changes: tuple[Change, ...] | None


@dataclass(frozen=True)
class Plan:
    """A plan of the four acts that change things, or of the first alone; `run` is the run that made it."""

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
    return _kept(context, run, launch.plan(context, run), _inputs(context), _seen(context))


def of_network(context: Context, run: Run) -> Plan:
    """Look at the network's stacks and plan them; nothing is changed."""
    names = stack_inputs.network_of(context)
    found = launch.plan_stacks(context, run, names)
    return _kept(context, run, found, {"stack": _of_templates(context, names)}, {"stack": _of_stacks(context, names)})


def _kept(
    context: Context,
    run: Run,
    found: Sequence[Change],
    inputs: Mapping[str, Mapping[str, Any]],
    seen: Mapping[str, Mapping[str, Any]],
) -> Plan:
    acts = {}
    for act in inputs:
        changes = tuple(change for change in found if change.act == act) if act in seen else None
        acts[act] = ActPlan(_digests(inputs[act]), _digests(seen[act]) if act in seen else None, changes)
    return Plan(context.settings.name, run.run_id, launch.snapshot(context).label, acts)


def write(plan: Plan, path: Path) -> None:
    """Keep a plan; readable for its maker alone, for differences of settings are in it."""
    path.touch(mode=0o600)
    path.write_text(
        json.dumps({"format": FORMAT, "pending": len(plan.changes), **asdict(plan)}, indent=2, ensure_ascii=False)
        + "\n",
        encoding="utf-8",
    )


def read(path: Path) -> Plan:
    """A kept plan; UsageError where the file is none."""
    doing = f"reading the plan {path}"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["format"] != FORMAT:
            raise UsageError(doing, f"its format is {told['format']}, this version reads {FORMAT}", _AGAIN)
        acts = {act: _act(told["acts"][act]) for act in (("stack",) if set(told["acts"]) == {"stack"} else ACTS)}
        return Plan(told["environment"], told["run"], told["commit"], acts)
    except OSError as error:
        raise UsageError(doing, f"it cannot be read: {error.strerror}", _AGAIN) from error
    except json.JSONDecodeError as error:
        found = f"{path}:{error.lineno}:{error.colno}: it is not a plan: {error.msg}"
        raise UsageError(doing, found, _AGAIN) from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(doing, f"it is not a plan: {type(error).__name__}: {error}", _AGAIN) from error


def check(context: Context, run: Run, plan: Plan, again: Callable[[Context, Run], Plan] = make) -> None:
    """Plan afresh and compare; PlanStale, with every difference, where the world or the code has moved.

    `again` makes a plan of the kind that is to be applied; one of another kind is stale, too.
    """
    aside = Run(run.run_id, Journal(run.folder / "plan"), out=io.StringIO())
    with run.act("plan", f"is it still the plan of run {plan.run}?"):
        differences = list(compare(plan, again(context, aside)))
        if differences:
            doing = f"comparing the plan of run {plan.run} with the current state"
            raise PlanStale(doing, "\n".join(differences), f"Nothing was changed. {_AGAIN}")


def compare(plan: Plan, now: Plan) -> Iterator[str]:
    """A line for each way in which two plans differ; none where a launch would do what the first one says."""
    if plan.environment != now.environment:
        yield f"it is a plan for '{plan.environment}', not for '{now.environment}'"
        return
    if plan.acts.keys() != now.acts.keys():
        yield f"it is a plan of {_kind(plan)}, not of {_kind(now)}"
        return
    for act in now.acts:
        old, new = plan.acts[act], now.acts[act]
        if old.inputs != new.inputs:
            commits = f" (commit {plan.commit[:12]}, now {now.commit[:12]})" if plan.commit != now.commit else ""
            yield f"{act}: changed since the plan: {_moved(old.inputs, new.inputs)}{commits}"
        if (old.changes is None) != (new.changes is None):
            yield f"{act}: {'can be' if new.changes is not None else 'cannot be'} planned now, unlike then"
            continue
        if old.seen != new.seen:
            yield f"{act}: changed since the plan: {_moved(old.seen or {}, new.seen or {})}"
        before, after = set(old.changes or ()), set(new.changes or ())
        yield from (
            f"{act}: planned, but no longer pending: {_told(change)}" for change in sorted(before - after, key=_told)
        )
        yield from (f"{act}: pending, but not planned: {_told(change)}" for change in sorted(after - before, key=_told))


def _kind(plan: Plan) -> str:
    return "a launch" if len(plan.acts) > 1 else "the network alone"


def _moved(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """The names of what differs, a few of them."""
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _told(change: Change) -> str:
    return f"{change.kind} {change.name} {change.detail}".rstrip()


def _act(told: Mapping[str, Any]) -> ActPlan:
    changes = told["changes"]
    known = None if changes is None else tuple(Change(**{**it, "kind": ChangeKind(it["kind"])}) for it in changes)
    seen = None if told["seen"] is None else dict(told["seen"])
    return ActPlan(dict(told["inputs"]), seen, known)


def _inputs(context: Context) -> dict[str, dict[str, Any]]:
    """What people wrote, act by act, by name, and the commit that the machine would get."""
    settings = {"the settings": context.settings.model_dump(mode="json")}
    commit = launch.snapshot(context).commit
    lock = (ROOT / "jenkins.lock.yaml").read_text(encoding="utf-8")
    views = {f"view {name}": xml for name, xml in context.jobset.views.items()}
    return {
        "stack": _of_templates(context, context.wanted),
        "host": settings | {"the commit": commit, "jenkins.lock.yaml": lock},
        "casc": settings | dict(context.casc_files),
        "jobs": {**context.jobset.jobs, **views},
    }


def _of_templates(context: Context, names: Sequence[str]) -> dict[str, Any]:
    templates = {
        f"{name}.yaml": (stack_inputs.TEMPLATES / f"{name}.yaml").read_text(encoding="utf-8") for name in names
    }
    return {"the settings": context.settings.model_dump(mode="json"), **templates}


def _seen(context: Context) -> dict[str, dict[str, Any]]:
    """What was looked at, act by act, by name; only the stacks where there is no machine to look at."""
    seen: dict[str, dict[str, Any]] = {"stack": _of_stacks(context, context.wanted)}
    if stack_inputs.can_look(context):
        seen["host"] = {"the machine": context.machine.instance_id}
        seen["casc"] = _settings(casc.export(context.jenkins))
        seen["jobs"] = _jobs(context)
    return seen


def _of_stacks(context: Context, names: Sequence[str]) -> dict[str, Any]:
    return {context.settings.stack_name(name): _stack(context, name) for name in names}


def _settings(exported: str) -> dict[str, Any]:
    """The settings that Jenkins exports, by their first two names: 'jenkins.systemMessage'."""
    told = edits.parsed(exported)
    return {
        ".".join((root, key) if key else (root,)): value
        for root, inner in told.items()
        for key, value in (inner.items() if isinstance(inner, Mapping) else [("", inner)])
    }


def _jobs(context: Context) -> dict[str, Any]:
    """What is there, each job of the code with its XML: an edit in Jenkins leaves the render that is named in it as it was."""
    there: dict[str, Any] = dict(jobs.look(context.jenkins))
    for name in there.keys() & context.jobset.jobs.keys():
        answer = ask(context.jenkins, "GET", f"{job_path(name)}config.xml")
        there[name] = [there[name], job_xml.without_notes(expect(answer, f"reading the job {name}").text)]
    return there


def _stack(context: Context, name: str) -> Any:
    if name not in context.stacks:
        return None
    found = context.world.aws("cloudformation").describe_stacks(StackName=context.settings.stack_name(name))["Stacks"][
        0
    ]
    told = ("StackId", "StackStatus", "CreationTime", "LastUpdatedTime", "Outputs")
    return {key: str(found.get(key)) for key in told}


def _digests(content: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: hashlib.sha256(json.dumps(it, sort_keys=True, default=str).encode()).hexdigest()
        for name, it in content.items()
    }
