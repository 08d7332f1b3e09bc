"""The network's picture for a file or a run's report: read what is there, let graphviz draw it."""

from __future__ import annotations

import contextlib
import shutil
import subprocess

from bootstrap.cloud import refusals
from bootstrap.context import Context
from bootstrap.errors import BootstrapError, CommandFailed, Missing
from bootstrap.network import beside, picture
from bootstrap.network.model import Network
from bootstrap.runs.journal import Run
from bootstrap.values import Result
from bootstrap.views import network_reading

NAME = "network.svg"
_SECONDS = 120
_DOING = "drawing the network"


def svg(made: Context, network: Network) -> str:
    """The picture; Missing where graphviz is not installed."""
    settings = made.settings
    wished = settings.network
    gateways = [it.direct_connect_gateway for it in (wished.vpn, wished.transit_gateway) if it is not None]
    has_direct_connect = wished.direct_connect is not None or any(gateways)
    around = beside.read(
        made.world.aws,
        network.vpc_id,
        settings.region,
        refusals.is_awss,
        with_direct_connect=has_direct_connect,
        transit_gateways=tuple(network.transit_gateways),
        public_zones=_public_zones(made),
    )
    return picture.draw(network, around, f"{settings.project}-{settings.name}", graphviz)


def _public_zones(made: Context) -> dict[str, str]:
    """The environment's public zone, where its stack stands: its name by its id."""
    outputs = made.stacks["public-zone"].outputs if "public-zone" in made.stacks else {}
    return {outputs["PublicZoneId"]: outputs["PublicDomain"]} if "PublicZoneId" in outputs else {}


def tell(made: Context, run: Run) -> None:
    """Draw the network for the run's report. What keeps it from being drawn is told there, and fails nothing."""
    try:
        run.progress(_DOING)
        (run.folder / NAME).write_text(svg(made, network_reading.read(made)), encoding="utf-8")
        run.event("picture", path=NAME)
    except BootstrapError as error:
        _tell_why_not(run, f"{error.found.splitlines()[0]}. {error.remedy}")
    except Exception as error:
        # Whatever AWS or a full disk says: a picture is less than what it shows.
        _tell_why_not(run, f"{type(error).__name__}: {error}")


def _tell_why_not(run: Run, reason: str) -> None:
    with contextlib.suppress(OSError):
        run.event("no-picture", reason=reason)


def graphviz(text: str, wanted: str) -> str:
    """What graphviz makes, in that format, of a description whose things have their places; Missing without graphviz."""
    program = shutil.which("dot")
    if program is None:
        raise Missing(_DOING, "the program 'dot' of graphviz is not installed", "Run: sudo apt-get install graphviz")
    command = [program, "-Kneato", "-n2", f"-T{wanted}"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8", timeout=_SECONDS)
    if done.returncode or not done.stdout:
        raise CommandFailed(
            _DOING,
            Result(" ".join(command), done.returncode, "", done.stderr),
            "Check the installation of graphviz: dot -V",
        )
    return done.stdout
