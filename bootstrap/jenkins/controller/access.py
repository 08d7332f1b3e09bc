"""Whether Jenkins still accepts the toolkit's own user after it got another user database, and the way back if it does not.

Jenkins takes an API token only of a user whom its user database knows. The plugins oic-auth and saml leave users whom they do
not know to Jenkins; ldap asks the directory, and refuses a user who is not in it (LDAPSecurityRealm.loadUserByUsername2).
"""

from __future__ import annotations

from bootstrap.errors import CascRejected, Fault
from bootstrap.jenkins.controller import settings_record
from bootstrap.jenkins.controller.api import JenkinsClient, ask, explain_refusal
from bootstrap.jenkins.definitions.sign_in import FILE
from bootstrap.values import Shell


def require(shell: Shell, jenkins: JenkinsClient) -> None:
    """Return if Jenkins accepts the toolkit's token after a reload; else put the previous settings back, and CascRejected.

    No request can reload them then, so the service restarts with them. Builds that run go on as after every restart.
    """
    answer = ask(jenkins, "GET", "me/api/json")
    if answer.status_code == 200:
        return
    settings_record.put_back(shell)
    shell.run(["systemctl", "restart", "jenkins.service"], sudo=True)
    reason = f"with this user database Jenkins does not accept the toolkit's own user: {explain_refusal(answer)}"
    raise CascRejected(
        "changing where people sign in to Jenkins",
        [Fault(f"casc/{FILE}", 1, 1, reason)],
        "The previous settings were put back, and Jenkins restarted with them. A directory needs the users 'toolkit' and "
        "'builds' (docs/people.md).",
    )
