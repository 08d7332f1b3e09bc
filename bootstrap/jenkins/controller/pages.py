"""Extracts the text of Jenkins' HTML pages, without the parts of every page: head, scripts, menus, skip links, footer.

Three kinds of pages report a refusal: Jenkins' own pages, with the text in the main panel; `Oops!`, which contains only the ID
of an exception in the journal; and Jetty's error page, a table with the row MESSAGE.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from html.parser import HTMLParser

from bootstrap.jenkins.controller.console_text import clean

LINES = 10
_LONGEST = 1_000_000  # characters of a page that are read
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
    """Collects the text of a page in `all`, and the text of its main panel in `main`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.all: list[str] = []
        self.main: list[str] = []
        # The ignored element, and the main panel: the tag, and how many elements with this tag are open.
        self._ignored: tuple[str, int] | None = None
        self._panel: tuple[str, int] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._ignored, self._panel = _count_start(self._ignored, tag), _count_start(self._panel, tag)
        if tag in _EMPTY:
            self._append("\n")
            return
        is_skip = tag == "a" and (given.get("href") or "").startswith("#skip")
        if self._ignored is None and (tag in _OTHER or given.get("id") in _OTHER_PLACES or is_skip):
            self._ignored = (tag, 1)
        elif self._panel is None and given.get("id") == _MAIN:
            self._panel = (tag, 1)
        if tag not in _WITHIN_LINE:
            self._append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._ignored, self._panel = _count_end(self._ignored, tag), _count_end(self._panel, tag)
        if tag not in _WITHIN_LINE:
            self._append("\n")

    def handle_data(self, data: str) -> None:
        self._append(data)

    def _append(self, text: str) -> None:
        if self._ignored is None:
            self.all.append(text)
            if self._panel is not None:
                self.main.append(text)


def _count_start(open_element: tuple[str, int] | None, tag: str) -> tuple[str, int] | None:
    if open_element and open_element[0] == tag and tag not in _EMPTY:
        return tag, open_element[1] + 1
    return open_element


def _count_end(open_element: tuple[str, int] | None, tag: str) -> tuple[str, int] | None:
    if open_element is None or open_element[0] != tag:
        return open_element
    return (tag, open_element[1] - 1) if open_element[1] > 1 else None


def extract_text(page: str) -> str:
    """The text of a page, of its main panel if there is one, without empty lines; text without HTML is only cleaned."""
    if re.search(r"<[a-zA-Z!/]", page):
        reader = _Reader()
        # The parser raises AssertionError for a malformed declaration; the text before it is used.
        with contextlib.suppress(AssertionError):
            reader.feed(page[:_LONGEST])
            reader.close()
        main = "".join(reader.main)
        page = main if main.strip() else "".join(reader.all)
    lines = (" ".join(line.split()) for line in clean(page).splitlines())
    return "\n".join(line for line in lines if line and line != _SKIP)


def find_logging_id(page: str) -> str | None:
    """The logging ID on an `Oops!` page (hexadecimal digits and hyphens, lower case), or None."""
    match = _LOGGING_ID.search(extract_text(page))
    return match[1].lower() if match else None


def find_message(page: str) -> str:
    """The message on an error page, in at most LINES lines."""
    lines = extract_text(page).splitlines()
    if lines and _JETTY.match(lines[0]):
        rows = dict(itertools.pairwise(lines))
        return rows.get("MESSAGE:") or lines[0]
    if len(lines) > 1 and lines[0] == "Oops!":
        lines = lines[1:]
    return "\n".join(lines[:LINES])
