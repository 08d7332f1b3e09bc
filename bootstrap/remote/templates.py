"""The texts under `files/`: as they are, or as templates in which every name must be known."""

from __future__ import annotations

import functools
from pathlib import Path

import jinja2

_FOLDER = Path(__file__).parent / "files"


def read_text(name: str) -> str:
    """A file of `files/`, as it is."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def render(name: str, **values: object) -> str:
    """The template `files/<name>.j2` with its values."""
    return _make_environment().get_template(f"{name}.j2").render(**values)


@functools.cache
def _make_environment() -> jinja2.Environment:
    # Configuration files, not HTML: there is nothing to escape.
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
