"""Services that still run programs and libraries which were replaced or removed under them, by whomever.

The kernel says what a process runs: a mapped file that has left its folder since is marked. dpkg's own times would be the
poorer witness: they know the packages that are named, and not what those load (a TLS library, the C library); they accuse a
service that a package's script has restarted in systemd's absence; and they believe the clock.
Only what is executed counts. Caches and translations are mapped too, and are written anew at any time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bootstrap.remote.converge.core import Context, Resource

_SYSTEM = "/usr/"  # where packages put code; a memfd, a JIT's pages and what a build has made lie elsewhere
_MARK = " (deleted)"


def replaced(context: Context, resource: Resource, main_process: str) -> list[str]:
    """What the unit's main process runs and that is there no more, one phrase per package or file; only with `runs_on`.

    `runs_on` names the packages that the service is made of: they are told first. The main process alone is judged: what
    else is in the unit's group comes and goes by itself (builds), or outlives a restart (the sessions of sshd).
    """
    named: Sequence[str] = resource.get("runs_on", ())
    files = list(dict.fromkeys(deleted_code(_maps(context, main_process)))) if named else []
    if not files:
        return []
    owners = _owners(context, files)
    names = list(dict.fromkeys(owners.get(path, path) for path in files))
    return [f"{name} was replaced" for name in sorted(names, key=lambda name: name not in named)]


def _maps(context: Context, process: str) -> str:
    """What a process has mapped; nothing of one that is gone, or never was."""
    if process in {"", "0"}:
        return ""
    try:
        return context.path(f"/proc/{process}/maps").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def deleted_code(maps: str) -> Iterator[str]:
    """The executed files of the system that are marked in the text of /proc/PID/maps."""
    for line in maps.splitlines():
        fields = line.split(maxsplit=5)
        if len(fields) == 6 and "x" in fields[1] and fields[5].startswith(_SYSTEM) and fields[5].endswith(_MARK):
            yield fields[5].removesuffix(_MARK)


def _owners(context: Context, files: Sequence[str]) -> dict[str, str]:
    """The packages of the files that have one now; dpkg-query exits with 1 where one has none, which is no failure."""
    answer = context.run(["dpkg-query", "-S", *files], check=False)
    found = (line.partition(": ") for line in answer.stdout.splitlines())
    return {path: names.split(",")[0].partition(":")[0] for names, _, path in found if path}
