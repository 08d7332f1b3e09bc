"""How things are said: how many there are of something, what of a text may be shown, and which command installs a package."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def remove_control_characters(text: str) -> str:
    """A text without control characters (C0, C1, delete) but line breaks and tabs: a terminal obeys none of it."""
    return _CONTROLS.sub("", text)


def count_noun(number: int, noun: str) -> str:
    """'1 change', '2 changes'."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def advise_installation(*packages: str) -> str:
    """'Run: apt-get update && apt-get install -y PACKAGES', as this user can type it: with sudo, or 'as root' without sudo.

    On a system without apt, for example macOS, it names the packages alone.
    """
    if shutil.which("apt-get") is None:
        return f"Install with this system's package manager: {', '.join(packages)}"
    commands = ["apt-get update", f"apt-get install -y {' '.join(packages)}"]
    if os.geteuid() == 0:
        return f"Run: {' && '.join(commands)}"
    if shutil.which("sudo"):
        return f"Run: {' && '.join(f'sudo {command}' for command in commands)}"
    return f"Run as root: {' && '.join(commands)}"


def count_outcomes(outcomes: Sequence[str]) -> str:
    """The outcomes of checks, each passed, failed, error or skipped, as pytest counts: '89 passed, 1 failed, 2 skipped'."""
    passed, skipped = outcomes.count("passed"), outcomes.count("skipped")
    failed = len(outcomes) - passed - skipped
    counts = [f"{passed} passed"]
    counts += [f"{failed} failed"] if failed else []
    counts += [f"{skipped} skipped"] if skipped else []
    return ", ".join(counts)


def count_drifted(number: int, unseen: int = 0) -> str:
    """What drift found: '2 differences'; with `unseen`, what it could not check: '2 differences; 1 item not checked'."""
    if not unseen:
        return count_noun(number, "difference") if number else "no differences"
    rest = f"{count_noun(unseen, 'item')} not checked"
    return f"{count_noun(number, 'difference')}; {rest}" if number else rest
