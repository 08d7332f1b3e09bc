"""The Groovy program that evaluates Jenkinsfiles: compiled once per home and version, so that builds start quickly."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from pathlib import Path
from tempfile import mkdtemp

from ..failures import StepFailed
from ..surroundings import Surroundings
from . import process
from .java import groovy_command, groovy_libraries

SOURCES = Path(__file__).parents[1] / "groovy"
_compiling = asyncio.Lock()


async def runner_command(surroundings: Surroundings) -> list[str]:
    """The command that runs a Jenkinsfile; StepFailed when Java or Groovy is missing."""
    variables = surroundings.variables
    libraries = groovy_libraries(variables)
    sources = sorted(SOURCES.rglob("*.groovy"))
    version = hashlib.sha256(
        b"".join(path.read_bytes() for path in sources) + str(libraries.resolve()).encode()
    ).hexdigest()[:16]
    classes = surroundings.home / "caches" / f"pipeline-runner-{version}"
    async with _compiling:
        if not classes.is_dir():
            await _compile(surroundings, sources, classes)
    return [*groovy_command(variables, classes), "Runner"]


async def _compile(surroundings: Surroundings, sources: list[Path], classes: Path) -> None:
    classes.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(dir=classes.parent, prefix="pipeline-runner-draft-"))
    command = groovy_command(surroundings.variables)
    output: list[str] = []
    names = [str(path) for path in sources]
    code, _ = await process.run(
        [*command, "org.codehaus.groovy.tools.FileSystemCompiler", "-d", str(draft), *names],
        SOURCES,
        surroundings.build_variables,
        output.append,
    )
    if code:
        shutil.rmtree(draft, ignore_errors=True)
        raise StepFailed("the Pipeline runner cannot be compiled:\n" + "".join(output))
    draft.rename(classes)
