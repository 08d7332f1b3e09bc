"""What is read from the Jenkins, and what is told about it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from bootstrap.jenkins.controller.console_text import clean_line

_LONGEST = 200  # bytes of one name; a file system takes 255 with an ending
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_VARIABLE_LETTERS = re.compile(r"[^A-Z0-9]+")


@dataclass(frozen=True)
class Note:
    """One thing that was not carried over as it is: its kind and name, why, and what to do."""

    kind: str
    name: str
    why: str
    remedy: str

    def __str__(self) -> str:
        return (
            f"{self.kind} {self.name}: {self.why}; {self.remedy}"
            if self.name
            else f"{self.kind}: {self.why}; {self.remedy}"
        )


@dataclass(frozen=True)
class Item:
    """A job or folder: its full name and the text of its config.xml."""

    name: str
    xml: str


@dataclass(frozen=True)
class Secret:
    """A secret that was left out of the settings: the variable in its place, and where it was."""

    variable: str
    place: str


def make_note(kind: str, name: str, why: str, remedy: str) -> Note:
    """A note in which the Jenkins' own words are safe to print, each in one line."""
    return Note(kind, shorten(name), clean_line(why)[:400], remedy)


def shorten(text: str) -> str:
    """A name as it can be printed in a line: without what a terminal obeys, and not long."""
    shown = make_visible(text)
    return shown if len(shown) <= 120 else f"{shown[:117]}..."


def make_visible(text: str) -> str:
    """The text with '?' in place of line ends, controls, half characters and what changes the direction of a line."""
    return "".join(letter if unicodedata.category(letter) not in _INVISIBLE else "?" for letter in text)


def explain_unusable_name(name: object) -> str:
    """Why a name that the Jenkins gives to a job cannot be that of a file; empty if it can."""
    if not isinstance(name, str) or not name or name != name.strip():
        return "it is empty, or begins or ends with a space"
    if name.startswith((".", "-")):
        return "it begins with '.' or '-'"
    if "/" in name or "\\" in name:
        return "it contains '/' or '\\'"
    if any(unicodedata.category(letter) in _INVISIBLE for letter in name):
        return "it contains characters that are not visible"
    if len(name.encode("utf-8", "replace")) > _LONGEST:
        return f"it has more than {_LONGEST} bytes"
    if name.endswith(".xml"):
        return "it ends with '.xml', as the files of jobs do"
    return ""


def make_variable(*words: str) -> str:
    """The name of a variable of these words: letters, digits and '_', beginning with a letter."""
    name = _VARIABLE_LETTERS.sub("_", "_".join(words).upper()).strip("_")[:100]
    return name if name[:1].isalpha() else f"IMPORTED_{name}".strip("_")
