"""The desired state of a machine: `desired` turns the inputs into an ordered list of resources.

Pure: the same inputs give the same list, and nothing here looks at any machine. What each kind of resource means is
documented at its function in `bootstrap.remote.converge`. The order is the order of need; services come last.
"""

from __future__ import annotations

from typing import Any

from bootstrap.remote.desired import agent, base, jenkins, people, proxy, toolkit
from bootstrap.remote.desired.inputs import HostInputs


def desired(inputs: HostInputs) -> list[dict[str, Any]]:
    """The machine's resources, in order; every `id` occurs once."""
    settings, metadata = inputs.settings, base.metadata_service(inputs.aws_environment)
    return [
        *base.trust(inputs.ca_certificates),
        *([base.java_for_groovy()] if inputs.software.kind == "emulator" else []),
        base.packages(inputs.software.kind, settings.host.extra_packages),
        *base.clock(settings.host.timezone),
        *jenkins.account(),
        *agent.accounts(),
        *people.account(),
        *jenkins.home(inputs.data_volume_id),
        *agent.folders(),
        *base.hardening(inputs.login_user, agent.ORDINARY.number, metadata, people.ways(inputs)),
        *people.keys(inputs),
        *toolkit.toolkit(inputs),
        *jenkins.configuration(inputs),
        people.passwords(inputs),
        *agent.configuration(inputs),
        *jenkins.software(inputs.software),
        *proxy.proxy(inputs.url, inputs.certificate, inputs.certificate_key),
        *toolkit.inspection(inputs, metadata),
        *base.services(),
        jenkins.service(inputs),
        *agent.services(inputs),
        proxy.service(),
        base.obsolete_packages(inputs.software.kind, settings.host.extra_packages),
    ]
