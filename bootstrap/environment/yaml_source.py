"""Reads YAML files that people write: one mapping with the positions of its keys, or faults with line and column.

Refused are also files that are not UTF-8, files larger than LARGEST, and files whose aliases expand to more than MOST values: a
few lines with aliases can expand to gigabytes. A byte order mark is skipped, as the YAML specification says.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from bootstrap.errors import Fault

LARGEST = 1 << 20  # the largest file, in bytes
MOST = 50_000  # the most values, with all aliases expanded
REMEMBERED = 64  # parsed files


class Unreadable(ValueError):
    """A file that cannot be read as text; the message says why, `line` where (1 if it is not known)."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


def read_text(path: Path) -> str:
    """The text of a file; Unreadable if it is too large, cannot be read, or is not UTF-8."""
    try:
        if path.is_file() and (size := path.stat().st_size) > LARGEST:
            raise Unreadable(f"{size} bytes are more than the limit of {LARGEST}")
        content = path.read_bytes()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Unreadable(f"not UTF-8: byte 0x{content[error.start]:02x}: {error.reason}", line) from error


def parse_mapping(
    file_name: str, content: str, if_no_mapping: str = "the file must be a mapping of keys"
) -> tuple[CommentedMap, list[Fault]]:
    """Parse one mapping; returns it, or its faults. Callers share the mapping, and must not change it.

    `file_name` is for the faults; `if_no_mapping` is the message if the content is no mapping.
    """
    document, faults = _parse(file_name, content, if_no_mapping)
    return document, list(faults)


@lru_cache(REMEMBERED)
def _parse(file_name: str, content: str, if_no_mapping: str) -> tuple[CommentedMap, list[Fault]]:
    """The same, once per content: a command reads its files for several purposes."""
    try:
        document = YAML(typ="rt").load(content)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = " ".join(part for part in (error.context, error.problem) if part)
        return CommentedMap(), [Fault(file_name, line, column, f"not YAML: {_get_first_line(problem)}")]
    except YAMLError as error:
        line, column = _find_position(content, error)
        return CommentedMap(), [Fault(file_name, line, column, f"not YAML: {_get_first_line(str(error))}")]
    except RecursionError:
        return CommentedMap(), [Fault(file_name, 1, 1, "it is nested too deeply")]
    if not isinstance(document, CommentedMap):
        return CommentedMap(), [Fault(file_name, 1, 1, if_no_mapping)]
    if any(count > MOST for count, _ in enumerate(_list_values(document))):
        message = f"its aliases expand to more than {MOST} values"
        return CommentedMap(), [Fault(file_name, 1, 1, message)]
    return document, []


def _list_values(document: CommentedMap) -> Iterator[Any]:
    """Every value, with aliases expanded; endless if an alias contains itself, so the caller must stop."""
    pending: list[Any] = [document]
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, CommentedMap):
            pending += node.values()
        elif isinstance(node, CommentedSeq):
            pending += node


def _find_position(content: str, error: YAMLError) -> tuple[int, int]:
    """Line and column of an error; only a ReaderError has a position: the offset of a character that YAML does not allow."""
    offset = getattr(error, "position", None)
    if not isinstance(offset, int):
        return 1, 1
    return content.count("\n", 0, offset) + 1, offset - (content.rfind("\n", 0, offset) + 1) + 1


def _get_first_line(message: str) -> str:
    return message.strip().split("\n", maxsplit=1)[0]
