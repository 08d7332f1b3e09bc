"""`jenkins lock`: requested plugins become a closed, proved set, with the fewest changes."""

import base64
import contextlib
import hashlib
import json
import os
import re
import stat
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bootstrap.cli import environment_opening, parser
from bootstrap.cli.commands import find_commands
from bootstrap.context import Context
from bootstrap.errors import BootstrapError, DistributionFailed, UsageError
from bootstrap.jenkins.distribution import load_lock, lock_files, needs
from bootstrap.preconditions import jenkins_files
from tests.unit.jenkins.distribution.authority import Authority, Center
from tests.unit.jenkins.distribution.stand_ins import ROOT, VERSION, Mirror, SigningKey, closed_port, write_table

LOCK = """\
# why
core:
  version: {version}  # LTS
  path: war-stable/{{version}}/jenkins.war
  sha256: null
signing_key:
  fingerprint: {fingerprint}
  url: https://example.invalid/jenkins.key
# what we ask for
requested:
  # used by the jobs
  - bee
  - mole  # because of the garden
  # used by nobody
  - yak
plugins:
  # Asked for.
  bee: {{version: "1.0", sha256: null}}
  mole: {{version: "1.0", sha256: null}}
  yak: {{version: "1.0", sha256: null}}
  # Libraries.
  api: {{version: "1.0", sha256: null}}
"""


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("right")


@pytest.fixture
def center(key: SigningKey, authority: Authority) -> Iterator[Center]:
    mirror = Mirror()
    made = Center(mirror, authority)
    made.serve_core(key)
    made.offer["core"] = {"version": VERSION, "buildDate": "Aug 05, 2026"}
    made.publish("bee", "1.0", "api:1.0")
    made.publish("mole", "1.0")
    made.publish("yak", "1.0", "mole:1.0;resolution:=optional")
    made.publish("api", "1.0")
    yield made
    mirror.server.shutdown()
    mirror.server.server_close()


