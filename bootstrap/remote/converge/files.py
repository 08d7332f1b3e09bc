"""Files, directories and links: content, mode and owner, always written beside and renamed into place."""

from __future__ import annotations

import contextlib
import difflib
import grp
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from bootstrap.remote.converge.core import Context, Failed, Finding, Resource

DEFAULT_MODE = "0644"
_DIFFED_SIZE = 1 << 18  # bytes; a longer text is not worth a line count


def owner_of(resource: Resource) -> tuple[int, int]:
    """The wished user and group as numbers; -1 leaves that one alone. An unknown name is a failure."""
    try:
        user = pwd.getpwnam(resource["owner"]).pw_uid if resource.get("owner") else -1
        group = grp.getgrnam(resource["group"]).gr_gid if resource.get("group") else -1
    except KeyError as error:
        raise Failed(f"there is no such user or group: {error.args[0]}") from error
    return user, group


def trappings(path: Path, resource: Resource, mode: str) -> list[str]:
    """How mode and owner of an existing path differ from the wish; an owner that does not exist yet differs."""
    status = path.lstat()
    reasons = []
    found = stat.S_IMODE(status.st_mode)
    if found != int(mode, 8):
        reasons.append(f"mode {found:04o} -> {int(mode, 8):04o}")
    try:
        user, group = owner_of(resource)
    except Failed:
        return [*reasons, "owner"]
    if user not in {-1, status.st_uid}:
        reasons.append(f"owner -> {resource['owner']}")
    if group not in {-1, status.st_gid}:
        reasons.append(f"group -> {resource['group']}")
    return reasons


def dress(path: Path, resource: Resource, mode: str) -> None:
    """Give owner and mode; the owner first, as changing it drops set-id bits."""
    user, group = owner_of(resource)
    if (user, group) != (-1, -1):
        os.chown(path, user, group)
    path.chmod(int(mode, 8))


def write(
    path: Path, source: bytes | Path, resource: Resource, mode: str, prove: Callable[[Path], None] | None = None
) -> None:
    """Write atomically: a temporary file beside gets owner and mode before content, `prove` may refuse it, then a rename."""
    if path.is_dir() and not path.is_symlink():
        raise Failed(f"{path} is a directory")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            dress(temporary, resource, mode)
            if isinstance(source, bytes):
                stream.write(source)
            else:
                with source.open("rb") as origin:
                    shutil.copyfileobj(origin, stream, 1 << 20)
            stream.flush()
            os.fsync(stream.fileno())
        if prove:
            prove(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def file(context: Context, resource: Resource) -> Finding | None:
    """One file with `content` or the artifact `sha256`; `validate` tests it, before the rename where it says %s."""
    path = context.path(resource["path"])
    mode = resource.get("mode", DEFAULT_MODE)
    missing = context.missing(resource["sha256"]) if "sha256" in resource else ()
    if not os.path.lexists(path):
        return Finding("add", f"mode {mode}", lambda: _install(context, resource, path, mode), missing)
    if path.is_symlink() or not path.is_file():
        return Finding("alter", "was no file", lambda: _install(context, resource, path, mode), missing)
    difference = _difference(context, resource, path)
    reasons = trappings(path, resource, mode)
    if difference:
        detail = ", ".join([difference, *reasons])
        return Finding("alter", detail, lambda: _install(context, resource, path, mode), missing)
    return Finding("alter", ", ".join(reasons), lambda: dress(path, resource, mode)) if reasons else None


def _difference(context: Context, resource: Resource, path: Path) -> str:
    """How the content differs, in a few words; nothing of it where it is secret."""
    if "sha256" in resource:
        return "" if context.digest(path) == resource["sha256"] else "content differs"
    wished = resource["content"].encode()
    if path.stat().st_size == len(wished) and path.read_bytes() == wished:
        return ""
    if resource.get("secret") or path.stat().st_size > _DIFFED_SIZE:
        return "content differs"
    before = path.read_text(errors="replace").splitlines()
    lines = [line[:1] for line in difflib.ndiff(before, resource["content"].splitlines())]
    return f"content differs (+{lines.count('+')} -{lines.count('-')} lines)"


def _install(context: Context, resource: Resource, path: Path, mode: str) -> None:
    source = context.open_artifact(resource["sha256"]) if "sha256" in resource else resource["content"].encode()
    command = list(resource.get("validate", ()))
    quiet = bool(resource.get("secret"))
    if not command:
        write(path, source, resource, mode)
    elif "%s" in command:

        def prove(temporary: Path) -> None:
            context.run([str(temporary) if word == "%s" else word for word in command], quiet=quiet)

        write(path, source, resource, mode, prove)
    else:
        _install_with_return(context, resource, path, mode, source)


def _install_with_return(context: Context, resource: Resource, path: Path, mode: str, source: bytes | Path) -> None:
    """For validators that only know the installed place: install, test, and put the old file back when it is refused."""
    kept = path.with_name(f".{path.name}.before")
    kept.unlink(missing_ok=True)
    if os.path.lexists(path):
        os.link(path, kept, follow_symlinks=False)
    write(path, source, resource, mode)
    try:
        context.run(list(resource["validate"]), quiet=bool(resource.get("secret")))
    except Failed:
        if os.path.lexists(kept):
            kept.replace(path)
        else:
            path.unlink()
        raise
    finally:
        kept.unlink(missing_ok=True)


def directory(context: Context, resource: Resource) -> Finding | None:
    """One directory with mode and owner; what is in it is no concern of this resource."""
    path = context.path(resource["path"])
    mode = resource.get("mode", "0755")

    def act() -> None:
        path.mkdir(parents=True, exist_ok=True)
        dress(path, resource, mode)

    if not path.exists():
        return Finding("add", f"mode {mode}", act)
    if not path.is_dir():
        raise Failed(f"{path} is no directory")
    reasons = trappings(path, resource, mode)
    return Finding("alter", ", ".join(reasons), act) if reasons else None


def symlink(context: Context, resource: Resource) -> Finding | None:
    """A symbolic link at `path` that says `target`, whether or not that exists."""
    path = context.path(resource["path"])
    target = resource["target"]

    def act() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.new")
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(target)
        temporary.replace(path)

    if path.is_symlink() and str(path.readlink()) == target:
        return None
    return Finding("alter" if os.path.lexists(path) else "add", f"-> {target}", act)


def absent(context: Context, resource: Resource) -> Finding | None:
    """Nothing at `path`; a directory is removed with all it holds only where `recursive` says so."""
    path = context.path(resource["path"])

    def act() -> None:
        if not path.is_dir() or path.is_symlink():
            path.unlink()
        elif resource.get("recursive"):
            shutil.rmtree(path)
        else:
            with contextlib.suppress(FileNotFoundError):
                path.rmdir()

    return Finding("remove", "", act) if os.path.lexists(path) else None
