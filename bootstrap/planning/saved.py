"""A plan as a file: what a launch (or the network alone) would change, and digests of everything that it was computed from.

For each act the file has its changes, digests of its inputs (what people wrote, and the commit) and digests of the observed
state, by name: stacks with their status, outputs and last update; the machine; the settings that Jenkins exports; its jobs. A
launch with a plan computes all of it again, under the environment lock. If anything differs, it changes nothing and raises
PlanStale, which names the differences.

While a stack does not exist, the acts after it cannot be planned: the plan has only their inputs. A launch with that plan
carries out these acts with exactly these inputs.

A plan of the network has the act `stack` and no other. `pending` is the number of known changes, for other programs: the job
'network' does not ask for approval if it is 0.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bootstrap.acts import casc, jobs
from bootstrap.context import Context
from bootstrap.errors import PlanStale, UsageError
from bootstrap.jenkins.controller import edits, job_xml
from bootstrap.jenkins.controller.api import ask, expect, make_job_path
from bootstrap.planning import look
from bootstrap.preconditions import host_inputs, stack_inputs
from bootstrap.runs.journal import Journal, Run
from bootstrap.values import Change, ChangeKind

FORMAT = 2
ACTS = ("stack", "host", "casc", "jobs")
_NAMED = 5  # how many differences are named
_AGAIN = (
    "Plan again, read the new plan, and apply it: plan --out FILE, launch --plan FILE; "
    "of the network alone: network plan --out FILE, network apply --plan FILE."
)


@dataclass(frozen=True)
class ActPlan:
    """One act of a plan: `inputs` and `seen` are digests by name; `seen` and `changes` are None if it could not be planned."""

    inputs: Mapping[str, str]
    seen: Mapping[str, str] | None
    changes: tuple[Change, ...] | None


@dataclass(frozen=True)
class Plan:
    """A plan of the four acts that change something, or of the first one alone; `run` is the run that made it."""

    environment: str
    run: str
    commit: str
    acts: Mapping[str, ActPlan] = field(default_factory=dict)

    @property
    def changes(self) -> tuple[Change, ...]:
        """Every change that is known."""
        return tuple(change for act in self.acts.values() for change in act.changes or ())


def make(context: Context, run: Run) -> Plan:
    """Plan all acts; nothing is changed."""
    return _assemble(context, run, look.plan(context, run), _read_inputs(context), _observe(context))


def plan_network(context: Context, run: Run) -> Plan:
    """Plan the stacks of the network; nothing is changed."""
    names = stack_inputs.list_network_stacks(context)
    changes = look.plan_stacks(context, run, names)
    return _assemble(
        context, run, changes, {"stack": _read_templates(context, names)}, {"stack": _read_stacks(context, names)}
    )


def _assemble(
    context: Context,
    run: Run,
    all_changes: Sequence[Change],
    inputs: Mapping[str, Mapping[str, Any]],
    observed: Mapping[str, Mapping[str, Any]],
) -> Plan:
    acts = {}
    for act in inputs:
        changes = tuple(change for change in all_changes if change.act == act) if act in observed else None
        acts[act] = ActPlan(
            _compute_digests(inputs[act]), _compute_digests(observed[act]) if act in observed else None, changes
        )
    return Plan(context.settings.name, run.run_id, host_inputs.take_snapshot(context).label, acts)


def write(plan: Plan, path: Path) -> None:
    """Write a plan to a file with mode 0600, because it contains differences of settings."""
    path.touch(mode=0o600)
    path.write_text(
        json.dumps({"format": FORMAT, "pending": len(plan.changes), **asdict(plan)}, indent=2, ensure_ascii=False)
        + "\n",
        encoding="utf-8",
    )


def read(path: Path) -> Plan:
    """Read a saved plan; UsageError if the file cannot be read or is not a plan of this format."""
    doing = f"reading the plan {path}"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise UsageError(doing, f"its format is {content['format']}, this version reads {FORMAT}", _AGAIN)
        acts = {
            act: _parse_act(content["acts"][act]) for act in (("stack",) if set(content["acts"]) == {"stack"} else ACTS)
        }
        return Plan(content["environment"], content["run"], content["commit"], acts)
    except OSError as error:
        raise UsageError(doing, f"it cannot be read: {error.strerror}", _AGAIN) from error
    except json.JSONDecodeError as error:
        found = f"{path}:{error.lineno}:{error.colno}: it is not a plan: {error.msg}"
        raise UsageError(doing, found, _AGAIN) from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(doing, f"it is not a plan: {type(error).__name__}: {error}", _AGAIN) from error


def check(context: Context, run: Run, plan: Plan, again: Callable[[Context, Run], Plan] = make) -> None:
    """Plan again and compare; PlanStale, with every difference, if the code or the environment has changed since.

    `again` makes a plan of the kind that is to be applied; a saved plan of another kind is stale, too.
    """
    aside = Run(run.run_id, Journal(run.folder / "plan"), out=io.StringIO())
    with run.act("plan", f"is it still the plan of run {plan.run}?"):
        differences = list(compare(plan, again(context, aside)))
        if differences:
            doing = f"comparing the plan of run {plan.run} with the current state"
            raise PlanStale(doing, "\n".join(differences), f"Nothing was changed. {_AGAIN}")


def compare(plan: Plan, now: Plan) -> Iterator[str]:
    """A line for each difference between two plans; none if a launch would do what the saved plan says."""
    if plan.environment != now.environment:
        yield f"it is a plan for '{plan.environment}', not for '{now.environment}'"
        return
    if plan.acts.keys() != now.acts.keys():
        yield f"it is a plan of {_name_kind(plan)}, not of {_name_kind(now)}"
        return
    for act in now.acts:
        old_act, new_act = plan.acts[act], now.acts[act]
        if old_act.inputs != new_act.inputs:
            commits = f" (commit {plan.commit[:12]}, now {now.commit[:12]})" if plan.commit != now.commit else ""
            yield f"{act}: changed since the plan: {_describe_differences(old_act.inputs, new_act.inputs)}{commits}"
        if (old_act.changes is None) != (new_act.changes is None):
            could, can = ("could not", "can") if old_act.changes is None else ("could", "cannot")
            yield f"{act}: {could} be planned when the plan was saved, and {can} now"
            continue
        if old_act.seen != new_act.seen:
            yield f"{act}: changed since the plan: {_describe_differences(old_act.seen or {}, new_act.seen or {})}"
        before, after = set(old_act.changes or ()), set(new_act.changes or ())
        yield from (
            f"{act}: planned, but no longer pending: {_describe_change(change)}"
            for change in sorted(before - after, key=_describe_change)
        )
        yield from (
            f"{act}: pending, but not planned: {_describe_change(change)}"
            for change in sorted(after - before, key=_describe_change)
        )


def _name_kind(plan: Plan) -> str:
    return "a launch" if len(plan.acts) > 1 else "the network alone"


def _describe_differences(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """The names of the entries that differ, at most _NAMED of them."""
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _describe_change(change: Change) -> str:
    return f"{change.kind} {change.name} {change.detail}".rstrip()


def _parse_act(content: Mapping[str, Any]) -> ActPlan:
    changes = content["changes"]
    parsed_changes = (
        None if changes is None else tuple(Change(**{**it, "kind": ChangeKind(it["kind"])}) for it in changes)
    )
    seen = None if content["seen"] is None else dict(content["seen"])
    return ActPlan(dict(content["inputs"]), seen, parsed_changes)


def _read_inputs(context: Context) -> dict[str, dict[str, Any]]:
    """The inputs by act and name: what people wrote, and the commit that the machine would get."""
    settings = {"the settings": context.settings.model_dump(mode="json")}
    commit = host_inputs.take_snapshot(context).commit
    lock = context.lock.path.read_text(encoding="utf-8")
    views = {f"view {name}": xml for name, xml in context.jobset.views.items()}
    return {
        "stack": _read_templates(context, context.wanted),
        "host": settings | {"the commit": commit, "jenkins.lock.yaml": lock},
        "casc": settings | dict(context.casc_files),
        "jobs": {**context.jobset.jobs, **views},
    }


def _read_templates(context: Context, names: Sequence[str]) -> dict[str, Any]:
    templates = {f"{name}.yaml": stack_inputs.find_template(name).read_text(encoding="utf-8") for name in names}
    return {"the settings": context.settings.model_dump(mode="json"), **templates}


def _observe(context: Context) -> dict[str, dict[str, Any]]:
    """The observed state by act and name; only the stacks if there is no machine."""
    observed: dict[str, dict[str, Any]] = {"stack": _read_stacks(context, context.wanted)}
    if stack_inputs.can_look(context):
        observed["host"] = {"the machine": context.machine.instance_id}
        observed["casc"] = _read_settings(casc.export(context.jenkins))
        observed["jobs"] = _read_jobs(context)
    return observed


def _read_stacks(context: Context, names: Sequence[str]) -> dict[str, Any]:
    return {context.settings.name_stack(name): _read_stack(context, name) for name in names}


def _read_settings(exported: str) -> dict[str, Any]:
    """The settings that Jenkins exports, by their first two keys: 'jenkins.systemMessage'."""
    settings = edits.parse_settings(exported)
    return {
        ".".join((root, key) if key else (root,)): value
        for root, inner in settings.items()
        for key, value in (inner.items() if isinstance(inner, Mapping) else [("", inner)])
    }


def _read_jobs(context: Context) -> dict[str, Any]:
    """The existing jobs.

    Those of the code with their XML, because an edit in Jenkins does not change the digest in the footer.
    """
    jobs_by_name: dict[str, Any] = dict(jobs.read_published(context.jenkins))
    for name in jobs_by_name.keys() & context.jobset.jobs.keys():
        answer = ask(context.jenkins, "GET", f"{make_job_path(name)}config.xml")
        jobs_by_name[name] = [jobs_by_name[name], job_xml.remove_notes(expect(answer, f"reading the job {name}").text)]
    return jobs_by_name


def _read_stack(context: Context, name: str) -> Any:
    if name not in context.stacks:
        return None
    client = context.world.aws("cloudformation")
    description = client.describe_stacks(StackName=context.settings.name_stack(name))["Stacks"][0]
    keys = ("StackId", "StackStatus", "CreationTime", "LastUpdatedTime", "Outputs")
    return {key: str(description.get(key)) for key in keys}


def _compute_digests(content: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: hashlib.sha256(json.dumps(it, sort_keys=True, default=str).encode()).hexdigest()
        for name, it in content.items()
    }