class Project:
    """A checkout with the tests' lock, in which the command runs."""

    def __init__(self, folder: Path, center: Center, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.center = center
        self._capsys = capsys
        self.lock_file = folder / "jenkins.lock.yaml"
        self.needs_file = folder / needs.NAME
        self.source = f"{{source: mirror, mirror: '{center.mirror.url}'}}"

    def run(self, *arguments: str) -> int:
        environment = self.folder / "trial.yaml"
        environment.write_text(f"environment: trial\ncloud: local\nowner: a\ncost_center: b\njenkins: {self.source}\n")
        return find_commands()["jenkins"].run(parser.parse(["-e", str(environment), "jenkins", "lock", *arguments]))

    def refuse(self, *arguments: str) -> BootstrapError:
        """Run the command, which must fail and change nothing."""
        before = self.texts()
        with pytest.raises(BootstrapError) as raised:
            self.run(*arguments)
        assert before == self.texts()
        return raised.value

    def texts(self) -> tuple[str, str]:
        return self.lock_file.read_text(), self.needs_file.read_text()

    def output(self) -> str:
        return self._capsys.readouterr().out

    def versions(self) -> dict[str, str]:
        return load_lock(self.lock_file).plugins


@pytest.fixture
def project(
    tmp_path: Path,
    center: Center,
    key: SigningKey,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Project:
    made = Project(tmp_path, center, capsys)
    made.lock_file.write_text(LOCK.format(version=VERSION, fingerprint=key.fingerprint))
    alone = {name: needs.Needs("1.0", "2.541.1", {}) for name in ("mole", "yak", "api")}
    write_table(made.needs_file, {**alone, "bee": needs.Needs("1.0", "2.541.1", {"api": "1.0"})})
    monkeypatch.setattr(environment_opening, "PROJECT", tmp_path)
    monkeypatch.setattr(jenkins_files, "DOWNLOADS", tmp_path / "downloads")
    monkeypatch.setattr(Context, "lock", property(lambda _: load_lock(made.lock_file)))
    monkeypatch.setattr(environment_opening.environment_lock, "hold_lock", lambda *_: contextlib.nullcontext())
    return made


def check(project: Project) -> None:
    """What holds after every run: the lock is closed, has every checksum, and its table knows every plugin."""
    lock, table = load_lock(project.lock_file), needs.load_table(project.needs_file)
    assert [] == list(needs.find_faults(lock, table))
    assert {} == needs.find_unjudged(lock, table)
    assert () == lock.without_checksum
    assert lock.core.sha256 is not None
    assert 0 == project.run("--check")


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


def test_what_nothing_requires_any_more_is_removed(project: Project) -> None:
    project.run("--remove", "bee")

    assert {"mole": "1.0", "yak": "1.0"} == project.versions()
    text = project.lock_file.read_text()
    assert "  # used by the jobs\n  - mole  # because of the garden\n  # used by nobody\n  - yak\n" in text
    assert "- api  1.0, nothing requires it\n" in project.output()
    assert {"mole", "yak"} == needs.load_table(project.needs_file).rows.keys()
    check(project)


def test_a_removed_request_stays_if_another_plugin_requires_it(project: Project) -> None:
    project.run("--add", "api")
    project.output()

    project.run("--remove", "api")

    assert "1.0" == project.versions()["api"]
    assert "api" not in load_lock(project.lock_file).requested
    assert "! api stays in the lock, although it is no longer requested: bee 1.0 requires it\n" in project.output()
    check(project)


def test_a_plugin_that_nobody_requested_and_nothing_requires_is_removed(project: Project) -> None:
    project.center.publish("cow", "2.0")
    with project.lock_file.open("a") as file:
        file.write('  cow: {version: "2.0", sha256: null}\n')

    project.run("--remove", "cow")

    assert "cow" not in project.lock_file.read_text()
    check(project)


def test_the_heading_of_a_group_stays_when_its_first_plugin_is_removed(project: Project) -> None:
    project.center.publish("bee", "2.0", "honey:1,wax:1")
    project.center.publish("honey", "1")
    project.center.publish("wax", "1")

    project.run("--upgrade", "bee")

    text = project.lock_file.read_text()
    assert '  # Libraries.\n  honey: {version: "1", sha256: ' in text
    assert "api:" not in text
    check(project)


def test_a_plugin_that_somebody_wrote_into_the_lock_is_requested_from_then_on(project: Project) -> None:
    project.center.publish("cow", "2.0", "grass:1.0")
    project.center.publish("grass", "1.0")
    with project.lock_file.open("a") as file:
        file.write('  cow: {version: "2.0", sha256: null}\n  grass: {version: "1.0", sha256: null}\n')

    project.run()

    lock = load_lock(project.lock_file)
    assert ["bee", "cow", "mole", "yak"] == list(lock.requested)
    assert ("2.0", "1.0") == (lock.plugins["cow"], lock.plugins["grass"])
    check(project)


def test_a_lock_without_requests_gets_them(project: Project) -> None:
    text = project.lock_file.read_text()
    begin, end = text.index("# what we"), text.index("plugins:\n")
    project.lock_file.write_text(text[:begin] + text[end:])

    project.run()

    assert ["bee", "mole", "yak"] == list(load_lock(project.lock_file).requested)
    check(project)


def test_a_name_in_requested_alone_is_enough(project: Project) -> None:
    project.center.publish("locale", "2.0")
    project.lock_file.write_text(project.lock_file.read_text().replace("  - yak\n", "  - locale\n  - yak\n"))

    project.run()

    assert "2.0" == project.versions()["locale"]
    check(project)


def test_both_files_keep_their_modes_and_leave_nothing_behind(project: Project) -> None:
    project.lock_file.chmod(0o640)

    project.run()

    assert 0o640 == stat.S_IMODE(project.lock_file.stat().st_mode)
    assert [] == list(project.folder.glob(".jenkins*"))


@pytest.mark.parametrize("name", ["jenkins.lock.yaml", "jenkins.needs.yaml"])
def test_a_read_only_file_is_refused_before_anything_is_asked(project: Project, name: str) -> None:
    before = {path.name: path.read_text() for path in project.folder.glob("jenkins.*")}
    (project.folder / name).chmod(0o444)

    with pytest.raises(DistributionFailed, match=f"writing {name}: .*{name} is read-only .mode 0444"):
        project.run()

    assert before == {path.name: path.read_text() for path in project.folder.glob("jenkins.*")}
    assert [] == list(project.folder.glob(".jenkins*"))


def test_a_file_that_cannot_be_written_is_told_and_what_a_killed_command_left_goes(tmp_path: Path) -> None:
    link, target = tmp_path / "link.yaml", tmp_path / "target.yaml"
    target.write_text("a: 1\n")
    link.symlink_to(target)
    stale, fresh = tmp_path / ".target.yaml.aaaaaaaa", tmp_path / ".target.yaml.bbbbbbbb"
    stale.touch()
    fresh.touch()
    os.utime(stale, (0, 0))
    document = lock_files.read(link)
    document["a"] = 2

    lock_files.write({link: document})

    assert (True, "a: 2\n") == (link.is_symlink(), target.read_text())
    assert {link, target, fresh} == set(tmp_path.iterdir())
    with pytest.raises(DistributionFailed, match="No such file or directory"):
        lock_files.write({tmp_path / "nothing" / "lock.yaml": document})


def test_neither_file_changes_if_one_cannot_be_written(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    real = lock_files.os.fsync
    calls: list[int] = []

    def fsync(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        real(handle)

    before = project.texts()
    monkeypatch.setattr(lock_files, "os", types.SimpleNamespace(fdopen=lock_files.os.fdopen, fsync=fsync))
    with pytest.raises(DistributionFailed, match="No space left"):
        project.run()

    assert before == project.texts()
    assert [] == list(project.folder.glob(".jenkins*"))


def test_a_row_that_was_written_by_hand_is_corrected(project: Project) -> None:
    project.run()
    text = project.needs_file.read_text()
    project.needs_file.write_text(text.replace('    api: "1.0"\n', '    api: "0.5"\n'))
    project.output()

    assert 0 == project.run()

    assert "~ jenkins.needs.yaml  the rows of bee\n" in project.output()
    assert text == project.needs_file.read_text()


def drop_row(project: Project, name: str) -> None:
    document = lock_files.read(project.needs_file)
    lock_files.remove(document, name)
    lock_files.write({project.needs_file: document})


def test_a_row_that_is_missing_is_written(project: Project) -> None:
    project.run()
    drop_row(project, "mole")
    project.output()

    assert 2 == project.run("--check")
    assert 0 == project.run()

    assert "~ jenkins.needs.yaml  the rows of mole\n" in project.output()
    check(project)


def test_a_row_about_another_version_is_corrected(project: Project) -> None:
    """A merge took one of the two files alone."""
    project.run()
    lock_files.record_needs(project.needs_file, {"mole": needs.Needs("0.9", "2.541.1", {})})
    project.output()

    assert 2 == project.run("--check")
    assert 0 == project.run()

    assert "~ jenkins.needs.yaml  the rows of mole\n" in project.output()
    check(project)


def test_the_row_of_a_plugin_that_somebody_deleted_is_removed(project: Project) -> None:
    project.run()
    text = project.lock_file.read_text().replace("  # used by nobody\n  - yak\n", "")
    project.lock_file.write_text(re.sub("  yak: .*\n", "", text))
    assert "remove the row" in str(
        *needs.find_faults(load_lock(project.lock_file), needs.load_table(project.needs_file))
    )
    project.output()

    assert 2 == project.run("--check")
    assert 0 == project.run()

    assert "- jenkins.needs.yaml  the rows of yak\n" in project.output()
    assert "yak" not in project.needs_file.read_text()
    check(project)


@pytest.mark.parametrize("arguments", [["--upgrade", "bee"], ["--add", "cow"], ["--remove", "bee"]])
def test_a_kill_between_the_two_files_is_repaired_by_the_next_run(
    project: Project, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    project.run()
    project.center.publish("bee", "2.0", "honey:1")
    project.center.publish("honey", "1")
    project.center.publish("cow", "1.0", "honey:1")
    real, replaced = Path.replace, list[Path]()

    def replace(path: Path, target: Path) -> None:
        if replaced:
            raise KeyboardInterrupt
        replaced.append(target)
        real(path, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", replace)
        project.run(*arguments)
    assert [project.needs_file] == replaced

    assert 0 == project.run()

    check(project)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--add", "bea"], "the update center has no plugin 'bea'; did you mean 'bee'?"),
        (["--add", "cow:9"], "the update center has no cow 9; its newest version is 2.0"),
        (
            ["--add", "cow:3.0"],
            "the update center has no cow 3.0; its newest version is 2.0",
        ),
        (
            ["--add", "new"],
            f"new 2.0 needs Jenkins 2.600.1, the lock has {VERSION}",
        ),
        (
            ["--add", "new:2.0"],
            f"new 2.0 needs Jenkins 2.600.1, the lock has {VERSION}; no version of it is for that",
        ),
        (["--add", "far"], f"far 1.0 requires new 1.0: new 2.0 needs Jenkins 2.600.1, the lock has {VERSION}"),
        (["--add", "lost"], "the update center has no plugin 'nowhere' (lost 1.0 requires nowhere 1.0)"),
        (["--add", "late"], "late 1.0 requires api 7: the update center has no such version"),
        (
            ["--add", "wide", "--add", "api:1.0"],
            "wide 1.0 requires api 2.0, and version 1.0 of it was asked for",
        ),
    ],
)
def test_what_cannot_be_resolved_is_refused_with_its_reason(project: Project, arguments: list[str], found: str) -> None:
    project.center.publish("cow", "2.0")
    project.center.publish("new", "2.0", core="2.600.1")
    project.center.publish("far", "1.0", "new:1.0")
    project.center.publish("lost", "1.0", "nowhere:1.0")
    project.center.publish("late", "1.0", "api:7")
    project.center.publish("api", "2.0")
    project.center.publish("wide", "1.0", "api:2.0")

    error = project.refuse(*arguments)

    assert isinstance(error, DistributionFailed)
    assert found == error.found


def test_an_invented_version_in_the_lock_is_refused(project: Project) -> None:
    project.lock_file.write_text(project.lock_file.read_text().replace('mole: {version: "1.0"', 'mole: {version: "9"'))

    assert "the update center has no mole 9; its newest version is 1.0" == project.refuse().found


def test_a_core_that_is_too_old_for_a_locked_plugin_is_refused(project: Project) -> None:
    project.center.publish("mole", "1.0", core="2.600.1")

    expected = f"mole 1.0 needs Jenkins 2.600.1, the lock has {VERSION}; no version of it is for that"
    assert expected == project.refuse().found


def test_a_checksum_of_the_lock_is_never_replaced(project: Project) -> None:
    text = project.lock_file.read_text()
    project.lock_file.write_text(
        text.replace('bee: {version: "1.0", sha256: null}', f'bee: {{version: "1.0", sha256: {"a" * 64}}}')
    )

    assert f"bee 1.0: the lock has the SHA-256 {'a' * 64}, plugin-versions.json has " in project.refuse().found


@pytest.mark.parametrize("name", ["plugin-versions.json", "update-center.actual.json"])
@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda document: document.pop("signature"), "it carries no signature"),
        (lambda document: document["plugins"].pop("yak"), "its signature does not match its content"),
    ],
)
def test_what_nothing_proves_is_refused_also_from_a_mirror(project: Project, name: str, spoil: Any, found: str) -> None:
    document = json.loads(project.center.mirror.files[f"/{name}"])
    spoil(document)
    project.center.mirror.files[f"/{name}"] = json.dumps(document).encode()

    error = project.refuse()

    assert (f"checking the signature of {name} of {project.center.mirror.url}/", found) == (error.doing, error.found)


def test_a_core_that_its_key_did_not_sign_is_refused(project: Project, other_key: SigningKey) -> None:
    project.center.serve_core(other_key)

    assert "checking the signature of jenkins.war" == project.refuse().doing


def test_without_the_offer_the_lock_is_made_and_says_what_is_not_known(project: Project) -> None:
    del project.center.mirror.files["/update-center.actual.json"]

    assert 0 == project.run()

    assert "! deprecated plugins and security warnings are not known: " in project.output()
    check(project)


def test_a_source_that_does_not_answer_is_an_error_that_says_where_to_run_it(project: Project) -> None:
    project.source = f"{{source: mirror, mirror: 'http://127.0.0.1:{closed_port()}/'}}"

    error = project.refuse()

    assert "asking http://127.0.0.1" in error.doing
    assert error.remedy.startswith("Run this where the update center can be reached")


@pytest.mark.parametrize("name", ["jenkins.lock.yaml", "jenkins.needs.yaml"])
def test_an_edit_while_the_command_downloads_is_not_lost(
    project: Project, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    real, path = project.center.mirror.answer, project.folder / name

    def answer(request: Any) -> None:
        if request.path.endswith("jenkins.war"):
            path.write_text(path.read_text() + "# an edit\n")
        real(request)

    monkeypatch.setattr(project.center.mirror, "answer", answer)
    with pytest.raises(DistributionFailed) as raised:
        project.run("--remove", "bee")

    assert f"{name} changed while this command worked" == raised.value.found
    assert path.read_text().endswith("# an edit\n")
    assert "  - bee\n" in project.lock_file.read_text()
    assert [] == list(project.folder.glob(".jenkins*"))
    assert 0 == project.run("--remove", "bee")
    assert path.read_text().endswith("# an edit\n")


def test_a_lock_with_the_line_ends_of_windows_is_written(project: Project) -> None:
    project.lock_file.write_bytes(project.lock_file.read_bytes().replace(b"\n", b"\r\n"))

    assert 0 == project.run()

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


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--add", "../bee"], "'../bee' is neither the name of a plugin nor NAME:VERSION"),
        (["--add", "bee:"], "'bee:' is neither the name of a plugin nor NAME:VERSION"),
        (["--remove", "fox"], "the lock has no plugin 'fox' that could be removed"),
        (["--remove", "api"], "nobody requested 'api': it is in the lock because bee requires it"),
        (["--upgrade", "fox"], "the lock has no plugin 'fox' that could be upgraded"),
        (["--add", "bee", "--remove", "bee"], "'bee' is to be added and to be removed"),
        (["--add", "bee:1.0", "--add", "bee"], "'bee' is to be added twice: in version 1.0, and in the newest version"),
        (["--add", "bee:1.0", "--add", "bee:2"], "'bee' is to be added twice: in version 1.0, and in version 2"),
        (["--core", "newest"], "'newest' is neither a version nor latest-lts"),
        (["--core", "../2.568.2"], "'../2.568.2' is neither a version nor latest-lts"),
        (["--exit-zero"], "--exit-zero is for --check"),
    ],
)
def test_a_request_that_does_not_fit_the_lock_is_refused_before_a_source_is_asked(
    project: Project, arguments: list[str], found: str
) -> None:
    error = project.refuse(*arguments)

    assert isinstance(error, UsageError)
    assert found == error.found
    assert [] == project.center.mirror.asked


