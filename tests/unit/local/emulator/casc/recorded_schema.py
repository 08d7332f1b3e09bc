"""The emulator's table of what Configuration as Code knows, made from the recording of a real Jenkins.

`tests/cases/casc/vocabulary.tsv` is what the configurators of the locked Jenkins told of themselves. After a new recording:
`python tests/unit/local/emulator/casc/recorded_schema.py RECORDING > bootstrap/local/emulator/casc/vocabulary.json`.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

RECORDING = Path(__file__).resolve().parents[4] / "cases" / "casc" / "vocabulary.tsv"


def read_rows(recording: Path) -> list[list[str]]:
    """The recording's lines, field by field."""
    lines = recording.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def make_table(recording: Path) -> dict[str, dict[str, Any]]:
    """Roots, classes with their attributes, implementations of base classes by name, and what configures a class."""
    rows = read_rows(recording)
    configurators = {row[1]: row[2].rpartition(".")[2] for row in rows if row[0] == "K"}
    members: dict[str, dict[str, dict[str, Any]]] = {"R": defaultdict(dict), "A": defaultdict(dict)}
    for row in (row for row in rows if row[0] in members):
        members[row[0]][row[1]][row[2]] = _describe(row, configurators)
    classes = {name: {"by": configurators.get(name, ""), "of": of} for name, of in members["A"].items()}
    for name, by in configurators.items():
        if by != "PrimitiveConfigurator":
            classes.setdefault(name, {"by": by, "of": {}})
    return {
        "roots": {row[1]: {"class": row[3], "of": members["R"][row[1]]} for row in rows if row[0] == "ROOT"},
        "classes": dict(sorted(classes.items())),
        "implementations": _find_implementations(rows, configurators),
        "names": dict(sorted((row[3], row[2]) for row in rows if row[0] == "H" and row[1] != row[3])),
    }


def _find_implementations(rows: list[list[str]], configurators: dict[str, str]) -> dict[str, dict[str, str]]:
    """The implementations of each base class by all their names; the name that an export shows comes first."""
    told: dict[str, list[str]] = defaultdict(list)
    for row in (row for row in rows if row[0] in {"R", "A"} and configurators.get(row[3]) != "PrimitiveConfigurator"):
        told[row[3]] += [word for word in row[5].split(",") if word]
    found: dict[str, dict[str, str]] = {row[1]: {} for row in rows if row[0] == "H"}
    for _, base, name, implementation, names in (row for row in rows if row[0] == "H" and row[1] != row[3]):
        for word in filter(None, [*names.split(","), name]):
            found[base].setdefault(word, implementation)
    for base, names in found.items():
        # Some are told with an attribute alone, by the name without the end that their base class has.
        ending = base.rpartition(".")[2].rpartition("$")[2]
        shown = {
            word: names.get(word) or names.get(f"{word}{ending}") or _UNTOLD.get((base, word), "")
            for word in told[base]
        }
        found[base] = {word: kind for word, kind in [*shown.items(), *names.items()] if kind}
    return dict(sorted(found.items()))


def _describe(row: list[str], configurators: dict[str, str]) -> list[str] | str:
    """An attribute: its class, [] for a list, the words of an enumeration after =; then what else is told of it."""
    _, _, name, kind, is_list, told, deprecated, restriction, aliases, *_ = [*row, "", ""]
    words = ",".join(filter(None, told.split(",")))
    is_simple = configurators.get(kind) == "PrimitiveConfigurator"
    shown = kind + (f"={words}" if words and is_simple else "") + ("[]" if is_list == "true" else "")
    flags = (["deprecated"] if deprecated == "true" else []) + ([f"restricted {restriction}"] if restriction else [])
    flags += [f"alias {alias}" for alias in aliases.split(",") if alias not in {"", name}]
    return [shown, *flags] if flags else shown


# The one implementation that is told without a class: SecurityRealm.NO_AUTHENTICATION.
_UNTOLD = {("hudson.security.SecurityRealm", "none"): "hudson.security.SecurityRealm$None"}


def render(recording: Path) -> str:
    """The table as the emulator keeps it: one line a class."""
    parts = []
    for part, named in make_table(recording).items():
        lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(members)}" for name, members in named.items())
        parts.append(f'"{part}": {{\n{lines}\n}}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    print(render(Path(sys.argv[1]) if len(sys.argv) > 1 else RECORDING), end="")
