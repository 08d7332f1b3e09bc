"""Writes to the terminal: all output passes through this module, which removes control characters.

Mails, consoles of builds, tags, answers of AWS and output of machines are not trusted: an escape sequence in them could change
the screen, the title or the clipboard. The toolkit adds its own colours after the removal.
"""

from __future__ import annotations

import json
import re
import sys
import traceback
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

from bootstrap.wording import remove_control_characters

if TYPE_CHECKING:
    from rich.console import Console

# JSON escapes control characters below the space, but not these: a terminal can interpret them, or a reader can end a line.
_BEYOND_JSON = re.compile("[\x7f-\x9f\u2028\u2029]")


def write(text: str) -> None:
    """Write text to standard output, without control characters."""
    sys.stdout.write(remove_control_characters(text))


def complain(text: str) -> None:
    """Write text to standard error, without control characters, and flush it."""
    sys.stderr.write(remove_control_characters(text))
    sys.stderr.flush()


def write_json(value: Any, *, indent: int | None = None) -> None:
    """Write a value as JSON to standard output: one line, unless it is indented."""
    sys.stdout.write(f"{format_json(value, indent=indent)}\n")


def format_json(value: Any, *, indent: int | None = None) -> str:
    """A value as JSON: letters outside of ASCII are kept, control characters are escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _BEYOND_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def make_console(file: TextIO | None = None, *, width: int | None = None, folds: bool = False) -> Console:
    """A rich console for styled text and tables; it removes control characters from texts, but keeps its own styles."""
    from rich.console import Console, ConsoleOptions, RenderHook, RenderResult
    from rich.segment import Segment

    class _Stripped:
        def __init__(self, drawn: Any) -> None:
            self._drawn = drawn

        def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
            for part in console.render(self._drawn, options):
                yield part if part.control else Segment(remove_control_characters(part.text), part.style)

    class _Hook(RenderHook):
        def process_renderables(self, renderables: list[Any]) -> list[Any]:
            return [_Stripped(each) for each in renderables]

    rich_console = Console(file=file or sys.stdout, highlight=False, soft_wrap=not folds, width=width)
    rich_console.push_render_hook(_Hook())
    return rich_console


def print_bug(kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
    """Print the traceback of an unexpected exception, without control characters: its message can contain untrusted text."""
    complain("".join(traceback.format_exception(kind, fault, trace)))
