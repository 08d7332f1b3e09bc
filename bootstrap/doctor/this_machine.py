"""Checks of this machine for the local cloud: root, programs, disk space, a free port, and no route into the VPC's block."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from bootstrap import wording
from bootstrap.cloud import session_manager
from bootstrap.doctor.findings import Finding, make_bad, make_good, make_warning
from bootstrap.environment import agent_key
from bootstrap.errors import BootstrapError
from bootstrap.local import address_conflicts, prerequisites
from bootstrap.local.machines import Machines, bridges, ids, namespaces
from bootstrap.runs import state_folder
from bootstrap.views import enforcement

_SECONDS = 20
_NEEDED_GIB = 6.0  # for the machine image, one machine, and the downloads


def examine(environment: str, block: str, state: Path, *, is_running: bool) -> Iterator[Finding]:
    """The findings of this machine; `state` is the folder of the local cloud, `is_running` whether its server answers."""
    owner = state_folder.find_other_owner(state.parents[1], environment)
    if owner is not None:
        detail = (
            f"{owner.user} used '{environment}' from this checkout before: {owner.path} belongs to {owner.user} alone"
        )
        yield make_bad("root", detail, owner.remedy)
    elif os.geteuid() == 0:
        yield make_good("root", "this user is root")
    else:
        yield make_bad("root", "this user is not root, and only root can boot machines", "Run it with sudo.")
    missing = prerequisites.list_missing()
    if missing:
        remedy = f"A launch installs them. {wording.advise_installation(*missing)}"
        yield make_warning("packages", f"missing: {', '.join(missing)}", remedy)
    else:
        yield make_good("packages", "every program that the local cloud needs is installed")
    if owner is not None:
        return  # the other lines are about what only that user may see
    yield check_namespace(
        namespaces.find_obstacle(), list_former_machines(environment, state) if os.geteuid() == 0 else []
    )
    yield check_rules(f"http://127.0.0.1:{(state / 'port').read_text()}" if is_running else None)
    yield check_disk_space(shutil.disk_usage(_find_existing(state)).free / 2**30, state)
    yield check_port(state, is_running=is_running)
    yield check_routes(block, address_conflicts.find_conflicts(block, environment, state))


def check_namespace(obstacle: namespaces.Obstacle | None, former: Sequence[str]) -> Finding:
    """Whether the machines run in a user namespace, so that root in them is not root on this machine."""
    if obstacle is not None:
        return make_bad("machines", f"{obstacle.found}: {namespaces.MEANING}", obstacle.remedy)
    if former:
        remedy = "Destroy the environment without --delete-data, then launch it: its data stays."
        names = ", ".join(former)
        detail = (
            f"an earlier version made them without a user namespace, so root in them is root on this machine: {names}"
        )
        return make_bad("machines", detail, remedy)
    return make_good(
        "machines",
        f"they run in a user namespace: root in them is not root on this machine, but one of {ids.WIDTH} ids of their own",
    )


def list_former_machines(environment: str, state: Path) -> list[str]:
    """The names of this environment's machines without a user namespace; empty if podman is not installed yet."""
    if not state.exists():
        return []
    try:
        return Machines(environment, state).list_without_namespace()
    except BootstrapError:
        return []


def check_rules(endpoint: str | None, setting: Path = bridges.SETTING) -> Finding:
    """Whether the rules of the network are enforced between machines; before the cloud runs, whether the kernel allows it."""
    state = enforcement.read_enforcement(endpoint)
    if state is not None and state.problems:
        return make_warning(
            "rules", str(state), "'nft list ruleset' shows the current rules; a launch sets them again."
        )
    if state is not None:
        return make_good("rules", str(state))
    if bridges.are_filtered(setting):
        return make_good("rules", "the kernel passes traffic within a subnet through the packet filter, too")
    remedy = "A launch sets it; or run: modprobe br_netfilter && sysctl net.bridge.bridge-nf-call-iptables=1"
    return make_warning(
        "rules", f"{setting} is not 1: security groups would not be enforced between machines of one subnet", remedy
    )


def check_plugin(way: str) -> Iterator[Finding]:
    """Whether the plugin for Session Manager is installed and new enough; nothing if SSH is direct."""
    if way == "direct":
        return
    program = shutil.which(session_manager.PLUGIN)
    if program is None:
        yield make_bad("ssh", f"the program {session_manager.PLUGIN} is not installed", session_manager.INSTALL)
        return
    try:
        completed = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=_SECONDS)
        version_text = completed.stdout.strip() or completed.stderr.strip()
    except (OSError, subprocess.TimeoutExpired) as error:
        yield make_bad("ssh", f"{program} does not run: {error}", session_manager.INSTALL)
        return
    version = tuple(int(part) for part in version_text.split(".") if part.isdigit())
    if version < session_manager.OLDEST:
        oldest = ".".join(map(str, session_manager.OLDEST))
        yield make_bad(
            "ssh",
            f"{program} is {version_text or 'of an unknown version'}; the toolkit needs {oldest}",
            session_manager.INSTALL,
        )
    else:
        yield make_good("ssh", f"through Session Manager, by its plugin {version_text}")


def check_agent_key(text: str | None) -> Iterator[Finding]:
    """The fingerprint of the key that signs the agent, so that a person can compare it with Amazon's page."""
    if text is not None:
        yield make_good(
            "agent key", f"{agent_key.format_fingerprint(text)}; the machine installs only an agent that it signed"
        )


def check_disk_space(free: float, where: Path) -> Finding:
    """Whether there is enough disk space; `free` is in GiB."""
    if free < _NEEDED_GIB:
        return make_bad(
            "disk", f"{free:.1f} GiB are free for {where}", f"Free space: a launch needs about {_NEEDED_GIB:.0f} GiB."
        )
    return make_good("disk", f"{free:.0f} GiB are free")


def check_port(state: Path, *, is_running: bool) -> Finding:
    """Whether the port of the local cloud is free, or the local cloud itself uses it."""
    try:
        chosen = int((state / "port").read_text())
    except (OSError, ValueError):
        return make_good("port", "a free one is chosen at the first launch")
    if is_running:
        return make_good("port", f"the local cloud answers at {chosen}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", chosen))
        except OSError as error:
            remedy = f"Stop the program that listens there ('ss -ltnp'), or remove {state / 'port'} and launch."
            return make_bad("port", f"{chosen} is in use: {error.strerror}", remedy)
    return make_warning("port", f"the local cloud does not run; its port {chosen} is free", "A launch starts it again.")


def check_routes(block: str, existing_routes: Sequence[str]) -> Finding:
    """Whether this machine already has routes into the VPC's block; `existing_routes` describes them."""
    if existing_routes:
        remedy = "Choose another network.cidr in the environment file: machines in this block could not be created or reached."
        return make_bad("routes", f"this machine already uses a part of {block}: {', '.join(existing_routes)}", remedy)
    return make_good("routes", f"no other route leads to {block}")


def _find_existing(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if each.exists())
