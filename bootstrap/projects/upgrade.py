"""What another version of the toolkit brings: its commits and its changelog since the last launch from this folder."""

from __future__ import annotations

from pathlib import Path

from bootstrap import wording
from bootstrap.projects import folders, git
from bootstrap.values import Reporter

_RECORD = "toolkit-version"
_MOST = 30  # lines of the changelog


def record(state: Path) -> None:
    """Remember the version of a launch that has come to its end, in the folder of the environment's state."""
    if version := _read_version():
        (state / _RECORD).write_text(f"{version}\n", encoding="utf-8")


def report_upgrade(state: Path, report: Reporter) -> None:
    """Say what changed in the toolkit since that launch; nothing if that was this version, or there was none from here."""
    version, record = _read_version(), state / _RECORD
    before = record.read_text(encoding="utf-8").strip() if record.is_file() else ""
    if not version or not before or version == before:
        return
    report.notice("\n".join([f"the toolkit changed since the last launch from this folder: {_describe(before, version)}",
                             *_list_news(before, version)]))  # fmt: skip


def _read_version() -> str:
    """The commit of a project's toolkit; '' without a project, and on the machine, where it is in the project's repository."""
    if not folders.is_apart() or not (folders.ROOT / ".git").exists():
        return ""
    return git.read_git(folders.ROOT, "rev-parse", "--verify", "HEAD")


def _describe(before: str, version: str) -> str:
    newer = git.read_git(folders.ROOT, "rev-list", "--count", f"{before}..{version}")
    older = git.read_git(folders.ROOT, "rev-list", "--count", f"{version}..{before}")
    parts = [] if newer in {"", "0"} else [f"{wording.count_noun(int(newer), 'commit')} more"]
    parts += [] if older in {"", "0"} else [f"{wording.count_noun(int(older), 'commit')} less"]
    return f"{before[:12]} -> {version[:12]}" + (f" ({', '.join(parts)})" if parts else "")


def _list_news(before: str, version: str) -> list[str]:
    """The lines that the changelog has now and had not."""
    # Whatever the user's git configuration says about how differences are shown.
    plain = ("--no-ext-diff", "--no-color", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/")
    shown = git.read_git(folders.ROOT, "diff", *plain, "--unified=0", before, version, "--", "CHANGELOG.md")
    added = [
        line[1:]
        for line in shown.splitlines()
        if line.startswith("+") and not line.startswith("+++") and line[1:].strip()
    ]
    more = [f"... {len(added) - _MOST} more lines in its CHANGELOG.md"] if len(added) > _MOST else []
    return [*added[:_MOST], *more]
