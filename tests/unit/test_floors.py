"""The floors of the code: who may import whom, no circles, and sizes that a reader can hold in the head."""

import ast
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST_MODULE = 300  # lines, of a module of the package and of the tests
LONGEST_FUNCTION = 60
MOST_PLACES = 32
MOST_UPWARD = 2
SHORTEST_DOCSTRING, LONGEST_DOCSTRING = 3, 8  # lines, of a package
FLOOR_RULE = "Packages on higher floors may import it."
NOBODY = "no package"
FLAT = {"__init__", "__main__", "launch", "context", "errors", "values", "wording"}


def load_floors() -> ModuleType:
    """docs/floors.py, which is a script and no part of a package."""
    spec = importlib.util.spec_from_file_location("floors", ROOT / "docs" / "floors.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["floors"] = module
    spec.loader.exec_module(module)
    return module


floors = load_floors()
MODULES = floors.read_modules()
ARROWS = floors.read_arrows(MODULES)
TABLE = floors.read_table()
PACKAGES = sorted(name for name, path in MODULES.items() if path.name == "__init__.py")


def test_every_package_has_its_floor() -> None:
    places = {floors.place_of(name, MODULES, 1) for name in MODULES} - {"bootstrap"}

    assert places == set(floors.number_floors(TABLE))


def test_imports_lead_to_lower_floors_but_for_those_with_a_reason() -> None:
    allowed = {(entry["from"], entry["to"]) for entry in TABLE["upward"] if entry["reason"].strip()}

    assert allowed == floors.find_upward(ARROWS, MODULES, TABLE)


def test_only_who_may_looks_inside_a_private_package() -> None:
    wrong = [
        f"{arrow.importer} imports {arrow.imported}"
        for arrow in ARROWS
        for private, importers in TABLE["private"].items()
        if floors.place_of(arrow.imported, MODULES, 1) == private
        and floors.place_of(arrow.importer, MODULES, 1) not in {private, *importers}
    ]

    assert [] == wrong


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert [] == floors.find_circles(ARROWS)


def test_the_code_hangs_together_by_few_places_and_arrows() -> None:
    numbers = floors.count()

    assert numbers["places"] <= MOST_PLACES
    assert numbers["upward"] <= MOST_UPWARD


def test_the_root_holds_packages_and_what_all_of_them_speak_in() -> None:
    assert {path.stem for path in (ROOT / "bootstrap").glob("*.py")} == FLAT
    assert [] == [path.name for path in (ROOT / "bootstrap").iterdir() if path.is_file() and path.suffix != ".py"]


def find_long_modules(root: Path) -> list[str]:
    """The modules of the package and of the tests that are too long."""
    package = [path for kind in ("*.py", "*.groovy") for path in sorted((root / "bootstrap").rglob(kind))]
    return [
        f"{path.relative_to(root)}: {lines} lines"
        for path in [*package, *sorted((root / "tests").rglob("*.py"))]
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_MODULE
    ]


def find_long_functions() -> list[str]:
    found = []
    for path in MODULES.values():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.name} has {lines} lines")
    return found


def test_modules_and_functions_are_short() -> None:
    assert [] == find_long_modules(ROOT)
    assert [] == find_long_functions()


@pytest.mark.parametrize(
    "path",
    ["bootstrap/acts/one.py", "bootstrap/one.groovy", "tests/a.py", "tests/aws/conftest.py", "tests/local/a/test_b.py"],
)
def test_a_module_with_a_line_too_many_is_found(tmp_path: Path, path: str) -> None:
    module = tmp_path / path
    module.parent.mkdir(parents=True)
    module.write_text("1\n" * LONGEST_MODULE)
    assert [] == find_long_modules(tmp_path)

    module.write_text("1\n" * (LONGEST_MODULE + 1))
    assert [f"{path}: 301 lines"] == find_long_modules(tmp_path)


@pytest.mark.parametrize("name", PACKAGES)
def test_every_package_says_what_it_is(name: str) -> None:
    text = read_docstring(name)

    assert SHORTEST_DOCSTRING <= len(text.splitlines()) <= LONGEST_DOCSTRING, f"{name}: {text}"


