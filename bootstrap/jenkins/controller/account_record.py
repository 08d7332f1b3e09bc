"""The ids of the accounts that the toolkit made for people, kept beside these accounts: in JENKINS_HOME, on the data volume.

A person can change the description of the own account, by which it is known otherwise, and the export of the last reload goes
with the machine. Without this record, an account could survive, with its API tokens, and the next person of that id would
inherit them. Who may write in JENKINS_HOME may write the record, too: so it is read and written as the user of Jenkins, and
decides only about accounts that Jenkins has and the files do not have.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from bootstrap.remote.desired.jenkins import HOME
from bootstrap.values import Shell

_FILE = f"{HOME}/accounts-of-people"
_USER = "jenkins"
_MOST_BYTES = 1_000_000  # of a record, however long somebody made it
_ID = re.compile(r"[a-z][a-z0-9-]{0,30}[a-z0-9]")  # as in the environment file

_READ = f"head -c {_MOST_BYTES} {_FILE} 2>/dev/null || true"
_WRITE = f"set -eu; umask 077; rm -rf {_FILE}.next; cat > {_FILE}.next; mv -fT {_FILE}.next {_FILE}"


def read(shell: Shell) -> frozenset[str]:
    """The recorded ids; none where there is no record yet. What is no id is left out."""
    answer = shell.run(["runuser", "-u", _USER, "--", "sh", "-c", _READ], sudo=True)
    return frozenset(line for line in answer.stdout.splitlines() if _ID.fullmatch(line))


def write(shell: Shell, names: Collection[str]) -> None:
    """Record these ids, in the place of those before."""
    text = "".join(f"{name}\n" for name in sorted(names))
    shell.run(["runuser", "-u", _USER, "--", "sh", "-c", _WRITE], stdin=text.encode(), sudo=True)
