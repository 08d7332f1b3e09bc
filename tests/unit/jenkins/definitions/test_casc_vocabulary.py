"""The product's table of settings is what a real Jenkins recorded, and the emulator's is no other where our files stand."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from bootstrap.jenkins.definitions import casc_schema
from bootstrap.local.emulator.casc.check import schema

sys.path.insert(0, str(Path(__file__).parent))
import recorded_vocabulary

ROOT = Path(__file__).resolve().parents[4]
PRODUCT = ROOT / "bootstrap" / "jenkins" / "definitions" / "casc_vocabulary.json"
# Classes whose own configurators take more than they tell (their source: GitToolConfigurator).
SILENT = {"hudson.plugins.git.GitTool": {"name", "home"}}
# What the emulator calls them.
SAME = {"text": {"string", "secret"}, "integer": {"integer"}, "long": {"integer"}, "boolean": {"boolean"}}


def test_the_vocabulary_is_made_from_the_recording() -> None:
    assert recorded_vocabulary.text() == PRODUCT.read_text(), "make it anew as recorded_vocabulary.py says"


def test_every_kind_in_the_vocabulary_is_known() -> None:
    known = casc_schema.load_vocabulary()
    kinds = {
        kind.removesuffix("[]") for part in ("roots", "classes") for it in known[part].values() for kind in it.values()
    }
    simple = {"any", "text", "integer", "long", "boolean", "decimal"}
    unknown = (
        {kind for kind in kinds - simple if not kind.startswith("=")}
        - known["choices"].keys()
        - known["classes"].keys()
    )
    configured = {row[1] for row in recorded_vocabulary.rows() if row[0] == "K"}

    assert set() == unknown - configured  # such a class has no attributes
    assert {row[1] for row in recorded_vocabulary.rows() if row[0] == "N"}.isdisjoint(kinds)


def test_the_vocabulary_loads_fast() -> None:
    casc_schema.load_vocabulary.cache_clear()
    began = time.perf_counter()
    casc_schema.load_vocabulary()

    assert time.perf_counter() - began < 0.5


def compared(value: Any, kind: str, emulated: Any, where: str) -> Iterator[str]:
    """Where the emulator's kind of what a file of ours says is another than the recorded one."""
    known = casc_schema.load_vocabulary()
    while isinstance(emulated, dict) and "ref" in emulated:
        emulated = schema()["definitions"][emulated["ref"]]
    if emulated == "any" or (isinstance(emulated, dict) and emulated.get("of") == "any"):
        return  # it takes all of it
    if emulated is None:
        yield f"{where}: the emulator does not know it"
    elif kind.endswith("[]") or isinstance(emulated, list):
        if not (kind.endswith("[]") and isinstance(emulated, list)):
            yield f"{where}: is it a list?"
        else:
            for number, item in enumerate(value):
                yield from compared(item, kind.removesuffix("[]"), emulated[0], f"{where}.{number}")
    elif kind.startswith("="):
        if not isinstance(emulated, dict) or set(emulated["enum"]) - set(kind[1:].split(",")):
            yield f"{where}: other words"
    elif kind in SAME:
        if emulated not in SAME[kind]:
            yield f"{where}: {emulated}, not {kind}"
    elif kind in known["choices"]:
        ((name, body),) = value.items() if isinstance(value, dict) else ((value, {}),)
        if name not in known["choices"][kind] or name not in emulated["of"]:
            yield f"{where}: {name} is not known to both"
        else:
            yield from compared(body, known["choices"][kind][name], emulated["of"][name], f"{where}.{name}")
    elif isinstance(value, dict):
        for key, child in value.items():
            if key in SILENT.get(kind, ()):
                continue
            if key not in known["classes"].get(kind, {}):
                yield f"{where}.{key}: the real one does not know it"
            else:
                yield from compared(child, known["classes"][kind][key], emulated["of"].get(key), f"{where}.{key}")


def test_the_emulator_takes_our_files_for_what_the_recording_says() -> None:
    told = []
    for path in sorted((ROOT / "casc").glob("*.yaml")):
        for root, members in yaml.safe_load(path.read_text()).items():
            kinds, emulated = casc_schema.load_vocabulary()["roots"][root], schema()["roots"][root]["of"]
            for key, value in members.items():
                assert key in kinds, f"{root}.{key}"
                told += compared(value, kinds[key], emulated.get(key), f"{root}.{key}")

    assert told == []
