"""Kernel settings, commands, repositories, accounts, and the walk over all resources."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from scripted import ScriptedContext

from bootstrap.remote.artifacts import hash_of
from bootstrap.remote.converge import accounts, applied_state, commands, kernel, main
from bootstrap.remote.converge.core import ARTIFACTS, Context, Failed, Finding


def kernel_of(root: Path, *, is_container: bool = False, **values: str) -> Context:
    for key, value in values.items():
        place = root / "proc/sys" / key.replace("_", "/", 1)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{value}\n")
    if is_container:
        (root / "run").mkdir()
        (root / "run/.containerenv").write_text("")
    return Context(root=root)


def sysctl(**values: str) -> dict[str, Any]:
    wished = {key.replace("_", ".", 1): value for key, value in values.items()}
    return {"id": "kernel", "kind": "sysctl", "path": "/etc/sysctl.d/x.conf", "values": wished}


def test_kernel_settings_are_set_now_and_for_the_next_boot(tmp_path: Path) -> None:
    context = kernel_of(tmp_path, net_a="0", fs_b="1")
    it = sysctl(net_a="1", fs_b="1")
    finding = kernel.sysctl(context, it)
    assert finding is not None and "mode 0644, net.a" == finding.detail
    finding.act()
    assert ("1", "fs.b = 1\nnet.a = 1\n") == (
        (tmp_path / "proc/sys/net/a").read_text(),
        (tmp_path / "etc/sysctl.d/x.conf").read_text(),
    )
    assert kernel.sysctl(context, it) is None


def test_in_a_container_what_the_hosts_kernel_owns_is_noted_and_left(tmp_path: Path) -> None:
    context = kernel_of(tmp_path, is_container=True, fs_b="0")
    it = sysctl(fs_b="1", net_absent="1")
    finding = kernel.sysctl(context, it)
    assert finding is not None
    finding.act()
    assert kernel.sysctl(context, it) is None
    assert "0\n" == (tmp_path / "proc/sys/fs/b").read_text()
    assert {"set by the host's kernel, not changed: fs.b, net.absent"} == set(context.notes)


def test_a_command_runs_when_its_sources_are_newer_than_its_product(tmp_path: Path) -> None:
    (tmp_path / "source").write_text("")
    context = ScriptedContext(root=tmp_path, script={"make": ""})
    it = {"id": "c", "kind": "command", "command": ["make"], "creates": "/product", "sources": ["/source"]}
    finding = commands.command(context, it)
    assert finding is not None and "makes /product" == finding.detail
    (tmp_path / "product").write_text("")
    os.utime(tmp_path / "source", (1, 1))
    assert commands.command(context, it) is None
    os.utime(tmp_path / "product", (0, 0))
    finding = commands.command(context, it)
    assert finding is not None and "newer: source" == finding.detail
    finding.act()
    assert ["make"] == context.ran


def test_a_command_is_not_run_when_its_check_succeeds_or_its_program_is_absent(tmp_path: Path) -> None:
    context = ScriptedContext(root=tmp_path, script={"check": "", "check no": (1, "")})
    it = {"id": "c", "kind": "command", "command": ["do"], "unless": ["check"]}
    assert commands.command(context, it) is None
    assert commands.command(context, {**it, "unless": ["check", "no"], "needs": "/usr/sbin/absent"}) is None
    assert commands.command(context, {**it, "unless": ["check", "no"]}) is not None


def bundle_of(folder: Path, *messages: str) -> tuple[str, Path]:
    """A commit of a new repository's branch 'main', and a bundle that holds it."""
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", "-C", str(folder)]
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    for message in messages:
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", message], check=True)
    bundle = folder / f"{len(messages)}.bundle"
    subprocess.run([*git, "bundle", "create", "-q", str(bundle), "main"], check=True)
    commit = subprocess.run([*git, "rev-parse", "main"], check=True, capture_output=True, text=True).stdout.strip()
    return commit, bundle