@pytest.mark.parametrize("name", [name for name in PACKAGES if name != "bootstrap"])
def test_every_package_names_those_that_import_it(name: str) -> None:
    assert [] == find_wrong_importers(name, read_docstring(name), MODULES, ARROWS)


def read_docstring(name: str) -> str:
    return ast.get_docstring(ast.parse(MODULES[name].read_text(encoding="utf-8"))) or ""


def find_wrong_importers(name: str, text: str, modules: dict[str, Path], arrows: set[Any]) -> list[str]:
    """What the docstring of a package says of its importers, and is not so.

    Its last line is the rule of the floors, which a test of its own holds; or the list of packages and modules that import it:
    each by the name that it has in the nearest package around, as 'server' for 'local.aws.server' below 'local.aws'.
    """
    last = text.splitlines()[-1]
    if last == FLOOR_RULE:
        return (
            [] if name.count(".") == 1 else [f"{name} has no floor of its own: its docstring must list its importers"]
        )
    listed = re.fullmatch(r"Imported by: (.+)\.", last)
    if listed is None:
        return [f"{name}: the last line of the docstring does not say who may import it"]
    inside = re.compile(rf"{re.escape(name)}(\.|$)")
    importers = {each.importer for each in arrows if inside.match(each.imported) and not inside.match(each.importer)}
    names = [] if listed[1] == NOBODY else listed[1].split(", ")
    full = [find_full_name(each, name, modules) for each in names]
    allowed = [re.compile(rf"{re.escape(each)}(\.|$)") for each in full]
    unlisted = {each for each in importers if not any(pattern.match(each) for pattern in allowed)}
    return [
        *(f"{each} imports {name}, whose docstring does not list it" for each in sorted(unlisted)),
        *(
            f"{each} does not import {name}, whose docstring lists it"
            for each, pattern in zip(full, allowed, strict=True)
            if not any(pattern.match(importer) for importer in importers)
        ),
    ]


def find_full_name(short: str, package: str, modules: dict[str, Path]) -> str:
    """The full name of what a docstring of a package calls by a short name."""
    around = package.split(".")[:-1]
    named = (".".join([*around[:count], short]) for count in range(len(around), 0, -1))
    return next((each for each in named if each in modules), f"bootstrap.{short}")


@pytest.mark.parametrize(
    ("last", "found"),
    [
        ("Imported by: acts, importing.", "bootstrap.launch imports bootstrap.jenkins"),
        ("Imported by: acts, launch, network.", "bootstrap.network does not import bootstrap.jenkins"),
        ("Imported by: no package.", "bootstrap.acts.casc imports bootstrap.jenkins"),
        (FLOOR_RULE, "must list its importers"),
        ("The acts import it.", "does not say who may import it"),
    ],
)
def test_a_docstring_with_wrong_importers_is_found(last: str, found: str) -> None:
    assert any(found in each for each in find_wrong_importers("bootstrap.jenkins.controller", last, MODULES, ARROWS))


@pytest.mark.parametrize("argument", ["--help", "--nothing"])
def test_the_script_draws_only_without_arguments(
    argument: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(floors.subprocess, "run", lambda *_, **__: pytest.fail("it draws"))

    with pytest.raises(SystemExit):
        floors.main([argument])

    assert "usage:" in "".join(capsys.readouterr())


def test_a_circle_and_an_upward_import_are_found(tmp_path: Path) -> None:
    package = tmp_path / "bootstrap"
    for folder in (package, package / "cli", package / "acts"):
        folder.mkdir()
        (folder / "__init__.py").write_text("")
    (package / "values.py").write_text("from bootstrap.acts import one\n")
    (package / "acts" / "one.py").write_text("from bootstrap.acts import two\n")
    (package / "acts" / "two.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from . import one\n"
    )
    modules = floors.read_modules(tmp_path)
    arrows = floors.read_arrows(modules)

    assert [["bootstrap.acts.one", "bootstrap.acts.two"]] == floors.find_circles(arrows)
    assert {("values", "acts")} == floors.find_upward(arrows, modules, TABLE)
