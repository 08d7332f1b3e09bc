"""Steps of pipeline-utility-steps on files: finding, hashing, archives; and those that read a Maven project or versions."""

from __future__ import annotations

import fnmatch
import hashlib
import io
import re
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..execution.registry import Step, register_step
from ..failures import StepFailed
from ..model import xmlfile
from .node import find_directory, find_node

PLUGIN = "pipeline-utility-steps"
ILLEGAL = "java.lang.IllegalArgumentException"
Entries = list[tuple[str, bytes]]


async def _read(call: Step, name: str) -> bytes:
    path = find_directory(call) / name
    try:
        return await find_node(call).read(path)
    except OSError as fault:
        raise StepFailed(f"{path} does not exist.", "java.io.FileNotFoundException") from fault


@register_step("findFiles", plugin=PLUGIN)
async def find_files(call: Step) -> dict[str, Any]:
    """Find files by a pattern; without one, list the current directory."""
    call.refuse_unknown("glob", "excludes")
    where, node = find_directory(call), find_node(call)
    entries = await node.list_folder(where)
    if call.read_text("glob"):
        chosen = set(await node.select(where, call.read_text("glob"), call.read_text("excludes")))
        entries = [entry for entry in entries if entry["path"] in chosen]
    else:
        entries = [entry for entry in entries if "/" not in entry["path"].rstrip("/")]
    return {"$data": "files", "value": entries}


@register_step("touch", main="file", plugin=PLUGIN)
async def touch(call: Step) -> dict[str, Any]:
    """Make an empty file if there is none."""
    call.refuse_unknown("file", "timestamp")
    if call.arguments.get("timestamp") is not None:
        raise StepFailed("the argument timestamp of touch is not known to the emulator")
    path, node = find_directory(call) / call.require("file"), find_node(call)
    content = await node.read(path) if await node.find_kind(path) else b""
    await node.write(path, content)
    entry = {
        "path": call.require("file"),
        "length": len(content),
        "directory": False,
        "modified": int(time.time() * 1000),
    }
    return {"$data": "file", "value": entry}


@register_step("sha1", main="file", plugin=PLUGIN)
async def compute_sha1(call: Step) -> str | None:
    """The SHA-1 of a file."""
    return hashlib.sha1(await _read(call, call.require("file")), usedforsecurity=False).hexdigest()


@register_step("sha256", main="file", plugin=PLUGIN)
async def compute_sha256(call: Step) -> str | None:
    """The SHA-256 of a file."""
    return hashlib.sha256(await _read(call, call.require("file"))).hexdigest()


@register_step("prependToFile", plugin=PLUGIN)
async def prepend(call: Step) -> None:
    """Write a text before the content of a file."""
    call.refuse_unknown("file", "content")
    path, node = find_directory(call) / call.require("file"), find_node(call)
    before = await node.read(path) if await node.find_kind(path) else b""
    await node.write(path, call.require("content").encode() + before)


async def _compress(call: Step, target: str, pack: Callable[[Entries], bytes]) -> None:
    node, where = find_node(call), find_directory(call)
    source, path = where / call.read_text("dir"), where / target
    if await node.find_kind(path) and not call.read_flag("overwrite"):
        raise StepFailed(f"{path} exists.", ILLEGAL)
    glob, exclude = call.read_text("glob"), call.read_text("exclude")
    chosen = f" filtered by [{glob or None}] - [{exclude or None}]" if glob or exclude else ""
    call.say(f"Compress {source}{chosen.replace('None', 'null')} to {path}")
    names = [name for name in await node.select(source, glob or "**", exclude) if source / name != path]
    await node.write(path, pack([(name, await node.read(source / name)) for name in names]))
    call.say(f"Compressed {len(names)} entries.")
    if call.read_flag("archive"):
        raise StepFailed("the argument archive is not known to the emulator")


async def _extract(call: Step, source: str, unpack: Callable[[bytes], Entries]) -> dict[str, str] | bool | None:
    node, where = find_node(call), find_directory(call)
    path = where / source
    content = await _read(call, source)
    if call.read_flag("test"):
        raise StepFailed("the argument test is not known to the emulator")
    call.say(f"Extracting from {path}")
    try:
        entries = unpack(content)
    except (zipfile.BadZipFile, tarfile.TarError, OSError) as fault:
        raise StepFailed(str(fault), "java.util.zip.ZipException") from fault
    if call.read_text("glob"):
        entries = [entry for entry in entries if fnmatch.fnmatch(entry[0], call.read_text("glob").replace("**", "*"))]
    if call.read_flag("read"):
        for name, _ in entries:
            call.say(f"Reading: {name}")
        call.say(f"Read: {len(entries)} files")
        return {name: data.decode("utf-8", "replace") for name, data in entries}
    folder = where / call.read_text("dir")
    for name, data in entries:
        target = folder / name
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise StepFailed(f"{name} is out of bounds!", "java.io.IOException")
        call.say(f"Extracting: {name} -> {target}")
        await node.write(target, data)
    call.say(f"Extracted: {len(entries)} files")
    return None


def _zip(entries: Entries) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return output.getvalue()


def _unzip(content: bytes) -> Entries:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(entry.filename, archive.read(entry)) for entry in archive.infolist() if not entry.is_dir()]


def _tar(mode: str) -> Callable[[Entries], bytes]:
    def pack(entries: Entries) -> bytes:
        output = io.BytesIO()
        with tarfile.open(fileobj=output, mode=mode) as archive:  # type: ignore[call-overload]
            for name, data in entries:
                member = tarfile.TarInfo(name)
                member.size, member.mtime = len(data), int(time.time())
                archive.addfile(member, io.BytesIO(data))
        return output.getvalue()

    return pack


