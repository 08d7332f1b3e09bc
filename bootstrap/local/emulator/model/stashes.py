"""Keeps the stashes of ended builds, as the option `preserveStashes` says.

Jenkins deletes the stashes of a Pipeline at its end, unless its job has the property PreserveStashesJobProperty: then the
newest builds that have ended keep theirs, for restarts from a stage (the class is in the plugin pipeline-model-definition).
"""

from __future__ import annotations

import shutil
from pathlib import Path

from ..failures import StepFailed
from . import xmlfile
from .builds import Build
from .job_options import STASHES, encode_class

_MOST = 50  # builds that keep stashes, whatever the property says
_ONE = "1"  # as many as a property without a number keeps


def find_stash(build: Build, name: str) -> Path:
    """The file of a stash of a build; StepFailed for a name that cannot be one of a file."""
    if "/" in name or name in {"", ".", ".."}:
        raise StepFailed(f"Invalid stash name: {name}", "java.lang.IllegalArgumentException")
    return _find_folder(build) / f"{name}.tar.gz"


def clear_stashes(build: Build) -> None:
    """Delete the stashes that nobody keeps after the end of a build: its own, or those of builds older than the kept ones."""
    count = _read_count(build)
    ended = [each for each in build.history.list_builds() if not each.is_building]
    for stale in ended[count : _MOST + 1] if count > 0 else [build]:
        shutil.rmtree(_find_folder(stale), ignore_errors=True)


def _find_folder(build: Build) -> Path:
    return build.directory / "stashes"


def _read_count(build: Build) -> int:
    """How many builds of the job keep their stashes."""
    holder = build.job.root.find(f"properties/{encode_class(STASHES)}")
    return 0 if holder is None else int(xmlfile.read_text(holder, "buildCount", _ONE).strip() or _ONE)
