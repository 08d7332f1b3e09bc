"""Two kinds: a command with a rule that says when it is needed, and a bare git repository."""

from __future__ import annotations

from pathlib import Path

from bootstrap.remote.converge.core import Context, Finding, Resource


def command(context: Context, resource: Resource) -> Finding | None:
    """Run `command` if it is needed: `creates` is missing or older than a path of `sources`, or `unless` fails.

    One of the two rules must be there. `reason` says what a failure of `unless` means. With `needs`, nothing is done while
    that program is missing.
    """
    program = resource.get("needs")
    if program and not context.path(program).exists():
        return None
    reasons = []
    if "creates" in resource and (reason := _outdated(context, resource)):
        reasons.append(reason)
    if "unless" in resource and context.run(resource["unless"], check=False).returncode != 0:
        reasons.append(resource.get("reason", "not done yet"))
    if not reasons:
        return None

    def act() -> None:
        context.run(resource["command"], timeout=float(resource.get("timeout", 300)))

    return Finding("alter", ", ".join(reasons), act)


def _outdated(context: Context, resource: Resource) -> str:
    product = context.path(resource["creates"])
    if not product.exists():
        return f"makes {resource['creates']}"
    written = product.stat().st_mtime
    sources = [context.path(name) for name in resource.get("sources", ())]
    younger = [source.name for source in sources if not source.exists() or source.stat().st_mtime > written]
    return f"newer: {', '.join(younger)}" if younger else ""


def repository(context: Context, resource: Resource) -> Finding | None:
    """A bare git repository at `path`, readable by all, whose refs/heads/`branch` is `commit` from the artifact `bundle`."""
    path = context.path(resource["path"])
    reference = f"refs/heads/{resource['branch']}"
    commit = _commit_of(path, reference)
    if commit == resource["commit"]:
        return None

    def act() -> None:
        bundle = context.open_artifact(resource["bundle"])
        git = ["git", "-c", f"safe.directory={path}", "-C", str(path)]
        context.run(["git", "init", "-q", "--bare", "--initial-branch", resource["branch"], str(path)])
        context.run([*git, "symbolic-ref", "HEAD", reference])
        context.run([*git, "fetch", "-q", "--no-tags", "--force", str(bundle), f"+{reference}:{reference}"])

    detail = f"{resource['branch']} at {resource['commit'][:12]}"
    missing = context.missing(resource["bundle"])
    return Finding("alter" if commit else "add", detail, act, missing)


def _commit_of(path: Path, reference: str) -> str:
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
