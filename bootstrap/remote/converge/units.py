"""systemd units: enabled, active, and restarted exactly if a file that they read is newer than their start."""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Iterator
from pathlib import Path

from bootstrap.remote.converge import causes, draining
from bootstrap.remote.converge.core import Context, Failed, Finding, Resource
from bootstrap.remote.converge.outdated_services import find_outdated_code

_PROPERTIES = "LoadState,UnitFileState,ActiveState,NeedDaemonReload,InactiveExitTimestamp,StateChangeTimestamp,MainPID"
_JOURNAL_LINES = 5000  # that are read after a failed start; `causes` limits what is reported of them


def unit(context: Context, resource: Resource) -> Finding | None:
    """Unit `name` as `enabled` and `active` say (both default to true).

    It is restarted (with `reload`, reloaded) if a resource in `restart_on` changed in this run, or if the file of one is
    newer than the unit's start: so the next run completes a run that was killed between the two. With `runs_on` it is also
    restarted, never only reloaded, if its code was replaced. With `awaits`, the unit is left alone until the file of that
    resource exists, or is made in this run.
    """
    if (awaited := resource.get("awaits")) and not _exists(context, awaited):
        return None
    state = _get_known_state(context, resource["name"])
    is_known = state["LoadState"] != "not-found"
    wants_active = resource.get("active", True)
    reasons = []
    # Other states ('static', 'indirect' and others) mean that the unit cannot be enabled.
    if (state["UnitFileState"] in {"enabled", "enabled-runtime"}) != resource.get("enabled", True) and (
        state["UnitFileState"] in {"enabled", "enabled-runtime", "disabled", ""}
    ):
        reasons.append("enabled" if resource.get("enabled", True) else "disabled")
    is_active = state["ActiveState"] in {"active", "reloading"}
    if is_active != wants_active:
        reasons.append("started" if wants_active else "stopped")
    causes = sorted(_find_changed(context, resource, state)) if is_active and wants_active else []
    outdated = find_outdated_code(context, resource, state["MainPID"]) if is_active and wants_active else []
    if outdated:
        resource = {**resource, "reload": False}
    if causes or outdated:
        reasons.append(
            f"{'reloaded' if resource.get('reload') else 'restarted'}: {_format_causes([*causes, *outdated])}"
        )
    elif state["NeedDaemonReload"] == "yes":
        reasons.append("unit files read again")
    if is_active and not causes and not outdated and _is_still_quiet(context, resource["name"], state):
        reasons.append("lets builds start again after an interrupted run")
    if not reasons:
        return None
    kind = "alter" if is_known and is_active else "add"
    return Finding(
        kind if wants_active else "remove",
        ", ".join(reasons),
        lambda: _act(context, resource, must_restart=bool(causes or outdated)),
        settles=False,
        causes=tuple(causes) if len(reasons) == 1 and not outdated else (),
    )


def _exists(context: Context, name: str) -> bool:
    return name in context.changed or context.path(context.resources[name]["path"]).exists()


def _is_still_quiet(context: Context, name: str, state: dict[str, str]) -> bool:
    started = _parse_seconds(state["InactiveExitTimestamp"])
    return started is not None and _read_time_written(draining.mark_of(context, name)) > started


def _format_causes(causes: list[str]) -> str:
    return ", ".join(causes[:3]) + (f" and {len(causes) - 3} more" if len(causes) > 3 else "")


def _get_known_state(context: Context, name: str) -> dict[str, str]:
    """The unit's state since the last change; one call reads the states of all units of the desired state."""
    if name not in context.unit_states:
        names = [each["name"] for each in context.resources.values() if each["kind"] == "unit"]
        context.unit_states = _read_states(context, list(dict.fromkeys([name, *names])))
    return context.unit_states[name]


def _read_state(context: Context, name: str) -> dict[str, str]:
    return _read_states(context, [name])[name]


def _read_states(context: Context, names: list[str]) -> dict[str, dict[str, str]]:
    """systemd's properties of units; its answer has one block for each unit, in the same order."""
    answer = context.run(["systemctl", "show", "--timestamp=us+utc", "-p", _PROPERTIES, *names]).stdout
    blocks = answer.strip("\n").split("\n\n")
    empty = dict.fromkeys(_PROPERTIES.split(","), "")
    found = [empty | dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in blocks]
    return dict(zip(names, found, strict=True))


