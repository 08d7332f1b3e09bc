"""A Jenkins that serves two networks in turn: both made in the AWS of the launched environment, and all as before afterwards.

The pair is that of environments/nonproduction.yaml and production.yaml, as they are.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator

from trial import Launched, commit

FIRST, NEXT = "nonproduction", "production"
NAME = '        - {Key: Name, Value: !Sub "${Project}-${Environment}-controller"}\n'


def network(launched: Launched, environment: str, *arguments: str) -> str:
    """One network command of another environment, in the AWS of the launched one."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BOOTSTRAP_"))}
    environ |= launched.variables
    command = ["./bootstrap.py", "-e", environment, "--yes", "network", *arguments]
    found = subprocess.run(command, cwd=launched.checkout, env=environ, capture_output=True, text=True, timeout=300)
    assert 0 == found.returncode, f"{command}\n{found.stdout[-6000:]}\n{found.stderr[-4000:]}"
    return found.stdout


def serve_both(launched: Launched) -> Iterator[Launched]:
    """Both networks made, and the Jenkins told to serve them; afterwards all is as it was."""
    head = ["git", "rev-parse", "HEAD"]
    before = subprocess.run(head, cwd=launched.checkout, capture_output=True, text=True, check=True).stdout.strip()
    file = launched.environment_file
    file.write_text(file.read_text().replace("network:\n", f"network:\n  promotion: [{FIRST}, {NEXT}]\n"))
    commit(launched.checkout, "the job serves two networks")
    launched.done("launch", "--skip-verify")
    for name in (FIRST, NEXT):
        network(launched, name, "apply")
    try:
        yield launched
    finally:
        settle(launched)
        for name in (FIRST, NEXT):
            network(launched, name, "destroy", "--unprotect")
            shutil.rmtree(launched.checkout / ".bootstrap" / name)
        subprocess.run(["git", "reset", "--quiet", "--hard", before], cwd=launched.checkout, check=True)
        launched.done("launch", "--skip-verify")


def settle(launched: Launched) -> None:
    """Wait for the builds that others started: 'verify' begins by itself after a change."""
    deadline = time.monotonic() + 180
    while launched.context.jenkins.get_running_builds() or launched.context.jenkins.get_queue_info():
        queued = [(item["task"].get("name"), item.get("why")) for item in launched.context.jenkins.get_queue_info()]
        assert time.monotonic() < deadline, (launched.context.jenkins.get_running_builds(), queued)
        time.sleep(1)


def marked(launched: Launched) -> dict[str, str]:
    """The mark that the template of each network left there."""
    groups = launched.context.world.aws("ec2").describe_security_groups()["SecurityGroups"]
    tags = [{it["Key"]: it["Value"] for it in group.get("Tags", ())} for group in groups]
    names = {f"jenkins-{name}-controller": name for name in (FIRST, NEXT)}
    return {names[it["Name"]]: it.get("Mark", "") for it in tags if it.get("Name") in names}


def mark(launched: Launched, word: str) -> None:
    """A change of the template, committed and brought to the machine's repository."""
    template = launched.checkout / "cloudformation" / "network.yaml"
    text = re.sub(r" *- \{Key: Mark, .*\n", "", template.read_text())
    template.write_text(text.replace(NAME, f"{NAME}        - {{Key: Mark, Value: {word}}}\n"))
    commit(launched.checkout, f"the network becomes {word}")
    launched.done("host")