def test_a_repository_follows_its_commit_even_where_history_was_rewritten(tmp_path: Path) -> None:
    context = Context(root=tmp_path / "root")
    context.path(ARTIFACTS).mkdir(parents=True)
    for name in ("one", "other"):
        commit, bundle = bundle_of(tmp_path / name, name, "more")
        it = {"id": "r", "path": "/srv/it.git", "branch": "main", "commit": commit, "bundle": hash_of(bundle)}
        finding = commands.repository(context, it)
        assert finding is not None and (it["bundle"],) == finding.missing
        context.artifact(it["bundle"]).write_bytes(bundle.read_bytes())
        finding.act()
        assert commands.repository(context, it) is None
        path = str(context.path("/srv/it.git"))
        subprocess.run(["git", "-C", path, "pack-refs", "--all"], check=True)
        assert commands.repository(context, it) is None


def test_an_account_with_another_number_is_refused() -> None:
    with pytest.raises(Failed, match="has the gid 0, not 870"):
        accounts.group(ScriptedContext(), {"name": "root", "gid": 870})
    with pytest.raises(Failed, match="has the uid 0, not 870"):
        accounts.user(ScriptedContext(), {"name": "root", "uid": 870, "group": "root", "home": "/", "shell": "/bin/sh"})


def test_an_account_that_is_missing_is_made_with_its_number() -> None:
    context = ScriptedContext(script=lambda _line: "")
    wished = {"name": "no-such-user", "uid": 870, "group": "no-such-user", "home": "/home/x", "shell": "/bin/sh"}
    for finding in (accounts.group(context, {"name": "no-such-user", "gid": 870}), accounts.user(context, wished)):
        assert finding is not None
        finding.act()
    assert [
        "groupadd --system --gid 870 no-such-user",
        "useradd --system --no-create-home --uid 870 --gid no-such-user --home-dir /home/x --shell /bin/sh no-such-user",
    ] == context.ran


def file(name: str, content: str = "x", **properties: Any) -> dict[str, Any]:
    return {"id": name, "kind": "file", "path": f"/etc/{name}", "content": content, **properties}


def walk(context: Context, mode: str, *resources: dict[str, Any]) -> dict[str, Any]:
    return main.converge({"mode": mode, "resources": resources}, Context(root=context.root))


def test_checking_changes_nothing_and_tells_what_applying_would(tmp_path: Path) -> None:
    context = Context(root=tmp_path)
    answer = walk(context, "check", file("a"), file("b", sha256="0" * 64))
    assert [True, True] == [result["changed"] for result in answer["results"]]
    assert ["0" * 64] == answer["missing"]
    assert [] == list(tmp_path.rglob("*"))


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    context = Context(root=tmp_path)
    assert [True, True] == [result["changed"] for result in walk(context, "apply", file("a"), file("b"))["results"]]
    assert [False, False] == [result["changed"] for result in walk(context, "apply", file("a"), file("b"))["results"]]


def test_the_first_failure_ends_the_walk_and_the_next_run_goes_on_from_there(tmp_path: Path) -> None:
    context = Context(root=tmp_path)
    refused = file("b", validate=["sh", "-c", "echo why; exit 3"])
    answer = walk(context, "apply", file("a"), refused, file("c"))
    assert ("b", 3, "why") == tuple(answer["results"][-1][key] for key in ("id", "exit_code", "tail"))
    assert ["c"] == answer["not_reached"]
    answer = walk(context, "apply", file("a"), file("b"), file("c"))
    assert ["b", "c"] == [result["id"] for result in answer["results"] if result["changed"]]


def test_a_check_goes_on_after_a_failure(tmp_path: Path) -> None:
    (tmp_path / "etc/a").mkdir(parents=True)
    directory_in_its_way = {"id": "d", "kind": "directory", "path": "/etc/b"}
    (tmp_path / "etc/b").write_text("")
    answer = walk(Context(root=tmp_path), "check", directory_in_its_way, file("c"))
    assert [(True, False), (False, True)] == [(result["failed"], result["changed"]) for result in answer["results"]]


def test_a_change_that_does_not_hold_is_a_failure(tmp_path: Path) -> None:
    context = ScriptedContext(root=tmp_path, script={"check": (1, ""), "do": ""})
    it = {"id": "c", "kind": "command", "command": ["do"], "unless": ["check"]}
    answer = main.converge({"mode": "apply", "resources": [it]}, context)
    assert "still not in its desired state after the change: not done yet" == answer["results"][0]["detail"]


