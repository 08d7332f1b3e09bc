"""Converts the console text that Jenkins sends in pieces into text that is safe for a terminal.

Jenkins' progressive text contains console notes (ESC [8mha: base64 ESC [0m, which Jenkins' pages show as links), has CRLF at
the end of lines, and can be cut anywhere: within a note, a terminal sequence or a character. An incomplete part is kept until
the next piece, so the result does not depend on the cuts. The output of a build is not trusted: no control sequence in it
reaches the terminal.
"""

from __future__ import annotations

import codecs
import re

# The limits: a note of more than 65536 characters, or a title of more than 4096, is not waited for.
_SEQUENCE = re.compile(
    "\x1b\\[8mha:[A-Za-z0-9+/=]{0,65536}\x1b\\[0m"  # a note
    "|(?:\x1b\\[|\x9b)[0-?]{0,64}[ -/]{0,64}[@-~]"  # a command such as a colour
    "|(?:\x1b[\\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]{0,4096}(?:\x07|\x9c|\x1b\\\\|(?=[\x1b\n]))"  # a title
    "|\x1b[ -/]{0,64}[0-~]"  # two letters
    "|\x1b"
)
_BEGUN = re.compile(
    "\x1b\\[8m(?:h(?:a(?::[A-Za-z0-9+/=]{0,65536}(?:\x1b(?:\\[0?)?)?)?)?)?"
    "|(?:\x1b\\[|\x9b)[0-?]{0,64}[ -/]{0,64}"
    "|(?:\x1b[\\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]{0,4096}\x1b?"
    "|\x1b[ -/]{0,64}"
)
_INTRODUCER = re.compile("[\x1b\x90\x98\x9b\x9d-\x9f]")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class ConsoleText:
    """Reads the console of one build; `read` takes the pieces in their order."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""

    def read(self, piece: bytes) -> str:
        """The text that is complete with this piece."""
        return self._remove_sequences(self._decoder.decode(piece))

    def take_rest(self) -> str:
        """The incomplete rest, after the last piece."""
        return self._remove_sequences(self._decoder.decode(b"", final=True), is_last=True)

    def _remove_sequences(self, more: str, *, is_last: bool = False) -> str:
        text, kept, place = self._held + more, "", 0
        self._held = ""
        while introducer := _INTRODUCER.search(text, place):
            kept += text[place : introducer.start()]
            place = introducer.start()
            if not is_last and _BEGUN.fullmatch(text, place):
                self._held = text[place:]
                return _CONTROLS.sub("", kept)
            sequence = _SEQUENCE.match(text, place)
            place = sequence.end() if sequence else place + 1
        return _CONTROLS.sub("", kept + text[place:])


def clean(text: str) -> str:
    """The text without terminal sequences, and without control characters other than line breaks and tabs."""
    console = ConsoleText()
    return console.read(text.encode("utf-8", "replace")) + console.take_rest()


def clean_line(text: str) -> str:
    """The text as `clean` returns it, in one line with single spaces."""
    return " ".join(clean(text).split())
