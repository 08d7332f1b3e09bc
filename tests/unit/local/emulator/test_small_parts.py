"""Labels, masking, file patterns, environment variables, names, permissions, processes."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from bootstrap.local.emulator.execution import process, publishers
from bootstrap.local.emulator.execution.agent.operations import unpack_files
from bootstrap.local.emulator.execution.agent.patterns import select
from bootstrap.local.emulator.execution.console import Console
from bootstrap.local.emulator.execution.environment import expand, override
from bootstrap.local.emulator.execution.git import CHANGES, read_changes, strip_branch
from bootstrap.local.emulator.execution.labels import matches
from bootstrap.local.emulator.execution.nodes import BuiltInNode
from bootstrap.local.emulator.failures import ConfigurationRefused, Refused, StepFailed
from bootstrap.local.emulator.model.items import check_name
from bootstrap.local.emulator.model.security import Authorization, Identity, Users
from bootstrap.local.emulator.model.sessions import Sessions
from bootstrap.local.emulator.model.xmlfile import BadXml, parse, serialise
from bootstrap.local.emulator.options import read_arguments, read_options, read_plugins


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("linux", True),
        ("mac", False),
        ("linux && big", True),
        ("mac || big", True),
        ("!mac", True),
        ("!(linux || mac)", False),
    ],
)
def test_label_expression_matches(expression: str, expected: bool) -> None:
    assert matches(expression, {"linux", "big"}) is expected


@pytest.mark.parametrize("expression", ["(linux", "linux &&", "linux big"])
def test_malformed_label_expression_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="Invalid label expression"):
        matches(expression, {"linux"})


def test_secret_that_arrives_in_pieces_is_masked(tmp_path: Path) -> None:
    console = Console(tmp_path / "log")
    console.hide(["hunter22", "line one\nline two"])
    console.write("it is hun")
    console.write("ter22!\nline ")
    console.write("two\n")
    console.close()
    assert (tmp_path / "log").read_text() == "it is ****!\n****\n"


def test_unfinished_line_is_ended_before_the_next(tmp_path: Path) -> None:
    console = Console(tmp_path / "log")
    console.write("no newline")
    console.write_line("Finished: SUCCESS")
    console.close()
    assert (tmp_path / "log").read_text() == "no newline\nFinished: SUCCESS\n"


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.txt", ["a.txt"]),
        ("**/*.txt", ["a.txt", "d/b.txt", "d/e/c.txt"]),
        ("d/", ["d/b.txt", "d/e/c.txt"]),
        ("d/?.txt, *.md", ["d/b.txt", "x.md"]),
        ("**", ["a.txt", "d/b.txt", "d/e/c.txt", "x.md"]),
    ],
)
def test_ant_pattern_selects(tmp_path: Path, pattern: str, expected: list[str]) -> None:
    for name in ("a.txt", "d/b.txt", "d/e/c.txt", "x.md", ".git/config"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert select(tmp_path, pattern) == expected


def test_excludes_take_away(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).touch()
    assert select(tmp_path, "*.txt", "b*") == ["a.txt"]


def test_nothing_to_archive_is_a_failure() -> None:
    with pytest.raises(StepFailed, match="No artifacts found"):
        asyncio.run(publishers.archive(None, publishers.Files(BuiltInNode({}), Path("/nonexistent")), "*.x"))  # type: ignore[arg-type]


# The emulator runs on Debian 13; Debian 12's own Python is older.
with_filters = pytest.mark.skipif(
    not hasattr(tarfile, "data_filter"), reason="tarfile has filters since Python 3.11.4, and the emulator uses them"
)


@with_filters
def test_a_link_of_a_build_is_copied_as_the_file_that_the_build_sees(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "own.txt").write_text("own")
    (tmp_path / "work" / "link.txt").symlink_to("own.txt")
    files = publishers.Files(BuiltInNode({}), tmp_path / "work")

    asyncio.run(files.copy(["link.txt"], tmp_path / "kept"))

    assert ("own", False) == ((tmp_path / "kept/link.txt").read_text(), (tmp_path / "kept/link.txt").is_symlink())


@with_filters
def test_an_archive_of_an_agent_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("../outside.txt"))

    with pytest.raises(tarfile.OutsideDestinationError):
        unpack_files(str(tmp_path / "kept"), content.getvalue())

    assert not (tmp_path / "outside.txt").exists()


def test_variables_expand_and_unknown_ones_stay() -> None:
    assert expand("$A ${B} $C ${D}", {"A": "1", "B": "2"}) == "1 2 $C ${D}"


def test_plus_puts_a_value_before_the_old_one() -> None:
    environment = {"PATH": "/bin"}
    override(environment, "PATH+TOOL", "/opt/bin")
    override(environment, "NEW+X", "/only")
    assert environment == {"PATH": "/opt/bin:/bin", "NEW": "/only"}


@pytest.mark.parametrize(
    ("spec", "branch"), [("*/main", "main"), ("refs/heads/a/b", "a/b"), ("origin/x", "x"), ("**", ""), ("v1", "v1")]
)
def test_branch_of_a_specifier(spec: str, branch: str) -> None:
    assert strip_branch(spec) == branch


def test_changes_are_read_whatever_authors_and_subjects_hold(tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=A\x02\x01B", "-c", "user.email=a\x02@example.org", "-C", str(tmp_path)]
    (tmp_path / "file").write_text("one")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one\x01two\x02three"]):
        subprocess.run([*git, *command], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "plain\n\nbody"], check=True)
    printed = subprocess.run([*git, "log", CHANGES, "--name-only"], check=True, capture_output=True, text=True).stdout

    plain, odd = read_changes(printed)

    assert ("plain", []) == (plain["msg"], plain["paths"])
    assert ("one\x01two\x02three", "A\x02\x01B", "a\x02@example.org", ["file"]) == (
        *(odd[key] for key in ("msg", "author", "email", "paths")),
    )
    assert [] == read_changes("")


@pytest.mark.parametrize("name", ["ok", "with space", "ümlaut", "a.b", "a-b_c"])
def test_good_name_passes(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", ["", " ", ".", "..", "a.", "a/b", "a;b", "tab\t"])
def test_bad_name_is_a_failure(name: str) -> None:
    with pytest.raises(Refused) as caught:
        check_name(name)
    assert (caught.value.status, caught.value.is_failure) == (400, True)


def test_matrix_grants_by_user_group_and_implication() -> None:
    entries = [
        {"user": {"name": "admin", "permissions": ["Overall/Administer"]}},
        {"group": {"name": "authenticated", "permissions": ["Overall/Read", "Job/Configure"]}},
        {"user": {"name": "anonymous", "permissions": ["Job/Discover"]}},
    ]
    rights = Authorization("globalMatrix", {"entries": entries})
    assert rights.allows(Identity("Admin"), "Job/Delete")
    assert rights.allows(Identity("someone"), "Job/ExtendedRead")
    assert not rights.allows(Identity("someone"), "Job/Read")
    assert rights.allows(Identity(), "Job/Discover")
    assert not rights.allows(Identity(), "Overall/Read")


def test_logged_in_users_may_do_anything_and_others_read_when_allowed() -> None:
    closed = Authorization("loggedInUsersCanDoAnything", {"allowAnonymousRead": False})
    opened = Authorization("loggedInUsersCanDoAnything", {"allowAnonymousRead": True})
    assert closed.allows(Identity("a"), "Overall/Administer")
    assert not closed.allows(Identity(), "Overall/Read")
    assert opened.allows(Identity(), "Job/Read")
    assert not opened.allows(Identity(), "Job/Build")


def test_accounts_survive_on_the_disk_without_plain_secrets(tmp_path: Path) -> None:
    users = Users(tmp_path)
    user = users.ensure("Some.One")
    users.set_password(user, "secret-word")
    _, text = users.add_token(user, "name")
    again = Users(tmp_path)
    again.load()
    found = again.find("some.one")
    assert found is not None
    assert again.is_password(found, "secret-word")
    assert not again.is_password(found, "other-word")
    assert again.is_token(found, text)
    stored = "".join(path.read_text() for path in tmp_path.rglob("*.xml"))
    assert "secret-word" not in stored
    assert text[2:] not in stored


def test_same_password_again_does_not_change_the_account(tmp_path: Path) -> None:
    users = Users(tmp_path)
    user = users.ensure("one")
    users.set_password(user, "word")
    before = user.password
    users.set_password(user, "word")
    assert user.password == before


def test_crumb_belongs_to_user_and_session() -> None:
    sessions = Sessions("salt", 1800)
    one, two = sessions.open("a"), sessions.open("a")
    crumb = sessions.make_crumb("a", one)
    assert sessions.is_crumb(crumb, "a", one)
    assert not sessions.is_crumb(crumb, "a", two)
    assert not sessions.is_crumb(crumb, "b", one)
    assert not sessions.is_crumb(crumb, "a", None)


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ([], 1800),
        (["--sessionTimeout=5"], 300),
        (["--sessionTimeout=60"], 1800),  # evicted before
        (["--sessionTimeout=60", "--sessionEviction=7200"], 3600),
        (["--sessionTimeout=60", "--sessionEviction=-1"], 3600),
        (["--sessionTimeout=soon", "-DsessionTimeout=1", "--prefix=/x"], 1800),
    ],
)
def test_sessions_live_as_long_as_the_command_line_says(words: list[str], seconds: int) -> None:
    assert seconds == read_arguments(words).session_seconds


def test_a_session_ends_when_it_was_idle_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr("bootstrap.local.emulator.model.sessions.time.monotonic", lambda: clock[0])
    sessions = Sessions("salt", 300)
    idle, used = sessions.open("a"), sessions.open("b")
    for _ in range(3):
        clock[0] += 200
        assert sessions.find(used.identifier) is used
    assert sessions.find(idle.identifier) is None


def test_properties_are_read_from_the_command_line() -> None:
    words = ["-Da.b=true", "-Dc=1=2", "--d=true", "-De"]
    arguments = read_arguments(words)
    assert {"a.b": "true", "c": "1=2", "e": ""} == arguments.properties
    assert [True, False, False] == [arguments.is_set(name) for name in ("a.b", "d", "e")]


def test_xml_declares_version_1_1_and_reads_it_back() -> None:
    text = serialise(parse("<?xml version='1.1' encoding='UTF-8'?>\n<a><b>ü</b></a>"))
    assert text.startswith(b"<?xml version='1.1' encoding='UTF-8'?>\n<a>")
    assert parse(text).findtext("b") == "ü"


def test_entities_of_a_document_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    document = f'<!DOCTYPE a [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]><a>&e;</a>'
    assert "secret" not in (parse(document).text or "")


def test_bad_xml_is_refused() -> None:
    with pytest.raises(BadXml):
        parse("<a>")


def test_lock_of_either_form_is_read(tmp_path: Path) -> None:
    lock = tmp_path / "lock.json"
    lock.write_text('{"git": "1", "mailer": {"version": "2", "sha256": "x"}}')
    assert read_plugins(lock) == {"git": "1", "mailer": "2"}
    lock.write_text("[]")
    with pytest.raises(ConfigurationRefused):
        read_plugins(lock)


def test_builds_do_not_inherit_the_supervisors_variables() -> None:
    found = read_options({"HOME": "/root", "NOTIFY_SOCKET": "/run/n", "SECRETS": "/run/s", "PATH": "/bin"})
    assert found.build_variables == {"HOME": "/root", "PATH": "/bin"}


def test_output_streams_are_kept_apart_when_one_is_captured(tmp_path: Path) -> None:
    shown: list[str] = []
    command = ["/bin/sh", "-c", "echo out; echo err >&2; exit 3"]
    code, captured = asyncio.run(process.run(command, tmp_path, os.environ, shown.append, capture=True))
    assert (code, captured, "".join(shown)) == (3, "out\n", "err\n")


def test_program_with_a_child_left_behind_does_not_hold_up(tmp_path: Path) -> None:
    async def timed() -> float:
        loop = asyncio.get_running_loop()
        started = loop.time()
        await process.run(["/bin/sh", "-c", "sleep 5 & echo done"], tmp_path, os.environ, [].append)
        return loop.time() - started

    assert asyncio.run(timed()) < 4
