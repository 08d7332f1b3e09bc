"""The documents tell the truth: their links lead somewhere, and the commands, paths, modules and settings in them exist."""

import importlib.util
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap import errors
from bootstrap.cli.commands import find_commands
from bootstrap.cli.parser import parse

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LONGEST_README = 200
FENCE = re.compile(r"^[ ]*```(?P<language>\w*)\n(?P<body>.*?)^[ ]*```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]\n]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ +(?P<title>.+?)\s*$", re.MULTILINE)
TYPED = re.compile(r"^[ ]*(?:\$ +)?(?:\w+=\S+ +)*\./bootstrap\.py(?P<rest> .*)$", re.MULTILINE)
PATH = re.compile(r"[\w.<>*-]+(?:/[\w.<>*-]*)+|[\w.-]+\.(?:py|md|yaml|json|toml|ini|lock|svg|cfg)")
# What looks like a path and is none: blocks and ports, what is made at run time, what a project has, a permission, a file of
# the update center, what an import writes.
NO_PATH = re.compile(
    r"\d|\.bootstrap/|\.toolkit/|bootstrap\.toml$|.*NAME\.yaml$|\.(?:venv|tox)\b"
    r"|(?:Metrics|Overall|Credentials|Job)/[A-Z]\w+$|plugin-versions\.json$|update-center\.actual\.json$"
    r"|(?:casc|jobs|jobs/pipelines)/imported|jobs/raw/|DIR/|(?:plugins|secrets|not-carried)\.yaml$"
)
PROGRAMS = {"bootstrap.py", "bootstrap.toml"}  # files that look like modules
_NAMES = r"(?P<names>`\w+`(?:(?:, | and )`\w+`)*)"
_FILE = r"`(?P<path>[\w./]+\.(?:py|yaml|groovy))`"
NAMED = (re.compile(rf"{_NAMES}(?:(?!, and )[^`.;:|]){{0,60}}? (?:in|of) {_FILE}"), re.compile(rf"{_FILE} \({_NAMES}"))
MODULE = re.compile(r"bootstrap(?:\.[a-z_]+)+")
SETTING = re.compile(r"[a-z_]+(?:\.[a-z_]+)+")
NO_SETTING = (".service", ".py", ".md", ".yaml", ".json", ".toml", ".ini", ".lock", ".svg")


def read_prose(text: str) -> str:
    """The text without its blocks of code."""
    return FENCE.sub("", text)


def read_spans(text: str) -> list[str]:
    return SPAN.findall(read_prose(text))


def read_anchors(text: str) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    anchors: set[str] = set()
    for heading in HEADING.finditer(read_prose(text)):
        words = re.sub(r"[^\w\- ]", "", heading["title"].lower()).replace(" ", "-")
        number = sum(1 for anchor in anchors if re.fullmatch(rf"{re.escape(words)}(-\d+)?", anchor))
        anchors.add(f"{words}-{number}" if number else words)
    return anchors


def find_dead_links(path: Path, text: str) -> Iterator[str]:
    for link in LINK.finditer(SPAN.sub("", read_prose(text))):
        target, _, anchor = link["target"].partition("#")
        if re.match(r"\w+:", target):
            continue
        file = path.parent / target if target else path
        if target and not file.exists():
            yield f"{path.name}: {link['target']}: there is no such file"
        elif anchor and anchor not in read_anchors(text if file == path else file.read_text(encoding="utf-8")):
            yield f"{path.name}: {link['target']}: there is no such heading"


def read_command_lines(text: str) -> Iterator[str]:
    """What is typed behind './bootstrap.py': in console blocks, in code spans, and in spans that begin with a command."""
    names = find_commands()
    for block in FENCE.finditer(text):
        if block["language"] == "console":
            yield from (line["rest"].strip() for line in TYPED.finditer(block["body"]))
    for span in read_spans(text):
        typed = TYPED.fullmatch(span)
        if typed is not None:
            yield typed["rest"].strip()
        elif " " in span and span.split()[0] in names and ":" not in span.split()[0]:
            yield span


