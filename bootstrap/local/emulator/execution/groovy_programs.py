"""Compiles the Groovy programs that read Jenkinsfiles, once per home and version, so that builds start quickly."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from ..failures import StepFailed
from ..options import Options
from . import process
from .confinement import scrub_environment
from .java import find_groovy_libraries, find_java_home, make_groovy_command

SOURCES = Path(__file__).parents[1] / "groovy"
RUNNER, VALIDATOR = "Runner", "Validator"
JAR = "runner.jar"  # Java archives no classes of a directory
_compiling = asyncio.Lock()


@dataclass(frozen=True)
class GroovyProgram:
    """One program: its command, its environment, and the paths that it must be able to read."""

    java: list[str]
    main: str
    environment: dict[str, str]
    readable: list[Path]
    archive: Path

    @property
    def command(self) -> list[str]:
        """The command, with the archive of classes if there is one."""
        options = [f"-XX:SharedArchiveFile={self.archive}"] if self.archive.exists() else []
        return [self.java[0], *options, *self.java[1:], self.main]

    def make_recording_command(self, archive: Path) -> list[str]:
        """The command that makes the archive when the program ends."""
        return [self.java[0], f"-XX:ArchiveClassesAtExit={archive}", *self.java[1:], self.main]


async def prepare_program(options: Options, main: str) -> GroovyProgram:
    """Compile the program with this main class; StepFailed when Java or Groovy is missing."""
    variables = options.variables
    libraries = find_groovy_libraries(variables)
    sources = sorted([*SOURCES.rglob("*.groovy"), *SOURCES.rglob("*.rules")])
    version = hashlib.sha256(
        b"".join(path.read_bytes() for path in sources) + str(libraries.resolve()).encode()
    ).hexdigest()[:16]
    folder = options.home / "caches" / f"pipeline-runner-{version}"
    async with _compiling:
        if not folder.is_dir():
            await _compile(options, sources, folder)
    command = make_groovy_command(variables, folder / JAR)
    home = find_java_home(variables)
    readable = [folder, libraries, libraries.resolve(), *([home, *_list_settings_folders(home)] if home else [])]
    java = Path(command[0]).resolve()
    # Java refuses the archive of another Java.
    name = hashlib.sha256(f"{java} {java.stat().st_mtime_ns}".encode()).hexdigest()[:16]
    return GroovyProgram(command, main, scrub_environment(variables), readable, folder / f"{name}.jsa")


def _list_settings_folders(home: Path) -> list[Path]:
    """The settings folders that a distribution stores outside of the folder of Java."""
    return sorted({path.resolve().parent for path in (home / "conf").glob("*") if path.is_symlink()} | {home / "conf"})


async def _compile(options: Options, sources: list[Path], folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(dir=folder.parent, prefix="pipeline-runner-draft-"))
    command = make_groovy_command(options.variables)
    output: list[str] = []
    names = [str(path) for path in sources if path.suffix == ".groovy"]
    code, _ = await process.run(
        [*command, "org.codehaus.groovy.tools.FileSystemCompiler", "-d", str(draft), *names],
        SOURCES,
        options.build_variables,
        output.append,
    )
    if code:
        shutil.rmtree(draft, ignore_errors=True)
        raise StepFailed("the Pipeline runner cannot be compiled:\n" + "".join(output))
    with zipfile.ZipFile(draft / JAR, "w", zipfile.ZIP_STORED) as jar:
        for path in sorted(draft.rglob("*.class")):
            jar.write(path, path.relative_to(draft))
        for path in sources:
            if path.suffix != ".groovy":
                jar.write(path, path.name)
    for path in draft.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != JAR:
            path.unlink()
    draft.rename(folder)
