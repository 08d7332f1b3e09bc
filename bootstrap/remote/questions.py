"""What the checks ask of the machine in the words of a shell; the agents of the toolkit's jobs may ask exactly this."""

from __future__ import annotations

SYSCTL_FILE = "/etc/sysctl.d/90-bootstrap.conf"
HOME_UNIT = "var-lib-jenkins.mount"
INSPECT = "/usr/local/sbin/inspect-machine"
"""The inspector, which finds its own way to root, for operators and for Jenkins' builds."""

VISIBLE = f"date +%s.%N; echo ---; systemctl cat {HOME_UNIT}; echo ---; cat {SYSCTL_FILE}"
"""What anybody on the machine may see: its clock, a unit's text and a file's."""

STARTED = "systemctl show --property ExecMainStartTimestamp --value jenkins.service"
"""When Jenkins was started."""

ALL = (INSPECT, VISIBLE, STARTED)


def make_command(line: str) -> tuple[str, ...]:
    """A line of a shell as a command."""
    return ("sh", "-c", line)
