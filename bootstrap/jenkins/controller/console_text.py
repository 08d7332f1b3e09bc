"""A console as Jenkins sends it, piece by piece, made into text for a terminal.

Progressive text carries console notes (ESC [8mha: base64 ESC [0m, which a browser makes into links), ends its lines with CRLF,
and may end anywhere: within a note, a sequence of the terminal or a character. What is not whole yet is held back until the
next piece, so the text is the same however it was cut. A build's output is hostile: nothing in it reaches the terminal as a
command.
"""

from __future__ import annotations

import codecs
import re

# A note of more letters than 65536 is none, and a title of more than 4096 neither: they are not waited for.
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
    """The reader of one console; give it the pieces in their order."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""

    def read(self, piece: bytes) -> str:
        """The text that the piece completes."""
        return self._take(self._decoder.decode(piece))

    def end(self) -> str:
        """What was held back, where no more comes."""
        return self._take(self._decoder.decode(b"", final=True), is_last=True)

    def _take(self, more: str, *, is_last: bool = False) -> str:
        text, taken, place = self._held + more, "", 0
        self._held = ""
        while found := _INTRODUCER.search(text, place):
            taken += text[place : found.start()]
            place = found.start()
            if not is_last and _BEGUN.fullmatch(text, place):
                self._held = text[place:]
                return _CONTROLS.sub("", taken)
            sequence = _SEQUENCE.match(text, place)
            place = sequence.end() if sequence else place + 1
        return _CONTROLS.sub("", taken + text[place:])


def clean(text: str) -> str:
    """Words of Jenkins for a terminal: no commands and no control characters but line breaks and tabs."""
    console = ConsoleText()
    return console.read(text.encode("utf-8", "replace")) + console.end()


def plain(text: str) -> str:
    """The same in one line."""
    return " ".join(clean(text).split())
