"""Tells of stacks that another repository launched: two projects with the same names would change each other's stacks."""

from __future__ import annotations

from bootstrap.context import PROJECT, Context
from bootstrap.remote import toolkit_repository
from bootstrap.runs.journal import Run


def report_other_repository(context: Context, run: Run) -> None:
    """A notice if no stack is of a commit that this repository has, or that a run in this folder launched."""
    if context.world.is_on_machine:
        return
    tagged = {
        it.name: it.tags["Commit"].removesuffix("-dirty") for it in context.stacks.values() if it.tags.get("Commit")
    }
    commits = tuple(dict.fromkeys(tagged.values()))
    if not commits or toolkit_repository.has_one_of(commits, PROJECT, context.state) or _is_recorded(commits, run):
        return
    name, commit = next(iter(tagged.items()))
    run.notice(
        f"the stack {name} was launched from commit {commit[:12]}, which this repository does not have. If that is another "
        f"project, give 'project' or 'environment' another name before you launch; if not, fetch the commit"
    )


def _is_recorded(commits: tuple[str, ...], run: Run) -> bool:
    """Whether an earlier run in this folder names one of the commits; git forgets a commit that was rewritten."""
    journals = (it for it in run.folder.parent.glob("*/journal.jsonl") if it.parent != run.folder)
    return any(commit in text for it in journals for text in [it.read_text(errors="replace")] for commit in commits)
