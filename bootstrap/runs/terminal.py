"""The door to the terminal: everything that is shown passes here, and nothing in it reaches the terminal as a command.

Mails, consoles of builds, tags, answers of AWS and output of machines are hostile: an escape in one may rewrite the screen,
the title or the clipboard. What this toolkit itself draws with (colours) is added behind the door.
"""

from __future__ import annotations

import json
import re
import sys
import traceback
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

from bootstrap.wording import printable

if TYPE_CHECKING:
    from rich.console import Console

# JSON itself escapes the controls below the space, and leaves these: a terminal may obey them, and readers end a line at them.
_BEYOND_JSON = re.compile("[\x7f-\x9f\u2028\u2029]")


def write(text: str) -> None:
    """Text on standard output, as it is but for control characters."""
    sys.stdout.write(printable(text))


def complain(text: str) -> None:
    """The same on standard error, at once."""
    sys.stderr.write(printable(text))
    sys.stderr.flush()


def write_json(value: Any, *, indent: int | None = None) -> None:
    """A value as JSON on standard output: one line, unless it is indented."""
    sys.stdout.write(f"{as_json(value, indent=indent)}\n")


def as_json(value: Any, *, indent: int | None = None) -> str:
    """A value as JSON in which letters stay letters and control characters are escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _BEYOND_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def console(file: TextIO | None = None, *, width: int | None = None, folds: bool = False) -> Console:
    """A rich console for styled text and tables; it strips what it draws, not what it draws it with."""
    from rich.console import Console, ConsoleOptions, RenderHook, RenderResult
    from rich.segment import Segment

    class _Stripped:
        def __init__(self, drawn: Any) -> None:
            self._drawn = drawn

        def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
            for part in console.render(self._drawn, options):
                yield part if part.control else Segment(printable(part.text), part.style)

    class _Hook(RenderHook):
        def process_renderables(self, renderables: list[Any]) -> list[Any]:
            return [_Stripped(each) for each in renderables]

    made = Console(file=file or sys.stdout, highlight=False, soft_wrap=not folds, width=width)
    made.push_render_hook(_Hook())
    return made


def tell_bug(kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
    """What Python says of an exception that nobody expected; its message may hold what came from outside."""
    complain("".join(traceback.format_exception(kind, fault, trace)))
