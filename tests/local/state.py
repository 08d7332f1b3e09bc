"""What an environment is, without what differs between two launches of the same: to be compared."""

import re
from collections import Counter
from typing import Any

from trial import Launched

from bootstrap.acts import casc, jobs
from bootstrap.cloud import instance, tags

_VARIABLE = re.compile(r"\b[a-z]+-[0-9a-f]{8,}\b|\b\d+\.\d+\.\d+\.\d+\b|\b[0-9a-f]{16,}\b")
_GONE = {"absent", "terminated", "shutting-down"}
_LISTED = """
set -eu
find /etc/jenkins /etc/nginx /etc/systemd/system /etc/ssh /usr/local \\
  -path '*/__pycache__*' -prune -o -printf '%y %m %u:%g %p\\n' | sort
dpkg-query -W -f '${Package} ${db:Status-Status}\\n' | sort
systemctl list-units --plain --no-legend --type=service,socket,mount,timer --state=active,failed \
  | awk '{print $1, $3, $4}' | grep -E 'jenkins|nginx|nftables|ssh|inspect|failed' | grep -v '@' | sort
ls -A /usr/sbin/policy-rc.d /var/lib/dpkg/updates 2>/dev/null || true
"""


def without_strangers(launched: Launched) -> None:
    """Delete what tests made in Jenkins by hand and left there: the jobs that no render made, by what Jenkins keeps of them.

    Not by the code that this process sees: the clone that launches has jobs which tests have committed to it.
    """
    context = launched.reopen()
    for name, (digest, is_disabled) in jobs.read_published(context.jenkins).items():
        if not name.startswith("view ") and (digest is None or is_disabled):
            context.jenkins.delete_job(name)


def state_of(launched: Launched) -> dict[str, Any]:
    """Stacks and their resources, what carries the environment's tags by kind, the machine's files and units, Jenkins."""
    context = launched.reopen()
    client, ec2 = context.world.aws("cloudformation"), context.world.aws("ec2")
    stacks = {
        stack.name: sorted(
            (it["LogicalResourceId"], it["ResourceType"], it["ResourceStatus"].rpartition("_")[2])
            for it in client.list_stack_resources(StackName=stack.name)["StackResourceSummaries"]
        )
        for stack in context.stacks.values()
    }
    things = [
        it
        for it in tags.list_resources(context.world.aws, context.settings)
        if it.kind != "ec2 instance" or instance.read_state(ec2, it.identity) not in _GONE
    ]
    listed = context.shell.run(["sh", "-c", _LISTED], sudo=True).stdout
    return {
        "stacks": stacks,
        "tagged": dict(sorted(Counter(it.kind for it in things).items())),
        "machine": _VARIABLE.sub("#", listed).splitlines(),
        "settings": _VARIABLE.sub("#", casc.export(context.jenkins)),
        "jobs": jobs.read_published(context.jenkins),
    }
