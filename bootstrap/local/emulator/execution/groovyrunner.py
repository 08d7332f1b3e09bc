"""The Groovy programs that read Jenkinsfiles: compiled once per home and version, so that builds start quickly."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from ..failures import StepFailed
from ..surroundings import Surroundings
from . import process
from .confinement import scrubbed_environment
from .java import groovy_command, groovy_libraries, java_home

SOURCES = Path(__file__).parents[1] / "groovy"
RUNNER, VALIDATOR = "Runner", "Validator"
_compiling = asyncio.Lock()


@dataclass(frozen=True)
class GroovyProgram:
    """How one of the programs is started: its command, its environment, and what it must be able to read."""

    command: list[str]
    environment: dict[str, str]
    readable: list[Path]


async def prepare_program(surroundings: Surroundings, main: str) -> GroovyProgram:
    """The program with this main class; StepFailed when Java or Groovy is missing."""
    variables = surroundings.variables
    libraries = groovy_libraries(variables)
    sources = sorted([*SOURCES.rglob("*.groovy"), *SOURCES.rglob("*.rules")])
    version = hashlib.sha256(
        b"".join(path.read_bytes() for path in sources) + str(libraries.resolve()).encode()
    ).hexdigest()[:16]
    classes = surroundings.home / "caches" / f"pipeline-runner-{version}"
    async with _compiling:
        if not classes.is_dir():
            await _compile(surroundings, sources, classes)
    home = java_home(variables)
    readable = [classes, libraries, libraries.resolve(), *([home, *_configuration(home)] if home else [])]
    return GroovyProgram([*groovy_command(variables, classes), main], scrubbed_environment(variables), readable)


def _configuration(home: Path) -> list[Path]:
    """Where a distribution has put the settings of a Java that lies elsewhere."""
    return sorted({path.resolve().parent for path in (home / "conf").glob("*") if path.is_symlink()} | {home / "conf"})


async def _compile(surroundings: Surroundings, sources: list[Path], classes: Path) -> None:
    classes.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(dir=classes.parent, prefix="pipeline-runner-draft-"))
    command = groovy_command(surroundings.variables)
    output: list[str] = []
    names = [str(path) for path in sources if path.suffix == ".groovy"]
    code, _ = await process.run(
        [*command, "org.codehaus.groovy.tools.FileSystemCompiler", "-d", str(draft), *names],
        SOURCES,
        surroundings.build_variables,
        output.append,
    )
    if code:
        shutil.rmtree(draft, ignore_errors=True)
        raise StepFailed("the Pipeline runner cannot be compiled:\n" + "".join(output))
    for path in sources:
        if path.suffix != ".groovy":
            shutil.copyfile(path, draft / path.name)
    draft.rename(classes)
