"""The host act: brings the machine to its desired state, with one round trip to compare and at most one to change.

The desired state is data (`bootstrap.remote.desired`); the program that compares and changes runs on the machine itself
(`bootstrap.remote.converge`). Artifacts (the WAR, plugins, the emulator, the toolkit's repository) are sent only if the machine
needs them. After a run that stopped half way, the next run continues, because every resource is compared again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bootstrap import wording
from bootstrap.environment.agents import AgentGroup
from bootstrap.environment.models import JenkinsSettings
from bootstrap.errors import CommandFailed, ConvergeFailed
from bootstrap.remote import drain as draining
from bootstrap.remote import program, sending
from bootstrap.remote.converge.core import ARTIFACTS
from bootstrap.remote.desired import agent
from bootstrap.remote.desired.inputs import HostInputs
from bootstrap.remote.desired.state import list_resources
from bootstrap.runs.transfer_progress import TransferMeter
from bootstrap.values import Change, ChangeKind, Controller, Reporter, Secret, Shell

ACT = "host"
TOOLKIT_USER = "toolkit"
Artifacts = Mapping[str, bytes | Path]  # by SHA-256
_SECONDS = 3600.0  # the longest time to converge: a first installation from a slow mirror
_AGAIN = "Then launch again; it continues from there."
_REMEDIES = {
    "packages": f"Check the machine's apt sources, and that it reaches their mirror. {_AGAIN}",
    "metapackage": f"Run 'sudo dpkg --audit' on the machine ('./bootstrap.py ssh'). {_AGAIN}",
    "absent_packages": f"Run 'sudo dpkg --audit' on the machine ('./bootstrap.py ssh'). {_AGAIN}",
    "mount": f"Check with './bootstrap.py status' that the data volume is attached to this machine. {_AGAIN}",
    "unit": f"Read the service's journal ('./bootstrap.py logs') and correct the cause. {_AGAIN}",
}


# A message of the operating system that any resource can get, and its remedy.
_FULL = "No space left on device"
_MAKE_ROOM = (
    f"Free space on the machine ('./bootstrap.py ssh'; 'df -h' and 'df -i' show which file system is full). {_AGAIN}"
)


def plan(shell: Shell, inputs: HostInputs) -> tuple[Change, ...]:
    """The changes that `apply` would make; changes nothing, one round trip.

    ConvergeFailed if it is clear that `apply` would fail.
    """
    return tuple(_parse_changes(_check_machine(shell, inputs)))


def split_edits(shell: Shell, inputs: HostInputs) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """The changes that `plan` would show, in two parts: edits made on the machine, and names of what the code changed.

    Changes nothing, one round trip. ConvergeFailed as `plan`.
    """
    results = [result for result in _check_machine(shell, inputs)["results"] if result["changed"]]
    moved = tuple(str(result["id"]) for result in results if result["desired_changed"])
    return tuple(_change(result) for result in results if not result["desired_changed"]), moved


def _check_machine(shell: Shell, inputs: HostInputs) -> Mapping[str, Any]:
    resources = list_resources(inputs)
    answer = _converge(shell, "check", resources)
    _raise_failure(answer, resources, inputs)
    return answer


def apply(
    shell: Shell,
    inputs: HostInputs,
    artifacts: Artifacts,
    report: Reporter,
    *,
    waits: bool = True,
    offer: Callable[[Artifacts], Mapping[str, str]] | None = None,
) -> Controller:
    """Bring the machine to its desired state and return its Jenkins; ConvergeFailed at the first resource that fails.

    Before a restart of Jenkins it waits for running builds, at most as long as the environment file says; not if `waits` is
    False.
    """
    resources = list_resources(inputs)
    answer = _converge(shell, "check", resources)
    if any(result["changed"] or result["failed"] for result in answer["results"]):
        missing = _fetch(shell, answer["missing"], artifacts, inputs, report, offer)
        _send(shell, missing, artifacts, report)
        step_reporter = _StepReporter(report)
        drain = draining.make_drain_settings(inputs.settings.jenkins, inputs.url, waits=waits)
        answer = _converge(shell, "apply", resources, step_reporter.hear, drain)
        step_reporter.report_new(_parse_changes(answer))
        _raise_failure(answer, resources, inputs)
        for note in answer["notes"]:
            report.progress(note)
    return _make_controller(inputs)


def has_agents(shell: Shell, groups: Mapping[str, AgentGroup]) -> bool:
    """Whether each agent on the machine has its secret; it comes after Jenkins' settings have named the agent."""
    secrets = (each.secret for each in agent.list_agents(groups))
    return shell.run(["ls", *secrets], check=False).exit_code == 0


