"""Process the resources in order and print one JSON document after a marker line that the caller chose.

With `apply`, the begin and the end of each change are reported at once: the marker and a JSON object in one line. If standard
output is closed, because the toolkit was killed or the connection broke, the program ends before its next change. So the
same command, given again, waits for the change in progress only.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
import traceback
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bootstrap.remote.converge import (
    accounts,
    agents,
    commands,
    draining,
    file_tree,
    files,
    kernel,
    metapackages,
    packages,
    removals,
    storage,
    units,
)
from bootstrap.remote.converge.applied_state import RECORD, AppliedState
from bootstrap.remote.converge.core import (
    ARTIFACTS,
    Context,
    Failed,
    Finding,
    Report,
    Resource,
    last_lines,
    report_nothing,
)

KINDS: Mapping[str, Callable[[Context, Resource], Finding | None]] = {
    "absent": files.absent,
    "agent_secret": agents.agent_secret,
    "absent_packages": removals.absent_packages,
    "command": commands.command,
    "directory": files.directory,
    "file": files.file,
    "group": accounts.group,
    "metapackage": metapackages.metapackage,
    "mount": storage.mount,
    "packages": packages.packages,
    "repository": commands.repository,
    "symlink": files.symlink,
    "sysctl": kernel.sysctl,
    "tree": file_tree.tree,
    "unit": units.unit,
    "user": accounts.user,
}
# Only root can open this folder and file. In /run/lock everybody could make the file first, or hold its lock for ever.
_LOCK = "/run/bootstrap/converge.lock"
_LOCK_WAIT = 900.0  # seconds; a first installation by another run


class OutputClosed(Exception):
    """Nobody reads the reports any more."""


def converge(document: Mapping[str, Any], context: Context, report: Report = report_nothing) -> dict[str, Any]:
    """Check or apply all resources; in `apply`, the first failure ends the run, and `not_reached` names the rest.

    A result has `desired_changed` if the desired state is another than when the resource was last brought to it.
    """
    context.drain, context.report = document.get("drain", {}), report
    resources = list(document["resources"])
    context.resources = {resource["id"]: resource for resource in resources}
    is_apply = document["mode"] == "apply"
    applied_state = AppliedState(context.path(RECORD))
    results: list[dict[str, Any]] = []
    missing: list[str] = []
    for resource in resources:
        started = time.monotonic()
        result, missing_artifacts = _converge_one(context, resource, applied_state, is_apply, report)
        results.append({**result, "seconds": round(time.monotonic() - started, 3)})
        missing.extend(missing_artifacts)
        if result["failed"] and is_apply:
            break
    answer = {
        "results": results,
        "missing": list(dict.fromkeys(missing)),
        "notes": list(dict.fromkeys(context.notes)),
        "not_reached": [resource["id"] for resource in resources[len(results) :]],
    }
    if is_apply:
        failed = {result["id"] for result in results if result["failed"]}
        processed = resources[: len(results)]
        applied_state.record((each for each in processed if each["id"] not in failed), is_all=not failed)
        _clean_up(context, is_done=not failed)
    return answer


def _drain(document: Mapping[str, Any], context: Context, report: Report) -> dict[str, Any]:
    """Wait for builds and change nothing: the machine will be replaced."""
    context.drain, context.report = document["drain"], report
    for unit in context.drain:
        draining.drain(context, unit)
    return {"results": [], "missing": [], "notes": [], "not_reached": []}


def _converge_one(
    context: Context, resource: Resource, applied_state: AppliedState, is_apply: bool, report: Report
) -> tuple[dict[str, Any], tuple[str, ...]]:
    result: dict[str, Any] = {"id": resource["id"], "changed": False, "failed": False}
    try:
        finding = KINDS[resource["kind"]](context, resource)
        if finding is None:
            return result, ()
        desired_changed = applied_state.has_changed(resource) or (
            bool(finding.causes) and context.desired_changed.issuperset(finding.causes)
        )
        description = {
            **result,
            "changed": True,
            "kind": finding.kind,
            "detail": finding.detail,
            "desired_changed": desired_changed,
        }
        if is_apply:
            report({"begun": description})
            context.unit_states.clear()  # the change may change them
            finding.act()
            if finding.settles and (again := KINDS[resource["kind"]](context, resource)):
                raise Failed(f"still not in its desired state after the change: {again.detail}")
            applied_state.record([resource])
            report({"done": description})
        context.changed.add(resource["id"])
        if desired_changed:
            context.desired_changed.add(resource["id"])
        return description, finding.missing
    except Failed as error:
        description = {
            "detail": error.reason,
            "command": error.command,
            "exit_code": error.exit_code,
            "tail": error.tail,
        }
        return {**result, "failed": True, **description}, ()
    except OSError as error:
        return {**result, "failed": True, "detail": str(error), "command": "", "exit_code": None, "tail": ""}, ()


def _clean_up(context: Context, *, is_done: bool) -> None:
    """Store the digests; delete the artifacts if every resource is in its desired state."""
    context.store_digests()
    folder = context.path(ARTIFACTS)
    if is_done and folder.is_dir():
        for artifact in folder.iterdir():
            artifact.unlink()


@contextmanager
def _hold_lock(context: Context, drain: Mapping[str, Mapping[str, Any]], lock: str = _LOCK) -> Iterator[None]:
    """Hold the converge lock of the machine: a run whose connection broke may still be working."""
    path = context.path(lock)
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "w") as stream:
        deadline = time.monotonic() + _LOCK_WAIT + sum(float(settings["seconds"]) for settings in drain.values())
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)
        yield


def _make_reporter(marker: str) -> Report:
    """The function that writes each step to standard output; it raises OutputClosed if that is closed."""

    def report(step: dict[str, Any]) -> None:
        try:
            # Each line is written at once: a step in a buffer would be reported too late.
            os.write(sys.stdout.fileno(), f"\n{marker} {json.dumps(step)}\n".encode())
        except OSError as error:
            raise OutputClosed from error

    return report


def main() -> None:
    """Read the (compressed) document from standard input, converge, and print marker line and answer."""
    document = json.loads(zlib.decompress(sys.stdin.buffer.read()))
    os.umask(0o022)
    context, lock = Context(), document.get("lock", _LOCK)
    try:
        if document["mode"] == "apply":
            with _hold_lock(context, document.get("drain", {}), lock):
                answer = converge(document, context, _make_reporter(document["marker"]))
        elif document["mode"] == "fetch":
            from bootstrap.remote.converge import fetching  # sent with this mode alone

            with _hold_lock(context, {}, lock):
                answer = fetching.fetch(document, context, _make_reporter(document["marker"]))
        elif document["mode"] == "drain":
            with _hold_lock(context, document["drain"], lock):
                answer = _drain(document, context, _make_reporter(document["marker"]))
        else:
            answer = converge(document, context)
    except OutputClosed:
        context.store_digests()
        return
    except Exception:
        # The operator must see a bug of this program: its traceback names code only, never the content of a resource.
        answer = {
            "results": [],
            "missing": [],
            "notes": [],
            "not_reached": [],
            "crash": last_lines(traceback.format_exc()),
        }
    sys.stdout.write(f"\n{document['marker']}\n{json.dumps(answer)}\n")
