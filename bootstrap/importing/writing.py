"""Writes the files of an import: into a temporary folder beside the target, which takes its name when everything is there.

So a run that is interrupted or killed leaves the target as it was.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from bootstrap.errors import ImportFailed, UsageError


def check_target(into: Path) -> None:
    """UsageError unless the target is an empty folder, or does not exist in a folder that does."""
    doing = f"preparing the folder {into}"
    remedy = "Name a new folder: nothing is overwritten."
    if into.is_symlink() or (into.exists() and not into.is_dir()):
        raise UsageError(doing, "it is not a folder", remedy)
    if into.is_dir() and any(into.iterdir()):
        raise UsageError(doing, "it is not empty", remedy)
    if not into.absolute().parent.is_dir():
        raise UsageError(doing, f"there is no folder {into.absolute().parent}", "Make that folder first.")


def write(into: Path, files: Mapping[str, bytes]) -> None:
    """Write the files, by their paths, into the new folder. ImportFailed if that is not possible."""
    target = into.absolute()
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise UsageError(f"making the folder {into}", str(error), "Name a folder that you can write.") from error
    try:
        for name, content in files.items():
            parts = PurePosixPath(name).parts
            if not parts or ".." in parts or parts[0] == "/":
                raise ImportFailed(
                    f"writing {name}", "it is outside of the folder", "Rename it in the Jenkins, and read again."
                )
            path = temporary.joinpath(*parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                file.write(content)
        # An empty folder of this name is replaced; any other is an error of the system.
        temporary.rename(target)
    except OSError as error:
        raise ImportFailed(
            f"writing the folder {into}", str(error), "Nothing was written. Free space, or shorten names."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
