"""Debian packages that nobody needs any more: each is removed alone, and one that another package needs stays.

dpkg itself removes them, not apt-get, which would take along what depends on them, and what it once installed for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bootstrap.remote.converge.core import Context, Finding, Resource
from bootstrap.remote.converge.metapackages import metapackage
from bootstrap.remote.converge.packages import NONINTERACTIVE, wait_for_locks

# Nothing but its settings is left of one in the second state; those are the operator's to throw away.
_GONE = {"not-installed", "config-files"}


def absent_packages(context: Context, resource: Resource) -> Finding | None:
    """None of `names` installed, nor half of one; a note says which one stays, and why.

    `awaits` names the metapackages that must be there first. Where one is not, this is a look ahead of a change: dpkg's word
    on who needs what is not the last one then, and all that is present is told as what will go.
    """
    present = list(_present(context, resource["names"]))
    is_ahead = bool(present) and any(metapackage(context, context.resources[it]) for it in resource.get("awaits", ()))
    removable = present if is_ahead else [name for name in present if _can_go(context, name)]
    if not removable:
        return None
    return Finding("remove", ", ".join(removable), lambda: _remove(context, removable))


def _present(context: Context, names: Sequence[str]) -> Iterator[str]:
    """Those of which dpkg has files; dpkg-query exits with 1 when it does not know one, which is no failure."""
    if not names:
        return
    answer = context.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names], check=False)
    states = dict(line.split() for line in answer.stdout.splitlines())
    yield from (name for name in names if states.get(name, "not-installed") not in _GONE)


def _can_go(context: Context, name: str) -> bool:
    """Whether dpkg would remove it; a note tells its reasons where it would not (another package's need, a hold)."""
    answer = context.run(["dpkg", "--no-act", "--remove", name], check=False)
    if answer.returncode == 0 and "Would remove" in answer.stdout:
        return True
    said = [line.strip() for line in f"{answer.stderr}\n{answer.stdout}".splitlines() if line.strip()]
    # Who needs it stands below a headline, with details that do not matter here.
    reason = next((line for line in said if " depends on " in line), said[0] if said else "dpkg gives no reason")
    context.notes.append(
        f"{name} stays on the machine, although nothing here needs it: {reason.partition('; however')[0].rstrip('.')}"
    )
    return False


def _remove(context: Context, names: Sequence[str]) -> None:
    wait_for_locks(context)
    context.run(["dpkg", "--remove", *names], timeout=900, environment=NONINTERACTIVE)
