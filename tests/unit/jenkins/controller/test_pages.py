"""What is told of a page: its message, the exception behind it, never its menus."""

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.errors import CommandFailed
from bootstrap.jenkins.controller import journal, pages
from bootstrap.jenkins.controller.api import explain_refusal
from bootstrap.values import Result

ID = "61fd9478-81d7-487b-8657-6f6b115835b4"


def jenkins_page(main: str, side: str = "") -> str:
    """A page as Jenkins lays it out: skip link, header, side panel, main panel, footer."""
    return f"""<!DOCTYPE html><html class=""><head data-rooturl=""><title>Jenkins</title><script>var isRunAsTest=false;</script>
</head><body data-model-type="hudson.model.Hudson" id="jenkins" class="two-column jenkins-2.568.2">
<a href="#skip2content" class="jenkins-skip-link">Skip to content</a>
<header id="page-header" class="jenkins-header"><a href="/">Jenkins</a><button>Search</button></header>
<div id="page-body" class="app-page-body clear"><div id="side-panel" class="app-page-body__sidebar"><div id="tasks">
<div class="task"><span><a href="/view">New Item</a></span></div></div>{side}</div>
<div id="main-panel"><a id="skip2content"></a>{main}</div></div>
<footer class="page-footer"><a href="https://www.jenkins.io/">Jenkins 2.568.2</a></footer></body></html>"""


def jetty_page(status: int, message: str) -> str:
    return f"""<html>
<head>
<meta http-equiv="Content-Type" content="text/html;charset=iso-8859-1"/>
<title>Error {status} {message}</title>
</head>
<body>
<h2>HTTP ERROR {status} {message}</h2>
<table>
<tr><th>URI:</th><td>/createItem</td></tr>
<tr><th>STATUS:</th><td>{status}</td></tr>
<tr><th>MESSAGE:</th><td>{message}</td></tr>
<tr><th>SERVLET:</th><td>Stapler</td></tr>
</table>
<hr/><a href="https://jetty.org/">Powered by Jetty:// 12.1.8</a><hr/>

</body>
</html>"""


OOPS = jenkins_page(
    '<h1 style="text-align: center"><img src="/images/rage.svg"/> <span>&nbsp;Oops!</span></h1><div id="error-description">'
    f"<h2>A problem occurred while processing the request</h2><p>Logging ID={ID}</p></div>"
)
# A page, and what is told of it.
TOLD = {
    "Jetty: no crumb": (
        jetty_page(403, "No valid crumb was included in the request"),
        "No valid crumb was included in the request",
    ),
    "Jetty: a wrong password": (jetty_page(401, "Unauthorized"), "Unauthorized"),
    "Jetty: without a message": ("<h2>HTTP ERROR 503</h2>", "HTTP ERROR 503"),
    "not found": (
        jenkins_page("<h1>Oops!</h1><h2>Not Found</h2><p>This page may not exist.</p>"),
        "Not Found\nThis page may not exist.",
    ),
    "no right": (
        jenkins_page("<h1>Access Denied</h1><p>reader is missing the <b>View/Create</b> permission</p>"),
        "Access Denied\nreader is missing the View/Create permission",
    ),
    "no right, for nobody": (
        "<html><head><meta http-equiv='refresh'/><script>x</script></head><body style='color:white;'>\n"
        "Authentication required\n<!--\n-->\n</body></html>",
        "Authentication required",
    ),
    "a name that is markup": (jenkins_page("<p>no such &lt;b&gt;job&lt;/b&gt; \x1b[2J</p>"), "no such <b>job</b>"),
    "no page": ("Nothing is submitted\n", "Nothing is submitted"),
    "a text with a sign": ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize("case", TOLD)
def test_the_message_on_a_page_is_found(case: str) -> None:
    page, told = TOLD[case]
    assert told == pages.find_message(page)


def test_links_and_menus_are_removed_from_pages_of_jenkins() -> None:
    text = pages.extract_text(jenkins_page("<p>one</p>", "<p>Builds<p>Loading builds..."))
    assert "one" == text
    without_panel = jenkins_page("x").replace('id="main-panel"', "")
    assert "x" == pages.extract_text(without_panel)
    assert "Error" == pages.extract_text("<body><p>Skip to content</p><h1>Error</h1></body>")


def answered(page: str, status: int = 500, **headers: str) -> requests.Response:
    response = requests.Response()
    response.status_code, response._content, response.reason = status, page.encode(), "Server Error"
    response.headers.update(headers)
    return response


JOURNAL = f"""2026-11-29 12:20:06.123+0000 [id=32]\tWARNING\th.i.i.InstallUncaughtExceptionHandler#handleException: \
Caught unhandled exception with ID {ID}
java.lang.IllegalArgumentException: No enum constant hudson.model.Node.Mode.NORMALLY
\tat java.base/java.lang.Enum.valueOf(Enum.java:273)
Caused: io.jenkins.plugins.casc.ConfiguratorException: jenkins: Failed to set attribute 'mode'
\tat PluginClassLoader for configuration-as-code//io.jenkins.plugins.casc.X.set(X.java:8)
"""


class Machine:
    """A machine whose journal says JOURNAL."""

    def __init__(self, said: str = JOURNAL) -> None:
        self.said = said
        self.ran: list[list[str]] = []

    def run(self, command: list[str], **options: object) -> Result:
        assert options["sudo"] and options["timeout"]
        self.ran.append(list(command))
        if not self.said:
            raise CommandFailed("reading", Result("journalctl", 124, "", ""), "again")
        return Result("journalctl", 0, self.said, "")


def test_an_internal_error_is_explained_by_its_exception_in_the_journal() -> None:
    told = explain_refusal(answered(OOPS), journal.make_explainer(Machine()))
    assert told.splitlines() == [
        f"Jenkins answered 500: A problem occurred while processing the request (Logging ID={ID})",
        "java.lang.IllegalArgumentException: No enum constant hudson.model.Node.Mode.NORMALLY",
        "Caused: io.jenkins.plugins.casc.ConfiguratorException: jenkins: Failed to set attribute 'mode'",
    ]


@pytest.mark.parametrize(
    "explain", [None, journal.make_explainer(Machine("other\n")), journal.make_explainer(Machine(""))]
)
def test_without_the_journal_an_internal_error_names_the_command_that_prints_it(
    explain: journal.Explain | None,
) -> None:
    told = explain_refusal(answered(OOPS), explain)
    assert f"grep -F -A 30 'with ID {ID}'" in told and "./bootstrap.py ssh" in told


@pytest.mark.parametrize("identifier", ["; rm -rf /", "$(x)", ID + "'", ID.replace("-", ""), "../" + ID, ""])
def test_an_invalid_logging_id_is_not_used(identifier: str) -> None:
    machine = Machine()
    assert "" == journal.make_explainer(machine)(identifier)
    assert [] == machine.ran
    assert pages.find_logging_id(f"<h1>Oops!</h1>Logging ID={identifier}") in {None, ID}


def test_the_header_is_preferred_to_the_page_and_is_cleaned() -> None:
    assert "Jenkins answered 400: no [2Jname" == explain_refusal(
        answered("<p>page</p>", 400, **{"X-Error": "no [2Jname"})
    )
    assert "Jenkins answered 500: Server Error" == explain_refusal(answered(""))


@given(st.text(alphabet=st.sampled_from("<>/!-[]abdivh1 ='\"#&;MESAG:\n\x1bx")) | st.text())
def test_any_page_is_read(page: str) -> None:
    assert len(pages.find_message(page).splitlines()) <= pages.LINES
    pages.find_message("<" + page)
    pages.find_logging_id("<p>" + page)
