"""Makes a project: a small git repository with one environment, the start script and the pin.

Everything is written into a folder beside the wished one, which then gets its name: a project is there as a whole, or not at
all.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from bootstrap.environment import other_environments, settings
from bootstrap.errors import UsageError
from bootstrap.projects import folders, git
from bootstrap.projects.pin import NAME, Pin

LOCK_FILES = ("jenkins.lock.yaml", "jenkins.needs.yaml")
"""The lock, and the table of what its plugins need: a project has both of its own, or none."""

_FILES = Path(__file__).with_name("files")
_IGNORED = ".toolkit/\n.bootstrap/\n"
_IDENTITY = ("-c", "user.name=bootstrap", "-c", "user.email=bootstrap@localhost")
_LONGEST = 32  # letters of a name in an environment file
_FOLDERS = {
    "jobs": "Jobs of your own (*.yaml), beside those of the toolkit. `./bootstrap.py new job NAME` writes one.\n",
    "casc": "Settings of Jenkins (*.yaml). A value or a list here takes the place of the toolkit's.\n",
    "cloudformation": (
        "Templates of your own (NAME.yaml). `stacks: [NAME]` in an environment file makes a stack of each. A file with the "
        "name of\none of the toolkit's templates takes its place.\n"
    ),
}


def create(folder: Path, pin: Pin, *, with_lock: bool = False) -> tuple[str, ...]:
    """Make the project and its first commit; the paths of its files. UsageError where the folder cannot be used."""
    doing = f"making a project in {folder}"
    target = folder.absolute()
    _refuse(doing, target)
    files = _list_files(pin, name_project(target.resolve()), with_lock=with_lock)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise UsageError(doing, str(error), "Name a folder that you may make.") from error
    try:
        for name, text in files.items():
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            (part / name).write_text(text, encoding="utf-8")
        (part / "bootstrap.py").chmod(0o755)
        part.chmod(0o755)
        _make_commit(part)
        part.rename(target)  # also onto an empty folder
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return tuple(files)


def _refuse(doing: str, target: Path) -> None:
    if target.exists() and not target.is_dir():
        raise UsageError(doing, "there is a file of this name", "Name another folder.")
    if target.is_dir() and (target / NAME).exists():
        raise UsageError(doing, "it is a project already", f"Use it: cd {target}, or --project {target}.")
    if target.is_dir() and any(target.iterdir()):
        raise UsageError(
            doing, "the folder is not empty", "Name a new folder; copy your files into the project afterwards."
        )
    for above in target.resolve().parents:
        if above == folders.ROOT.resolve() or (above / NAME).exists():
            kind = "the toolkit's folder" if above == folders.ROOT.resolve() else f"the project {above}"
            raise UsageError(doing, f"it is inside of {kind}", "Name a folder outside of it.")


def name_project(folder: Path) -> str:
    """The key `project` of environments in a folder: its name, with what such a key may have."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.name.lower())
    name = re.sub(r"^[^a-z]+", "", name)[:_LONGEST].rstrip("-")
    return name if len(name) > 1 else other_environments.PROJECT


def _list_files(pin: Pin, project: str, *, with_lock: bool) -> dict[str, str]:
    lock = {name: (folders.ROOT / name).read_text(encoding="utf-8") for name in LOCK_FILES if with_lock}
    return {
        NAME: pin.format_text(),
        "bootstrap.py": (_FILES / "start.py").read_text(encoding="utf-8"),
        ".gitignore": _IGNORED,
        "README.md": (_FILES / "readme.txt").read_text(encoding="utf-8"),
        "environments/local.yaml": (_FILES / "local.yaml").read_text(encoding="utf-8").replace("PROJECT", project),
        "environments/schema.json": settings.format_schema(),
        **{f"{name}/README.md": text for name, text in _FOLDERS.items()},
        **lock,
    }


def _make_commit(folder: Path) -> None:
    """The first commit; by whoever makes the project, if git knows that."""
    git.run_git(folder, "init", "--quiet", "--initial-branch=main")
    identity = () if git.read_git(folder, "config", "user.email") else _IDENTITY
    git.run_git(folder, "add", "--all")
    unsigned = ("-c", "commit.gpgsign=false")
    git.run_git(
        folder, *identity, *unsigned, "commit", "--quiet", "--no-verify", "-m", "A project of the Jenkins toolkit"
    )