def test_artifacts_are_gone_once_everything_is_in_place_and_kept_until_then(tmp_path: Path) -> None:
    context = Context(root=tmp_path)
    context.path(ARTIFACTS).mkdir(parents=True)
    context.artifact("kept").write_text("")
    walk(context, "apply", file("a", validate=["false"]))
    assert context.artifact("kept").exists()
    walk(context, "apply", file("a"))
    assert not context.artifact("kept").exists()


def moved(answer: dict[str, Any]) -> dict[str, bool]:
    return {result["id"]: result["desired_changed"] for result in answer["results"] if result["changed"]}


def test_an_edit_by_hand_is_told_from_a_wish_that_is_another_one_now(tmp_path: Path) -> None:
    context = Context(root=tmp_path)
    walk(context, "apply", file("a"), file("b"))
    for name in ("a", "b"):
        (tmp_path / "etc" / name).write_text("by hand")
    assert {"a": False, "b": True, "c": True} == moved(
        walk(context, "check", file("a"), file("b", content="else"), file("c"))
    )


def test_what_was_reached_of_a_run_that_failed_counts(tmp_path: Path) -> None:
    context = Context(root=tmp_path)
    walk(context, "apply", file("a"), file("b"), file("c"))
    walk(context, "apply", file("a", content="new"), file("b", content="new", validate=["false"]), file("c"))
    (tmp_path / "etc/a").write_text("by hand")
    (tmp_path / "etc/c").write_text("by hand")
    found = walk(context, "check", file("a", content="new"), file("b", content="new"), file("c"))
    assert {"a": False, "b": True, "c": False} == moved(found)


def test_what_left_the_code_is_forgotten_once_all_the_rest_is_reached(tmp_path: Path) -> None:
    context = Context(root=tmp_path)
    walk(context, "apply", file("a"), file("b"))
    walk(context, "apply", file("a"))
    (tmp_path / "etc/b").unlink()
    assert {"b": True} == moved(walk(context, "check", file("a"), file("b")))


def test_without_a_record_every_difference_is_by_hand_and_the_record_shows_no_wish(tmp_path: Path) -> None:
    context, record = Context(root=tmp_path), tmp_path / applied_state.RECORD.lstrip("/")
    walk(context, "apply", file("a", content="precious"))
    assert (0o600, False) == (record.stat().st_mode & 0o777, "precious" in record.read_text())
    (tmp_path / "etc/a").write_text("by hand")
    for damage in (lambda: record.write_text("{"), record.unlink):
        damage()
        assert {"a": False, "b": False} == moved(walk(context, "check", file("a", content="other"), file("b")))


def test_a_unit_that_only_reads_what_moved_moved_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unit(context: Context, resource: Any) -> Finding | None:
        causes = tuple(name for name in resource["restart_on"] if name in context.changed)
        return Finding("alter", "restarted", lambda: None, settles=False, causes=causes) if causes else None

    monkeypatch.setattr(main, "KINDS", {**main.KINDS, "unit": unit})
    units = [{"id": f"on {on}", "kind": "unit", "restart_on": on.split("+")} for on in ("a", "b", "a+b")]
    context = Context(root=tmp_path)
    walk(context, "apply", file("a"), file("b"), *units)
    (tmp_path / "etc/b").write_text("by hand")
    found = moved(walk(context, "check", file("a", content="new"), file("b"), *units))
    assert {"a": True, "b": False, "on a": True, "on b": False, "on a+b": False} == found


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter, as they may not those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.skipif(os.geteuid() != 0, reason="a repository of another user needs root")
def test_what_was_pushed_to_a_repository_of_another_user_stays_as_a_branch(tmp_path: Path, open_folder: Path) -> None:
    context = Context(root=open_folder)
    context.path(ARTIFACTS).mkdir(parents=True)
    path = context.path("/srv/it.git")
    path.parent.mkdir()

    def bring(commit: str, bundle: Path) -> None:
        it = {"id": "r", "path": "/srv/it.git", "branch": "main", "commit": commit, "bundle": hash_of(bundle)}
        it["owner"] = "daemon"
        finding = commands.repository(context, it)
        assert finding is not None
        context.artifact(it["bundle"]).write_bytes(bundle.read_bytes())
        context.artifact(it["bundle"]).chmod(0o600)
        finding.act()
        assert commands.repository(context, it) is None
        assert {"daemon"} == {each.owner() for each in (path, *path.rglob("*"))}
        assert [path] == list(path.parent.iterdir())

    def ask(*command: str) -> str:
        git = ["git", "-c", f"safe.directory={path}", "-C", str(path), *command]
        return subprocess.run(git, check=True, capture_output=True, text=True).stdout.strip()

    first, bundle = bundle_of(tmp_path / "one", "one")
    bring(first, bundle)
    second, bundle = bundle_of(tmp_path / "one", "one", "two")
    bring(second, bundle)
    assert [] == context.notes and "main" == ask("branch", "--format=%(refname:short)")

    tree = ask("rev-parse", f"{second}^{{tree}}")
    pushed = ask("-c", "user.name=t", "-c", "user.email=t@localhost", "commit-tree", tree, "-p", second, "-m", "pushed")
    ask("update-ref", "refs/heads/main", pushed)
    ask("update-ref", "refs/heads/pushed", first)
    subprocess.run(["chown", "-R", "daemon:daemon", str(path)], check=True)
    third, bundle = bundle_of(tmp_path / "one", "one", "two", "three")
    with pytest.raises(Failed, match="branch -m pushed OTHER"):
        bring(third, bundle)
    assert pushed == ask("rev-parse", "main"), "what cannot be kept is not left"
    ask("update-ref", "-d", "refs/heads/pushed")
    bring(third, bundle)

    assert third == ask("rev-parse", "main")
    assert pushed == ask("rev-parse", f"pushed/{pushed}")
    assert 1 == len(context.notes) and f"pushed/{pushed}" in context.notes[0]
    assert ["bootstrap/launched", "heads/main", f"heads/pushed/{pushed}"] == [
        line.removeprefix("refs/") for line in ask("for-each-ref", "--format=%(refname)").splitlines()
    ]


