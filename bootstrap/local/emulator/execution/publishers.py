"""Publishes the results of a build: archived files, test counts, mail; for freestyle jobs and Pipeline steps."""

from __future__ import annotations

import asyncio
import itertools
import re
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from ..failures import StepFailed
from ..model import xmlfile
from ..model.build_record import TestCounts, save_cases
from ..model.builds import Build
from ..model.configuration import Configuration
from .agent.operations import unpack_files
from .mail_sending import deliver, read_account
from .nodes import Node


@dataclass(frozen=True)
class Files:
    """The files below a directory of the node on which a build works."""

    node: Node
    directory: Path

    async def copy(self, names: list[str], target: Path) -> None:
        """Copy some files to the controller, links as files: a link of a build could lead anywhere on the controller."""
        if names:
            content = await self.node.pack(self.directory, names, is_followed=True)
            await asyncio.to_thread(unpack_files, str(target), content)


async def archive(build: Build, files: Files, includes: str, excludes: str = "", *, allows_empty: bool = False) -> int:
    """Copy files into the build's archive; StepFailed when nothing matches and that is not allowed."""
    names = await files.node.select(files.directory, includes, excludes)
    if not names and not allows_empty:
        raise StepFailed(explain_no_artifacts(includes))
    await files.copy(names, build.directory / "archive")
    return len(names)


def explain_no_artifacts(includes: str) -> str:
    """What Jenkins says where no file matches."""
    return f'No artifacts found that match the file pattern "{includes}". Configuration error?'


async def explain_empty(files: Files, includes: str) -> str:
    """Why a pattern matches nothing: the first of its folders that does not exist (hudson.FilePath#validateAntFileMask)."""
    pattern = includes.split(",")[0].strip()
    folders = pattern.split("/")[:-1]
    fixed = list(itertools.takewhile(lambda part: "*" not in part and "?" not in part, folders))
    for length in range(1, len(fixed) + 1):
        part = "/".join(fixed[:length])
        if not await files.node.find_kind(files.directory / part):
            known = "/".join(fixed[: length - 1])
            tail = f"‘{known}’ exists but not ‘{pattern}’" if known else f"even ‘{part}’ doesn’t exist"
            return f"‘{pattern}’ doesn’t match anything: {tail}"
    if fixed:
        return f"‘{pattern}’ doesn’t match anything: ‘{'/'.join(fixed)}’ exists but not ‘{pattern}’"
    return f"‘{pattern}’ doesn’t match anything"


async def record_tests(build: Build, files: Files, includes: str, *, allows_empty: bool = False) -> TestCounts:
    """Add the counts of JUnit reports to the build and make it unstable when a test failed."""
    names = await files.node.select(files.directory, includes)
    if not names and not allows_empty:
        raise StepFailed("No test report files were found. Configuration error?")
    counts = build.tests or TestCounts()
    for name in names:
        try:
            _count(xmlfile.parse(await files.node.read(files.directory / name)), counts)
        except xmlfile.BadXml as fault:
            raise StepFailed(
                f"Failed to read test report file {files.directory / name}: {fault}", "java.io.IOException"
            ) from fault
    build.tests = counts
    save_cases(build.directory, counts)
    if counts.failed:
        build.worsen("UNSTABLE")
    return counts


def _count(root: object, counts: TestCounts) -> None:
    for case in root.iter("testcase"):  # type: ignore[attr-defined]
        problem = case.find("failure") if case.find("failure") is not None else case.find("error")
        status = "FAILED" if problem is not None else "SKIPPED" if case.find("skipped") is not None else "PASSED"
        counts.total += 1
        counts.failed += status == "FAILED"
        counts.skipped += status == "SKIPPED"
        seconds = case.get("time", "0").replace(",", "")
        counts.cases.append(
            {
                "className": case.get("classname", ""),
                "name": case.get("name", ""),
                "status": status,
                "duration": float(seconds) if re.fullmatch(r"\d+(\.\d+)?", seconds) else 0.0,
                "errorDetails": None if problem is None else problem.get("message"),
                "errorStackTrace": None if problem is None else problem.text,
            }
        )


def complete_message(configuration: Configuration, message: EmailMessage, *, is_extended: bool = False) -> None:
    """Add the sender and the address for replies, unless the message has its own."""
    if "From" not in message:
        message["From"] = configuration.admin_address
    settings = configuration.read("unclassified", "email-ext" if is_extended else "mailer", default={})
    reply = settings.get("defaultReplyTo" if is_extended else "replyToAddress")
    if reply and "Reply-To" not in message:
        message["Reply-To"] = str(reply)


async def send_mail(configuration: Configuration, message: EmailMessage) -> None:
    """Send through the server of the Mailer plugin; MailFailed as Jakarta Mail says it."""
    complete_message(configuration, message)
    settings = configuration.read("unclassified", "mailer", default={})
    login = settings.get("authentication") or {}
    user = str(login.get("username") or "").strip() or None
    account = read_account(settings, user, str(login.get("password") or ""))
    await asyncio.to_thread(deliver, account, message)


def parse_recipients(text: str) -> list[str]:
    """Addresses of a list separated by blanks, commas or semicolons, without 'to:' and 'cc:' marks."""
    return [part.removeprefix("to:").removeprefix("cc:") for part in re.split(r"[\s,;]+", text) if part]


def make_build_message(root_url: str, build: Build, to: list[str]) -> EmailMessage | None:
    """The mail that the Mailer publisher sends for this outcome: on failure, on unstable and when it is back to normal."""
    before = next((other for other in build.earlier if not other.is_building), None)
    name = f"{build.job.full_name} {build.shown_name}"
    if build.result in {"FAILURE", "UNSTABLE"}:
        word = "failed" if build.result == "FAILURE" else "became unstable"
        subject = (
            f"Build {word} in Jenkins: {name}"
            if not before or before.result == "SUCCESS"
            else f"Build {'still failing' if build.result == 'FAILURE' else 'is still unstable'} in Jenkins: {name}"
        )
    elif build.result == "SUCCESS" and before and before.result in {"FAILURE", "UNSTABLE"}:
        subject = f"Jenkins build is back to normal : {name}"
    else:
        return None
    message = EmailMessage()
    message["Subject"], message["To"] = subject, ", ".join(to)
    tail = build.log.splitlines()[-250:]
    message.set_content(f"See <{root_url}{build.path}display/redirect>\n\n" + "-" * 42 + "\n" + "\n".join(tail) + "\n")
    return message
