"""YAML that people write, read with its places: one mapping of keys, or faults with line and column.

Refused besides what is no YAML: what is not UTF-8 text, what is larger than anybody writes, and what its aliases blow up to
more than that (a few lines can stand for gigabytes). A byte order mark is passed over, as YAML says.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from bootstrap.errors import Fault

LARGEST = 1 << 20  # bytes
MOST = 50_000  # values, with every alias counted as what it stands for


class Unreadable(ValueError):
    """A file that holds no text; the message says why, `line` where that is known."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


def text(path: Path) -> str:
    """The file's text, or Unreadable."""
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


def mapping(
    shown: str, content: str, what: str = "the file must be a mapping of keys"
) -> tuple[CommentedMap, list[Fault]]:
    """The content's one mapping, or its faults; `shown` is the file's name as it is told."""
    try:
        document = YAML(typ="rt").load(content)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = " ".join(part for part in (error.context, error.problem) if part)
        return CommentedMap(), [Fault(shown, line, column, f"not YAML: {_first_line(problem)}")]
    except YAMLError as error:
        line, column = _where(content, error)
        return CommentedMap(), [Fault(shown, line, column, f"not YAML: {_first_line(str(error))}")]
    except RecursionError:
        return CommentedMap(), [Fault(shown, 1, 1, "it is nested too deeply")]
    if not isinstance(document, CommentedMap):
        return CommentedMap(), [Fault(shown, 1, 1, what)]
    if any(count > MOST for count, _ in enumerate(_values(document))):
        message = f"its aliases expand to more than {MOST} values"
        return CommentedMap(), [Fault(shown, 1, 1, message)]
    return document, []


def _values(document: CommentedMap) -> Iterator[Any]:
    """Every value, aliases as what they stand for; without end where one stands for what it is in."""
    waiting: list[Any] = [document]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, CommentedMap):
            waiting += node.values()
        elif isinstance(node, CommentedSeq):
            waiting += node


def _where(content: str, error: YAMLError) -> tuple[int, int]:
    """A reader's error knows the offset of a character that YAML does not take."""
    offset = getattr(error, "position", None)
    if not isinstance(offset, int):
        return 1, 1
    return content.count("\n", 0, offset) + 1, offset - (content.rfind("\n", 0, offset) + 1) + 1


def _first_line(told: str) -> str:
    return told.strip().split("\n", maxsplit=1)[0]
