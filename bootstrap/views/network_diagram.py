"""Draws the picture of the network for a file or the report of a run: reads from AWS, and calls graphviz."""

from __future__ import annotations

import contextlib
import shutil
import subprocess

from bootstrap import wording
from bootstrap.cloud import refusals
from bootstrap.context import Context
from bootstrap.errors import BootstrapError, CommandFailed, Missing
from bootstrap.network import picture, surroundings
from bootstrap.network.model import Network
from bootstrap.runs.journal import Run
from bootstrap.values import Result
from bootstrap.views import network_reading

NAME = "network.svg"
_SECONDS = 120
_DOING = "drawing the network"


def draw_svg(context: Context, network: Network) -> str:
    """The picture of a network as SVG; Missing if graphviz is not installed, CommandFailed if it fails."""
    settings = context.settings
    network_settings = settings.network
    gateways = [
        it.direct_connect_gateway for it in (network_settings.vpn, network_settings.transit_gateway) if it is not None
    ]
    has_direct_connect = network_settings.direct_connect is not None or any(gateways)
    vpc_surroundings = surroundings.read(
        context.world.aws,
        network.vpc_id,
        settings.region,
        refusals.is_from_aws,
        with_direct_connect=has_direct_connect,
        transit_gateways=tuple(network.transit_gateways),
        public_zones=_read_public_zones(context),
    )
    return picture.draw(network, vpc_surroundings, f"{settings.project}-{settings.name}", run_graphviz)


def _read_public_zones(context: Context) -> dict[str, str]:
    """The name of the environment's public hosted zone by its id; empty if its stack does not exist."""
    outputs = context.stacks["public-zone"].outputs if "public-zone" in context.stacks else {}
    return {outputs["PublicZoneId"]: outputs["PublicDomain"]} if "PublicZoneId" in outputs else {}


def report_diagram(context: Context, run: Run) -> None:
    """Draw the network for the report of the run. If that fails, the report says why, and the run goes on."""
    try:
        run.progress(_DOING)
        (run.folder / NAME).write_text(draw_svg(context, network_reading.read(context)), encoding="utf-8")
        run.event("picture", path=NAME)
    except BootstrapError as error:
        _report_reason(run, f"{error.found.splitlines()[0]}. {error.remedy}")
    except Exception as error:
        # Whatever the error is: a missing picture must not make a run fail.
        _report_reason(run, f"{type(error).__name__}: {error}")


def _report_reason(run: Run, reason: str) -> None:
    with contextlib.suppress(OSError):
        run.event("no-picture", reason=reason)


def run_graphviz(text: str, output_format: str) -> str:
    """The output of graphviz for a description that has all positions; Missing without graphviz, CommandFailed if it fails."""
    program = shutil.which("dot")
    if program is None:
        raise Missing(_DOING, "the program 'dot' of graphviz is not installed", wording.advise_installation("graphviz"))
    command = [program, "-Kneato", "-n2", f"-T{output_format}"]
    completed = subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8", timeout=_SECONDS)
    if completed.returncode or not completed.stdout:
        raise CommandFailed(
            _DOING,
            Result(" ".join(command), completed.returncode, "", completed.stderr),
            "Check the installation of graphviz: dot -V",
        )
    return completed.stdout
