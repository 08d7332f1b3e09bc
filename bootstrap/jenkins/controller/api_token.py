"""Gives the toolkit's own user of Jenkins its API token, which the toolkit chose."""

from __future__ import annotations

import requests

from bootstrap.errors import BootstrapError, Unreachable
from bootstrap.jenkins.controller.api import expect
from bootstrap.values import Controller


def ensure_token(url: str, controller: Controller) -> bool:
    """Add the controller's token ('11' and 32 hexadecimal digits) to its user in Jenkins at `url`.

    True if it was not there yet. Jenkins accepts a chosen token only from the user itself, who signs in with the password and a
    crumb. Older tokens of the user are revoked, because it has only one client. BootstrapError if Jenkins refuses, Unreachable
    if it does not answer.
    """
    doing = f"giving the user '{controller.user}' its API token"
    try:
        return _ensure_token(url if url.endswith("/") else f"{url}/", controller, doing)
    except requests.RequestException as error:
        remedy = "Check that jenkins.service runs on the machine ('./bootstrap.py logs'), then launch again."
        raise Unreachable(doing, str(error), remedy) from error


def _ensure_token(base: str, controller: Controller, doing: str) -> bool:
    user, password, token = controller.user, controller.password, controller.token
    if requests.get(f"{base}me/api/json", auth=(user, token.reveal()), timeout=30).status_code == 200:
        return False
    with requests.Session() as session:
        session.auth = (user, password.reveal())
        crumb = expect(session.get(f"{base}crumbIssuer/api/json", timeout=30), doing).json()
        session.headers[crumb["crumbRequestField"]] = crumb["crumb"]
        tokens = f"{base}user/{user}/descriptorByName/jenkins.security.ApiTokenProperty/"
        form = {"newTokenName": "bootstrap", "newTokenPlainValue": token.reveal()}
        added = expect(session.post(f"{tokens}addFixedToken", data=form, timeout=30), doing).json()
        uuid = added.get("data", {}).get("tokenUuid", "")
        if added.get("status") != "ok" or not uuid:
            raise BootstrapError(doing, f"Jenkins answered {added}", "Read the service's journal: ./bootstrap.py logs")
        # An older Jenkins does not have this call (404): then the older tokens stay valid.
        expect(session.post(f"{tokens}revokeAllExcept", data={"tokenUuid": uuid}, timeout=30), doing, 200, 404)
    return True
