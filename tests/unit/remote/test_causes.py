"""What is told of a service that does not start: its cause, in a few lines."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.remote.converge import causes

HEAD = "2026-11-29 12:20:06.123+0000 [id=32]\t"
LOADER = "\tat PluginClassLoader for x//hudson.Main.run(Main.java:12)"
STACK = "\n".join([LOADER, *(f"\tat java.base/java.lang.Thread.run(Thread.java:{line})" for line in range(40))])

BOOT = f"""Starting jenkins.service - Jenkins...
Running from: /usr/share/java/jenkins.war
{HEAD}WARNING\thudson.PluginManager#load: beside the point
java.io.IOException: of a plugin
{STACK}
{HEAD}INFO\thudson.WebAppMain#contextInitialized: Jenkins home directory: /var/lib/jenkins
{HEAD}SEVERE\thudson.util.BootFailure#publish: Failed to initialize Jenkins
hudson.util.AWTProblem: java.lang.UnsatisfiedLinkError: libfontmanager.so: libharfbuzz.so.0: cannot open shared object file
{STACK}
Caused: java.lang.Error: could not draw
{STACK}
\t... 12 more
{HEAD}INFO\twinstone.Logger#logInternal: Jetty shutdown successfully
jenkins.service: Main process exited, code=exited, status=5/NOTINSTALLED
jenkins.service: Failed with result 'exit-code'.
Failed to start jenkins.service - Jenkins.
"""
PORT = f"""{HEAD}SEVERE\twinstone.Logger#logInternal: Container startup failed
java.io.IOException: Failed to start Jetty
{STACK}
Caused by: java.io.IOException: Failed to bind to /127.0.0.1:8080
{STACK}
\t... 3 more
Caused by: java.net.BindException: Address already in use
{STACK}
\t... 5 more
"""
CASC = f"""{HEAD}SEVERE\tjenkins.InitReactorRunner$1#onTaskFailed: Failed ConfigurationAsCode.init
java.lang.IllegalArgumentException: No enum constant hudson.model.Node.Mode.NORMALLY
{STACK}
Caused: io.jenkins.plugins.casc.ConfiguratorException: mode: Failed to set attribute 'mode'
  at 20.yaml:3 (path: mode)
{STACK}
"""
PYTHON = """Starting jenkins.service - Jenkins...
Traceback (most recent call last):
  File "/usr/lib/python3.13/runpy.py", line 198, in _run_module_as_main
    return _run_code(code, main_globals, None,
                     "__main__", mod_spec)
  File "/opt/x.py", line 3, in <module>
    raise OSError(98, "x")
