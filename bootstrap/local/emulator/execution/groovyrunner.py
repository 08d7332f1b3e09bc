"""The Groovy program that evaluates Jenkinsfiles: compiled once per home and version, so that builds start quickly."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from ..failures import StepFailed
from . import process
from .java import groovy_command, groovy_libraries

if TYPE_CHECKING:
    from ..controller import Controller

SOURCES = Path(__file__).parents[1] / "groovy"
_compiling = asyncio.Lock()


async def runner_command(controller: Controller) -> list[str]:
    """The command that runs a Jenkinsfile; StepFailed when Java or Groovy is missing."""
    variables = controller.surroundings.variables
    libraries = groovy_libraries(variables)
    sources = sorted(SOURCES.rglob("*.groovy"))
    version = hashlib.sha256(
        b"".join(path.read_bytes() for path in sources) + str(libraries.resolve()).encode()
    ).hexdigest()[:16]
    classes = controller.home / "caches" / f"pipeline-runner-{version}"
    async with _compiling:
        if not classes.is_dir():
            await _compile(controller, sources, classes)
    return [*groovy_command(variables, classes), "Runner"]


async def _compile(controller: Controller, sources: list[Path], classes: Path) -> None:
    classes.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(dir=classes.parent, prefix="pipeline-runner-draft-"))
    command = groovy_command(controller.surroundings.variables)
    output: list[str] = []
    names = [str(path) for path in sources]
    code, _ = await process.run(
        [*command, "org.codehaus.groovy.tools.FileSystemCompiler", "-d", str(draft), *names],
        SOURCES,
        controller.surroundings.build_variables,
        output.append,
    )
    if code:
        shutil.rmtree(draft, ignore_errors=True)
        raise StepFailed("the Pipeline runner cannot be compiled:\n" + "".join(output))
    draft.rename(classes)