def drain(shell: Shell, settings: JenkinsSettings, url: str, report: Reporter, *, waits: bool = True) -> None:
    """Wait for running builds and start no new ones, because the machine will be replaced."""
    drain_request = draining.make_drain_settings(settings, url, waits=waits)
    _converge(shell, "drain", (), _StepReporter(report).hear, drain_request)


@dataclass
class _StepReporter:
    """Reports the steps on the machine while they happen: the begin of a step as progress, its end as a change."""

    report: Reporter
    changes: set[Change] = field(default_factory=set)

    def hear(self, step: program.Document) -> None:
        """Report one step, as the program on the machine sends it."""
        if begun := step.get("begun"):
            self.report.progress(f"{begun['id']}: {begun['detail']}")
        if done := step.get("done"):
            self.report_new([_change(done)])
        if note := step.get("note"):
            self.report.notice(str(note))

    def report_new(self, changes: Sequence[Change]) -> None:
        """Report the changes that are not reported yet."""
        for change in changes:
            if change not in self.changes:
                self.changes.add(change)
                self.report.change(change)


def _converge(
    shell: Shell,
    mode: str,
    resources: Sequence[Mapping[str, Any]],
    hear: Callable[[program.Document], None] | None = None,
    drain: draining.Drain | None = None,
) -> Mapping[str, Any]:
    """Run the program on the machine once and return its answer; ConvergeFailed if there is none. `hear` gets each step."""
    stdin, marker = program.make_request(mode, resources, drain)

    def listen(line: str) -> None:
        step = program.parse_step(line, marker)
        if hear and step:
            hear(step)

    listening: Any = {"hear": listen} if hear else {}
    seconds = _SECONDS + draining.compute_longest_wait(drain or {})
    return _run_program(shell, stdin, marker, listening, seconds)


def _run_program(
    shell: Shell, stdin: bytes, marker: str, listening: Mapping[str, Any], seconds: float
) -> Mapping[str, Any]:
    result = shell.run(program.COMMAND, stdin=stdin, sudo=True, check=False, timeout=seconds, **listening)
    try:
        answer = program.parse_answer(result.stdout, marker)
    except program.NoAnswer as error:
        output_tail = "\n".join((result.stderr or result.stdout).strip().splitlines()[-10:])
        raise ConvergeFailed(
            "converging the machine",
            f"its program ended with exit code {result.exit_code} and without a result\n{output_tail}".rstrip(),
            f"The machine needs Python 3.11 or newer, and sudo without a password for the login user. {_AGAIN}",
        ) from error
    if "crash" in answer:
        raise ConvergeFailed("converging the machine", str(answer["crash"]), "This is a bug of the toolkit.")
    return answer


