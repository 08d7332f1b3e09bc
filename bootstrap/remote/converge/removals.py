"""Removal of obsolete Debian packages: each is removed alone, and one that another package needs stays.

dpkg removes them, not apt-get, which would also remove the packages that depend on them, and those installed for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bootstrap.remote.converge.core import Context, Finding, Resource
from bootstrap.remote.converge.metapackages import metapackage
from bootstrap.remote.converge.packages import NONINTERACTIVE, wait_for_locks

# In the second state only its settings remain; the operator may delete those.
_REMOVED = {"not-installed", "config-files"}


def absent_packages(context: Context, resource: Resource) -> Finding | None:
    """None of `names` installed, not even in part; a note says which one stays, and why.

    `awaits` names the metapackages that must be installed first. If one is missing, this is a check before a change: then
    dpkg's dependencies will still change, and all present packages are reported as to be removed.
    """
    present = list(_list_present(context, resource["names"]))
    is_ahead = bool(present) and any(metapackage(context, context.resources[it]) for it in resource.get("awaits", ()))
    removable = present if is_ahead else [name for name in present if _is_removable(context, name)]
    if not removable:
        return None
    return Finding("remove", ", ".join(removable), lambda: _remove(context, removable))


def _list_present(context: Context, names: Sequence[str]) -> Iterator[str]:
    """The names of which dpkg has files; dpkg-query exits with 1 if it does not know one, which is no failure."""
    if not names:
        return
    answer = context.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names], check=False)
    states = dict(line.split() for line in answer.stdout.splitlines())
    yield from (name for name in names if states.get(name, "not-installed") not in _REMOVED)


def _is_removable(context: Context, name: str) -> bool:
    """Whether dpkg would remove a package; if not (a dependency, a hold), a note has the reason."""
    answer = context.run(["dpkg", "--no-act", "--remove", name], check=False)
    if answer.returncode == 0 and "Would remove" in answer.stdout:
        return True
    output = [line.strip() for line in f"{answer.stderr}\n{answer.stdout}".splitlines() if line.strip()]
    # The line with the dependency follows a headline, and details follow it.
    reason = next((line for line in output if " depends on " in line), output[0] if output else "dpkg gives no reason")
    context.notes.append(
        f"{name} stays on the machine, but the desired state does not need it: {reason.partition('; however')[0].rstrip('.')}"
    )
    return False


def _remove(context: Context, names: Sequence[str]) -> None:
    wait_for_locks(context)
    context.run(["dpkg", "--remove", *names], timeout=900, environment=NONINTERACTIVE)