NEWER = "2.577.1"


def offer_core(project: Project, key: SigningKey, version: str = NEWER) -> None:
    project.center.serve_core(key, version)
    project.center.offer["core"] = {"version": version, "buildDate": "Oct 28, 2026"}
    project.center.sign()


@pytest.mark.parametrize("asked", [NEWER, "latest-lts"])
def test_another_core_is_proved_and_locked_and_the_plugins_stay(project: Project, key: SigningKey, asked: str) -> None:
    project.run()
    offer_core(project, key)
    before, versions = project.lock_file.read_text(), project.versions()
    project.output()

    assert 2 == project.run("--core", asked, "--check")
    assert before == project.lock_file.read_text()
    project.output()
    assert 0 == project.run("--core", asked)

    lock = load_lock(project.lock_file)
    assert (NEWER, f"war-stable/{NEWER}/jenkins.war", versions) == (lock.version, lock.core_path, lock.plugins)
    core = hashlib.sha256(project.center.mirror.files[f"/{lock.core_path}"]).hexdigest()
    assert core == lock.core.sha256
    output = project.output()
    assert f"core  {VERSION} -> {NEWER}" in output
    assert f"of Jenkins {NEWER}: {core}" in output
    assert before.replace(VERSION, NEWER).splitlines()[:4] == project.lock_file.read_text().splitlines()[:4]
    check(project)


