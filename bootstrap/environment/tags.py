"""The rules of AWS for the tags in an environment file, as far as they are known without a cloud.

The rules are those that every service here has in common (the patterns of IAM are the narrowest, and IAM compares keys without
regard to case). CloudFormation passes the tags on, and it takes no empty value.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping

OWN = ("Project", "Environment", "Owner", "CostCenter", "ManagedBy", "Commit", "Run")
"""The keys of the toolkit's own seven tags."""
VOLATILE = ("Commit", "Run")
"""Those of them that are new in each launch."""
LONGEST_KEY, LONGEST_VALUE = 128, 256
_NAME = "Name"  # the templates set it
_MOST_ON_A_RESOURCE = 50
MOST = _MOST_ON_A_RESOURCE - len(OWN) - 1
"""How many tags a file may have: the rest are the toolkit's own and the tag Name."""
_MARKS = frozenset("_.:/=+-@")
_ALLOWED = "letters, digits, spaces and the characters _ . : / = + - @"


def find_faults(tags: Mapping[str, str]) -> Iterator[tuple[tuple[str, ...], str, bool]]:
    """Every fault in the tags: its path in the file, a message, and whether the key is at fault, not the value."""
    if len(tags) > MOST:
        reason = (
            f"a resource has at most {_MOST_ON_A_RESOURCE} tags, and {_MOST_ON_A_RESOURCE - MOST} are the toolkit's"
        )
        yield ("tags",), f"{len(tags)} tags are more than {MOST}: {reason}", True
    seen: dict[str, str] = {}
    for key, value in tags.items():
        for message in _find_key_faults(key, seen):
            yield ("tags", key), message, True
        for message in _find_value_faults(value):
            yield ("tags", key), message, False
        seen.setdefault(key.casefold(), key)


def _find_key_faults(key: str, seen: Mapping[str, str]) -> Iterator[str]:
    own = next((it for it in (*OWN, _NAME) if it.casefold() == key.casefold()), None)
    if not 1 <= len(key) <= LONGEST_KEY:
        yield f"a key has 1 to {LONGEST_KEY} characters, not {len(key)}"
    if wrong := _list_forbidden(key):
        yield f"the key has {wrong}; AWS takes {_ALLOWED}"
    if key.casefold().startswith("aws:"):
        yield "keys that begin with 'aws:' are AWS' own"
    if own is not None:
        setting = {"Owner": "'owner'", "CostCenter": "'cost_center'", "Project": "'project'"}.get(own)
        where = f"; its value is the file's key {setting}" if setting else ""
        yield f"the toolkit sets the tag {own} itself, and IAM does not tell upper from lower case{where}"
    elif key.casefold() in seen:
        yield f"'{seen[key.casefold()]}' is there, too, and IAM does not tell upper from lower case"


def _find_value_faults(value: str) -> Iterator[str]:
    if not 1 <= len(value) <= LONGEST_VALUE:
        more = "; CloudFormation, which sets the tags, takes no empty one" if not value else ""
        yield f"a value has 1 to {LONGEST_VALUE} characters, not {len(value)}{more}"
    if wrong := _list_forbidden(value):
        yield f"the value has {wrong}; AWS takes {_ALLOWED}"


def _list_forbidden(text: str) -> str:
    wrong = [it for it in text if it not in _MARKS and unicodedata.category(it)[0] not in "LNZ"]
    return ", ".join(repr(it) for it in dict.fromkeys(wrong))
