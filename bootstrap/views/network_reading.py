"""An environment's network, read from EC2 for the analyser, with what the environment intends for it."""

from __future__ import annotations

from collections.abc import Sequence

from bootstrap.context import Context
from bootstrap.environment.models import Settings
from bootstrap.environment.settings import spoken_of
from bootstrap.network import imagined, snapshot
from bootstrap.network.intentions import Intention, is_environment
from bootstrap.network.model import Network


def read(made: Context, names: Sequence[str] = ()) -> Network:
    """The environment's network as EC2 describes it now, with the environments that its intentions or `names` speak of."""
    settings = made.settings
    asked = {*settings.network.intentions.environments(), *(it for it in names if is_environment(it))}
    named = spoken_of(made.environment_file, settings, sorted(asked))
    return snapshot.read(
        made.world.aws("ec2"),
        made.outputs("network")["VpcId"],
        f"{settings.project}-{settings.name}-",
        settings.access.operator_cidr,
        named,
    )


def with_everybody(made: Context, network: Network) -> Network:
    """The network with whom it is for: a role that nobody has yet is judged where its first machine will stand."""
    bastion = made.settings.network.bastion
    public = ("bastion",) if bastion is not None and bastion.allow else ()
    return imagined.with_everybody(network, made.outputs("network"), public)


def intended(settings: Settings) -> tuple[tuple[Intention, ...], tuple[Intention, ...]]:
    """What the environment allows and what it denies."""
    bastion = settings.network.bastion.allow if settings.network.bastion else ()
    intentions, operators = settings.network.intentions, settings.access.operator_cidr
    return (
        intentions.allowed(bastion, operators=operators, is_ssh_direct=settings.ssh == "direct"),
        intentions.denied(),
    )