def _find_changed(context: Context, resource: Resource, state: dict[str, str]) -> Iterator[str]:
    """The resources that changed after the start of the running unit."""
    # A reload does not change the time of the start, but that of the last change of state.
    stamp = state["StateChangeTimestamp"] if resource.get("reload") else state["InactiveExitTimestamp"]
    started = _parse_seconds(stamp)
    for name in resource.get("restart_on", ()):
        if name in context.changed or _is_younger(context, context.resources[name], started):
            yield name


def _parse_seconds(stamp: str) -> float | None:
    """systemd's 'Mon 2026-11-23 04:05:06.123456 UTC' as seconds of the epoch; None for an empty one."""
    try:
        parsed = datetime.datetime.strptime(stamp, "%a %Y-%m-%d %H:%M:%S.%f UTC")
    except ValueError:
        return None
    return parsed.replace(tzinfo=datetime.UTC).timestamp()


def _is_younger(context: Context, resource: Resource, started: float | None) -> bool:
    return started is not None and _find_youngest(context, resource) > started


def _find_youngest(context: Context, resource: Resource) -> float:
    """When the resource's files were last written; 0 if it has none. For a removed file, the time of its folder counts."""
    if "path" not in resource:
        return 0.0
    path = context.path(resource["path"])
    if resource["kind"] == "absent":
        paths = [path.parent]
    elif resource["kind"] == "tree":
        paths = [path / entry["path"] for entry in resource["files"]]
    else:
        paths = [path]
    return max((_read_time_written(each) for each in paths), default=0.0)


def _read_time_written(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0


def _act(context: Context, resource: Resource, *, must_restart: bool) -> None:
    name, timeout = resource["name"], float(resource.get("timeout", 120))
    context.run(["systemctl", "daemon-reload"])
    state = _read_state(context, name)
    if state["LoadState"] == "not-found":
        raise Failed(f"there is no unit {name}")
    if state["UnitFileState"] in {"enabled", "enabled-runtime", "disabled"}:
        context.run(["systemctl", "enable" if resource.get("enabled", True) else "disable", name])
    if not resource.get("active", True):
        context.run(["systemctl", "stop", name], timeout=timeout)
        return
    # Repeated starts within seconds exceed systemd's start limit; only this resets it.
    context.run(["systemctl", "reset-failed", name], check=False)
    verb = ("reload-or-restart" if resource.get("reload") else "restart") if must_restart else "start"
    with draining.drained(context, name, is_needed=verb == "restart"):
        begun = time.time()
        answer = context.run(["systemctl", verb, name], check=False, timeout=timeout + 30)
        if answer.returncode != 0:
            raise _make_failure(context, name, begun, f"systemctl {verb} {name}", answer.returncode, answer.stderr)
        _wait_until_active(context, name, begun, timeout)


def _wait_until_active(context: Context, name: str, begun: float, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while (state := _read_state(context, name)["ActiveState"]) != "active":
        if state == "failed" or time.monotonic() > deadline:
            raise _make_failure(context, name, begun, f"systemctl is-active {name}", 3, f"{name} is {state}")
        time.sleep(0.2)


def _make_failure(context: Context, name: str, begun: float, command: str, exit_code: int, said: str) -> Failed:
    """Why the unit did not start: the cause in its journal since `begun`, or the output of systemctl if that is empty."""
    context.run(["journalctl", "--sync"], check=False)
    read = ["journalctl", "-u", name, "-n", str(_JOURNAL_LINES), "--no-pager", "-o", "cat", "--since", f"@{begun:.3f}"]
    journal = context.run(read, check=False).stdout
    # A restart ends the process before: its last lines are not the cause.
    start = re.search(rf"^(?:Starting|Started) {re.escape(name)}\b.*$", journal, re.MULTILINE)
    secrets = _read_secrets(context)
    cause = causes.find_cause(journal[start.start() :] if start else journal, secrets)
    return Failed(f"{name} is not active", command, exit_code, cause or causes.find_cause(said, secrets))


def _read_secrets(context: Context) -> set[str]:
    """Every line of the secret files; of a line `NAME=value` only the value, if the name is that of a secret."""
    secrets: set[str] = set()
    for resource in context.resources.values():
        if resource.get("secret"):
            for line in str(resource.get("content", "")).splitlines():
                name, separator, value = line.partition("=")
                is_secret = separator and re.search(r"(?i)secret|token|password|key", name)
                secrets.add((value if is_secret else line).strip())
    return secrets
