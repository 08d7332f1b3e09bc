"""The clouds of the settings as Jenkins keeps them in its config.xml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import xmlfile

_CLOUD = "com.amazon.jenkins.ec2fleet.EC2FleetCloud"
_CONNECTOR = "hudson.plugins.sshslaves.SSHConnector"
_VERIFIERS = "hudson.plugins.sshslaves.verifiers."


def render_clouds(root: Any, clouds: list[Mapping[str, Any]], plugins: Mapping[str, str]) -> None:
    """Put the element `clouds` into config.xml; secrets are not among these settings, credentials are named by their ids."""
    listed = xmlfile.put(root, "clouds")
    for cloud in clouds:
        told = cloud.get("eC2Fleet") or {}
        element = xmlfile.put(listed, _CLOUD, plugin=f"ec2-fleet@{plugins.get('ec2-fleet', '')}")
        for name, value in told.items():
            if not isinstance(value, Mapping | list):
                xmlfile.put(element, name, value)
        connector = (told.get("computerConnector") or {}).get("sshConnector")
        if connector is not None:
            _render_connector(element, connector, plugins)


def _render_connector(element: Any, told: Mapping[str, Any], plugins: Mapping[str, str]) -> None:
    version = plugins.get("ssh-slaves", "")
    connector = xmlfile.put(element, "computerConnector", class_=_CONNECTOR, plugin=f"ssh-slaves@{version}")
    for name, value in told.items():
        if not isinstance(value, Mapping):
            xmlfile.put(connector, name, value)
    for strategy, details in (told.get("sshHostKeyVerificationStrategy") or {}).items():
        verifier = f"{_VERIFIERS}{strategy[:1].upper()}{strategy[1:]}"
        node = xmlfile.put(connector, "sshHostKeyVerificationStrategy", class_=verifier)
        for name, value in (details or {}).items():
            xmlfile.put(node, name, value)
