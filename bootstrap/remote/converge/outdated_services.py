"""Finds services that still run programs or libraries which were replaced or removed after their start.

The kernel lists the mapped files of a process, and marks those that were deleted. The times of dpkg would be less exact: they
cover the named packages, and not the libraries that those load (a TLS library, the C library); they are wrong for a service
that a package's script restarted itself; and they depend on the clock. Only executable mappings count: caches and
translations are mapped, too, and are rewritten at any time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bootstrap.remote.converge.core import Context, Resource

_SYSTEM = "/usr/"  # the code of packages; a memfd, pages of a JIT and files of builds are elsewhere
_MARK = " (deleted)"


def find_outdated_code(context: Context, resource: Resource, main_process: str) -> list[str]:
    """The code that the unit's main process runs and that was deleted, one phrase per package or file; only with `runs_on`.

    `runs_on` names the packages of the service: they come first. Only the main process is checked: other processes of the
    unit end by themselves (builds), or outlive a restart (the sessions of sshd).
    """
    named: Sequence[str] = resource.get("runs_on", ())
    files = list(dict.fromkeys(deleted_code(_read_maps(context, main_process)))) if named else []
    if not files:
        return []
    owners = _find_owners(context, files)
    names = list(dict.fromkeys(owners.get(path, path) for path in files))
    return [f"{name} was replaced" for name in sorted(names, key=lambda name: name not in named)]


def _read_maps(context: Context, process: str) -> str:
    """The mapped files of a process; empty if there is no such process."""
    if process in {"", "0"}:
        return ""
    try:
        return context.path(f"/proc/{process}/maps").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def deleted_code(maps: str) -> Iterator[str]:
    """The executable files of the system that the text of /proc/PID/maps marks as deleted."""
    for line in maps.splitlines():
        fields = line.split(maxsplit=5)
        if len(fields) == 6 and "x" in fields[1] and fields[5].startswith(_SYSTEM) and fields[5].endswith(_MARK):
            yield fields[5].removesuffix(_MARK)


def _find_owners(context: Context, files: Sequence[str]) -> dict[str, str]:
    """The packages of the files; dpkg-query exits with 1 if a file belongs to none, which is no failure."""
    answer = context.run(["dpkg-query", "-S", *files], check=False)
    parts = (line.partition(": ") for line in answer.stdout.splitlines())
    return {path: names.split(",")[0].partition(":")[0] for names, _, path in parts if path}
