"""systemd units: enabled, active, and restarted exactly when what they read is younger than they are."""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Iterator
from pathlib import Path

from bootstrap.remote.converge import causes, draining
from bootstrap.remote.converge.core import Context, Failed, Finding, Resource
from bootstrap.remote.converge.outdated_services import replaced

_PROPERTIES = "LoadState,UnitFileState,ActiveState,NeedDaemonReload,InactiveExitTimestamp,StateChangeTimestamp,MainPID"
_JOURNAL_LINES = 5000  # that are read of a start that failed; what is told of them is bounded by `causes`


def unit(context: Context, resource: Resource) -> Finding | None:
    """Unit `name` enabled and active as wished (both default to true).

    It is restarted (reloaded, where `reload` says so) when a resource named in `restart_on` changed in this run, or when
    one's file is younger than the unit's start: so a run that was killed between the two is completed by the next. With
    `runs_on` it is also restarted, never just reloaded, when what it runs was replaced under it. With `awaits` nothing is
    wished of it before the file of that resource is there, or comes in this run.
    """
    if (awaited := resource.get("awaits")) and not _is_there(context, awaited):
        return None
    state = _remembered_state(context, resource["name"])
    is_known = state["LoadState"] != "not-found"
    wants_active = resource.get("active", True)
    reasons = []
    # Only a unit file that enabling would link counts: 'static', 'indirect' and the like cannot be enabled.
    if (state["UnitFileState"] in {"enabled", "enabled-runtime"}) != resource.get("enabled", True) and (
        state["UnitFileState"] in {"enabled", "enabled-runtime", "disabled", ""}
    ):
        reasons.append("enabled" if resource.get("enabled", True) else "disabled")
    is_active = state["ActiveState"] in {"active", "reloading"}
    if is_active != wants_active:
        reasons.append("started" if wants_active else "stopped")
    causes = sorted(_causes(context, resource, state)) if is_active and wants_active else []
    old = replaced(context, resource, state["MainPID"]) if is_active and wants_active else []
    if old:
        resource = {**resource, "reload": False}
    if causes or old:
        reasons.append(f"{'reloaded' if resource.get('reload') else 'restarted'}: {_shown([*causes, *old])}")
    elif state["NeedDaemonReload"] == "yes":
        reasons.append("unit files read again")
    if is_active and not causes and not old and _is_left_quiet(context, resource["name"], state):
        reasons.append("lets builds start again after an interrupted run")
    if not reasons:
        return None
    kind = "alter" if is_known and is_active else "add"
    return Finding(
        kind if wants_active else "remove",
        ", ".join(reasons),
        lambda: _act(context, resource, must_restart=bool(causes or old)),
        settles=False,
        causes=tuple(causes) if len(reasons) == 1 and not old else (),
    )


def _is_there(context: Context, name: str) -> bool:
    return name in context.changed or context.path(context.resources[name]["path"]).exists()


def _is_left_quiet(context: Context, name: str, state: dict[str, str]) -> bool:
    started = _seconds(state["InactiveExitTimestamp"])
    return started is not None and _written(draining.mark_of(context, name)) > started


def _shown(causes: list[str]) -> str:
    return ", ".join(causes[:3]) + (f" and {len(causes) - 3} more" if len(causes) > 3 else "")


def _remembered_state(context: Context, name: str) -> dict[str, str]:
    """The unit's state as it was when nothing had been changed since; all wished units are asked for at once."""
    if name not in context.unit_states:
        names = [each["name"] for each in context.resources.values() if each["kind"] == "unit"]
        context.unit_states = _states(context, list(dict.fromkeys([name, *names])))
    return context.unit_states[name]


def _state(context: Context, name: str) -> dict[str, str]:
    return _states(context, [name])[name]


def _states(context: Context, names: list[str]) -> dict[str, dict[str, str]]:
    """systemd's properties of units; it answers in blocks, in the order of the question."""
    answer = context.run(["systemctl", "show", "--timestamp=us+utc", "-p", _PROPERTIES, *names]).stdout
    blocks = answer.strip("\n").split("\n\n")
    empty = dict.fromkeys(_PROPERTIES.split(","), "")
    found = [empty | dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in blocks]
    return dict(zip(names, found, strict=True))