def _untar(content: bytes) -> Entries:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        held = [(member.name, archive.extractfile(member)) for member in archive if member.isfile()]
        return [(name, stream.read()) for name, stream in held if stream is not None]


@register_step("zip", main="zipFile", plugin=PLUGIN)
async def zip_files(call: Step) -> None:
    """Make a zip archive."""
    call.refuse_unknown("zipFile", "dir", "glob", "exclude", "archive", "overwrite")
    await _compress(call, call.require("zipFile"), _zip)


@register_step("unzip", main="zipFile", plugin=PLUGIN)
async def unzip_files(call: Step) -> dict[str, str] | bool | None:
    """Extract a zip archive, or read its files."""
    call.refuse_unknown("zipFile", "dir", "glob", "read", "test", "quiet", "charset")
    return await _extract(call, call.require("zipFile"), _unzip)


@register_step("tar", main="file", plugin=PLUGIN)
async def tar_files(call: Step) -> None:
    """Make a tar archive; it is compressed unless `compress` is false."""
    call.refuse_unknown("file", "dir", "glob", "exclude", "archive", "compress", "overwrite", "defaultExcludes")
    is_compressed = call.read_text("compress", "true").lower() != "false"
    await _compress(call, call.require("file"), _tar("w:gz" if is_compressed else "w"))


@register_step("untar", main="file", plugin=PLUGIN)
async def untar_files(call: Step) -> dict[str, str] | bool | None:
    """Extract a tar archive."""
    call.refuse_unknown("file", "dir", "glob", "test", "quiet", "keepPermissions")
    return await _extract(call, call.require("file"), _untar)


@register_step("readMavenPom", main="file", plugin=PLUGIN)
async def read_pom(call: Step) -> dict[str, Any]:
    """Read the main values of a Maven project."""
    call.refuse_unknown("file")
    content = await _read(call, call.read_text("file", "pom.xml"))
    try:
        root = xmlfile.parse(content)
    except xmlfile.BadXml as fault:
        raise StepFailed(str(fault), "org.codehaus.plexus.util.xml.pull.XmlPullParserException") from fault
    texts = {re.sub(r"\{.*\}", "", child.tag): child for child in root if isinstance(child.tag, str)}
    names = ("groupId", "artifactId", "version", "packaging", "name", "description", "url", "modelVersion")
    values: dict[str, Any] = {name: texts[name].text if name in texts else None for name in names}
    values["packaging"] = values["packaging"] or "jar"
    held = texts.get("properties")
    values["properties"] = {
        re.sub(r"\{.*\}", "", child.tag): child.text or "" for child in (held if held is not None else [])
    }
    modules = texts.get("modules")
    values["modules"] = [child.text for child in (modules if modules is not None else [])]
    return {"$data": "pom", "value": values}


@register_step("compareVersions", plugin=PLUGIN)
async def compare_versions(call: Step) -> int:
    """Compare two versions: -1, 0 or 1."""
    call.refuse_unknown("v1", "v2", "failIfEmpty")
    first, second = call.read_text("v1"), call.read_text("v2")
    if call.read_flag("failIfEmpty") and not (first and second):
        raise StepFailed("v1 or v2 is empty or null.", "hudson.AbortException")
    left, right = parse_version(first), parse_version(second)
    return (left > right) - (left < right)


_QUALIFIERS = ("alpha", "beta", "milestone", "rc", "snapshot", "", "sp")
_END = (_QUALIFIERS.index(""), 0, "")
_ZERO = (len(_QUALIFIERS) + 1, 0, "")


def parse_version(text: str) -> list[tuple[int, int, str]]:
    """A version as parts that compare: qualifiers before the end of a version, other words after it, numbers last.

    Zeros before a word and at the end do not count.
    """
    parts: list[tuple[int, int, str]] = []
    for word in re.findall(r"\d+|[a-z]+", text.lower()):
        if word.isdigit():
            parts.append((len(_QUALIFIERS) + 1, int(word), ""))
            continue
        name = {"cr": "rc", "ga": "", "final": "", "a": "alpha", "b": "beta", "m": "milestone"}.get(word, word)
        _drop_zeros(parts)
        parts.append((_QUALIFIERS.index(name), 0, "") if name in _QUALIFIERS else (len(_QUALIFIERS), 0, name))
    while parts and parts[-1] == _END:
        parts.pop()
    _drop_zeros(parts)
    return [*parts, _END]


def _drop_zeros(parts: list[tuple[int, int, str]]) -> None:
    while parts and parts[-1] == _ZERO:
        parts.pop()


@register_step("nodesByLabel", main="label", plugin=PLUGIN)
async def list_nodes(call: Step) -> list[str]:
    """The names of the online nodes with a label; the name of the built-in node is empty."""
    call.refuse_unknown("label", "offline")
    executors, label = call.engine.services.executors, call.require("label")
    fitting = [node.name for node in call.engine.home.configuration.nodes if label in node.labels]
    names = [name for name in fitting if call.read_flag("offline") or executors.is_online(name)]
    if not names:
        call.say(f"Could not find any nodes with '{label}' label")
    else:
        call.say(f"Found a total of {len(names)} nodes with the '{label}' label")
    return names


@register_step("tee", main="file", plugin=PLUGIN, is_block=True)
async def copy_output(call: Step) -> None:
    """Write the output of the body to a file too."""
    path, node, console = find_directory(call) / call.require("file"), find_node(call), call.engine.console
    lines: list[str] = []

    async def keep() -> None:
        console.copies.remove(lines)
        await node.write(path, "".join(lines).encode())

    console.flush()
    console.copies.append(lines)
    call.context.stack.push_async_callback(keep)
