"""`approve`: answers the question of the job 'network', and hands it the session that changes the second network."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bootstrap.cli.command import Command

if TYPE_CHECKING:
    from bootstrap.context import Context

_JOB, _QUESTION = "network", "Approve"  # as jobs/pipelines/network.Jenkinsfile has them


def approve(options: argparse.Namespace) -> int:
    """Take a session of the role that changes the second network, and let the build that asked go on with it."""
    from bootstrap.cli.environment_opening import DONE, FAILED, is_agreed, open_environment
    from bootstrap.cloud import promotion
    from bootstrap.errors import StackMissing, UsageError
    from bootstrap.jenkins.controller import questions

    with open_environment(options, check=_check) as (opened, run):
        following = opened.settings.networks[-1]
        role = opened.outputs("controller").get("PromotionRoleArn")
        if role is None:
            raise StackMissing(
                f"looking for the role that changes the network of '{following}'",
                "the controller's stack has no such role yet",
                f"Run: {opened.tool} launch",
            )
        number = questions.find_question(opened.jenkins, _JOB, _QUESTION)
        if number is None:
            found = f"no build of the job '{_JOB}' waits for an answer"
            raise UsageError("approving a change", found, f"Start it first: {opened.tool} build {_JOB}")
        run.say(f"the plan: {opened.url}job/{_JOB}/{number}/console")
        if not is_agreed(options, f"Let {_JOB} #{number} apply its plan to the network of '{following}'?"):
            return FAILED
        session = promotion.take_session(opened.world.aws("sts"), role, f"{_JOB}-{number}")
        questions.proceed(opened.jenkins, _JOB, number, _QUESTION, {promotion.VARIABLE: session})
        run.event("approved", job=_JOB, number=number, environment=following)
        run.say(f"{_JOB} #{number} is approved: it may change the network of '{following}' for an hour")
    return DONE


def _check(_: argparse.Namespace, context: Context) -> None:
    from bootstrap.errors import UsageError

    if len(context.settings.networks) < 2:
        raise UsageError(
            "approving a change",
            f"the job '{_JOB}' of '{context.settings.name}' serves one network, and asks nobody",
            "Name the environment of the Jenkins that has 'network.promotion'.",
        )


COMMANDS = (
    Command(
        "approve",
        145,
        "approve what the job 'network' asks: its plan is applied to the second network",
        approve,
        (("approve", "show where the plan is, ask, and approve"), ("--yes approve", "ask nobody")),
    ),
)
