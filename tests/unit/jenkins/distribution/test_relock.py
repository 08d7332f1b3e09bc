"""`jenkins lock`: requested plugins become a closed, proved set, with the fewest changes."""

import base64
import json
import re
from pathlib import Path

import pytest

from bootstrap.jenkins.distribution import load_lock, needs
from tests.unit.jenkins.distribution.relocking import Project, check
from tests.unit.jenkins.distribution.stand_ins import ROOT


def test_missing_checksums_are_filled_and_nothing_else_changes(project: Project) -> None:
    before = project.lock_file.read_text()

    assert 0 == project.run()

    after = project.lock_file.read_text()
    listed = project.center.listed["bee"]["1.0"]["sha256"]
    assert before.count("\n") == after.count("\n")
    assert before.replace("sha256: null", "S") == _without_checksums(after)
    assert load_lock(project.lock_file).pins["bee"].sha256 == base64.b64decode(listed).hex()
    check(project)


def _without_checksums(text: str) -> str:
    return re.sub(r"sha256: (?:null|[0-9a-f]{64})", "S", text)


def test_check_changes_nothing_and_says_what_is_pending(project: Project) -> None:
    before = project.texts()

    assert 2 == project.run("--check")
    assert 0 == project.run("--check", "--exit-zero")

    assert before == project.texts()
    assert "~ checksums  of 4 plugins\n" in project.output()
    project.run()
    assert 0 == project.run("--check")
    assert "nothing to do" in project.output()


def test_json_has_each_change_as_an_event(project: Project) -> None:
    project.center.publish("locale", "2.0")

    assert 2 == project.run("--check", "--json", "--add", "locale")

    events = [json.loads(line) for line in project.output().splitlines()]
    changes = [(each["kind"], each["name"], each["detail"]) for each in events if each["event"] == "change"]
    assert [
        ("add", "requested: locale", ""),
        ("add", "locale", "2.0, requested"),
        ("alter", "checksums", "of 4 plugins"),
    ] == changes[:3]


def test_a_plugin_is_added_with_all_that_it_requires(project: Project) -> None:
    project.center.publish("cow", "2.0", "grass:1.0,api:1.0,sun:3;resolution:=optional")
    project.center.publish("grass", "1.0", "soil:1.0")
    project.center.publish("grass", "1.5", "soil:1.0")
    project.center.publish("soil", "4")
    project.center.publish("sun", "3")

    assert 0 == project.run("--add", "cow")

    kept = {"bee": "1.0", "mole": "1.0", "yak": "1.0", "api": "1.0"}
    assert kept | {"cow": "2.0", "grass": "1.5", "soil": "4"} == project.versions()
    output = project.output()
    assert "+ requested: cow\n" in output
    assert "+ cow  2.0, requested\n" in output
    assert "+ grass  1.5, cow 2.0 requires it\n" in output
    assert "+ soil  4, grass 1.5 requires it\n" in output
    lines = [line.strip() for line in project.lock_file.read_text().splitlines()]
    names = [line.partition(":")[0].removeprefix("- ") for line in lines[9:]]
    assert [
        *("requested", "# used by the jobs", "bee", "cow", "mole  # because of the garden", "# used by nobody", "yak"),
        *("plugins", "# Asked for.", "bee", "cow", "mole", "yak", "# Libraries.", "api", "grass", "soil"),
    ] == names  # fmt: skip
    check(project)


def test_a_named_version_is_taken(project: Project) -> None:
    project.center.publish("locale", "2.0")
    project.center.publish("locale", "2.5")

    project.run("--add", "locale:2.0", "--add", "bee")

    assert ("2.0", "1.0") == (project.versions()["locale"], project.versions()["bee"])
    project.run()
    assert "2.0" == project.versions()["locale"]  # kept, though a newer one is there
    check(project)


def test_a_new_plugin_gets_the_newest_version_that_changes_no_locked_one(project: Project) -> None:
    project.center.publish("api", "2.0")
    project.center.publish("cow", "1.0", "api:1.0")
    project.center.publish("cow", "2.0", "api:2.0")
    project.center.publish("cow", "9.0", core="2.600.1")

    project.run("--add", "cow")

    assert ("1.0", "1.0") == (project.versions()["cow"], project.versions()["api"])


def test_a_need_raises_a_locked_version_as_little_as_possible_and_is_told(project: Project) -> None:
    for version in ("1.5", "2.0", "3.0"):
        project.center.publish("api", version)
    project.center.publish("cow", "2.0", "api:1.6")

    project.run("--add", "cow")

    assert "2.0" == project.versions()["api"]
    output = project.output()
    assert "~ api  1.0 -> 2.0: cow 2.0 requires api 1.6\n" in output
    assert "! api 1.0 must be 2.0: cow 2.0 requires api 1.6\n" in output
    check(project)


