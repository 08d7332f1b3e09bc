"""Groups and users. Numbers are fixed where asked, because a data volume outlives its machine."""

from __future__ import annotations

import grp
import pwd

from bootstrap.remote.converge.core import Context, Failed, Finding, Resource


def group(context: Context, resource: Resource) -> Finding | None:
    """A system group `name`, with number `gid`."""
    name, number = resource["name"], resource["gid"]
    try:
        found = grp.getgrnam(name).gr_gid
    except KeyError:
        return Finding(
            "add", f"gid {number}", lambda: void(context, ["groupadd", "--system", "--gid", str(number), name])
        )
    if found != number:
        raise Failed(f"the group {name} has the gid {found}, not {number}")
    return None


def user(context: Context, resource: Resource) -> Finding | None:
    """A system user `name` with number `uid`, primary `group`, `home` (never made here) and `shell`; no password."""
    name, number = resource["name"], resource["uid"]
    options = ["--gid", resource["group"], "--home-dir", resource["home"], "--shell", resource["shell"]]
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--uid", str(number), *options, name]
        return Finding("add", f"uid {number}", lambda: void(context, command))
    if found.pw_uid != number:
        raise Failed(f"the user {name} has the uid {found.pw_uid}, not {number}")
    wished = (_number_of(resource["group"]), resource["home"], resource["shell"])
    if (found.pw_gid, found.pw_dir, found.pw_shell) == wished:
        return None
    changes = ["usermod", "--gid", resource["group"], "--home", resource["home"], "--shell", resource["shell"], name]
    return Finding("alter", "group, home or shell", lambda: void(context, changes))


def _number_of(group_name: str) -> int | None:
    try:
        return grp.getgrnam(group_name).gr_gid
    except KeyError:
        return None


def void(context: Context, command: list[str]) -> None:
    """Run a command for its effect."""
    context.run(command)