OSError: [Errno 98] address in use
"""
NGINX = """Starting nginx.service - A high performance web server and a reverse proxy server...
nginx: [emerg] bind() to 0.0.0.0:443 failed (98: Address already in use)
nginx: [emerg] bind() to 0.0.0.0:443 failed (98: Address already in use)
nginx: [emerg] still could not bind()
nginx.service: Control process exited, code=exited, status=1/FAILURE
nginx.service: Failed with result 'exit-code'.
"""
SSHD = """/etc/ssh/sshd_config line 3: Bad configuration option: Prot
/etc/ssh/sshd_config: terminating, 1 bad configuration options
ssh.service: Control process exited, code=exited, status=255/EXCEPTION
"""
OPTION = """Unrecognized option: -Xnope
Error: Could not create the Java Virtual Machine.
Error: A fatal exception has occurred. Program will exit.
jenkins.service: Main process exited, code=exited, status=1/FAILURE
"""

# A journal, and the first lines of what is told of it.
TOLD = {
    "a boot failure of Jenkins": (
        BOOT,
        [
            "hudson.util.AWTProblem: java.lang.UnsatisfiedLinkError: "
            "libfontmanager.so: libharfbuzz.so.0: cannot open shared object file",
            "Caused: java.lang.Error: could not draw",
        ],
    ),
    "a chain from the outside in": (
        PORT,
        [
            "java.io.IOException: Failed to start Jetty",
            "Caused by: java.io.IOException: Failed to bind to /127.0.0.1:8080",
            "Caused by: java.net.BindException: Address already in use",
        ],
    ),
    "settings that are wrong": (
        CASC,
        [
            "java.lang.IllegalArgumentException: No enum constant hudson.model.Node.Mode.NORMALLY",
            "Caused: io.jenkins.plugins.casc.ConfiguratorException: mode: Failed to set attribute 'mode'",
            "at 20.yaml:3 (path: mode)",
        ],
    ),
    "a traceback of Python": (PYTHON, ["OSError: [Errno 98] address in use"]),
    "nginx": (
        NGINX,
        [
            "nginx: [emerg] bind() to 0.0.0.0:443 failed (98: Address already in use)",
            "nginx: [emerg] still could not bind()",
        ],
    ),
    "sshd": (SSHD, ["/etc/ssh/sshd_config line 3: Bad configuration option: Prot"]),
}


@pytest.mark.parametrize("case", TOLD)
def test_the_cause_is_told_first_and_no_stack(case: str) -> None:
    journal, expected = TOLD[case]

    told = causes.find_cause(journal).splitlines()

    assert expected == told[: len(expected)]
    assert len(told) <= causes.LINES
    assert not [line for line in told if "Thread.java" in line or "Failed with result" in line]


def test_a_virtual_machine_that_cannot_start_tells_its_option() -> None:
    assert "Unrecognized option: -Xnope" in causes.find_cause(OPTION)


def test_the_last_plain_lines_follow_the_cause() -> None:
    assert causes.find_cause(BOOT).splitlines()[-1].endswith("Jetty shutdown successfully")


def test_a_service_that_said_nothing_is_told_by_systemd() -> None:
    said = "it.service: Main process exited, code=killed, status=9/KILL\nit.service: Failed with result 'signal'.\n"
    assert said.strip() == causes.find_cause(said)
    assert "" == causes.find_cause("")


def test_the_exception_under_a_marker_is_found_and_none_elsewhere() -> None:
    _, stack = PORT.split("\n", 1)
    journal = f"{CASC}{HEAD}WARNING\th.i.i.X#handleException: Caught with ID 7\n{stack}{CASC}"

    assert causes.find_exception(journal, "with ID 7").startswith(
        "java.io.IOException: Failed to start Jetty\nCaused by: "
    )
    assert "" == causes.find_exception(journal, "with ID 8")
    assert "" == causes.find_exception("with ID 7", "with ID 7")
    assert "" == causes.find_exception(f"with ID 7\n{HEAD}INFO\tx: y", "with ID 7")


def test_a_suppressed_exception_is_no_cause() -> None:
    text = f"a.B$CException: one\n{STACK}\nAlso:   d.EException: beside\n{STACK}\nCaused: f.GError: two\n{STACK}\n"
    told = causes.find_cause(text)
    assert "a.B$CException: one\nCaused: f.GError: two" == told


def test_a_long_chain_and_long_lines_are_cut() -> None:
    text = f"a.BException: {'x' * 5000}\n{STACK}\n" + "".join(f"Caused: c.DError: {n}\n{STACK}\n" for n in range(50))

    told = causes.find_cause(text).splitlines()

    assert len(told) <= causes.LINES
    assert "Caused: c.DError: 49" == told[-1]
    assert max(map(len, told)) < 500


@pytest.mark.parametrize(
    "line",
    [
        "Unrecognized option: -Dpassword=hunter22",
        "db.password: hunter22",
        "https://me:hunter22@host.invalid/x failed",
        f"token 11{'0a' * 16} refused",
        "{AQAABAAAhunter22=}",
        "the file says hunter22-known",
    ],
)
def test_no_secret_is_told(line: str) -> None:
    told = causes.find_cause(f"error: {line}", ["hunter22-known"])
    assert "hunter22" not in told and "0a0a" not in told
    assert "***" in told


def test_a_journal_cannot_write_to_the_terminal() -> None:
    told = causes.find_cause("error: \x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J \x00 end")
    assert told == "error: red ]0;title 2J  end"


@pytest.mark.parametrize("part", ["x", "a.", "password", "\tat a(", "Caused by: ", "://a:"])
def test_a_journal_of_one_endless_line_is_read_in_no_time(part: str) -> None:
    started = time.process_time()
    causes.find_cause(part * 50_000)
    assert time.process_time() - started < 2


@given(st.text(alphabet=st.sampled_from("aA.:\n\t $()<>Caused byt0123456789[]ExceptionError")))
def test_any_text_is_told_in_few_short_lines(text: str) -> None:
    told = causes.find_cause(text).split("\n")
    assert len(told) <= causes.LINES
    causes.find_exception(text, "Caused")


def test_a_fault_of_yaml_is_told_whole() -> None:
    lines = ["while parsing a block mapping", " in 20.yaml, line 2, column 1:", "    jenkins:", "    ^"]
    lines += ["expected <block end>", " in 20.yaml, line 4, column 3:", "    x: 1", "    ^"]
    text = (
        "x: Failed to reload configuration\norg.yaml.snakeyaml.parser.ParserException: "
        + "\n".join(lines)
        + f"\n{STACK}\n"
    )
    told = causes.find_exception(text, "Failed to reload configuration")
    assert "in 20.yaml, line 4, column 3:" in told and len(told.splitlines()) == 8
