"""Files, directories and links: content, mode and owner; each is written under a temporary name, then renamed."""

from __future__ import annotations

import difflib
import grp
import os
import pwd
import shutil
import stat
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path

from bootstrap.remote.converge.core import Context, Failed, Finding, Resource
from bootstrap.remote.converge.open_directories import Folder, free_name, keep_attributes, open_folder, open_parent

Validate = Callable[[Path], None]
DEFAULT_MODE = "0644"
_DIFFED_SIZE = 1 << 18  # bytes; a longer text is not worth a line count


def owner_of(resource: Resource) -> tuple[int, int]:
    """The desired user and group as numbers; -1 leaves that one unchanged. An unknown name is a failure."""
    try:
        user = pwd.getpwnam(resource["owner"]).pw_uid if resource.get("owner") else -1
        group = grp.getgrnam(resource["group"]).gr_gid if resource.get("group") else -1
    except KeyError as error:
        raise Failed(f"there is no such user or group: {error.args[0]}") from error
    return user, group


def attribute_differences(status: os.stat_result, resource: Resource, mode: str) -> list[str]:
    """The differences of mode and owner from the desired state; an owner that does not exist yet differs."""
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


def set_attributes(descriptor: int, resource: Resource, mode: str) -> None:
    """Set owner and mode of an open file; the owner first, because its change removes set-id bits."""
    user, group = owner_of(resource)
    if (user, group) != (-1, -1):
        os.fchown(descriptor, user, group)
    os.fchmod(descriptor, int(mode, 8))


def write(
    folder: Folder, name: str, source: bytes | Path, resource: Resource, mode: str, validate: Validate | None = None
) -> None:
    """Write atomically: a temporary file gets owner, mode and content, `validate` may refuse it, then it is renamed."""
    status = folder.status(name)
    if status is not None and stat.S_ISDIR(status.st_mode):
        raise Failed(f"{folder.path / name} is a directory")
    temporary = free_name(name)
    try:
        with folder.create_file(temporary) as stream:
            set_attributes(stream.fileno(), resource, mode)
            if isinstance(source, bytes):
                stream.write(source)
            else:
                with source.open("rb") as origin:
                    shutil.copyfileobj(origin, stream, 1 << 20)
            stream.flush()
            os.fsync(stream.fileno())
        if validate:
            validate(folder.path / temporary)
        folder.rename(temporary, name)
    except BaseException:
        folder.unlink(temporary)
        raise


def file(context: Context, resource: Resource) -> Finding | None:
    """One file with `content` or the artifact `sha256`; `validate` tests it, before the rename where it says %s."""
    path = context.path(resource["path"])
    mode = resource.get("mode", DEFAULT_MODE)
    missing = context.missing(resource["sha256"]) if "sha256" in resource else ()

    def install() -> None:
        with open_folder(context, path.parent, keep_attributes) as folder:
            _install(context, resource, folder, path.name, mode)

    with open_parent(context, path) as folder:
        if folder is None or folder.status(path.name) is None:
            return Finding("add", f"mode {mode}", install, missing)
        stream = folder.open_file(path.name)
        if stream is None:
            return Finding("alter", "was no file", install, missing)
        with stream:
            status = os.fstat(stream.fileno())
            reasons = attribute_differences(status, resource, mode)
            # A file with a second hard link may belong to somebody else: it is replaced, its owner is not changed.
            difference = (
                "has a second name" if status.st_nlink > 1 else _describe_difference(context, resource, path, stream)
            )
    if difference:
        return Finding("alter", ", ".join([difference, *reasons]), install, missing)
    if not reasons:
        return None
    return Finding("alter", ", ".join(reasons), lambda: _set_file_attributes(context, resource, path, mode), missing)


def _set_file_attributes(context: Context, resource: Resource, path: Path, mode: str) -> None:
    """Set mode and owner of a file whose content is right."""
    with open_folder(context, path.parent) as folder:
        stream = folder.open_file(path.name)
        if stream is None:
            raise Failed(f"{path} is not a file any more")
        with stream:
            if os.fstat(stream.fileno()).st_nlink > 1:
                raise Failed(f"{path} has a second name now")
            set_attributes(stream.fileno(), resource, mode)


