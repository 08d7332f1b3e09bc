"""The failures that are expected, as a tree; everything else is a bug and shows its traceback.

    BootstrapError                 root; the command line prints it as one block and exits with 1
    |-- UsageError                 the command line itself is wrong; exits with 2
    |-- SettingsInvalid            an environment file is wrong: every fault at once, with line and column
    |-- Missing                    something that this machine needs is not there (podman, root, a file)
    |-- EnvironmentLocked          another run changes the same environment at this moment
    |-- EnvironmentProtected       the environment file forbids to destroy it
    |-- AccountOwned               another project holds the account
    |-- AccountInUse               an account is to be given up, and environments use it
    |-- NetworkInUse               a network is to be destroyed alone, and other things stand on it
    |-- ZoneInUse                  a hosted zone that is to be deleted holds records of somebody else
    |-- PlanStale                  the world or the code is no longer what a saved plan was made from
    |-- LocalCloudFailed           the local cloud did not start, or a container did not boot
    |-- AwsRefused                 AWS refused a call, or could not be asked: credentials, permissions, quotas, the way there
    |-- PricesInvalid              the table of prices is wrong at the places named
    |-- TemplateInvalid            a CloudFormation template was refused before anything was made
    |-- StackFailed                a stack operation failed: status, first failing resource, its reason
    |-- ImageMissing               the image (AMI) of the machine does not exist, or not any more
    |-- ImageUnfit                 the machine cannot be made from an image, or nobody named its owner
    |-- StackMissing               an act needs the outputs of a stack that does not exist
    |-- Unreachable                a machine or a Jenkins did not answer in time
    |-- SessionRefused             Session Manager refused a session, or its data channel
    |-- HostKeyMismatch            a machine showed another host key than the cloud told
    |-- CommandFailed              a command on a machine failed; carries its Result
    |-- ConvergeFailed             a resource of the machine's desired state could not be reached
    |-- DistributionFailed         a Jenkins distribution cannot be had, or is not what the lock says
    |-- CascRejected               Jenkins refused a Configuration as Code file: file, line, message
    |-- JobsInvalid                a job definition cannot be rendered: file, line, column
    |-- JobsRejected               Jenkins refused a rendered job
    |-- ImportFailed               another Jenkins cannot be imported: what it answers is not usable
    `-- VerifyFailed               the acceptance suite could not be run at all (a red check is a Verdict, not an error)

Every error says three things: what was being done to which thing, what came back, and what to try.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bootstrap.values import Result


class BootstrapError(Exception):
    """Something failed that is expected to fail sometimes.

    `doing` names the act and the thing, `found` what came back, `remedy` what to try; `found` may have several lines.
    """

    exit_code = 1

    def __init__(self, doing: str, found: str, remedy: str) -> None:
        super().__init__(doing)
        self.doing = doing
        self.found = found
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.doing}: {self.found}\n{self.remedy}"


class UsageError(BootstrapError):
    """The command line asks for something that does not exist."""

    exit_code = 2


@dataclass(frozen=True)
class Fault:
    """One fault of a file that a person wrote: where it is and what is wrong there; lines and columns count from 1."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class FaultyFile(BootstrapError):
    """Files that a person wrote are wrong; `faults` lists every one of them, not only the first."""

    def __init__(self, doing: str, faults: Sequence[Fault], remedy: str) -> None:
        super().__init__(doing, "\n".join(str(fault) for fault in faults), remedy)
        self.faults = tuple(faults)


class SettingsInvalid(FaultyFile):
    """An environment file is wrong."""

    exit_code = 2


class PricesInvalid(FaultyFile):
    """The table of prices, `prices.yaml`, is wrong."""


class Missing(BootstrapError):
    """Something that this machine needs is not there."""


class EnvironmentLocked(BootstrapError):
    """Another run changes the same environment at this moment; `found` says who, since when and with what."""


class EnvironmentProtected(BootstrapError):
    """The environment file forbids to destroy it, unless the command says otherwise."""


class AccountOwned(BootstrapError):
    """Another project holds the account, which `found` names; nothing was changed."""


class AccountInUse(BootstrapError):
    """The account is to be given up, and environments use it; each is named."""


class NetworkInUse(BootstrapError):
    """The network is to be destroyed alone, and what stands on it is named."""


class ZoneInUse(BootstrapError):
    """A hosted zone is to be deleted, and holds records that this environment did not make; each is named."""


class PlanStale(BootstrapError):
    """The world or the code is no longer what a saved plan was made from; nothing was changed."""


class LocalCloudFailed(BootstrapError):
    """The local cloud did not start, or a container did not boot."""


class AwsRefused(BootstrapError):
    """AWS refused a call, or could not be asked; what had been done before stays."""


class TemplateInvalid(FaultyFile):
    """A CloudFormation template was refused before anything was made."""


class StackFailed(BootstrapError):
    """A stack operation failed; `found` leads with the first failing resource and its reason."""


class StackMissing(BootstrapError):
    """An act needs a stack that does not exist."""


class ImageMissing(BootstrapError):
    """The image (AMI) from which an instance is to be made does not exist, or not any more."""


class ImageUnfit(BootstrapError):
    """The machine cannot be made from this image (AMI), or the image is of an owner whom nobody named."""


class Unreachable(BootstrapError):
    """A machine or a Jenkins did not answer in time."""


class ConnectionBroken(Unreachable):
    """The connection to a machine ended under a command: whether that was carried out is not known."""


class SessionRefused(Unreachable):
    """Session Manager refused a session, or its data channel: the machine may be well, and another attempt would not help."""


class HostKeyMismatch(BootstrapError):
    """A machine showed another host key than the one the cloud told; nothing was sent to it."""


class CommandFailed(BootstrapError):
    """A command on a machine failed; `result` has its exit code and output."""

    def __init__(self, doing: str, result: Result, remedy: str) -> None:
        tail = "\n".join((result.stderr or result.stdout).strip().splitlines()[-10:])
        super().__init__(doing, f"'{result.command}' exited with {result.exit_code}\n{tail}".rstrip(), remedy)
        self.result = result


class ConvergeFailed(BootstrapError):
    """A resource of the machine's desired state could not be reached; what was done before it stays done."""


class DistributionFailed(BootstrapError):
    """A Jenkins distribution cannot be had, or is not what the lock says it is."""


class CascRejected(FaultyFile):
    """Jenkins refused a Configuration as Code file; the configuration before it stays."""


class JobsInvalid(FaultyFile):
    """A job definition cannot be rendered."""


class JobsRejected(BootstrapError):
    """Jenkins refused a rendered job."""


class ImportFailed(BootstrapError):
    """Another Jenkins cannot be imported: what it answers is not usable; nothing was written."""


class VerifyFailed(BootstrapError):
    """The acceptance suite could not be run at all."""
