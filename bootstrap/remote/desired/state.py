"""The desired state of a machine: `list_resources` turns the inputs into an ordered list of resources.

Pure: the same inputs give the same list, and nothing here looks at any machine. What each kind of resource means is
documented at its function in `bootstrap.remote.converge`. The order is the order of need; services come last.
"""

from __future__ import annotations

from typing import Any

from bootstrap.remote.desired import agent, base, jenkins, jobs_access, people, proxy, toolkit
from bootstrap.remote.desired.inputs import HostInputs


def list_resources(inputs: HostInputs) -> list[dict[str, Any]]:
    """The machine's resources, in order; every `id` occurs once."""
    settings, metadata = inputs.settings, base.find_metadata_service(inputs.aws_environment)
    return [
        *base.list_trust_resources(inputs.ca_certificates),
        *([base.make_java_for_groovy()] if inputs.software.kind == "emulator" else []),
        base.make_packages(inputs.software.kind, settings.host.extra_packages, has_groups=bool(settings.agents)),
        *base.list_clock_resources(settings.host.timezone),
        *jenkins.list_account_resources(),
        *agent.list_account_resources(),
        *people.list_account_resources(),
        *jenkins.list_home_resources(inputs.data_volume_id),
        *agent.list_folder_resources(),
        *base.list_hardening_resources(inputs.login_user, agent.ORDINARY.number, metadata, people.choose_ways(inputs)),
        *people.list_key_resources(inputs),
        *toolkit.list_toolkit_resources(inputs),
        *jobs_access.list_resources(inputs),
        *jenkins.list_configuration_resources(inputs),
        people.make_passwords(inputs),
        *agent.list_configuration_resources(inputs),
        *jenkins.list_software_resources(inputs.software),
        *proxy.list_proxy_resources(inputs.url, inputs.certificate, inputs.certificate_key),
        *toolkit.list_inspection_resources(inputs, metadata),
        *base.list_service_resources(),
        jenkins.make_service(inputs),
        *agent.list_service_resources(inputs),
        proxy.make_service(),
        base.make_obsolete_packages(inputs.software.kind, settings.host.extra_packages),
    ]
