"""One request to Jenkins, and its whole response: status, headers and text, also if Jenkins refuses the request.

python-jenkins turns a refusal into an exception without the header `X-Error` and without the status; the acts need both. So
this module calls the client's public `jenkins_request`, which keeps its address, sign-in, timeout and retries, and returns the
response with any status. It fetches no crumb: a request with an API token needs none, and it would double the requests of an
act that changes nothing.
"""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import quote

import requests

from bootstrap.errors import BootstrapError, Unreachable
from bootstrap.jenkins.controller import journal, pages
from bootstrap.jenkins.controller.console_text import clean_line
from bootstrap.jenkins.controller.journal import Explain


class JenkinsClient(Protocol):
    """The part of `jenkins.Jenkins` that the acts use; `server` is the URL of the controller and ends in '/'."""

    server: str

    def jenkins_request(self, req: requests.Request, add_crumb: bool = ..., resolve_auth: bool = ...) -> Any:
        """Send the request, signed in; for a status of 400 and above it raises an exception of python-jenkins."""


def ask(
    client: JenkinsClient,
    method: str,
    path: str,
    *,
    params: dict[str, str] | None = None,
    body: str | None = None,
    content_type: str = "text/xml; charset=utf-8",
) -> requests.Response:
    """Send one request to `path`, relative to the root URL of Jenkins, and return the response with any status.

    Raises Unreachable if there is no response.
    """
    headers = {"Content-Type": content_type} if body is not None else {}
    data = body.encode() if body is not None else None
    request = requests.Request(method, client.server + path, params=params or {}, data=data, headers=headers)
    try:
        response: requests.Response = client.jenkins_request(request, add_crumb=False)
    except Exception as error:
        answer = _find_response(error)
        if answer is not None:
            return answer
        if isinstance(error, requests.RequestException) or isinstance(error.__context__, requests.RequestException):
            remedy = "Check that jenkins.service runs on the machine: ./bootstrap.py logs"
            raise Unreachable(f"asking Jenkins for {path or '/'}", str(error), remedy) from error
        raise
    if response.encoding is None:
        # Jenkins sends the XML of a job without its encoding; requests would guess one.
        response.encoding = "utf-8"
    return response


def _find_response(error: Exception) -> requests.Response | None:
    """The response of a failed request; python-jenkins raises its exceptions while it handles one of requests."""
    for each in (error, error.__context__):
        response = getattr(each, "response", None)
        if isinstance(response, requests.Response):
            return response
    return None


def expect(
    response: requests.Response, doing: str, *statuses: int, explain: Explain | None = None
) -> requests.Response:
    """Return the response if it, or the redirect before it, has one of `statuses` (default: 200).

    Raises BootstrapError with the reason of the refusal for any other status; `doing` names the step that failed.
    """
    first = response.history[0] if response.history else response
    if {first.status_code, response.status_code} & set(statuses or (200,)):
        return response
    remedy = "Read the service's journal: ./bootstrap.py logs"
    if response.status_code in {401, 403}:
        remedy = "The toolkit's API token is not valid, or lacks the permission; 'casc apply' renews it."
    raise BootstrapError(doing, explain_refusal(response, explain), remedy)


def explain_refusal(response: requests.Response, explain: Explain | None = None) -> str:
    """Why Jenkins refused, in at most ten lines: the header `X-Error`, or else the text of the page.

    The page of an internal error contains only an ID. The exception of this ID is added with `explain`; without it, the command
    that prints the exception.
    """
    message = clean_line(response.headers.get("X-Error") or "") or pages.find_message(response.text)
    identifier = pages.find_logging_id(response.text)
    if identifier is not None:
        cause = explain(identifier) if explain else ""
        cause = cause or f"the service's journal has the exception: {journal.format_command(identifier)}"
        message = f"{pages.OOPS} (Logging ID={identifier})\n{cause}"
    return f"Jenkins answered {response.status_code}: {message or response.reason}"


def make_job_path(name: str) -> str:
    """The path of a job by its full name: 'a/b' is job/a/job/b/."""
    return "".join(f"job/{quote(part, safe='')}/" for part in name.split("/"))


def make_view_path(name: str) -> str:
    """The path of a view by its full name: 'a/v' is view 'v' of the folder 'a'."""
    folder, _, short = name.rpartition("/")
    return f"{make_job_path(folder) if folder else ''}view/{quote(short, safe='')}/"
