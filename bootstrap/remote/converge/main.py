"""Walk the resources in order and answer with one JSON document, behind a marker line of the caller's choosing.

While it changes anything, each step is told as it begins and as it ends: the marker and a JSON object in one line. Where
nobody hears that any more, for the tool was killed or the connection broke, the walk ends before its next step. So the same
command, given again, waits for the step that is under way and for no other.
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
    files,
    kernel,
    metapackages,
    packages,
    removals,
    storage,
    tree,
    units,
)
from bootstrap.remote.converge.core import (
    ARTIFACTS,
    Context,
    Failed,
    Finding,
    Resource,
    Tell,
    last_lines,
    silent,
)
from bootstrap.remote.converge.wishes import RECORD, Wishes

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
    "tree": tree.tree,
    "unit": units.unit,
    "user": accounts.user,
}
# In a folder of root's, and root's alone to open: in /run/lock everybody may put the file there first, or hold it for ever.
_LOCK = "/run/bootstrap/converge.lock"
_LOCK_WAIT = 900.0  # seconds; a first installation by another run


class Unheard(Exception):
    """Nobody reads what is told."""


def converge(document: Mapping[str, Any], context: Context, tell: Tell = silent) -> dict[str, Any]:
    """Check or apply all resources; in `apply`, the first failure ends the walk and the rest is named as not reached.

    A result that is `moved` differs because something else is wished than when the resource was last reached.
    """
    context.drain, context.tell = document.get("drain", {}), tell
    resources = list(document["resources"])
    context.resources = {resource["id"]: resource for resource in resources}
    is_apply = document["mode"] == "apply"
    wishes = Wishes(context.path(RECORD))
    results: list[dict[str, Any]] = []
    missing: list[str] = []
    for resource in resources:
        started = time.monotonic()
        result, lacking = _reach(context, resource, wishes, is_apply, tell)
        results.append({**result, "seconds": round(time.monotonic() - started, 3)})
        missing.extend(lacking)
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
        walked = resources[: len(results)]
        wishes.reached((each for each in walked if each["id"] not in failed), is_all=not failed)
        _clean_up(context, is_done=not failed)
    return answer


def _drain(document: Mapping[str, Any], context: Context, tell: Tell) -> dict[str, Any]:
    """Wait for builds alone: the machine is about to go."""
    context.drain, context.tell = document["drain"], tell
    for unit in context.drain:
        draining.drain(context, unit)
    return {"results": [], "missing": [], "notes": [], "not_reached": []}


def _reach(
    context: Context, resource: Resource, wishes: Wishes, is_apply: bool, tell: Tell
) -> tuple[dict[str, Any], tuple[str, ...]]:
    result: dict[str, Any] = {"id": resource["id"], "changed": False, "failed": False}
    try:
        finding = KINDS[resource["kind"]](context, resource)
        if finding is None:
            return result, ()
        has_moved = wishes.moved(resource) or (bool(finding.causes) and context.moved.issuperset(finding.causes))
        found = {**result, "changed": True, "kind": finding.kind, "detail": finding.detail, "moved": has_moved}
        if is_apply:
            tell({"begun": found})
            context.unit_states.clear()  # whatever is changed now may change them
            finding.act()
            if finding.settles and (again := KINDS[resource["kind"]](context, resource)):
                raise Failed(f"still not in its desired state after the change: {again.detail}")
            wishes.reached([resource])
            tell({"done": found})
        context.changed.add(resource["id"])
        if has_moved:
            context.moved.add(resource["id"])
        return found, finding.missing
    except Failed as error:
        found = {"detail": error.reason, "command": error.command, "exit_code": error.exit_code, "tail": error.tail}
        return {**result, "failed": True, **found}, ()
    except OSError as error:
        return {**result, "failed": True, "detail": str(error), "command": "", "exit_code": None, "tail": ""}, ()


def _clean_up(context: Context, *, is_done: bool) -> None:
    """Keep what is remembered; artifacts are needed no more once everything is in its place."""
    context.remember()
    folder = context.path(ARTIFACTS)
    if is_done and folder.is_dir():
        for artifact in folder.iterdir():
            artifact.unlink()


@contextmanager
def _alone(context: Context, drain: Mapping[str, Mapping[str, Any]], lock: str = _LOCK) -> Iterator[None]:
    """Hold the machine's converge lock, so that a run whose connection broke is waited for and not raced."""
    path = context.path(lock)
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "w") as stream:
        deadline = time.monotonic() + _LOCK_WAIT + sum(float(wish["seconds"]) for wish in drain.values())
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)
        yield


def _telling(marker: str) -> Tell:
    """Tell each step on standard output; Unheard where that is closed."""

    def tell(step: dict[str, Any]) -> None:
        try:
            # Whole lines at once, and nothing kept back: what waits in a buffer is no news.
            os.write(sys.stdout.fileno(), f"\n{marker} {json.dumps(step)}\n".encode())
        except OSError as error:
            raise Unheard from error

    return tell


def main() -> None:
    """Read the (compressed) document from standard input, converge, and print marker line and answer."""
    document = json.loads(zlib.decompress(sys.stdin.buffer.read()))
    os.umask(0o022)
    context, lock = Context(), document.get("lock", _LOCK)
    try:
        if document["mode"] == "apply":
            with _alone(context, document.get("drain", {}), lock):
                answer = converge(document, context, _telling(document["marker"]))
        elif document["mode"] == "drain":
            with _alone(context, document["drain"], lock):
                answer = _drain(document, context, _telling(document["marker"]))
        else:
            answer = converge(document, context)
    except Unheard:
        context.remember()
        return
    except Exception:
        # A bug here must reach the operator as an answer: its traceback names code only, never a resource's content.
        answer = {
            "results": [],
            "missing": [],
            "notes": [],
            "not_reached": [],
            "crash": last_lines(traceback.format_exc()),
        }
    sys.stdout.write(f"\n{document['marker']}\n{json.dumps(answer)}\n")
