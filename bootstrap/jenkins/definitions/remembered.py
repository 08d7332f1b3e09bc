"""Remembers what the job definitions rendered to: nothing is rendered again while nothing that decides about it has changed.

Job Builder needs most of the time of a jobs act that changes nothing. What a rendering depends on is one digest: the folders of
the definitions with the content of every file, what the caller passes, and the code that renders. Files outside of the folders
(Jenkinsfiles, files that a definition includes) are known only after a rendering, which records them with their digests.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from bootstrap.environment import yaml_source
from bootstrap.jenkins.definitions import agents, elements, rendering
from bootstrap.projects import folders
from bootstrap.values import JobSet

_KEPT = 8  # renderings: a checkout has a few environments, and an edit is often undone
_recording = threading.local()  # `paths`: the files that this thread has opened since it began to record


def render(
    memory: Path,
    folder: Path,
    variables: Mapping[str, str],
    plugins: Mapping[str, str],
    known: agents.Agents | None = None,
    own: Path | None = None,
) -> JobSet:
    """What `rendering.render` returns for the same arguments; from the folder `memory`, where it is there.

    A rendering with faults is not remembered. A memory that cannot be read or written is as good as none.
    """
    try:
        digest = _digest_inputs(folder, variables, plugins, known, own)
    except OSError:  # a file that cannot be read: the rendering names it, if it needs it
        return rendering.render(folder, variables, plugins, known, own)
    path = memory / f"{digest}.json"
    remembered = _recall(path)
    if remembered is not None:
        return remembered
    with _recorded() as opened:
        rendered = rendering.render(folder, variables, plugins, known, own)
    inside = tuple(each.resolve() for each in (folder, own) if each is not None)
    outside = {each for each in opened if not any(each.is_relative_to(root) for root in inside)}
    with suppress(OSError):
        # A file that was saved meanwhile is in the rendering, and not in the digest.
        if digest == _digest_inputs(folder, variables, plugins, known, own):
            _keep(path, rendered, {str(each): _digest_file(each) for each in sorted(outside)})
    return rendered


def _digest_inputs(
    folder: Path,
    variables: Mapping[str, str],
    plugins: Mapping[str, str],
    known: agents.Agents | None,
    own: Path | None,
) -> str:
    digest = hashlib.sha256()

    def add(*parts: object) -> None:
        digest.update(repr(parts).encode())

    # Job Builder looks for included files from the working directory, too.
    add(sys.version, str(Path.cwd()), sorted(variables.items()), sorted(plugins.items()))
    add([(each.name, sorted(each.labels), each.is_exclusive, each.is_group) for each in known.found] if known else None)
    # The packages that are installed, by their versions: Job Builder has extensions.
    add(sorted(path.name for path in Path(sysconfig.get_path("purelib")).glob("*.dist-info")))
    code = (Path(__file__).parent, Path(folders.__file__).parent, Path(yaml_source.__file__).parent)
    for path in [*(path for each in code for path in sorted(each.glob("*.py"))), elements.TABLE]:
        add(path.name, path.read_bytes())
    for root in (folder, own):
        add(str(root))
        for path in _list_files(root) if root is not None else ():
            add(str(path), path.read_bytes())
    return digest.hexdigest()


def _list_files(root: Path) -> list[Path]:
    return sorted(Path(folder, name) for folder, _, names in os.walk(root, followlinks=True) for name in names)


def _recall(path: Path) -> JobSet | None:
    """The remembered rendering; None if there is none, or if a file outside of the folders changed since."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if any(_digest_file(Path(each)) != digest for each, digest in content["outside"].items()):
            return None
        jobset = JobSet(content["jobs"], content["views"], tuple(content["unjudged"]))
        path.touch()
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    return jobset


def _keep(path: Path, jobset: JobSet, outside: Mapping[str, str]) -> None:
    """Write it as a whole or not at all, for its owner alone, and forget the oldest."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    content = {"outside": outside, "jobs": jobset.jobs, "views": jobset.views, "unjudged": jobset.unjudged}
    descriptor, scratch = tempfile.mkstemp(dir=path.parent, suffix=".new")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file)
    Path(scratch).replace(path)
    for old in sorted(path.parent.iterdir(), key=lambda each: each.stat().st_mtime, reverse=True)[_KEPT:]:
        old.unlink(missing_ok=True)


def _digest_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextmanager
def _recorded() -> Iterator[set[Path]]:
    """The files that this thread opens meanwhile, but those of Python and its packages."""
    _add_hook()
    _recording.paths = paths = set[str]()
    found: set[Path] = set()
    try:
        yield found
    finally:
        del _recording.paths
        roots = {Path(sysconfig.get_path(each)).resolve() for each in ("stdlib", "purelib", "platlib")}
        for path in (Path(each).resolve() for each in paths):
            if path.is_file() and path.suffix != ".pyc" and not any(path.is_relative_to(root) for root in roots):
                found.add(path)


@cache  # a hook stays as long as the process
def _add_hook() -> None:
    sys.addaudithook(_record)


def _record(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        paths = getattr(_recording, "paths", None)
        if paths is not None and isinstance(arguments[0], str | bytes):
            paths.add(os.fsdecode(arguments[0]))
