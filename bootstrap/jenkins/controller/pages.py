"""What the pages of a Jenkins say, without what stands on every page: heads, scripts, menus, skip links, footers.

Three kinds of pages tell of a refusal: Jenkins' own, whose text is in the main panel; `Oops!`, which names nothing but the ID
under which the exception is in the journal; and Jetty's, a table with the row MESSAGE.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from html.parser import HTMLParser

from bootstrap.jenkins.controller.console_text import clean

LINES = 10
_LONGEST = 1_000_000  # letters of a page that are read
OOPS = "A problem occurred while processing the request"
_OTHER = frozenset({"head", "script", "style", "header", "nav", "footer", "svg", "template", "noscript", "select"})
_OTHER_PLACES = frozenset(
    {"side-panel", "page-header", "page-head", "page-footer", "breadcrumbBar", "header", "footer", "tasks"}
)
_MAIN = "main-panel"
_WITHIN_LINE = frozenset({"a", "b", "code", "em", "i", "q", "s", "small", "span", "strong", "tt", "u", "wbr"})
_EMPTY = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_SKIP = "Skip to content"
_LOGGING_ID = re.compile(r"\bLogging ID=([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\b")
_JETTY = re.compile(r"HTTP ERROR \d{3}\b")


class _Reader(HTMLParser):
    """Gathers a page's text: all of it that counts, and that of the main panel apart."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.all: list[str] = []
        self.main: list[str] = []
        # The element that is left out, or that is the main panel, and how many of its name are open within it.
        self._left_out: tuple[str, int] | None = None
        self._panel: tuple[str, int] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._left_out, self._panel = _deeper(self._left_out, tag), _deeper(self._panel, tag)
        if tag in _EMPTY:
            self._put("\n")
            return
        is_skip = tag == "a" and (given.get("href") or "").startswith("#skip")
        if self._left_out is None and (tag in _OTHER or given.get("id") in _OTHER_PLACES or is_skip):
            self._left_out = (tag, 1)
        elif self._panel is None and given.get("id") == _MAIN:
            self._panel = (tag, 1)
        if tag not in _WITHIN_LINE:
            self._put("\n")

    def handle_endtag(self, tag: str) -> None:
        self._left_out, self._panel = _higher(self._left_out, tag), _higher(self._panel, tag)
        if tag not in _WITHIN_LINE:
            self._put("\n")

    def handle_data(self, data: str) -> None:
        self._put(data)

    def _put(self, text: str) -> None:
        if self._left_out is None:
            self.all.append(text)
            if self._panel is not None:
                self.main.append(text)


def _deeper(open_element: tuple[str, int] | None, tag: str) -> tuple[str, int] | None:
    if open_element and open_element[0] == tag and tag not in _EMPTY:
        return tag, open_element[1] + 1
    return open_element


def _higher(open_element: tuple[str, int] | None, tag: str) -> tuple[str, int] | None:
    if open_element is None or open_element[0] != tag:
        return open_element
    return (tag, open_element[1] - 1) if open_element[1] > 1 else None


def page_text(page: str) -> str:
    """The readable lines of a page, of its main panel where it has one; a text that is no page stays as it is."""
    if re.search(r"<[a-zA-Z!/]", page):
        reader = _Reader()
        # The parser asserts where a declaration is none; what came before it is read.
        with contextlib.suppress(AssertionError):
            reader.feed(page[:_LONGEST])
            reader.close()
        main = "".join(reader.main)
        page = main if main.strip() else "".join(reader.all)
    lines = (" ".join(line.split()) for line in clean(page).splitlines())
    return "\n".join(line for line in lines if line and line != _SKIP)


def logging_id(page: str) -> str | None:
    """The ID under which the journal has the exception of an `Oops!` page; nothing but hexadecimal digits and hyphens."""
    found = _LOGGING_ID.search(page_text(page))
    return found[1].lower() if found else None


def message(page: str) -> str:
    """What a page of a refusal says, in at most LINES lines."""
    lines = page_text(page).splitlines()
    if lines and _JETTY.match(lines[0]):
        rows = dict(itertools.pairwise(lines))
        return rows.get("MESSAGE:") or lines[0]
    if len(lines) > 1 and lines[0] == "Oops!":
        lines = lines[1:]
    return "\n".join(lines[:LINES])
