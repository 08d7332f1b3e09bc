"""The product's table of what Configuration as Code knows, made from the recording of a real Jenkins.

`tests/cases/casc/vocabulary.tsv` is what the configurators of the locked Jenkins told of themselves, every class and attribute.
The product needs the part that settings can reach, one line a class. After a new recording:
`python tests/unit/jenkins/definitions/recorded_vocabulary.py > bootstrap/jenkins/definitions/casc_vocabulary.json`.
"""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

RECORDING = Path(__file__).resolve().parents[3] / "cases" / "casc" / "vocabulary.tsv"
SIMPLE = {
    "java.lang.String": "text",
    "hudson.util.Secret": "text",
    "int": "integer",
    "java.lang.Integer": "integer",
    "long": "long",
    "boolean": "boolean",
    "java.lang.Boolean": "boolean",
    "double": "decimal",
}
NOT_SETTINGS = {"items"}  # jobs: here they come from jobs/


def rows() -> list[list[str]]:
    """The recording's lines, field by field."""
    lines = RECORDING.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


def table() -> dict[str, Any]:
    """Roots, classes (attribute to kind) and choices (name of an implementation to its class), as far as roots reach."""
    recorded = rows()
    configurators = {row[1]: row[2].rpartition(".")[2] for row in recorded if row[0] == "K"}
    choices: dict[str, dict[str, str]] = defaultdict(dict)
    for _, base, _, implementation, names in (row for row in recorded if row[0] == "H"):
        for name in filter(None, names.split(",")):
            choices[base].setdefault(name, implementation)
    members: dict[str, dict[str, dict[str, str]]] = {"R": defaultdict(dict), "A": defaultdict(dict)}
    for row in (row for row in recorded if row[0] in members):
        members[row[0]][row[1]][row[2]] = _kind(row, configurators, choices)
    roots = {name: members["R"][name] for name in sorted(members["R"].keys() - NOT_SETTINGS)}
    reached = _reached(roots, members["A"], choices)
    return {
        "roots": {name: dict(sorted(it.items())) for name, it in roots.items()},
        "classes": {name: dict(sorted(members["A"][name].items())) for name in sorted(reached & members["A"].keys())},
        "choices": {name: dict(sorted(choices[name].items())) for name in sorted(reached & choices.keys())},
    }


def _kind(row: list[str], configurators: dict[str, str], choices: dict[str, dict[str, str]]) -> str:
    """The kind of an attribute: a simple one, '=WORD,WORD', a class or base class; with [] where it is a list of them."""
    _, _, _, kind, is_list, told, *_ = row
    words = [word for word in told.split(",") if word]
    if kind in SIMPLE:
        kind = SIMPLE[kind]
    elif configurators.get(kind) == "PrimitiveConfigurator":
        kind = f"={','.join(words)}" if words else "any"
    elif words or kind in choices:
        for word in words:  # some are told here alone, by the name without the base's
            longer = f"{word}{kind.rpartition('.')[2]}"
            choices[kind].setdefault(word, choices[kind].get(longer, ""))
    elif kind not in configurators:
        kind = "any"
    return kind + ("[]" if is_list == "true" else "")


def _reached(
    roots: dict[str, dict[str, str]], classes: dict[str, dict[str, str]], choices: dict[str, dict[str, str]]
) -> set[str]:
    found: set[str] = set()
    waiting = [kind for root in roots.values() for kind in root.values()]
    while waiting:
        kind = waiting.pop().removesuffix("[]")
        if kind not in found:
            found.add(kind)
            waiting += [*classes.get(kind, {}).values(), *choices.get(kind, {}).values()]
    return found


def text() -> str:
    """The table as the product keeps it."""
    parts = []
    for part, named in table().items():
        lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(members)}" for name, members in named.items())
        parts.append(f'"{part}": {{\n{lines}\n}}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    print(text(), end="")
