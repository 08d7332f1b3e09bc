"""Finds faults in job definitions that Job Builder and Jenkins accept without an error.

These are a repeated key (the last one is used), a misspelt key (Job Builder takes it for a parameter), and an invalid schedule
(Jenkins writes a line to its log and never starts the job).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator

import yaml

from bootstrap.errors import Fault

_KINDS = frozenset({"job", "job-template", "view", "view-template", "defaults"})
_OTHER_KEYS = frozenset({"name", "id", "defaults", "exclude", "view-type", "pipeline-scm"})
_ALIASES = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
# Minute, hour, day of the month, month, day of the week: least and greatest number.
_FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_TERM = re.compile(
    r"(?:\*|H(?:\((?P<low>\d+)-(?P<high>\d+)\))?|(?P<from>\d+)(?:-(?P<to>\d+))?)"  # *, H, H(0-29), 5, 1-5
    r"(?:/(?P<step>\d+))?"
)


def find_key_faults(shown: str, text: str, known: Collection[str], everything: str) -> Iterator[Fault]:
    """Repeated and misspelt keys in one file.

    `shown` is the file's name in the faults, `known` are the valid keys, `everything` is the text of all files: a key that is
    used in it as {key} is a parameter.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is None:
        return
    yield from _find_repeated_keys(shown, root)
    for kind, body in _list_bodies(root):
        if kind not in _KINDS:
            continue
        for key, _ in body.value:
            name = str(key.value)
            if name in known or name in _OTHER_KEYS or re.search(rf"\{{(obj:)?{re.escape(name)}\b", everything):
                continue
            near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.8)
            if near:
                yield _make_fault(shown, key, f"unknown key '{name}'; did you mean '{near[0]}'?")


def find_schedule_fault(spec: str) -> str | None:
    """Why Jenkins cannot read a trigger's schedule, or None if it can; `spec` has one schedule per line."""
    for line in (line.strip() for line in spec.splitlines()):
        if not line or line.startswith(("#", "TZ=")) or line in _ALIASES:
            continue
        fields = line.split()
        if len(fields) != len(_FIELDS):
            return f"'{line}' is not a schedule: it has {len(fields)} fields, not 5"
        for field, (least, greatest) in zip(fields, _FIELDS, strict=True):
            if not all(_is_term(term, least, greatest) for term in field.split(",")):
                return f"'{line}' is not a schedule: '{field}' is not within {least}-{greatest}"
    return None


def _is_term(term: str, least: int, greatest: int) -> bool:
    match = _TERM.fullmatch(term)
    if match is None:
        return False
    numbers = [int(match[name]) for name in ("low", "high", "from", "to") if match[name]]
    has_step = match["step"] is None or int(match["step"]) > 0
    return has_step and numbers == sorted(numbers) and all(least <= number <= greatest for number in numbers)


def _list_bodies(root: yaml.Node) -> Iterator[tuple[str, yaml.MappingNode]]:
    items = root.value if isinstance(root, yaml.SequenceNode) else ()
    for item in items:
        for key, body in item.value if isinstance(item, yaml.MappingNode) else ():
            if isinstance(body, yaml.MappingNode):
                yield str(key.value), body


def _find_repeated_keys(shown: str, node: yaml.Node) -> Iterator[Fault]:
    seen: dict[str, yaml.Node] = {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                first = seen.setdefault(key.value, key)
                if first is not key and key.value != "<<":
                    yield _make_fault(
                        shown, key, f"the key '{key.value}' is in line {first.start_mark.line + 1} already"
                    )
            yield from _find_repeated_keys(shown, value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _find_repeated_keys(shown, value)


def _make_fault(shown: str, node: yaml.Node, message: str) -> Fault:
    return Fault(shown, node.start_mark.line + 1, node.start_mark.column + 1, message)