def _describe_difference(context: Context, resource: Resource, path: Path, stream: BufferedReader) -> str:
    """How the content differs, in a few words; a secret is not shown."""
    if "sha256" in resource:
        return "" if context.digest(path, stream) == resource["sha256"] else "content differs"
    desired = resource["content"].encode()
    size = os.fstat(stream.fileno()).st_size
    if size > max(_DIFFED_SIZE, len(desired)):
        return "content differs"
    actual = stream.read(max(_DIFFED_SIZE, len(desired)) + 1)
    if actual == desired:
        return ""
    if resource.get("secret") or len(actual) > _DIFFED_SIZE:
        return "content differs"
    before = actual.decode(errors="replace").splitlines()
    lines = [line[:1] for line in difflib.ndiff(before, resource["content"].splitlines())]
    return f"content differs (+{lines.count('+')} -{lines.count('-')} lines)"


def _install(context: Context, resource: Resource, folder: Folder, name: str, mode: str) -> None:
    source = context.open_artifact(resource["sha256"]) if "sha256" in resource else resource["content"].encode()
    command = list(resource.get("validate", ()))
    quiet = bool(resource.get("secret"))
    if not command:
        write(folder, name, source, resource, mode)
    elif "%s" in command:

        def validate(temporary: Path) -> None:
            context.run([str(temporary) if word == "%s" else word for word in command], quiet=quiet)

        write(folder, name, source, resource, mode, validate)
    else:
        _install_with_rollback(context, resource, folder, name, mode, source)


def _install_with_rollback(
    context: Context, resource: Resource, folder: Folder, name: str, mode: str, source: bytes | Path
) -> None:
    """For validators that only read the installed file: install it, validate it, and restore the old file if it is refused."""
    backup = f".{name}.before"
    folder.unlink(backup)
    if folder.status(name) is not None:
        folder.link(name, backup)
    write(folder, name, source, resource, mode)
    try:
        context.run(list(resource["validate"]), quiet=bool(resource.get("secret")))
    except Failed:
        if folder.status(backup) is not None:
            folder.rename(backup, name)
        else:
            folder.unlink(name)
        raise
    finally:
        folder.unlink(backup)


def directory(context: Context, resource: Resource) -> Finding | None:
    """One directory with mode and owner; its content does not matter here."""
    path = context.path(resource["path"])
    mode = resource.get("mode", "0755")

    def act() -> None:
        with open_folder(context, path, keep_attributes) as folder:
            set_attributes(folder.descriptor, resource, mode)

    try:
        with open_folder(context, path) as folder:
            reasons = attribute_differences(os.fstat(folder.descriptor), resource, mode)
    except FileNotFoundError:
        return Finding("add", f"mode {mode}", act)
    return Finding("alter", ", ".join(reasons), act) if reasons else None


def symlink(context: Context, resource: Resource) -> Finding | None:
    """A symbolic link at `path` to `target`, which need not exist."""
    path = context.path(resource["path"])
    target = resource["target"]

    def act() -> None:
        with open_folder(context, path.parent, keep_attributes) as folder:
            temporary = free_name(path.name)
            os.symlink(target, temporary, dir_fd=folder.descriptor)
            folder.rename(temporary, path.name)

    with open_parent(context, path) as folder:
        status = folder.status(path.name) if folder else None
        if folder and status and stat.S_ISLNK(status.st_mode):
            found = os.readlink(path.name, dir_fd=folder.descriptor)
            return None if found == target else Finding("alter", f"-> {target}", act)
    return Finding("alter" if status else "add", f"-> {target}", act)


def absent(context: Context, resource: Resource) -> Finding | None:
    """Nothing at `path`; a directory with content is removed only if `recursive` is true."""
    path = context.path(resource["path"])

    def act() -> None:
        with open_folder(context, path.parent) as folder:
            status = folder.status(path.name)
            if status is None or not stat.S_ISDIR(status.st_mode):
                folder.unlink(path.name)
            elif resource.get("recursive"):
                folder.remove_tree(path.name)
            else:
                folder.remove_directory(path.name)

    with open_parent(context, path) as folder:
        return Finding("remove", "", act) if folder and folder.status(path.name) else None
