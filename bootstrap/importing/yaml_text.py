"""Writes YAML that Jenkins and Job Builder, whose parsers are those of YAML 1.1, read as it was meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


class Script(str):
    """The path of a file whose text Job Builder includes as it is."""


def dump(value: Mapping[str, Any] | list[Any]) -> str:
    """The value as YAML, with one line for each scalar that has no line breaks."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1 << 20, indent=2)
    return text


class _Dumper(yaml.SafeDumper):
    """Writes strings in quotes unless they are simple words, and no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    is_word = _PLAIN.fullmatch(text) is not None and text.lower() not in _WORDS
    style = None if is_word else "|" if "\n" in text.strip("\n") else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _represent_script(dumper: yaml.SafeDumper, script: Script) -> yaml.Node:
    return dumper.represent_scalar("!include-raw-verbatim:", str(script), style='"')


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(Script, _represent_script)
