"""Finds the cause of a failure in a service's journal: the first exception with its causes, and the last plain lines.

A stack of Java has hundreds of lines and the cause in one of them. Jenkins prints an exception from the inside out, the cause
first and then `Caused: ` with what wrapped it; a JVM prints it from the outside in, with `Caused by: `. Both are read, and so
are Python's tracebacks. A journal is not trusted: control characters are removed, the length is limited, and what looks like
a secret, or is known as one, becomes three stars.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

LINES = 12
_WIDTH = 400
_LONGEST_LINE = 10_000  # characters that are read
_LONGEST_MESSAGE = 14  # lines, as a fault of YAML has with what leads to it
_EXCEPTION_LINES = 24  # lines of an exception without plain lines
_PLAIN_BESIDE_EXCEPTION = 5  # plain lines after an exception
_PLAIN_ALONE = 8  # plain lines without an exception

_FRAME = re.compile(r"\s*(?:at .*[\w$>]\([^()]*\)|\.\.\. \d+ (?:more|common frames omitted))\s*")
_JAVA = re.compile(
    r'(?:Exception in thread "[^"]*" )?'
    r"(?P<kind>(?:[a-z_][\w$]*\.)+[A-Z][\w$]*)(?:: .*)?"
)
_KIND = re.compile(r"(?:Exception|Error|Throwable|Problem|Failure|Failed\w*|Interrupt)$")
_CHAIN = re.compile(r"\s*Caused(?: by)?: \S.*")
_SUPPRESSED = re.compile(r"\s*(?:Also|Suppressed): +\S.*")
# The first line of a message in Jenkins' log: time, thread, level, class and method.
_HEAD = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\S*\s+\[id=\d+\]\s+(?P<level>[A-Z]+)\s+.*")
_BOOT = "hudson.util.BootFailure#publish"
_TRACEBACK = "Traceback (most recent call last):"
_ERROR_LINE = re.compile(r"\[(?:emerg|alert|crit)\]|^(?:\S+: )?(?:fatal|error)\b", re.IGNORECASE)
# Lines of systemd about every unit whose process ended, for whatever reason.
_NOISE = re.compile(
    r"(?:Starting|Started|Stopping|Stopped) \S+\.service\b.*"
    r"|\S+\.service: (?:Scheduled restart job|Consumed |Deactivated |Triggering |Unit process |Failed with result).*"
    r"|\S+\.service: (?:Main|Control) process exited.*"
    r"|Failed to start \S+\.service\b.*"
)
_CONTROL_CHARACTERS = re.compile(r"(?:\x1b\[[0-?]*[ -/]*[@-~])|[\x00-\x08\x0a-\x1f\x7f-\x9f]")
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
_SHORTEST_SECRET = 6  # characters; shorter ones would mask common words


@dataclass(frozen=True)
class _Trace:
    """One exception in a text: its message and those of its causes, and its first and last line."""

    message: tuple[str, ...]
    start: int
    end: int


def find_cause(text: str, secrets: Collection[str] = ()) -> str:
    """The cause in a journal, then the last lines that belong to no stack trace; LINES at most."""
    lines = _split_lines(text)
    traces = _find_traces(lines)
    trace = _choose_trace(lines, traces)
    stacks = {number for each in traces for number in range(each.start, each.end)}
    plain = [
        line
        for number, line in enumerate(lines)
        if number not in stacks and not _FRAME.fullmatch(line) and not _NOISE.fullmatch(line.strip())
    ]
    if trace is not None:
        cause, count = _cut_middle(trace.message, LINES - _PLAIN_BESIDE_EXCEPTION), _PLAIN_BESIDE_EXCEPTION
    else:
        cause, count = [line for line in dict.fromkeys(plain) if _ERROR_LINE.search(line)][:3], _PLAIN_ALONE
    rest = [line for line in dict.fromkeys(reversed(plain)) if line not in cause][: min(count, LINES - len(cause))]
    selected = cause + rest[::-1]
    # A service that wrote nothing: only systemd's lines about its end are there.
    return clean("\n".join(selected or lines[-_PLAIN_ALONE:]), secrets)


def find_exception(text: str, marker: str, width: int = _WIDTH) -> str:
    """The exception after the last line with `marker`, with its causes; empty if there is none."""
    lines = _split_lines(text)
    places = [number for number, line in enumerate(lines) if marker in line]
    if not places:
        return ""
    start = places[-1] + 1
    trace = next((each for each in _find_traces(lines) if each.start == start), None)
    return clean("\n".join(_cut_middle(trace.message, _EXCEPTION_LINES)), width=width) if trace else ""


def clean(text: str, secrets: Collection[str] = (), width: int = _WIDTH) -> str:
    """Make a text safe for a terminal: without control characters, long lines and secrets."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    for pattern, stars in _SECRETS:
        text = pattern.sub(stars, text)
    lines = (_CONTROL_CHARACTERS.sub("", line.replace("\t", " ")) for line in text.split("\n"))
    return "\n".join(line if len(line) <= width else f"{line[:width]}..." for line in lines)


