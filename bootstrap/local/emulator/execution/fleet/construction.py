"""What the constructor of a cloud does in Jenkins: it reads the group, and the settings are refused if that fails."""

from __future__ import annotations

from collections.abc import Mapping

from ...casc.applying import Prepared
from ...casc.clouds import refuse_construction
from ...model.configuration import dig
from .aws import Aws, AwsFailed, GroupState
from .settings import read_fleets


def construct_clouds(prepared: Prepared, variables: Mapping[str, str]) -> dict[str, GroupState] | None:
    """Read the groups of the named clouds by their names; None if the settings name no clouds. It blocks.

    Raises ConfigurationRefused with Jenkins' words if AWS does not answer, or has no such group.
    """
    if prepared.named_clouds is None:
        return None
    states: dict[str, GroupState] = {}
    for settings in read_fleets(dig(prepared.checked, "jenkins", "clouds")):
        try:
            if settings.group:
                states[settings.name] = Aws(settings.region, settings.endpoint, variables).describe_group(
                    settings.group
                )
        except AwsFailed as fault:
            raise refuse_construction(prepared.named_clouds, str(fault)) from fault
    return states