def test_a_push_in_the_moment_of_a_launch_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = Context(root=tmp_path / "root")
    context.path(ARTIFACTS).mkdir(parents=True)
    first, bundle = bundle_of(tmp_path / "one", "one")
    second, later = bundle_of(tmp_path / "one", "one", "two")
    path = str(context.path("/srv/it.git"))

    def make_act(commit: str, brought: Path) -> Callable[[], None]:
        it = {"id": "r", "path": "/srv/it.git", "branch": "main", "commit": commit, "bundle": hash_of(brought)}
        context.artifact(it["bundle"]).write_bytes(brought.read_bytes())
        finding = commands.repository(context, it)
        assert finding is not None
        return finding.act

    make_act(first, bundle)()
    tree = subprocess.check_output(["git", "-C", path, "rev-parse", f"{first}^{{tree}}"], text=True).strip()
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", "-C", path, "commit-tree", tree, "-m", "x"]
    pushed = subprocess.check_output(command, text=True).strip()
    run = context.run

    def push_after_the_fetch(called: list[str], **options: Any) -> Any:
        done = run(called, **options)
        if "fetch" in called:
            subprocess.run(["git", "-C", path, "update-ref", "refs/heads/main", pushed], check=True)
        return done

    monkeypatch.setattr(context, "run", push_after_the_fetch)
    with pytest.raises(Failed) as caught:
        make_act(second, later)()

    assert "but expected" in caught.value.tail
    assert pushed == subprocess.check_output(["git", "-C", path, "rev-parse", "main"], text=True).strip()


@pytest.mark.skipif(os.geteuid() != 0, reason="a repository of another user needs root")
def test_a_repository_of_roots_becomes_its_owners(tmp_path: Path) -> None:
    context = Context(root=tmp_path / "root")
    context.path(ARTIFACTS).mkdir(parents=True)
    commit, bundle = bundle_of(tmp_path / "one", "one")
    it = {"id": "r", "path": "/srv/it.git", "branch": "main", "commit": commit, "bundle": hash_of(bundle)}
    context.artifact(it["bundle"]).write_bytes(bundle.read_bytes())
    made = commands.repository(context, it)
    assert made is not None
    made.act()

    finding = commands.repository(context, {**it, "owner": "daemon"})

    assert finding is not None and ("alter", "belongs to daemon", ()) == (finding.kind, finding.detail, finding.missing)
    finding.act()
    path = context.path("/srv/it.git")
    assert {"daemon"} == {each.owner() for each in (path, *path.rglob("*"))}
    assert commands.repository(context, {**it, "owner": "daemon"}) is None
