"""Which environments there are: those with a file here, and those without one, in this checkout and in the account.

An environment is known by the tags of its resources. If its file was removed, or names another environment now, the resources
stay, and cost money; each such environment is shown with the way to get its file back, and the way to destroy it.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bootstrap import wording
from bootstrap.cloud import deleted, local_control, refusals, tags
from bootstrap.cloud.tags import Tagged
from bootstrap.cloud.world import World
from bootstrap.context import PROJECT
from bootstrap.environment import settings as files
from bootstrap.environment.models import Settings
from bootstrap.errors import BootstrapError, FaultyFile
from bootstrap.runs import state_folder

MANAGED = {"ManagedBy": "jenkins-bootstrap"}


@dataclass(frozen=True)
class Row:
    """An environment; `file` is empty if no file here describes it."""

    name: str
    file: str
    where: str
    state: str


@dataclass(frozen=True)
class Orphan:
    """An environment that exists, and has no file here: what its tags say, and the block of its VPC if it is known.

    `stem` is the name of a file that is free for it.
    """

    name: str
    stem: str
    cloud: str
    region: str
    tags: Mapping[str, str]
    block: str = ""

    def format_file(self) -> str:
        """The shortest file with which the environment can be destroyed."""
        known = {
            "environment": self.name,
            "project": self.tags.get("Project", ""),
            "cloud": self.cloud,
            "region": self.region,
            "owner": self.tags.get("Owner", "unknown"),
            "cost_center": self.tags.get("CostCenter", "unknown"),
        }
        # Anybody who may tag resources chose the values; a text of JSON is one of YAML.
        lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in known.items() if value]
        return "".join([*lines, f"network: {{cidr: {self.block or '...  # the block that it was launched with'}}}\n"])


@dataclass
class Found:
    """All rows, the environments without a file, and what could not be asked."""

    rows: list[Row] = field(default_factory=list)
    orphans: list[Orphan] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)


def find_environments(folder: Path = PROJECT / "environments", state: Path = PROJECT / ".bootstrap") -> Found:
    """Look in this checkout and, where there are files with `cloud: aws`, in the account. Nothing is started or changed."""
    overview = Found()
    known: dict[str, tuple[Path, Settings]] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            chosen = files.load(path)
        except FaultyFile as error:
            overview.rows.append(Row(path.stem, path.name, "", f"the file has faults: {error.faults[0]}"))
            continue
        known[chosen.name] = (path, chosen)
    in_account = _list_in_account([chosen for _, chosen in known.values() if chosen.cloud == "aws"], overview)
    for name, (path, chosen) in known.items():
        is_local = chosen.cloud == "local"
        text = (
            _describe_local_state(state, name)
            if is_local
            else _describe_remote_state(in_account, chosen, overview.unasked)
        )
        overview.rows.append(Row(name, path.name, "this machine" if is_local else f"AWS {chosen.region}", text))
    for (project, name, region), resources in in_account.items():
        if name not in known or known[name][1].project != project:
            text = wording.count_noun(len(resources), "resource")
            overview.rows.append(Row(name, "", f"AWS {region}", text))
            world = _make_world(
                next(each for _, each in known.values() if (each.cloud, each.region) == ("aws", region))
            )
            stem = f"{project}-{name}" if name in known else name
            orphan = Orphan(name, stem, "aws", region, resources[0].tags, _find_block(world, resources))
            overview.orphans.append(orphan)
    for name in _list_local_names(state):
        if name not in known:
            overview.rows.append(Row(name, "", "this machine", _describe_local_state(state, name)))
            overview.orphans.append(_read_local_orphan(state, name))
    return overview


def find_former_file(name: str) -> tuple[str, str] | None:
    """The commit before the last one in which a file of this environment went, and that file; None if git does not know it."""
    # Whatever the user's git configuration says about how logs are shown.
    plain = ("--format=%h", "--no-ext-diff", "--no-color", "--no-textconv", "--no-show-signature")
    command = ["git", "log", "-1", *plain, "--name-only", f"-Senvironment: {name}\n", "--", "environments"]
    try:
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    commit, *paths = done.stdout.split() or [""]
    for path in paths:
        if _has_in_git(f"{commit}^:{path}", name):
            return f"{commit}^", path
    return None


def _has_in_git(where: str, name: str) -> bool:
    shown = subprocess.run(["git", "show", where], cwd=PROJECT, capture_output=True, text=True, timeout=20, check=False)
    return shown.returncode == 0 and f"environment: {name}\n" in shown.stdout


def _list_in_account(chosen: Iterable[Settings], found: Found) -> dict[tuple[str, str, str], list[Tagged]]:
    """The resources of this toolkit in the account, by project, environment and region."""
    resources: dict[tuple[str, str, str], list[Tagged]] = {}
    for region, settings in {each.region: each for each in chosen}.items():
        world = _make_world(settings)
        try:
            with refusals.convert_errors(f"listing the environments in {region}"):
                listed = tags.list_tagged(world.aws, MANAGED)
                deleted_ids = deleted.find_deleted(world.aws("ec2"), listed)
        except BootstrapError as error:
            found.unasked.append(f"AWS {region}: {error.found.splitlines()[0]}")
            continue
        for each in listed:
            if each.arn not in deleted_ids:
                key = (each.tags.get("Project", ""), each.tags.get("Environment", ""), region)
                resources.setdefault(key, []).append(each)
    return resources


def _describe_remote_state(
    in_account: Mapping[tuple[str, str, str], list[Tagged]], chosen: Settings, unasked: Iterable[str]
) -> str:
    resources = in_account.get((chosen.project, chosen.name, chosen.region))
    if resources:
        return wording.count_noun(len(resources), "resource")
    return "not known" if any(each.startswith(f"AWS {chosen.region}:") for each in unasked) else "not launched"


def _list_local_names(state: Path) -> Iterator[str]:
    if state_folder.find_other_owner(state, "") is None and state.is_dir():
        yield from sorted(path.name for path in state.iterdir() if _exists(path / "cloud"))


def _exists(path: Path) -> bool:
    try:
        return path.is_dir()
    except PermissionError:
        return True  # another user's, who launched it


def _describe_local_state(state: Path, name: str) -> str:
    """Whether the environment was launched on this machine, and whether its local cloud answers."""
    owner = state_folder.find_other_owner(state, name)
    if owner is not None:
        return f"launched by {owner.user}"
    cloud = state / name / "cloud"
    if not cloud.is_dir():
        return "not launched"
    return "launched" if _is_running(cloud) else "launched; its local cloud does not run"


def _is_running(cloud: Path) -> bool:
    endpoint = local_control.read_endpoint(cloud)
    return endpoint is not None and local_control.is_answering(endpoint)


def _read_local_orphan(state: Path, name: str) -> Orphan:
    """What an environment's local cloud says of it; nothing if it does not run, or is another user's."""
    cloud = state / name / "cloud"
    nothing = Orphan(name, name, "local", "", {})
    if state_folder.find_other_owner(state, name) is not None or not _is_running(cloud):
        return nothing
    settings = Settings(environment=name, cloud="local", owner="unknown", cost_center="unknown")
    world = World(settings, local_control.read_endpoint(cloud), cloud=cloud)
    try:
        with refusals.convert_errors(f"reading the tags of '{name}'"):
            listed = tags.list_tagged(world.aws, {**MANAGED, "Environment": name})
    except BootstrapError:
        return nothing
    return Orphan(name, name, "local", "", listed[0].tags, _find_block(world, listed)) if listed else nothing


def _make_world(settings: Settings) -> World:
    return World(settings, os.environ.get("AWS_ENDPOINT_URL"))


def _find_block(world: World, resources: Iterable[Tagged]) -> str:
    """The block of the VPC among these resources; empty if there is none, or it may not be read."""
    vpc = next((each.identity for each in resources if each.kind == "ec2 vpc"), None)
    if vpc is None:
        return ""
    try:
        with refusals.convert_errors(f"reading {vpc}"):
            return str(world.aws("ec2").describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["CidrBlock"])
    except BootstrapError:
        return ""
