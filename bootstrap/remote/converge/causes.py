"""What went wrong, out of a service's journal: the first exception with what it was caused by, and the last plain lines.

A stack of Java has hundreds of lines and the cause in one of them. Jenkins prints an exception from the inside out, the cause
first and then `Caused: ` with what wrapped it; a JVM prints it from the outside in, with `Caused by: `. Both are read, and so
are Python's tracebacks. What a journal says is not ours: control characters are taken out, the length is bounded, and what
looks like a secret, or is known as one, becomes three stars.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

LINES = 12
_WIDTH = 400
_LONGEST_LINE = 10_000  # letters that are read
_LONGEST_MESSAGE = 14  # lines, as a fault of YAML has with what leads to it
_WHOLE = 24  # lines of an exception that is asked for alone
_LAST = 5  # plain lines that are told beside an exception
_PLAIN = 8  # and where there is none

_FRAME = re.compile(r"\s*(?:at .*[\w$>]\([^()]*\)|\.\.\. \d+ (?:more|common frames omitted))\s*")
_JAVA = re.compile(
    r'(?:Exception in thread "[^"]*" )?'
    r"(?P<kind>(?:[a-z_][\w$]*\.)+[A-Z][\w$]*)(?:: .*)?"
)
_KIND = re.compile(r"(?:Exception|Error|Throwable|Problem|Failure|Failed\w*|Interrupt)$")
_CHAIN = re.compile(r"\s*Caused(?: by)?: \S.*")
_BESIDE = re.compile(r"\s*(?:Also|Suppressed): +\S.*")
# How Jenkins heads what it logs: moment, thread, level, place.
_HEAD = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\S*\s+\[id=\d+\]\s+(?P<level>[A-Z]+)\s+.*")
_BOOT = "hudson.util.BootFailure#publish"
_TRACEBACK = "Traceback (most recent call last):"
_ALARM = re.compile(r"\[(?:emerg|alert|crit)\]|^(?:\S+: )?(?:fatal|error)\b", re.IGNORECASE)
# What systemd says of every unit whose process ended, whatever ended it.
_NOISE = re.compile(
    r"(?:Starting|Started|Stopping|Stopped) \S+\.service\b.*"
    r"|\S+\.service: (?:Scheduled restart job|Consumed |Deactivated |Triggering |Unit process |Failed with result).*"
    r"|\S+\.service: (?:Main|Control) process exited.*"
    r"|Failed to start \S+\.service\b.*"
)
_SIGHT = re.compile(r"(?:\x1b\[[0-?]*[ -/]*[@-~])|[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_SECRETS = (
    (
        re.compile(
            r"(?i)((?:password|passwd|passphrase|secret|token|api_?key|private_?key)[\w.-]{0,40}\s{0,3}[=:]\s{0,3})\S+"
        ),
        r"\1***",
    ),
    (re.compile(r"(://[^\s/:@]{0,100}:)[^\s/@]{1,500}@"), r"\1***@"),
    (re.compile(r"\b11[0-9a-f]{32}\b|\{AQAA[\w+/=]+\}|#jbcrypt:\S+"), "***"),
)
_SHORTEST_SECRET = 6  # characters; shorter ones would star out common words


@dataclass(frozen=True)
class _Trace:
    """One exception of a text: the lines that say what it was, and where it begins and ends there."""

    said: tuple[str, ...]
    start: int
    end: int


def tell(text: str, secrets: Collection[str] = ()) -> str:
    """What a person wants to read of a journal: the cause first, then the last lines that are no stack, LINES at most."""
    lines = _lines(text)
    traces = _traces(lines)
    trace = _first(lines, traces)
    stacks = {number for each in traces for number in range(each.start, each.end)}
    plain = [
        line
        for number, line in enumerate(lines)
        if number not in stacks and not _FRAME.fullmatch(line) and not _NOISE.fullmatch(line.strip())
    ]
    if trace is not None:
        cause, count = _bounded(trace.said, LINES - _LAST), _LAST
    else:
        cause, count = [line for line in dict.fromkeys(plain) if _ALARM.search(line)][:3], _PLAIN
    rest = [line for line in dict.fromkeys(reversed(plain)) if line not in cause][: min(count, LINES - len(cause))]
    told = cause + rest[::-1]
    # A service that said nothing: what systemd says of its end is all there is.
    return clean("\n".join(told or lines[-_PLAIN:]), secrets)


def after(text: str, marker: str, width: int = _WIDTH) -> str:
    """The exception that a journal has under the last line with `marker`, with its causes; empty where there is none."""
    lines = _lines(text)
    places = [number for number, line in enumerate(lines) if marker in line]
    if not places:
        return ""
    start = places[-1] + 1
    trace = next((each for each in _traces(lines) if each.start == start), None)
    return clean("\n".join(_bounded(trace.said, _WHOLE)), width=width) if trace else ""


def clean(text: str, secrets: Collection[str] = (), width: int = _WIDTH) -> str:
    """The text for a terminal: no control characters, no long lines, no secrets."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    for pattern, stars in _SECRETS:
        text = pattern.sub(stars, text)
    lines = (_SIGHT.sub("", line.replace("\t", " ")) for line in text.split("\n"))
    return "\n".join(line if len(line) <= width else f"{line[:width]}..." for line in lines)