def _split_lines(text: str) -> list[str]:
    return [line[:_LONGEST_LINE].rstrip() for line in text.splitlines() if line.strip()]


def _choose_trace(lines: Sequence[str], traces: Sequence[_Trace]) -> _Trace | None:
    """The most important trace: that of Jenkins' boot failure, else the first of a severe message, else the first."""

    def match_head(trace: _Trace) -> re.Match[str] | None:
        return _HEAD.fullmatch(lines[trace.start - 1].strip()) if trace.start else None

    severe = [each for each in traces if (found := match_head(each)) and found["level"] == "SEVERE"]
    boot = [each for each in severe if _BOOT in lines[each.start - 1]]
    return next(iter([*boot, *severe, *traces]), None)


def _find_traces(lines: Sequence[str]) -> list[_Trace]:
    traces: list[_Trace] = []
    number = 0
    while number < len(lines):
        trace = (
            _parse_python_trace(lines, number)
            if lines[number].strip() == _TRACEBACK
            else _parse_java_trace(lines, number)
        )
        if trace is not None:
            traces.append(trace)
        number = trace.end if trace is not None else number + 1
    return traces


def _parse_python_trace(lines: Sequence[str], start: int) -> _Trace | None:
    """A traceback of Python: its last line has the exception, and follows the indented lines."""
    indent = len(lines[start]) - len(lines[start].lstrip())
    end = start + 1
    while end < len(lines) and len(lines[end]) - len(lines[end].lstrip()) > indent:
        end += 1
    return _Trace((lines[end].strip(),), start, end + 1) if end < len(lines) else None


def _parse_java_trace(lines: Sequence[str], start: int) -> _Trace | None:
    """An exception of Java: its message, its stack, and the chain of its causes."""
    is_headed = start > 0 and _BOOT in lines[start - 1]
    named = _JAVA.fullmatch(lines[start].strip())
    if not named and not is_headed:
        return None
    message, end = _read_message(lines, start)
    has_stack = end < len(lines) and bool(_FRAME.fullmatch(lines[end]) or _CHAIN.fullmatch(lines[end]))
    if not (is_headed or has_stack or (named and _KIND.search(named["kind"]))):
        return None
    while end < len(lines):
        if _FRAME.fullmatch(lines[end]):
            end += 1
        elif _SUPPRESSED.fullmatch(lines[end]):
            end = _read_message(lines, end)[1]
        elif (has_stack or is_headed) and _CHAIN.fullmatch(lines[end]):
            more, link = _read_message(lines, end), lines[end]
            # An indented link belongs to a suppressed exception.
            message += more[0] if link == link.lstrip() else []
            end = more[1]
        else:
            break
    return _Trace(tuple(message), start, end)


def _read_message(lines: Sequence[str], start: int) -> tuple[list[str], int]:
    """The lines of a message, and its end: a stack frame, a link of the chain or the next message of the log."""
    end = start + 1
    while end < len(lines) and end - start < _LONGEST_MESSAGE:
        line = lines[end]
        if any(pattern.fullmatch(line) for pattern in (_FRAME, _CHAIN, _SUPPRESSED)) or _HEAD.fullmatch(line.strip()):
            break
        end += 1
    has_stack = end < len(lines) and bool(_FRAME.fullmatch(lines[end]) or _CHAIN.fullmatch(lines[end]))
    # Without a stack after it, nobody can know whether the next line belongs to the message.
    end = end if has_stack else start + 1
    return [line.strip() for line in lines[start:end]], end


def _cut_middle(message: Sequence[str], most: int) -> list[str]:
    """The first and last lines of a chain; those between them mostly repeat them."""
    if len(message) <= most:
        return list(message)
    return [*message[:3], f"... {len(message) - most + 1} more lines", *message[-(most - 4) :]]
