"""Groups and users. They have fixed numbers, because a data volume outlives its machine."""

from __future__ import annotations

import grp
import pwd

from bootstrap.remote.converge.core import Context, Failed, Finding, Resource


def group(context: Context, resource: Resource) -> Finding | None:
    """A system group `name`, with number `gid`."""
    name, number = resource["name"], resource["gid"]
    try:
        actual = grp.getgrnam(name).gr_gid
    except KeyError:
        return Finding(
            "add", f"gid {number}", lambda: run(context, ["groupadd", "--system", "--gid", str(number), name])
        )
    if actual != number:
        raise Failed(f"the group {name} has the gid {actual}, not {number}")
    return None


def user(context: Context, resource: Resource) -> Finding | None:
    """A system user `name` with number `uid`, primary `group`, `home` (not made here) and `shell`; no password."""
    name, number = resource["name"], resource["uid"]
    options = ["--gid", resource["group"], "--home-dir", resource["home"], "--shell", resource["shell"]]
    try:
        account = pwd.getpwnam(name)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--uid", str(number), *options, name]
        return Finding("add", f"uid {number}", lambda: run(context, command))
    if account.pw_uid != number:
        raise Failed(f"the user {name} has the uid {account.pw_uid}, not {number}")
    desired = (_find_group_number(resource["group"]), resource["home"], resource["shell"])
    if (account.pw_gid, account.pw_dir, account.pw_shell) == desired:
        return None
    command = ["usermod", "--gid", resource["group"], "--home", resource["home"], "--shell", resource["shell"], name]
    return Finding("alter", "group, home or shell", lambda: run(context, command))


def _find_group_number(group_name: str) -> int | None:
    try:
        return grp.getgrnam(group_name).gr_gid
    except KeyError:
        return None


def run(context: Context, command: list[str]) -> None:
    """Run a command and ignore its output."""
    context.run(command)
