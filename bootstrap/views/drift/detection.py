"""Looks for drift at every place in turn. If one place cannot be checked, the others are checked all the same.

A Jenkins job on the machine is not root: there the files and units of the machine are not checked; `verify` checks them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from bootstrap.acts import host
from bootstrap.cloud.secrets import has_authority_key
from bootstrap.context import Context
from bootstrap.errors import BootstrapError, Unreachable
from bootstrap.preconditions import agent_groups, host_inputs
from bootstrap.runs.journal import Run
from bootstrap.stacks import composition
from bootstrap.values import ChangeKind
from bootstrap.views import people
from bootstrap.views.drift import groups, jobs, settings, stacks
from bootstrap.views.drift.values import Drifted, make_unseen

__all__ = ["Drift", "Drifted", "find_drift"]

_REACH = "See that the machine runs and that SSH reaches it: 'status' and 'doctor' tell."
_VERBS = {ChangeKind.ADD: "is missing", ChangeKind.REMOVE: "exists, but must not"}
_NEED_THE_MACHINE = {"machine", "settings", "people", "jobs", "plugins"}
# A push to this repository is a commit, and code is no drift.
_OF_THE_CODE = ("toolkit repository",)


@dataclass(frozen=True)
class Drift:
    """The lines of drift, and those of what could not be looked at, each with the reason."""

    lines: tuple[Drifted, ...]
    unseen: tuple[Drifted, ...]


def find_drift(context: Context, run: Run) -> Drift:
    """Find all drift; nothing is changed.

    A place that fails is in `unseen`, and so is a single thing that could not be compared; after the first time-out the machine
    is skipped.
    """
    lines: list[Drifted] = []
    is_reachable = True
    for where, find in _list_places(context, run).items():
        if not is_reachable and where in _NEED_THE_MACHINE:
            lines.append(make_unseen(where, "the machine cannot be reached", _REACH, where="place"))
            continue
        try:
            with run.act("drift", where, ending="checked"):
                lines += find()
        except BootstrapError as error:
            # After one time-out, the other places on the machine are skipped: each would wait as long again.
            is_reachable = is_reachable and not isinstance(error, Unreachable)
            lines.append(make_unseen(where, error.found, error.remedy, where="place"))
            run.notice(f"{where} cannot be checked: {error.found.splitlines()[0]}")
    return Drift(tuple(it for it in lines if not it.is_unseen), tuple(it for it in lines if it.is_unseen))


def _list_places(context: Context, run: Run) -> dict[str, Callable[[], Iterable[Drifted]]]:
    tool = context.tool
    on_machine = context.world.is_on_machine
    places: dict[str, Callable[[], Iterable[Drifted]]] = {
        "stacks": lambda: _find_stack_drift(context, tool),
        "security groups": lambda: _find_group_drift(context),
        "certificates": lambda: _find_certificate_drift(context, tool),
        "machine": lambda: _find_host_drift(context, run, tool),
        "settings": lambda: settings.find_settings_drift(
            context.shell,
            context.jenkins,
            context.casc_files,
            context.casc_values,
            tool,
            sudo=not on_machine,
            wished_clouds=agent_groups.make_clouds(context),
        ),
        "people": lambda: _of_people(context, tool),
        "jobs": lambda: jobs.find_job_drift(context.jenkins, context.jobset, tool),
        "plugins": lambda: jobs.find_plugin_drift(context.jenkins, context.lock.plugins, tool),
    }
    if on_machine:
        run.notice(
            "a job is not root on the machine, so it does not check the machine's files and units; 'verify' checks them"
        )
        del places["machine"]
    return places


def _find_stack_drift(context: Context, tool: str) -> list[Drifted]:
    client = context.world.aws("cloudformation")
    drifted: list[Drifted] = []
    for name in context.wanted:
        if name not in context.stacks:
            full = context.settings.name_stack(name)
            drifted.append(Drifted("stack", full, "there is no such stack", f"{tool} launch"))
            continue
        full = context.stacks[name].name
        try:
            drifted += _convert_refusal(partial(_detect, context, name, f"{tool} launch"), client)
        except BootstrapError as error:  # the other stacks are looked at all the same
            drifted.append(make_unseen(full, error.found, error.remedy))
    return drifted


def _detect(context: Context, name: str, again: str) -> list[Drifted]:
    client, full = context.world.aws("cloudformation"), context.stacks[name].name
    is_of_agents = name.startswith(composition.AGENTS)
    tags = context.make_tags("", "")
    return list(stacks.find_stack_drift(client, full, again, tags=tags, is_of_agents=is_of_agents))


def _find_group_drift(context: Context) -> list[Drifted]:
    client, ec2 = context.world.aws("cloudformation"), context.world.aws("ec2")

    def find() -> list[Drifted]:
        expected = groups.list_expected_rules(_read_deployed(client, stack.name) for stack in context.stacks.values())
        endpoint = context.world.endpoint
        return [
            line for group, rules in expected.items() for line in groups.find_group_drift(ec2, group, rules, endpoint)
        ]

    return _convert_refusal(find, client)


def _read_deployed(client: Any, stack: str) -> groups.Deployed:
    body = client.get_template(StackName=stack)["TemplateBody"]
    described = client.describe_stacks(StackName=stack)["Stacks"][0]
    parameters = {item["ParameterKey"]: item["ParameterValue"] for item in described.get("Parameters", ())}
    # DescribeStackResources returns at most a hundred resources, and does not say that there are more.
    pages = client.get_paginator("list_stack_resources").paginate(StackName=stack)
    resources = [item for page in pages for item in page["StackResourceSummaries"]]
    ids = {
        item["LogicalResourceId"]: item["PhysicalResourceId"] for item in resources if item.get("PhysicalResourceId")
    }
    return groups.Deployed(body if isinstance(body, str) else json.dumps(body), parameters, ids)


def _find_certificate_drift(context: Context, tool: str) -> list[Drifted]:
    """Who may read the certificates must not get the key with which others can be signed."""
    client, arn = context.world.aws("secretsmanager"), context.outputs("data")["CertificatesSecret"]
    place = "is beside the certificates, where the machine's role can read it"

    def find() -> list[Drifted]:
        is_beside = has_authority_key(client, arn)
        return [Drifted("secret", "the authority's key", place, f"{tool} launch")] if is_beside else []

    return _convert_refusal(find, client)


def _convert_refusal(call: Callable[[], list[Drifted]], client: Any) -> list[Drifted]:
    """The result of `call`; a ClientError of AWS becomes a BootstrapError."""
    refused: type[Exception] = client.exceptions.ClientError
    try:
        return call()
    except refused as error:
        raise BootstrapError("looking for drift", str(error), "See that the credentials may do this.") from error


def _of_people(context: Context, tool: str) -> list[Drifted]:
    """Access of people who are not in the environment file any more, and the places that did not answer.

    A job reads the accounts of Jenkins alone, and says nothing of the places that it may not read.
    """
    overview = people.read_access(context)
    unseen = {} if context.world.is_on_machine else overview.unseen
    return [
        *(
            Drifted("people", it.name, f"is not in 'people', access is left: {', '.join(it.left)}", f"{tool} launch")
            for it in overview.people
            if it.left
        ),
        *(
            make_unseen(place, reason, f"'{tool} people list' says more.", where="people")
            for place, reason in unseen.items()
        ),
    ]


def _find_host_drift(context: Context, run: Run, tool: str) -> list[Drifted]:
    inputs, _ = host_inputs.gather(context, run)
    drifted = []
    edited, moved = host.split_edits(context.shell, inputs)
    if pending := [name for name in moved if name not in _OF_THE_CODE]:
        run.notice(f"pending changes of the code since the last launch, no drift ('{tool} plan'): {', '.join(pending)}")
    for change in edited:
        if change.name in _OF_THE_CODE:
            continue
        verb = _VERBS.get(change.kind, "differs")
        detail = f" ({change.detail})" if change.detail else ""
        drifted.append(Drifted("machine", change.name, f"{verb}{detail}", f"{tool} host apply"))
    return drifted
