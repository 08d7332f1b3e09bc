"""One question to a Jenkins, and its whole answer: status, headers and text, also where Jenkins refuses.

python-jenkins turns refusals into exceptions that drop the header `X-Error` and the status; the acts need both. This asks
through the client's public `jenkins_request`, so that its address, sign-in, timeout and retries hold, and hands the response
back whatever its status. No crumb is fetched: an API token needs none, and it would double the requests of an act that has
nothing to do.
"""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import quote

import requests

from bootstrap.errors import BootstrapError, Unreachable
from bootstrap.jenkins.controller import journal, pages
from bootstrap.jenkins.controller.console_text import plain
from bootstrap.jenkins.controller.journal import Explain


class JenkinsClient(Protocol):
    """What the acts use of `jenkins.Jenkins`: its address, ending in '/', and its signed-in request."""

    server: str

    def jenkins_request(self, req: requests.Request, add_crumb: bool = ..., resolve_auth: bool = ...) -> Any:
        """Send it; raises what python-jenkins raises for a status of 400 and above."""


def ask(
    client: JenkinsClient,
    method: str,
    path: str,
    *,
    params: dict[str, str] | None = None,
    body: str | None = None,
    content_type: str = "text/xml; charset=utf-8",
) -> requests.Response:
    """Send one request to `path` below the controller's root; any status is an answer, no answer is Unreachable."""
    headers = {"Content-Type": content_type} if body is not None else {}
    data = body.encode() if body is not None else None
    request = requests.Request(method, client.server + path, params=params or {}, data=data, headers=headers)
    try:
        response: requests.Response = client.jenkins_request(request, add_crumb=False)
    except Exception as error:
        answer = _response_of(error)
        if answer is not None:
            return answer
        if isinstance(error, requests.RequestException) or isinstance(error.__context__, requests.RequestException):
            remedy = "Check that jenkins.service runs on the machine: ./bootstrap.py logs"
            raise Unreachable(f"asking Jenkins for {path or '/'}", str(error), remedy) from error
        raise
    if response.encoding is None:
        response.encoding = (
            "utf-8"  # Jenkins hands out a job's XML without saying its encoding, which requests would guess
        )
    return response


def _response_of(error: Exception) -> requests.Response | None:
    """The response behind an exception of python-jenkins, which are raised while handling that of requests."""
    for each in (error, error.__context__):
        response = getattr(each, "response", None)
        if isinstance(response, requests.Response):
            return response
    return None


def expect(
    response: requests.Response, doing: str, *statuses: int, explain: Explain | None = None
) -> requests.Response:
    """The response, if it or the redirect before it has one of `statuses` (200 if none is named); else BootstrapError."""
    first = response.history[0] if response.history else response
    if {first.status_code, response.status_code} & set(statuses or (200,)):
        return response
    remedy = "Read the service's journal: ./bootstrap.py logs"
    if response.status_code in {401, 403}:
        remedy = "The toolkit's API token is not valid, or lacks the permission; 'casc apply' renews it."
    raise BootstrapError(doing, reason(response, explain), remedy)


def reason(response: requests.Response, explain: Explain | None = None) -> str:
    """Why Jenkins refused, in at most ten lines: its `X-Error`, else what its page says.

    A page of an internal error says nothing but an ID. With `explain` the exception behind it is told, else where it is.
    """
    said = plain(response.headers.get("X-Error") or "") or pages.message(response.text)
    identifier = pages.logging_id(response.text)
    if identifier is not None:
        found = explain(identifier) if explain else ""
        told = found or f"the service's journal has the exception: {journal.command(identifier)}"
        said = f"{pages.OOPS} (Logging ID={identifier})\n{told}"
    return f"Jenkins answered {response.status_code}: {said or response.reason}"


def job_path(name: str) -> str:
    """The path of a job by its full name: 'a/b' is job/a/job/b/."""
    return "".join(f"job/{quote(part, safe='')}/" for part in name.split("/"))


def view_path(name: str) -> str:
    """The path of a view by its full name: 'a/v' is view 'v' of the folder 'a'."""
    folder, _, short = name.rpartition("/")
    return f"{job_path(folder) if folder else ''}view/{quote(short, safe='')}/"
