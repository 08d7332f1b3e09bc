"""What the checks of the hardening look at: doors of Jenkins that must be closed, and how the services were started.

Importing it adds its gatherers to those of `evidence`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import requests
from evidence import GATHERERS
from handshake import Spoken, speak
from subject import Client, Subject

from bootstrap.jenkins.controller.api import ask

_SECONDS = 60
LARGE = 1_000_000  # bytes of a sign-in, which has some hundred
# Java properties of the core and its plugins that turn a protection off, each by a part of its name that no other has.
_OFF = (
    *("DISABLE_CSRF_PROTECTION", "EXCLUDE_SESSION_ID", "UNPROCESSED_PATHINFO", "skipCSRFCheck", "Api.INSECURE"),
    *("CallableDirectionChecker.allow", "DISABLE_JAR_URL_VALIDATOR"),  # what agents may ask of the controller
    *("ClassFilterImpl.SUPPRESS_WHITELIST", "ClassFilterImpl.SUPPRESS_ALL", "permissive-script-security"),
    *("DirectoryBrowserSupport.CSP", "CspHeader.headerName", "allowSymlinkEscape", "TypedFilter.skipTypeCheck"),
    *("keepUndefinedParameters", "allowSemicolonsInPath", "additionalReadablePaths", "allowAnonymousSchema"),
    *("adminCanGenerateNewTokens", "showTokenToAdmins", "disableUserSeed", "sessionFixationProtectionMode"),
    *("skipTooFarExpirationDateCheck", "noSignatureCheck"),
)


@dataclass(frozen=True)
class Door:
    """How Jenkins answers where nothing should be: the status, and the names of the headers."""

    status: int
    headers: frozenset[str]


def closed_doors(subject: Subject) -> dict[str, Door]:
    """The answers of what must not be there: to a stranger where a stranger could use it, else to the toolkit's user."""
    client = Client(subject)
    answers = {"signup": requests.get(f"{subject.server}signup", timeout=_SECONDS, allow_redirects=False)}
    answers["agents"] = ask(client, "GET", "tcpSlaveAgentListener/")
    answers["remoting"] = ask(client, "POST", "cli", params={"remoting": "true"})
    return {
        name: Door(answer.status_code, frozenset(header.lower() for header in answer.headers))
        for name, answer in answers.items()
    }


def large_sign_in(subject: Subject) -> Spoken:
    """A sign-in with a body that no sign-in has, to the proxy."""
    return speak(subject.place, subject.context.controller.authority, "/j_spring_security_check", announced=LARGE)


def protections_off(arguments: Sequence[str]) -> list[str]:
    """The properties among a service's arguments that turn a protection off."""
    names = [argument.removeprefix("-D").partition("=")[0] for argument in arguments if argument.startswith("-D")]
    return [name for name in names if any(ending.lower() in name.lower() for ending in _OFF)]


GATHERERS.update({function.__name__: function for function in (closed_doors, large_sign_in)})
