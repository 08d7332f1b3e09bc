"""Reads the script of a Pipeline that is kept in a repository: alone, or from a full checkout, as its definition says."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections import defaultdict
from weakref import WeakKeyDictionary

from ..failures import StepFailed
from ..model import xmlfile
from ..model.builds import Build
from ..model.home import Home
from .console import Console
from .environment import make_process_environment
from .git import Git, Repository

# For each JENKINS_HOME: who reads the copy of a repository, by the repository's URL.
_COPIES: WeakKeyDictionary[Home, defaultdict[str, asyncio.Lock]] = WeakKeyDictionary()


async def find_script(
    home: Home, console: Console, build: Build, repository: Repository | None, variables: dict[str, str]
) -> str:
    """The script of a Pipeline: that of its definition, or a file of its repository."""
    definition = build.job.root.find("definition")
    kind = "" if definition is None else str(definition.get("class", "")).rpartition(".")[2]
    if kind == "CpsFlowDefinition":
        return xmlfile.read_text(definition, "script")
    if kind == "CpsScmFlowDefinition" and repository:
        return await read_script(home, console, build, repository, variables)
    raise StepFailed("No flow definition, cannot run")


async def read_script(
    home: Home, console: Console, build: Build, repository: Repository, variables: dict[str, str]
) -> str:
    """Read the script and say where it came from.

    Only the file is read if the definition is lightweight and its SCM has the present form (configVersion 2): of an older one
    the git plugin makes branch patterns that it must look for.
    """
    definition = build.job.root.find("definition")
    path = xmlfile.read_text(definition, "scriptPath") or "Jenkinsfile"
    client = Git(home, console, make_process_environment(home.options.build_variables, variables))
    is_light = xmlfile.read_text(definition, "lightweight") == "true"
    if is_light and xmlfile.read_text(definition, "scm/configVersion") == "2":
        # One bare copy serves every build of the repository, and git itself refuses two fetches at a time.
        async with _COPIES.setdefault(home, defaultdict(asyncio.Lock))[repository.url]:
            text = await client.read(repository, path)
        console.write_line(f"Obtained {path} from git {repository.url}")
        return text
    if is_light:
        console.write_line("Lightweight checkout support not available, falling back to full checkout.")
    name = hmac.new(home.vault.salt.encode(), f"git {repository.url}".encode(), hashlib.sha256).hexdigest()
    folder = home.directory / "workspace" / f"{build.job.workspace_name}@script" / name
    console.write_line(f"Checking out git {repository.url} into {folder} to read {path}")
    await client.check_out(repository, folder, build, is_main=False)
    script = folder / repository.subdirectory / path
    if not script.resolve().is_relative_to(folder.resolve()) or not script.is_file():
        raise StepFailed(f"{folder}/{path} not found")
    return script.read_text(errors="replace")
