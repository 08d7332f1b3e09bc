"""Two kinds: a command with a rule that says when it is needed, and a bare git repository."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bootstrap.remote.converge.core import Context, Failed, Finding, Resource

# What the last launch brought, and what this one brings; nobody can push to references of this folder.
_LAUNCHED, _INCOMING = "refs/bootstrap/launched", "refs/bootstrap/incoming"
_NOTHING = "0" * 40


def command(context: Context, resource: Resource) -> Finding | None:
    """Run `command` if it is needed: `creates` is missing or older than a path of `sources`, or `unless` fails.

    One of the two rules must be there. `reason` says what a failure of `unless` means. With `needs`, nothing is done while
    that program is missing.
    """
    program = resource.get("needs")
    if program and not context.path(program).exists():
        return None
    reasons = []
    if "creates" in resource and (reason := _find_outdated(context, resource)):
        reasons.append(reason)
    if "unless" in resource and context.run(resource["unless"], check=False).returncode != 0:
        reasons.append(resource.get("reason", "not done yet"))
    if not reasons:
        return None

    def act() -> None:
        context.run(resource["command"], timeout=float(resource.get("timeout", 300)))

    return Finding("alter", ", ".join(reasons), act)


def _find_outdated(context: Context, resource: Resource) -> str:
    product = context.path(resource["creates"])
    if not product.exists():
        return f"makes {resource['creates']}"
    written = product.stat().st_mtime
    sources = [context.path(name) for name in resource.get("sources", ())]
    younger = [source.name for source in sources if not source.exists() or source.stat().st_mtime > written]
    return f"newer: {', '.join(younger)}" if younger else ""


def repository(context: Context, resource: Resource) -> Finding | None:
    """A bare git repository at `path`, readable by all, whose refs/heads/`branch` is `commit` from the artifact `bundle`.

    It belongs to the user `owner`, if there is one, and git runs as this user: who may push has no way to root. What somebody
    pushed to the branch, and `commit` lacks, stays as a branch 'pushed/<commit>'.
    """
    path = context.path(resource["path"])
    reference, owner = f"refs/heads/{resource['branch']}", resource.get("owner", "")
    commit = _read_commit(path, reference)
    is_foreign = bool(commit and owner) and path.owner() != owner
    if commit == resource["commit"] and not is_foreign:
        return None

    def act() -> None:
        if is_foreign:
            context.run(["chown", "--recursive", "--no-dereference", f"{owner}:{owner}", str(path)])
        if commit != resource["commit"]:
            _update(context, resource, path, reference)

    if commit == resource["commit"]:
        return Finding("alter", f"belongs to {owner}", act)
    detail = f"{resource['branch']} at {resource['commit'][:12]}"
    missing = context.missing(resource["bundle"])
    return Finding("alter" if commit else "add", detail, act, missing)


def _update(context: Context, resource: Resource, path: Path, reference: str) -> None:
    """Take the commit from the bundle, and keep what was pushed to the branch since the last time."""
    owner, wished = resource.get("owner", ""), resource["commit"]
    bundle = context.open_artifact(resource["bundle"])
    if owner and not path.exists():
        context.run(["install", "--directory", f"--owner={owner}", f"--group={owner}", "--mode=0755", str(path)])
    # Artifacts are for root alone.
    given = path.with_name(f"{path.name}.bundle") if owner else bundle
    prefix = ["runuser", "--user", owner, "--"] if owner else []
    environment = {"HOME": str(path.parent)} if owner else {}

    def git(*arguments: str, check: bool = True) -> str:
        command = [*prefix, "git", "-c", f"safe.directory={path}", "-C", str(path), *arguments]
        done = context.run(command, check=check, environment=environment)
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        if owner:
            context.run(["install", f"--owner={owner}", "--mode=0400", str(bundle), str(given)])
        context.run(
            [*prefix, "git", "init", "-q", "--bare", "--initial-branch", resource["branch"], str(path)],
            environment=environment,
        )
        before, launched = (git("rev-parse", "--verify", "-q", it, check=False) for it in (reference, _LAUNCHED))
        git("symbolic-ref", "HEAD", reference)
        git("fetch", "-q", "--no-tags", "--force", str(given), f"+{reference}:{_INCOMING}")
        # Without the second reference, an earlier version of the toolkit brought the commit: nobody could push then.
        if launched and before not in {"", launched} and not _contains(git, wished, before):
            _keep(context, git, resource, before)
        # Whoever pushes in this moment is not overwritten: git compares and moves in one step.
        git("update-ref", reference, wished, before or _NOTHING)
        git("update-ref", _LAUNCHED, wished)
        git("update-ref", "-d", _INCOMING)
    finally:
        if owner:
            given.unlink(missing_ok=True)


def _keep(context: Context, git: Callable[..., str], resource: Resource, commit: str) -> None:
    """Make a branch of commits that were pushed, before the launched branch leaves them."""
    if git("rev-parse", "--verify", "-q", "refs/heads/pushed", check=False):
        owner = resource.get("owner", "root")
        raise Failed(
            "the repository has a branch 'pushed', in the place of which pushed commits are kept; nothing was moved. "
            f"On the machine, rename it: sudo -u {owner} git -C {resource['path']} branch -m pushed OTHER"
        )
    kept = f"pushed/{commit}"
    git("update-ref", f"refs/heads/{kept}", commit)
    context.notes.append(
        f"the branch {resource['branch']} had commits that were pushed to the machine and are not in this checkout; "
        f"they are in its branch {kept} now"
    )


def _contains(git: Callable[..., str], commit: str, other: str) -> bool:
    """Whether a commit has another one in its history."""
    return git("merge-base", commit, other, check=False) == other


def _read_commit(path: Path, reference: str) -> str:
    """The commit of a reference, as git stores it: in a file of its own, or in a line of packed-refs."""
    loose = path / reference
    if loose.is_file():
        return loose.read_text().strip()
    packed = path / "packed-refs"
    if packed.exists():
        for line in packed.read_text().splitlines():
            commit, _, name = line.partition(" ")
            if name == reference:
                return commit
    return ""