def test_the_newest_lts_is_never_older_than_the_locked_core(project: Project, key: SigningKey) -> None:
    project.run()
    offer_core(project, key, "2.541.3")
    before = project.texts()

    assert 0 == project.run("--core", "latest-lts")

    assert before == project.texts()


def test_an_offer_of_a_weekly_release_is_no_lts(project: Project, key: SigningKey) -> None:
    offer_core(project, key, "2.580")

    error = project.refuse("--core", "latest-lts")

    assert "it offers Jenkins 2.580, which is not an LTS" == error.found


def test_a_plugin_that_needs_a_newer_core_is_taken_with_that_core(project: Project, key: SigningKey) -> None:
    project.run()
    project.center.publish("new", "2.0", core=NEWER)
    offer_core(project, key)
    assert f"new 2.0 needs Jenkins {NEWER}, the lock has {VERSION}" in project.refuse("--add", "new").found

    assert 0 == project.run("--add", "new", "--core", NEWER)

    assert "2.0" == project.versions()["new"]
    check(project)


def test_an_older_core_is_refused_if_a_locked_plugin_needs_a_newer_one(project: Project, key: SigningKey) -> None:
    project.run()
    project.center.publish("mole", "2.0", core="2.560.1")
    assert 0 == project.run("--upgrade", "mole")
    project.center.serve_core(key, "2.541.3")

    error = project.refuse("--core", "2.541.3")

    assert "mole 2.0 needs Jenkins 2.560.1, the lock has 2.541.3" in error.found
    assert "for Jenkins 2.541.3" in error.doing


def test_a_core_that_nobody_proves_is_not_locked(project: Project, key: SigningKey, other_key: SigningKey) -> None:
    project.run()
    missing = project.refuse("--core", NEWER)
    assert f"for Jenkins {NEWER}" in missing.doing
    assert "war-stable has LTS releases alone" in missing.remedy
    project.center.serve_core(other_key, NEWER)
    project.center.mirror.files["/jenkins.key"] = key.public
    assert "signature" in str(project.refuse("--core", NEWER))
    # The signature is good, and it is about another version: a source that keeps an old core under a new name.
    project.center.serve_core(key, NEWER, project.center.authority.core("2.541.3"))

    assert "it says that it is Jenkins 2.541.3" == project.refuse("--core", NEWER).found


def test_an_offer_that_the_new_core_does_not_prove_chooses_no_core(project: Project, key: SigningKey) -> None:
    project.run()
    offer_core(project, key)
    document = json.loads(project.center.mirror.files["/update-center.actual.json"])
    document["core"]["version"] = "2.577.2"
    project.center.serve_core(key, "2.577.2")
    project.center.mirror.files["/update-center.actual.json"] = json.dumps(document).encode()

    assert "its signature does not match its content" == project.refuse("--core", "latest-lts").found


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