def _lines(text: str) -> list[str]:
    return [line[:_LONGEST_LINE].rstrip() for line in text.splitlines() if line.strip()]


def _first(lines: Sequence[str], traces: Sequence[_Trace]) -> _Trace | None:
    """The trace that tells: that of Jenkins' boot failure, else the first of a severe message, else the first."""

    def head(trace: _Trace) -> re.Match[str] | None:
        return _HEAD.fullmatch(lines[trace.start - 1].strip()) if trace.start else None

    severe = [each for each in traces if (found := head(each)) and found["level"] == "SEVERE"]
    boot = [each for each in severe if _BOOT in lines[each.start - 1]]
    return next(iter([*boot, *severe, *traces]), None)


def _traces(lines: Sequence[str]) -> list[_Trace]:
    found: list[_Trace] = []
    number = 0
    while number < len(lines):
        trace = _python(lines, number) if lines[number].strip() == _TRACEBACK else _java(lines, number)
        if trace is not None:
            found.append(trace)
        number = trace.end if trace is not None else number + 1
    return found


def _python(lines: Sequence[str], start: int) -> _Trace | None:
    """A traceback: its last line says what it was, and comes right after the indented ones."""
    indent = len(lines[start]) - len(lines[start].lstrip())
    end = start + 1
    while end < len(lines) and len(lines[end]) - len(lines[end].lstrip()) > indent:
        end += 1
    return _Trace((lines[end].strip(),), start, end + 1) if end < len(lines) else None


def _java(lines: Sequence[str], start: int) -> _Trace | None:
    """An exception of Java: its message, its stack, and the chain of what caused it or was caused by it."""
    is_headed = start > 0 and _BOOT in lines[start - 1]
    named = _JAVA.fullmatch(lines[start].strip())
    if not named and not is_headed:
        return None
    said, end = _message(lines, start)
    has_stack = end < len(lines) and bool(_FRAME.fullmatch(lines[end]) or _CHAIN.fullmatch(lines[end]))
    if not (is_headed or has_stack or (named and _KIND.search(named["kind"]))):
        return None
    while end < len(lines):
        if _FRAME.fullmatch(lines[end]):
            end += 1
        elif _BESIDE.fullmatch(lines[end]):
            end = _message(lines, end)[1]
        elif (has_stack or is_headed) and _CHAIN.fullmatch(lines[end]):
            more, link = _message(lines, end), lines[end]
            # An indented link is of an exception that stands beside this one.
            said += more[0] if link == link.lstrip() else []
            end = more[1]
        else:
            break
    return _Trace(tuple(said), start, end)


def _message(lines: Sequence[str], start: int) -> tuple[list[str], int]:
    """The lines of a message, and where it ends: at a frame, a link of the chain or the next message of the log."""
    end = start + 1
    while end < len(lines) and end - start < _LONGEST_MESSAGE:
        line = lines[end]
        if any(pattern.fullmatch(line) for pattern in (_FRAME, _CHAIN, _BESIDE)) or _HEAD.fullmatch(line.strip()):
            break
        end += 1
    has_stack = end < len(lines) and bool(_FRAME.fullmatch(lines[end]) or _CHAIN.fullmatch(lines[end]))
    # Without a stack behind it, one cannot know whether the next line still belongs to the message.
    end = end if has_stack else start + 1
    return [line.strip() for line in lines[start:end]], end


def _bounded(said: Sequence[str], most: int) -> list[str]:
    """A chain's first and last lines; what is between them repeats them as a rule."""
    if len(said) <= most:
        return list(said)
    return [*said[:3], f"... {len(said) - most + 1} more lines", *said[-(most - 4) :]]
