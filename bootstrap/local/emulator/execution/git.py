"""Checkouts and polling with the git command, logged as Jenkins' git plugin logs them."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..failures import StepFailed
from ..model import xmlfile
from ..model.builds import Build
from ..model.home import Home
from ..model.identities import may_use_credentials
from ..model.job_configuration import JobConfiguration
from . import local_checkout
from .console import Console
from .nodes import BuiltInNode, Node

# Each field behind a NUL, which no author and no subject can have.
CHANGES = "--format=%x00%H%x00%an%x00%ae%x00%ct%x00%s"


@dataclass(frozen=True)
class Repository:
    """A repository: remote, branch without 'origin/' and '*/', credential id, subdirectory, and cleaning before."""

    url: str
    branch: str = "master"
    credentials: str = ""
    subdirectory: str = ""
    cleans: bool = False


def parse_repository(node: Any) -> Repository | None:
    """A repository of a GitSCM element; None for NullSCM or no element."""
    if node is None or not str(node.get("class", "")).endswith("GitSCM"):
        return None
    remote = node.find("userRemoteConfigs/hudson.plugins.git.UserRemoteConfig")
    if remote is None:
        raise StepFailed("No remote repository is configured for Git")
    extensions = "extensions/hudson.plugins.git.extensions.impl."
    cleans = (
        node.find(extensions + "CleanBeforeCheckout") is not None or node.find(extensions + "WipeWorkspace") is not None
    )
    return Repository(
        xmlfile.read_text(remote, "url").strip(),
        strip_branch(xmlfile.read_text(node, "branches/hudson.plugins.git.BranchSpec/name", "*/master").strip()),
        xmlfile.read_text(remote, "credentialsId").strip(),
        xmlfile.read_text(node, extensions + "RelativeTargetDirectory/relativeTargetDir").strip(),
        cleans,
    )


def find_repository(job: JobConfiguration) -> Repository | None:
    """The repository of a job: its own SCM, or that of its Pipeline script."""
    return parse_repository(job.root.find("definition/scm") if job.is_pipeline else job.root.find("scm"))


def strip_branch(spec: str) -> str:
    """The branch of a specifier such as '*/main' or 'refs/heads/main'."""
    for prefix in ("*/", "**/", "refs/heads/", "origin/", "remotes/origin/"):
        spec = spec.removeprefix(prefix)
    return "" if spec in {"*", "**"} else spec


class Git:
    """Git for one build, or for polling; every command is written to the console."""

    def __init__(
        self, home: Home, console: Console | None, environment: dict[str, str], node: Node | None = None
    ) -> None:
        self._home, self._console, self._environment = home, console, environment
        self._node = node or BuiltInNode(environment)

    def _say(self, text: str) -> None:
        if self._console:
            self._console.write_line(text)

    async def run(
        self, directory: Path, *arguments: str, environment: dict[str, str] | None = None, is_quiet: bool = False
    ) -> str:
        """Run git and return its output; StepFailed with git's own message if it fails."""
        if not is_quiet:
            self._say(f" > git {shlex.join(arguments)} # timeout=10")
        errors: list[str] = []
        variables = {**(environment or self._environment), "GIT_TERMINAL_PROMPT": "0"}
        code, output = await self._node.run(["git", *arguments], directory, variables, errors.append, capture=True)
        if code != 0:
            kind = "hudson.plugins.git.GitException"
            words = f"stdout: {output}\nstderr: {''.join(errors)}"
            raise StepFailed(f'Command "git {shlex.join(arguments)}" returned status code {code}:\n{words}', kind)
        return output

    @asynccontextmanager
    async def _lend_login(self, repository: Repository, build: Build | None = None) -> AsyncIterator[dict[str, str]]:
        """The environment with the credential made usable for git, for as long as the context is open."""
        environment = dict(self._environment)
        if not repository.credentials:
            self._say("No credentials specified")
            yield environment
            return
        credential = self._home.find_credential(repository.credentials, build.job if build else None)
        if credential is None or (build and not may_use_credentials(self._home, build.job)):
            self._say(f'Warning: CredentialId "{repository.credentials}" could not be found.')
            yield environment
            return
        self._say(f"using credential {repository.credentials}")
        if self._console:
            self._console.hide(credential.secrets)
        folder = await self._node.make_scratch("jenkins-gitclient-")
        try:
            key, script = folder / "key", folder / "askpass"
            if credential.kind == "basicSSHUserPrivateKey":
                await self._node.write(key, (credential.values["privateKey"].rstrip("\n") + "\n").encode(), 0o600)
                user = credential.values.get("username", "")
                environment["GIT_SSH_COMMAND"] = (
                    f"ssh -i {key} -o IdentitiesOnly=yes {await self._write_host_keys(folder)}"
                    + (f" -l {user}" if user else "")
                )
            else:
                name, password = (
                    credential.values.get("username", ""),
                    credential.values.get("password") or credential.values.get("secret", ""),
                )
                answers = (
                    f"Username*) printf '%s\\n' {shlex.quote(name)} ;;\n*) printf '%s\\n' {shlex.quote(password)} ;;"
                )
                await self._node.write(script, f'#!/bin/sh\ncase "$1" in\n{answers}\nesac\n'.encode(), 0o700)
                environment["GIT_ASKPASS"] = str(script)
            yield environment
        finally:
            await self._node.remove(folder)

    async def _write_host_keys(self, folder: Path) -> str:
        path = ("security", "gitHostKeyVerificationConfiguration", "sshHostKeyVerificationStrategy")
        strategy = self._home.configuration.read(*path, default={})
        if "manuallyProvidedKeyVerificationStrategy" in strategy:
            known = folder / "known_hosts"
            keys = str(strategy["manuallyProvidedKeyVerificationStrategy"].get("approvedHostKeys", "")) + "\n"
            await self._node.write(known, keys.encode(), 0o600)
            return f"-o UserKnownHostsFile={known} -o StrictHostKeyChecking=yes"
        if "acceptFirstConnectionStrategy" in strategy:
            return "-o StrictHostKeyChecking=accept-new"
        return "-o StrictHostKeyChecking=" + ("no" if "noHostKeyVerificationStrategy" in strategy else "yes")

    async def check_out(
        self, repository: Repository, workspace: Path, build: Build, *, is_main: bool = True
    ) -> dict[str, str]:
        """Check out the head of the branch; records revision and changes in the build."""
        if isinstance(self._node, BuiltInNode):
            local_checkout.check(self._home.options.arguments, repository.url)
        target = workspace / repository.subdirectory if repository.subdirectory else workspace
        await self._node.make_folder(target)
        self._say("The recommended git tool is: git")
        async with self._lend_login(repository, build) as environment:
            if await self._node.find_kind(target / ".git") == "directory":
                self._say("Fetching changes from the remote Git repository")
            else:
                self._say("Cloning the remote Git repository")
                self._say(f"Cloning repository {repository.url}")
                await self.run(target, "init", "-q", str(target), environment=environment)
            await self.run(target, "config", "remote.origin.url", repository.url, environment=environment)
            refs = "+refs/heads/*:refs/remotes/origin/*"
            await self.run(
                target, "fetch", "--tags", "--force", "--progress", "--", repository.url, refs, environment=environment
            )
            revision, branch = await self._find_revision(target, repository, environment)
            if repository.cleans:
                if await self._node.find_kind(target / ".git/HEAD") and await self._has_head(target, environment):
                    await self.run(target, "reset", "--hard", environment=environment, is_quiet=True)
                await self.run(target, "clean", "-fdx", environment=environment)
            self._say(f"Checking out Revision {revision} (refs/remotes/origin/{branch})")
            await self.run(target, "checkout", "-f", revision, environment=environment)
            subject = (
                await self.run(target, "log", "-1", "--format=%s", revision, environment=environment, is_quiet=True)
            ).strip()
            self._say(f'Commit message: "{subject}"')
            if is_main:
                await self._note(build, repository, target, revision, branch, environment)
        return {"GIT_COMMIT": revision, "GIT_BRANCH": f"origin/{branch}", "GIT_URL": repository.url}

    async def _has_head(self, target: Path, environment: dict[str, str]) -> bool:
        try:
            await self.run(target, "rev-parse", "--verify", "-q", "HEAD", environment=environment, is_quiet=True)
        except StepFailed:
            return False
        return True

    async def _find_revision(
        self, target: Path, repository: Repository, environment: dict[str, str]
    ) -> tuple[str, str]:
        branch = repository.branch or "main"
        for candidate in (f"refs/remotes/origin/{branch}^{{commit}}", f"{branch}^{{commit}}"):
            try:
                commit = await self.run(target, "rev-parse", "--verify", "-q", candidate, environment=environment)
            except StepFailed:
                continue
            return commit.strip(), branch
        raise StepFailed(
            "Couldn't find any revision to build. Verify the repository and branch configuration for this job."
        )

    async def _note(
        self,
        build: Build,
        repository: Repository,
        target: Path,
        revision: str,
        branch: str,
        environment: dict[str, str],
    ) -> None:
        earlier = next((other.revision for other in build.earlier if other.revision), "")
        build.revision, build.branch, build.remote = revision, branch, repository.url
        if not earlier:
            self._say("First time build. Skipping changelog.")
        elif earlier != revision:
            try:
                text = await self.run(
                    target,
                    "log",
                    CHANGES,
                    "--name-only",
                    "-n",
                    "100",
                    f"{earlier}..{revision}",
                    environment=environment,
                    is_quiet=True,
                )
                build.changes = read_changes(text)
            except StepFailed:
                self._say("The earlier revision is gone. Skipping changelog.")
        build.save()

    async def find_head(self, repository: Repository) -> str:
        """The remote's current commit of the branch; empty when there is no such branch."""
        async with self._lend_login(repository) as environment:
            branch = repository.branch or "main"
            output = await self.run(
                self._home.directory,
                "ls-remote",
                "-h",
                "--",
                repository.url,
                f"refs/heads/{branch}",
                environment=environment,
            )
        return output.split()[0] if output.split() else ""

    async def read(self, repository: Repository, path: str) -> str:
        """One file of the branch's head, without a workspace: a bare copy is kept under caches/."""
        cache = (
            self._home.directory
            / "caches"
            / f"git-{hashlib.sha1(repository.url.encode(), usedforsecurity=False).hexdigest()}"
        )
        cache.mkdir(parents=True, exist_ok=True)
        async with self._lend_login(repository) as environment:
            if not (cache / "HEAD").exists():
                await self.run(cache, "init", "-q", "--bare", str(cache), environment=environment)
            refs = "+refs/heads/*:refs/remotes/origin/*"
            await self.run(
                cache,
                "fetch",
                "--tags",
                "--force",
                "--progress",
                "--prune",
                "--",
                repository.url,
                refs,
                environment=environment,
            )
            revision, _ = await self._find_revision(cache, repository, environment)
            try:
                return await self.run(cache, "show", f"{revision}:{path}", environment=environment, is_quiet=True)
            except StepFailed as fault:
                raise StepFailed(f"Unable to find {path} from git {repository.url}") from fault


def read_changes(text: str) -> list[dict[str, Any]]:
    """The changes of a build from what `git log` printed with CHANGES; whatever a commit's author and subject hold."""
    fields = iter(text.split("\0")[1:])
    changes = []
    for commit, author, email, moment, rest in zip(*[fields] * 5, strict=True):
        subject, _, paths = rest.partition("\n")
        changes.append(
            {
                "id": commit,
                "author": author,
                "email": email,
                "timestamp": int(moment) * 1000,
                "msg": subject,
                "paths": [p for p in paths.splitlines() if p],
            }
        )
    return changes