def is_taken(line: str) -> bool:
    """Whether the parser takes a line: optional parts are taken as given, and what the shell does with it is left out."""
    plain = re.split(r" [|>]", re.sub(r"[\[\]]", "", line).replace("COMMAND", "status"))[0]
    try:
        parse(shlex.split(plain, comments=True))
    except SystemExit as error:
        return error.code == 0
    return True


def find_missing_paths(path: Path, text: str) -> Iterator[str]:
    """Paths in code spans that exist neither in the project, nor in the package, nor beside the document."""
    for span in read_spans(text):
        if PATH.fullmatch(span) and not NO_PATH.match(span):
            pattern = re.sub(r"<[^>]*>", "*", span).removeprefix("./").rstrip("/")
            if not any(any(place.glob(pattern)) for place in (ROOT, ROOT / "bootstrap", path.parent)):
                yield f"{path.name}: {span}"


def find_missing_names(text: str) -> list[str]:
    """Names that a document says are in a file, and that are not in it.

    The forms are '`NAME` in `path`', '`ONE` and `TWO` of `path`' and '`path` (`NAME`'; a few words
    may stand before 'in' or 'of'.
    """
    found = [
        (name, match["path"])
        for form in NAMED
        for match in form.finditer(" ".join(text.split()))
        for name in SPAN.findall(match["names"])
        if (ROOT / match["path"]).is_file()  # else the path is a fault of its own
    ]
    return [
        f"{name} in {path}"
        for name, path in found
        if re.search(rf"\b{name}\b", (ROOT / path).read_text(encoding="utf-8")) is None
    ]


def find_missing_modules(text: str) -> list[str]:
    spans = {span for span in read_spans(text) if MODULE.fullmatch(span) and span not in PROGRAMS}
    return sorted(span for span in spans if not is_module(span))


def is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def read_setting_keys() -> set[str]:
    """Every key of environment files, with the sections around it: 'network.bastion.allow'."""
    schema = json.loads((ROOT / "environments" / "schema.json").read_text(encoding="utf-8"))

    def walk(node: object, before: str) -> Iterator[str]:
        if isinstance(node, list):
            for each in node:
                yield from walk(each, before)
        elif isinstance(node, dict):
            if "$ref" in node:
                yield from walk(schema["$defs"][node["$ref"].rpartition("/")[2]], before)
            for key, below in node.get("properties", {}).items():
                yield f"{before}{key}"
                yield from walk(below, f"{before}{key}.")
            for word in ("anyOf", "oneOf", "allOf", "items"):
                yield from walk(node.get(word), before)

    return set(walk(schema, ""))


def find_missing_settings(text: str) -> list[str]:
    """Keys in code spans that no environment file has; the section 'network' may be left out before an option."""
    keys = read_setting_keys()
    sections = {key for key in keys if "." not in key} | {key.split(".")[1] for key in keys if key.count(".") > 1}
    return sorted(
        key
        for key in {span.split(":")[0] for span in read_spans(text)}
        if SETTING.fullmatch(key)
        and not key.endswith(NO_SETTING)
        and key.split(".")[0] in sections
        and not keys & {key, f"network.{key}"}
    )


def read_first_column(text: str) -> list[str]:
    """The code words that begin the rows of tables."""
    return re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)


def read_glossary_words() -> list[str]:
    rows = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)
    return [row.strip().lower() for row in rows][2:]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_names_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert [] == list(find_dead_links(path, text))
    assert [] == [line for line in read_command_lines(text) if not is_taken(line)]
    assert [] == list(find_missing_paths(path, text))
    assert [] == find_missing_names(text)
    assert [] == find_missing_modules(text)
    assert [] == find_missing_settings(text)


def test_the_readme_is_short_and_leads_to_every_document() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = {link["target"].partition("#")[0] for link in LINK.finditer(text)}

    assert len(text.splitlines()) <= LONGEST_README
    assert {path.relative_to(ROOT).as_posix() for path in DOCUMENTS} - {"README.md"} <= linked


def test_each_command_has_one_row_in_the_readme() -> None:
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## Commands\n")[2].partition("\n## ")[0]

    assert list(find_commands()) == [name for name in read_first_column(table) if name in find_commands()]
    assert sorted(find_commands()) == sorted(read_first_column(table))


