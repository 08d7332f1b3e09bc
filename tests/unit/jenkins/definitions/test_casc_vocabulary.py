"""The product's table of settings is what a real Jenkins recorded, and the emulator's is no other where our files stand."""

import re
import sys
import time
from pathlib import Path

import yaml

from bootstrap.jenkins.definitions import casc_schema
from bootstrap.local.emulator.casc.check import Checker
from bootstrap.local.emulator.casc.sources import parse
from bootstrap.local.emulator.casc.variables import Variables

sys.path.insert(0, str(Path(__file__).parent))
import recorded_vocabulary

ROOT = Path(__file__).resolve().parents[4]
PRODUCT = ROOT / "bootstrap" / "jenkins" / "definitions" / "casc_vocabulary.json"
NAMES = re.compile(r"\$\{([A-Z_]+)")


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


def test_the_emulator_takes_our_files_for_what_the_recording_says() -> None:
    """Every key and every kind: the emulator's check goes by the same recording, with values in the place of variables."""
    plugins = dict.fromkeys(yaml.safe_load((ROOT / "jenkins.lock.yaml").read_text())["plugins"], "1")
    for path in sorted((ROOT / "casc").glob("*.yaml")):
        values = dict.fromkeys(NAMES.findall(path.read_text()), "GLOBAL") | {"JENKINS_BUILDER_MODE": "NORMAL"}
        variables = Variables({"SECRETS": "/nonexistent", **values})
        checker = Checker(plugins, variables)
        checker.check(parse(path.read_text(), path.name))
        assert ([], {}) == (checker.unjudged, checker.warned), path.name
