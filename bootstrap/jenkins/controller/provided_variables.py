"""Which variables of the settings files the running Jenkins has: its environment, and the secrets that systemd gave it.

Jenkins reads both only at its start. So a file with a new variable is right only after the host act, which restarts Jenkins
with it; before that, Jenkins would refuse the file.
"""

from __future__ import annotations

from collections.abc import Mapping

from bootstrap.jenkins.definitions import casc
from bootstrap.values import Shell

# The process, not its files: files can be newer than the process. Only names are printed, no values.
LOOK = r"""
process=$(systemctl show --property=MainPID --value jenkins.service) && [ "${process:-0}" -gt 0 ] || exit 1
environment=$(tr '\0' '\n' < "/proc/$process/environ") || exit 1
printf '%s\n' "$environment" | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p'
secrets=$(printf '%s\n' "$environment" | sed -n 's/^SECRETS=//p')
[ -z "$secrets" ] || ls -1 "$secrets" || exit 1
"""


def find_missing(shell: Shell, files: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """For each file with variables that the running Jenkins lacks: their names. Nothing if Jenkins cannot be looked at."""
    required = {name: casc.find_required_variables(text) for name, text in files.items()}
    if not any(required.values()):
        return {}
    looked = shell.run(["sh", "-c", LOOK], sudo=True, check=False)
    if looked.exit_code != 0:
        return {}  # no Jenkins runs, or its process cannot be read: then Jenkins itself judges the files
    provided = set(looked.stdout.split())
    return {name: tuple(sorted(names - provided)) for name, names in required.items() if names - provided}