def _fetch(
    shell: Shell,
    missing: Sequence[str],
    artifacts: Artifacts,
    inputs: HostInputs,
    report: Reporter,
    offer: Callable[[Artifacts], Mapping[str, str]] | None,
) -> list[str]:
    """Let the machine download what it can reach; returns the artifacts that must be sent.

    With a bucket, `offer` puts files there and returns their addresses; otherwise the addresses are those of the source.
    """
    urls = inputs.software.urls
    if offer is not None:
        urls = offer({digest: artifacts[digest] for digest in missing if digest in inputs.software.files})
    files: list[dict[str, Any]] = [
        {"sha256": digest, "url": urls[digest], "size": _measure_size(artifacts[digest])}
        for digest in missing
        if digest in urls
    ]
    if not files:
        return list(missing)
    # Only the local cloud's bucket has such addresses; those of a source are HTTPS.
    plain = {urlsplit(file["url"]).netloc for file in files if offer is not None and file["url"].startswith("http:")}
    stdin, marker = program.make_request("fetch", files, authorities=inputs.ca_certificates, plain=sorted(plain))
    title = f"the machine downloads {wording.count_noun(len(files), 'file')} of Jenkins"
    with TransferMeter(report, title, sum(file["size"] for file in files)) as meter:

        def listen(line: str) -> None:
            step = program.parse_step(line, marker) or {}
            if isinstance(count := step.get("bytes"), int):
                meter.move_to(count)

        try:
            answer = _run_program(shell, stdin, marker, {"hear": listen}, _SECONDS)
        except (CommandFailed, ConvergeFailed) as error:
            report.notice(f"the machine could not download the files of Jenkins, so they are sent: {error.found}")
            return list(missing)
    for note in answer["notes"]:
        report.notice(note)
    refused, fetched = answer["refused"], set(answer["fetched"])
    if refused:
        reasons = sorted(set(refused.values()))
        shown = "; ".join(reasons[:3]) + ("; ..." if len(reasons) > 3 else "")
        report.notice(f"the machine could not download {len(refused)} of {len(files)} files: {shown}. They are sent")
    return [digest for digest in missing if digest not in fetched]


def _send(shell: Shell, missing: Sequence[str], artifacts: Artifacts, report: Reporter) -> None:
    """Send the artifacts that the machine asks for; a large file continues where a killed command ended."""
    if not missing:
        return
    shell.run(["install", "-d", "-m", "0700", ARTIFACTS], sudo=True)
    sizes = {digest: _measure_size(artifacts[digest]) for digest in missing}
    done = 0
    with TransferMeter(report, f"sending {wording.count_noun(len(sizes), 'file')}", sum(sizes.values())) as meter:
        for digest, size in sizes.items():
            content, target = artifacts[digest], f"{ARTIFACTS}/{digest}"
            if isinstance(content, Path) and size > sending.PIECE:
                sending.send(shell, content, digest, target, functools.partial(_move, meter, done))
            else:
                shell.put(content, target, 0o600, sudo=True)
            done += size
            meter.move_to(done)


def _move(meter: TransferMeter, before: int, there: int) -> None:
    meter.move_to(before + there)


def _measure_size(content: bytes | Path) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def _parse_changes(answer: Mapping[str, Any]) -> list[Change]:
    return [_change(result) for result in answer["results"] if result["changed"]]


def _change(result: Mapping[str, Any]) -> Change:
    return Change(ACT, ChangeKind(result["kind"]), result["id"], result["detail"])


def _raise_failure(answer: Mapping[str, Any], resources: Sequence[Mapping[str, Any]], inputs: HostInputs) -> None:
    failed = next((result for result in answer["results"] if result["failed"]), None)
    if failed is None:
        return
    kind = next(resource["kind"] for resource in resources if resource["id"] == failed["id"])
    lines = [str(failed["detail"])]
    if failed["command"]:
        lines.append(f"'{failed['command']}' exited with {failed['exit_code']}")
    lines += [failed["tail"]] if failed["tail"] else []
    if answer["not_reached"]:
        lines.append(f"not reached: {len(answer['not_reached'])} more")
    remedy = _REMEDIES.get(kind, f"Correct it on the machine ('./bootstrap.py ssh'). {_AGAIN}")
    raise ConvergeFailed(
        f"bringing '{failed['id']}' on {inputs.instance_id} to its desired state",
        "\n".join(lines),
        _MAKE_ROOM if any(_FULL in line for line in lines) else remedy,
    )


def _make_controller(inputs: HostInputs) -> Controller:
    return Controller(
        url=inputs.url,
        user=TOOLKIT_USER,
        password=inputs.toolkit_password,
        token=Secret("11" + inputs.toolkit_token.reveal()),
        version=inputs.software.version,
        is_emulated=inputs.software.kind == "emulator",
        authority=inputs.authority,
    )