def test_an_optional_need_raises_a_plugin_that_is_there(project: Project) -> None:
    """Jenkins does not start a plugin if one that it can use is there, but is too old."""
    project.center.publish("api", "2.0")
    project.center.publish("cow", "2.0", "api:2.0;resolution:=optional,goat:1;resolution:=optional")

    project.run("--add", "cow")

    assert ("2.0", None) == (project.versions()["api"], project.versions().get("goat"))
    check(project)


def test_one_plugin_is_upgraded_or_all(project: Project) -> None:
    project.center.publish("bee", "2.0", "api:1.0")
    project.center.publish("mole", "2.0")
    project.center.publish("mole", "3.0", core="2.600.1")
    project.center.publish("api", "2.0")

    project.run("--upgrade", "mole")
    assert {"bee": "1.0", "mole": "2.0", "yak": "1.0", "api": "1.0"} == project.versions()

    project.run("--upgrade")
    assert {"bee": "2.0", "mole": "2.0", "yak": "1.0", "api": "2.0"} == project.versions()
    check(project)


@pytest.mark.parametrize(
    ("arguments", "upgraded"),
    [
        (["--upgrade", "bee", "--upgrade", "mole"], {"bee", "mole"}),
        (["--upgrade", "bee", "mole", "--upgrade", "mole"], {"bee", "mole"}),
        (["--upgrade", "bee", "--upgrade"], {"bee", "mole", "yak"}),
        (["--add", "bee:2.0", "--add", "bee:2.0"], {"bee"}),
    ],
)
def test_a_flag_that_is_given_twice_counts_twice(project: Project, arguments: list[str], upgraded: set[str]) -> None:
    for name in ("bee", "mole", "yak"):
        project.center.publish(name, "2.0", "api:1.0" if name == "bee" else "")

    project.run(*arguments)

    assert upgraded == {name for name, version in project.versions().items() if version == "2.0"}
    check(project)


def test_an_old_offer_with_a_good_signature_is_told(project: Project) -> None:
    project.center.offer["generationTimestamp"] = "2025-01-02T03:04:05Z"
    project.center.sign()

    project.run()

    assert "! update-center.actual.json is out of date: it is " in project.output()


def test_deprecated_plugins_and_security_warnings_are_told(project: Project) -> None:
    offer = project.center.offer
    offer["deprecations"] = {"mole": {"url": "https://example.org/mole"}, "fox": {"url": "x"}}
    offer["plugins"]["api"]["labels"] = ["library", "deprecated"]
    for number, (kind, name, pattern) in enumerate(
        [
            ("plugin", "bee", "1[.]0"),
            ("plugin", "bee", "0[.].*"),
            ("core", "core", r"2\.568(|[.][12])"),
            ("plugin", "fox", ".*"),
        ]
    ):
        offer["warnings"].append(
            {
                "id": f"SECURITY-{number}",
                "type": kind,
                "name": name,
                "message": "Something leaks",
                "url": "https://example.org/advisory",
                "versions": [{"lastVersion": "1", "pattern": pattern}],
            }
        )
    project.center.sign()

    project.run()

    notices = [line.strip() for line in project.output().splitlines() if line.strip().startswith("!")]
    assert [
        "! mole 1.0 is deprecated: https://example.org/mole",
        "! api 1.0, which bee 1.0 requires, is deprecated",
        "! security warning SECURITY-0, bee: Something leaks https://example.org/advisory",
        "! security warning SECURITY-2, core: Something leaks https://example.org/advisory",
    ] == notices


def test_a_folder_is_a_source_too(project: Project) -> None:
    folder = project.folder / "files"
    (folder / "plugins").mkdir(parents=True)
    for path, content in project.center.mirror.files.items():
        is_of_core = "jenkins." in path
        (folder / ("" if is_of_core else "plugins") / Path(path).name).write_bytes(content)
    project.source = f"{{source: file, file: '{folder / 'jenkins.war'}'}}"

    assert 0 == project.run()

    check(project)
    assert [] == project.center.mirror.asked


def test_the_projects_own_lock_is_closed_and_gets_checksums_alone(project: Project) -> None:
    """This update center has the project's own plugins, with the needs that the project's own table has."""
    table, own = needs.load_table(ROOT / needs.NAME), load_lock(ROOT / "jenkins.lock.yaml")
    for name, row in table.rows.items():
        wanted = ",".join(f"{needed}:{least or table.rows[needed].version}" for needed, least in row.needs.items())
        project.center.publish(name, row.version, wanted, row.least_core or "2.479.1", signs=False)
        project.center.publish(name, f"9999.{row.version}", signs=False)
    project.center.sign()
    files = project.center.mirror.files
    files[f"/{Path(own.key_url).name}"] = files["/jenkins.key"]
    before = own.path.read_text().replace(own.fingerprint, load_lock(project.lock_file).fingerprint)
    project.lock_file.write_text(before)
    project.needs_file.write_text(table.path.read_text())

    assert 0 == project.run()

    assert _without_checksums(before) == _without_checksums(project.lock_file.read_text())
    heading = table.path.read_text().partition("ansicolor:")[0]
    assert project.needs_file.read_text().startswith(heading)
    check(project)
