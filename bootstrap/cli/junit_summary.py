"""What the parts of a test run came to, from the JUnit files that they wrote: totals, skips with reasons, the slowest tests."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_SLOWEST = 10


@dataclass(frozen=True)
class Outcome:
    """One test of one part; `reason` is why it was skipped or how it failed, its first line."""

    part: str
    name: str
    seconds: float
    result: str
    reason: str = ""


def read_outcomes(folder: Path) -> list[Outcome]:
    """Every test in the folder's JUnit files; each file is named after its part."""
    return [outcome for path in sorted(folder.glob("*.xml")) for outcome in _read_part(path)]


def _read_part(path: Path) -> Iterator[Outcome]:
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError:
        yield Outcome(path.stem, path.name, 0.0, "failed", "the part ended before its results were written")
        return
    for case in root.iter("testcase"):
        name = f"{case.get('classname', '')}.{case.get('name', '')}"
        result, reason = "passed", ""
        for kind, word in (("failure", "failed"), ("error", "failed"), ("skipped", "skipped")):
            child = case.find(kind)
            if child is not None:
                result, reason = word, (child.get("message") or "").partition("\n")[0]
                break
        yield Outcome(path.stem, name, float(case.get("time") or 0), result, reason)


def summarize(outcomes: Iterable[Outcome]) -> str:
    """The end of a test run: skips with their reasons, the slowest ten, what failed, and the totals as the last line."""
    known = list(outcomes)
    lines = []
    skips = sorted({(each.part, each.reason) for each in known if each.result == "skipped"})
    lines += [f"skipped in {part}: {reason}" for part, reason in skips]
    slowest = sorted(known, key=lambda each: -each.seconds)[:_SLOWEST]
    if slowest:
        lines += ["", "slowest tests:"]
        lines += [f"  {each.seconds:6.1f} s  {each.part}  {each.name}" for each in slowest]
    failures = [each for each in known if each.result == "failed"]
    if failures:
        lines += ["", "failed tests:"]
        lines += [f"  {each.part}  {each.name}: {each.reason}" for each in failures]
    counts = {word: sum(each.result == word for each in known) for word in ("passed", "failed", "skipped")}
    return "\n".join([*lines, "", ", ".join(f"{number} {word}" for word, number in counts.items())])
