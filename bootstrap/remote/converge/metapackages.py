"""Debian packages without files, built on the machine: they provide names that no package of Debian provides."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bootstrap.remote.converge.core import Context, Finding, Resource
from bootstrap.remote.converge.packages import NONINTERACTIVE, wait_for_locks


def metapackage(context: Context, resource: Resource) -> Finding | None:
    """Package `name` in `version` installed, which provides the names of `provides`; `summary` says why in one line."""
    name, version = resource["name"], resource["version"]
    answer = context.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", name], check=False)
    if answer.stdout == f"installed {version}":
        return None
    kind = "alter" if answer.stdout.startswith("installed") else "add"
    return Finding(kind, resource["summary"], lambda: _install(context, resource))


def _install(context: Context, resource: Resource) -> None:
    wait_for_locks(context)
    # dpkg must first complete an installation that was killed.
    context.run(["dpkg", "--configure", "-a"], check=False, timeout=900, environment=NONINTERACTIVE)
    with tempfile.TemporaryDirectory(prefix="metapackage-") as folder:
        tree, package = Path(folder, "tree"), Path(folder, "package.deb")
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(_format_control(resource))
        context.run(["dpkg-deb", "--root-owner-group", "--build", str(tree), str(package)])
        context.run(["dpkg", "--install", str(package)], timeout=900, environment=NONINTERACTIVE)


def _format_control(resource: Resource) -> str:
    fields = {
        "Package": resource["name"],
        "Version": resource["version"],
        "Architecture": "all",
        "Maintainer": "bootstrap <root@localhost>",
        "Provides": ", ".join(resource["provides"]),
        "Description": resource["summary"],
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items())