def _causes(context: Context, resource: Resource, state: dict[str, str]) -> Iterator[str]:
    """The resources whose change the running unit has not seen yet."""
    # A reload leaves the start's time as it is, but every change of state, a reload's included, has its own.
    stamp = state["StateChangeTimestamp"] if resource.get("reload") else state["InactiveExitTimestamp"]
    started = _seconds(stamp)
    for name in resource.get("restart_on", ()):
        if name in context.changed or _is_younger(context, context.resources[name], started):
            yield name


def _seconds(stamp: str) -> float | None:
    """systemd's 'Mon 2026-11-23 04:05:06.123456 UTC' as seconds of the epoch; nothing for an empty one."""
    try:
        parsed = datetime.datetime.strptime(stamp, "%a %Y-%m-%d %H:%M:%S.%f UTC")
    except ValueError:
        return None
    return parsed.replace(tzinfo=datetime.UTC).timestamp()


def _is_younger(context: Context, resource: Resource, started: float | None) -> bool:
    return started is not None and _youngest(context, resource) > started


def _youngest(context: Context, resource: Resource) -> float:
    """When the resource's files were last written, 0 where it has none; of a removed file, its folder knows."""
    if "path" not in resource:
        return 0.0
    path = context.path(resource["path"])
    if resource["kind"] == "absent":
        paths = [path.parent]
    elif resource["kind"] == "tree":
        paths = [path / entry["path"] for entry in resource["files"]]
    else:
        paths = [path]
    return max((_written(each) for each in paths), default=0.0)


def _written(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0


def _act(context: Context, resource: Resource, *, must_restart: bool) -> None:
    name, timeout = resource["name"], float(resource.get("timeout", 120))
    context.run(["systemctl", "daemon-reload"])
    state = _state(context, name)
    if state["LoadState"] == "not-found":
        raise Failed(f"there is no unit {name}")
    if state["UnitFileState"] in {"enabled", "enabled-runtime", "disabled"}:
        context.run(["systemctl", "enable" if resource.get("enabled", True) else "disable", name])
    if not resource.get("active", True):
        context.run(["systemctl", "stop", name], timeout=timeout)
        return
    # Repeated starts within seconds run into systemd's start limit, which only this forgets.
    context.run(["systemctl", "reset-failed", name], check=False)
    verb = ("reload-or-restart" if resource.get("reload") else "restart") if must_restart else "start"
    with draining.drained(context, name, is_needed=verb == "restart"):
        begun = time.time()
        answer = context.run(["systemctl", verb, name], check=False, timeout=timeout + 30)
        if answer.returncode != 0:
            raise _failure(context, name, begun, f"systemctl {verb} {name}", answer.returncode, answer.stderr)
        _wait_until_active(context, name, begun, timeout)


def _wait_until_active(context: Context, name: str, begun: float, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while (state := _state(context, name)["ActiveState"]) != "active":
        if state == "failed" or time.monotonic() > deadline:
            raise _failure(context, name, begun, f"systemctl is-active {name}", 3, f"{name} is {state}")
        time.sleep(0.2)


def _failure(context: Context, name: str, begun: float, command: str, exit_code: int, said: str) -> Failed:
    """Why the unit did not start: the cause out of its journal since `begun`, or what systemctl said where that is empty."""
    context.run(["journalctl", "--sync"], check=False)
    read = ["journalctl", "-u", name, "-n", str(_JOURNAL_LINES), "--no-pager", "-o", "cat", "--since", f"@{begun:.3f}"]
    journal = context.run(read, check=False).stdout
    # A restart ends the process before: its last words are no cause.
    start = re.search(rf"^(?:Starting|Started) {re.escape(name)}\b.*$", journal, re.MULTILINE)
    secrets = _secrets(context)
    told = causes.tell(journal[start.start() :] if start else journal, secrets)
    return Failed(f"{name} is not active", command, exit_code, told or causes.tell(said, secrets))


def _secrets(context: Context) -> set[str]:
    """Every line of the secret files that are wished, and of `NAME=value` the value where the name tells of a secret."""
    found: set[str] = set()
    for resource in context.resources.values():
        if resource.get("secret"):
            for line in str(resource.get("content", "")).splitlines():
                name, separator, value = line.partition("=")
                is_secret = separator and re.search(r"(?i)secret|token|password|key", name)
                found.add((value if is_secret else line).strip())
    return found