def test_each_error_has_one_row_in_troubleshooting() -> None:
    tree = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    rows = read_first_column((ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8"))

    # The base of errors in files is never raised itself.
    assert sorted(tree - {"FaultyFile"}) == sorted(rows)


def test_the_words_of_the_glossary_are_sorted_and_stand_once() -> None:
    words = read_glossary_words()

    assert sorted(set(words)) == words
    assert {"act", "change set", "zone"} <= set(words)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see [there](nowhere.md)", "there is no such file"),
        ("# Here\n[there](#nowhere)", "there is no such heading"),
        ("[there](other.md#nowhere)", "there is no such heading"),
    ],
)
def test_a_dead_link_is_found(tmp_path: Path, text: str, found: str) -> None:
    (tmp_path / "other.md").write_text("# Some words, and `code`\n## Twice\n## Twice\n```\n# no heading\n```\n")
    good = "[a](other.md#some-words-and-code) [b](other.md#twice-1) [c](https://example.org/x) `[d](e.md)`\n"

    problems = list(find_dead_links(tmp_path / "one.md", good + text))

    assert 1 == len(problems)
    assert problems[0].endswith(found)


@pytest.mark.parametrize(
    "text",
    [
        "`./bootstrap.py frobnicate`",
        "`network fly`",
        "`launch --frob`",
        "```console\n$ A=b ./bootstrap.py -e aws plan --nothing   # a comment\n```\n",
        "- a list\n\n  ```console\n  ./bootstrap.py report --texts > file\n  ```\n",
    ],
)
def test_a_command_that_the_parser_does_not_take_is_found(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    good = "`./bootstrap.py [-e NAME] COMMAND` `network diagram [FILE]` `plan --help` `ssh -- -N -L 1:2:3`\n"
    good += "```console\n$ ./bootstrap.py ssh cat x > y\n```\n"

    assert 1 == len([line for line in read_command_lines(good + text) if not is_taken(line)])


@pytest.mark.parametrize("span", ["bootstrap/acts/nothing.py", "bootsrap/launch.py", "docs/no.md", "casc/*.yml"])
def test_a_path_that_does_not_exist_is_found(span: str) -> None:
    good = "`acts/stack.py` `casc/*.yaml` `jobs/pipelines/<name>.Jenkinsfile` `docs/` `10.0.0.0/16` `/etc/x.yaml`\n"

    assert [f"one.md: {span}"] == list(find_missing_paths(ROOT / "docs" / "one.md", f"{good}`{span}`"))


@pytest.mark.parametrize(
    "form",
    [
        "`ORDER` and `NOTHING` in `{file}`",
        "`NOTHING` of `{file}`",
        "`NOTHING` for an option in `{file}`",
        "`{file}` (`ORDER`, `NOTHING`)",
    ],
)
def test_a_name_that_its_file_does_not_have_is_found(form: str) -> None:
    file = "bootstrap/stacks/composition.py"
    good = f"`ORDER` and\n`TAKES` in `{file}`, `ORDER` of `{file}`, `{file}` (`TAKES`, and more), `NOTHING`. It is `{file}`; "

    assert [f"NOTHING in {file}"] == find_missing_names(good + form.format(file=file))


def test_names_in_groovy_are_looked_up() -> None:
    file = "bootstrap/local/emulator/groovy/SectionRunner.groovy"

    assert [f"NOTHING in {file}"] == find_missing_names(f"`WRAPPERS` in `{file}`; `NOTHING` in `{file}`")


@pytest.mark.parametrize("span", ["bootstrap.acts.nothing", "bootstrap.nothing.stack"])
def test_a_module_that_does_not_exist_is_found(span: str) -> None:
    assert [span] == find_missing_modules(f"`bootstrap.acts.stack` `bootstrap.py` `{span}`")


@pytest.mark.parametrize("span", ["network.cdir", "jenkins.drain_hours: 3", "vpn.nothing"])
def test_a_setting_that_does_not_exist_is_found(span: str) -> None:
    good = "`network.cidr` `network.bastion.allow: []` `vpn.routes` `jenkins.service` `jenkins.lock.yaml` `a.b`"

    assert [span.split(":")[0]] == find_missing_settings(f"{good} `{span}`")
