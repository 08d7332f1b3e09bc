"""The bucket with the files of Jenkins: filled before the machine downloads from it, emptied before its stack is deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from bootstrap.cloud import distribution_bucket
from bootstrap.context import Context
from bootstrap.remote.desired.inputs import HostInputs
from bootstrap.runs.journal import Run

Files = Mapping[str, bytes | Path]
Offer = Callable[[Files], Mapping[str, str]]


def find_offer(context: Context, inputs: HostInputs, run: Run) -> Offer | None:
    """The function that puts files into the environment's bucket and returns their addresses for the machine.

    None without a bucket, and for a job on the machine itself, whose role may not write there.
    """
    if not context.settings.jenkins.bucket or context.world.is_on_machine:
        return None
    bucket = context.outputs(distribution_bucket.STACK)[distribution_bucket.OUTPUT]

    def offer(files: Files) -> Mapping[str, str]:
        signer = context.world.make_signer(inputs.aws_environment.get("AWS_ENDPOINT_URL"))
        return distribution_bucket.offer(context.world.aws("s3"), signer, bucket, files, run)

    return offer


def empty_bucket(context: Context, name: str, run: Run) -> None:
    """Empty the bucket, if the stack of this name is the one with it."""
    stack = context.stacks.get(name)
    if name == distribution_bucket.STACK and stack is not None and distribution_bucket.OUTPUT in stack.outputs:
        distribution_bucket.empty_bucket(context.world.aws("s3"), stack.outputs[distribution_bucket.OUTPUT], run)
