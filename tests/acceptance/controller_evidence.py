"""What the checks look at on the controller: its pages and answers, its users, nodes, plugins, settings and jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import canary
import requests
import yaml
from canary import CANARY
from subject import SECONDS, Client, Subject

from bootstrap.acts import jobs
from bootstrap.jenkins.controller import waiting
from bootstrap.jenkins.controller.api import ask, expect
from bootstrap.values import Change


def sign_in_page(subject: Subject) -> requests.Response:
    """The sign-in page, which everybody may see."""
    return requests.get(f"{subject.server}login", timeout=SECONDS)


def strangers_answers(subject: Subject) -> dict[str, int]:
    """What pages a client without a name is answered with."""
    own = ("computer/api/json", "manage", "script", f"job/{CANARY}/", "configuration-as-code/", "prometheus/")
    paths = ("", "api/json", *own)
    with requests.Session() as session:
        return {
            path: session.get(f"{subject.server}{path}", timeout=SECONDS, allow_redirects=False).status_code
            for path in paths
        }


def guessed_passwords(subject: Subject) -> dict[str, int]:
    """What signing in with the passwords that everybody tries first is answered with."""
    guesses = [
        ("admin", "admin"),
        ("admin", "password"),
        ("toolkit", "toolkit"),
        ("jenkins", "jenkins"),
        ("builds", "builds"),
    ]
    return {
        f"{user}:{word}": requests.get(f"{subject.server}api/json", auth=(user, word), timeout=SECONDS).status_code
        for user, word in guesses
    }


@dataclass(frozen=True)
class Forged:
    """A request as a foreign page would forge it: a signed-in session's, with and without the crumb."""

    signed_in: int
    without_crumb: int
    with_crumb: int


def forged_request(subject: Subject) -> Forged | None:
    """Post an empty, harmless configuration to be checked, in a session that signed in with the password.

    None where people sign in at a provider: a session of a browser begins there, and an API token needs no crumb.
    """
    if subject.context.settings.provider is not None:
        return None
    controller, path = subject.context.controller, f"{subject.server}configuration-as-code/check"
    with requests.Session() as session:
        session.auth = (controller.user, controller.password.reveal())
        signed_in = session.get(f"{subject.server}me/api/json", timeout=SECONDS).status_code
        without = session.post(path, data="jenkins: {}\n", timeout=SECONDS).status_code
        told = session.get(f"{subject.server}crumbIssuer/api/json", timeout=SECONDS).json()
        crumb = {told["crumbRequestField"]: told["crumb"]}
        with_crumb = session.post(path, data="jenkins: {}\n", headers=crumb, timeout=SECONDS).status_code
    return Forged(signed_in, without, with_crumb)


def controllers_state(subject: Subject) -> dict[str, Any]:
    """The controller about itself."""
    tree = "useCrumbs,useSecurity,quietingDown,mode,slaveAgentPort"
    found: dict[str, Any] = Client(subject).json("", tree)
    return found


def computers(subject: Subject) -> dict[str, dict[str, Any]]:
    """Every node of Jenkins, by its name."""
    told = Client(subject).json("computer/", "computer[displayName,offline,numExecutors]")
    return {computer["displayName"]: computer for computer in told["computer"]}


def queue(subject: Subject) -> tuple[waiting.Waiting, ...]:
    """What waits in Jenkins' queue."""
    return waiting.read_queue(Client(subject), subject.context.settings.agents)


def installed_plugins(subject: Subject) -> dict[str, dict[str, Any]]:
    """Every plugin that Jenkins has, by its id."""
    told = Client(subject).json("pluginManager/", "plugins[shortName,version,active,enabled]")
    return {plugin["shortName"]: plugin for plugin in told["plugins"]}


def exported_settings(subject: Subject) -> dict[str, Any]:
    """The settings as Jenkins exports them."""
    answer = expect(ask(Client(subject), "POST", "configuration-as-code/export"), "exporting Jenkins' settings")
    found: dict[str, Any] = yaml.safe_load(answer.text)
    return found


def known_users(subject: Subject) -> dict[str, int]:
    """How Jenkins answers for each user that the configuration names: 200 for one that exists. `toolkit` is one always."""
    client, names = Client(subject), {subject.context.controller.user}
    for text in subject.context.casc_files.values():
        realm = (yaml.safe_load(text).get("jenkins") or {}).get("securityRealm") or {}
        names |= {user["id"] for user in (realm.get("local") or {}).get("users", ())}
    return {name: ask(client, "GET", f"user/{name}/api/json").status_code for name in sorted(names)}


def job_changes(subject: Subject) -> tuple[Change, ...]:
    """What publishing the jobs would change."""
    return jobs.plan(Client(subject), subject.context.jobset)


def canary_build(subject: Subject) -> canary.Build:
    """The canary, started by these checks and followed to its end, or why it could not start."""
    return canary.build(Client(subject))
