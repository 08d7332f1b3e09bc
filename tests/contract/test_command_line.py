"""Jenkins' command line over HTTP: the exit codes that were seen on a real Jenkins, and the commands.

Seen on a real Jenkins were `help`, `list-jobs` and `build -s`, and the exit codes 0, 2 for an unknown command, 3 for a job that
does not exist and 6 without a permission. The rest was read in the sources of Jenkins and of its library args4j.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import Any

import jenkins
import pytest

from .command_line import CommandLine

only_read = pytest.mark.only_read


@pytest.fixture
def nobody(server: Any) -> CommandLine:
    """The command line of somebody who has not signed in."""
    return CommandLine(server.url, None)


def test_help_names_the_commands(line: CommandLine) -> None:
    ended = line.run("help")

    assert 0 == ended.code
    assert "  list-jobs\n    " in ended.faults
    assert b"" == ended.out


def test_list_jobs_names_the_jobs(line: CommandLine, job: str) -> None:
    ended = line.run("list-jobs")

    assert 0 == ended.code
    assert job in ended.words.splitlines()


def test_unknown_command_ends_with_2(line: CommandLine) -> None:
    assert (2, "No such command frobnicate\n") == (line.run("frobnicate").code, line.run("frobnicate").faults)


def test_job_that_does_not_exist_ends_with_3(line: CommandLine) -> None:
    ended = line.run("build", "no-such-job-at-all")

    assert 3 == ended.code
    assert "\nERROR: No such job 'no-such-job-at-all'" in ended.faults


def test_caller_without_a_right_ends_with_6(nobody: CommandLine) -> None:
    assert [6, 6] == [nobody.run(*words).code for words in (("list-jobs",), ("help",))]


@pytest.mark.parametrize(("word", "code", "result"), [("=", 0, "SUCCESS"), ("=1", 2, "FAILURE")])
def test_build_that_is_waited_for_ends_with_its_result(
    line: CommandLine, server: Any, job: str, word: str, code: int, result: str
) -> None:
    ended = line.run("build", job, "-s", "-v", "-p", f"WORD={word}")

    assert code == ended.code
    lines = ended.words.splitlines()
    assert [f"Started {job} #1", f"Completed {job} #1 : {result}"] == [lines[0], lines[-1]]
    assert f"[{word}]" in lines
    assert f"Finished: {result}" in lines
    assert result == server.client.get_build_info(job, 1)["result"]


@only_read
def test_build_by_the_command_line_has_a_cause_of_its_own(line: CommandLine, server: Any, job: str) -> None:
    line.run("build", job, "-s")

    (actions,) = [each for each in server.client.get_build_info(job, 1)["actions"] if "causes" in each]
    (cause,) = actions["causes"]
    assert "hudson.cli.BuildCommand$CLICause" == cause["_class"]
    assert server.user == cause["userId"]
    assert f"Started from command line by {server.user}" in server.client.get_build_console_output(job, 1)


@only_read
def test_build_without_waiting_ends_at_once(line: CommandLine, server: Any, job: str) -> None:
    ended = line.run("build", job)

    assert (0, b"") == (ended.code, ended.out)
    assert "SUCCESS" == server.finish(job, 1)[0]["result"]


@only_read
@pytest.mark.parametrize(
    ("words", "code", "fault"),
    [
        (("build", "JOB", "-p", "WRD=1"), 2, "'WRD' is not a valid parameter. Did you mean WORD?"),
        (("build", "JOB", "-p", "WORD"), 2, 'An argument for setting a Map must contain a "="'),
        (("build", "JOB", "-p"), 2, 'Option "-p" takes an operand'),
        (("build", "JOB", "-z"), 2, '"-z" is not a valid option'),
        (("build",), 2, 'Argument "JOB" is required'),
        (("build", "JOB", "other"), 2, "Too many arguments: other"),
        (("version", "other"), 2, "No argument is allowed: other"),
        (("console", "JOB", "-n", "x"), 2, '"x" is not a valid value for "-n"'),
        (("console", "JOB"), 4, "Permalink lastBuild produced no build"),
        (("console", "JOB", "7"), 3, "No such build #7"),
        (("console", "JOB", "lastbuild"), 3, 'Not sure what you meant by "lastbuild". Did you mean "lastBuild"?'),
        (("create-job", "JOB"), 4, "Job 'JOB' already exists"),
        (("create-job", "none/JOB"), 3, "Unknown ItemGroup none"),
        (("list-jobs", "none-such"), 3, "No view or item group with the given name 'none-such' found."),
        (("list-plugins", "none-such"), 3, "No plugin with the name 'none-such' found"),
    ],
)
def test_wrong_call_ends_with_its_code_and_words(
    line: CommandLine, job: str, words: tuple[str, ...], code: int, fault: str
) -> None:
    ended = line.run(*(word.replace("JOB", job) for word in words))

    wanted = fault if '"JOB"' in fault else fault.replace("JOB", job)
    assert (code, True) == (ended.code, ended.faults.startswith(f"\nERROR: {wanted}\n"))
    assert ("java -jar jenkins-cli.jar " in ended.faults) is (code == 2)


@only_read
def test_usage_has_the_arguments_and_the_options(line: CommandLine) -> None:
    ended = line.run("help", "console")

    assert 0 == ended.code
    assert ended.faults.startswith("java -jar jenkins-cli.jar console JOB [BUILD] [-f] [-n N]\n")
    assert " JOB   : Name of the job\n" in ended.faults
    assert (
        " BUILD : Build number or permalink to point to the build. Defaults to the last\n         build (default: lastBuild)\n"
        in ended.faults
    )


@only_read
def test_job_is_created_read_changed_copied_and_deleted(
    line: CommandLine, server: Any, name: str, freestyle: Callable[..., str]
) -> None:
    copy = f"{name}-copy"
    try:
        assert 0 == line.run("create-job", name, typed=freestyle("echo ö").encode()).code
        read = line.run("get-job", name)
        assert "echo ö" in read.words
        assert read.out == server.get(f"job/{name}/config.xml").content
        assert 0 == line.run("update-job", name, typed=freestyle("echo other").encode()).code
        assert "echo other" in line.run("get-job", name).words
        assert 0 == line.run("copy-job", name, copy).code
        assert server.client.get_job_info(copy)["buildable"]
        assert 0 == line.run("disable-job", copy).code
        assert (4, f"\nERROR: Cannot build {copy} because it is disabled.\n") == _end(line, "build", copy)
        assert 0 == line.run("enable-job", copy).code
        assert 0 == line.run("reload-job", copy).code
        assert (5, True) == _fails_in_part(line, "delete-job", copy, "no-such-job-at-all")
        assert not server.client.job_exists(copy)
    finally:
        with contextlib.suppress(jenkins.NotFoundException):
            server.client.delete_job(copy)


def _end(line: CommandLine, *words: str) -> tuple[int | None, str]:
    ended = line.run(*words)
    return ended.code, ended.faults


def _fails_in_part(line: CommandLine, *words: str) -> tuple[int | None, bool]:
    code, faults = _end(line, *words)
    return code, "no-such-job-at-all: No such job 'no-such-job-at-all'\n" in faults and "see previous stderr" in faults


@only_read
def test_xml_that_is_none_is_an_unexpected_exception(line: CommandLine, server: Any, name: str) -> None:
    ended = line.run("create-job", name, typed=b"no xml")

    assert 1 == ended.code
    assert ended.faults.startswith("\nERROR: Unexpected exception occurred while performing create-job command.\n")
    assert not server.client.job_exists(name)


@only_read
def test_console_is_printed_as_a_whole_and_by_its_last_lines(line: CommandLine, server: Any, job: str) -> None:
    server.run(job, {"WORD": "="})
    shown = server.client.get_build_console_output(job, 1)

    assert shown == line.run("console", job, "-f").words
    assert shown.splitlines(keepends=True)[-2:] == line.run("console", job, "1", "-n", "2").words.splitlines(
        keepends=True
    )
    # Without -f the notes for browsers are in it.
    assert b"\x1b[8mha:" in line.run("console", job).out


@only_read
def test_facts_of_the_server(line: CommandLine, server: Any) -> None:
    about = server.get("api/json")

    assert f"{about.headers['X-Jenkins']}\n" == line.run("version").words
    assert f"{about.headers['X-Jenkins-Session']}\n" == line.run("session-id").words
    assert line.run("who-am-i").words.startswith(f"Authenticated as: {server.user}\nAuthorities:\n  authenticated\n")
    listed = {row.split()[0]: row.split()[-1] for row in line.run("list-plugins").words.splitlines()}
    plugins = server.get("pluginManager/api/json?depth=1").json()["plugins"]
    assert listed == {plugin["shortName"]: plugin["version"] for plugin in plugins}
    assert listed["git"] == line.run("list-plugins", "git").words.split()[-1]


@only_read
def test_quiet_mode_begins_with_a_reason_and_ends(line: CommandLine, server: Any) -> None:
    try:
        assert 0 == line.run("quiet-down", "-block", "-timeout", "100", "-reason", "an upgrade").code
        info = server.client.get_info()
        assert (True, "an upgrade") == (info["quietingDown"], info["quietDownReason"])
    finally:
        assert 0 == line.run("cancel-quiet-down").code
    assert not server.client.get_info()["quietingDown"]


@only_read
def test_queue_is_cleared(line: CommandLine, server: Any, name: str, freestyle: Callable[..., str]) -> None:
    server.create("", name, freestyle("true", "<quietPeriod>600</quietPeriod>"))
    item = server.client.build_job(name)

    assert 0 == line.run("clear-queue").code
    assert server.client.get_queue_item(item)["cancelled"]


@only_read
def test_jenkinsfile_is_checked(line: CommandLine) -> None:
    right = "pipeline { agent any\n stages { stage('a') { steps { echo 'x' } } } }"

    assert (0, "Jenkinsfile successfully validated.\n") == (lambda ended: (ended.code, ended.words))(
        line.run("declarative-linter", typed=right.encode())
    )
    wrong = line.run("declarative-linter", typed=b"pipeline { }")
    assert 1 == wrong.code
    assert wrong.words.startswith("Errors encountered validating Jenkinsfile:\n")


@only_read
def test_settings_are_checked_and_exported(line: CommandLine, server: Any) -> None:
    assert 0 == line.run("check-configuration", typed=b"jenkins: {systemMessage: checked}").code
    wrong = line.run("check-configuration", typed=b"jenkins: {frobnicate: 1}")
    assert 1 == wrong.code
    assert "Invalid configuration elements for type: class jenkins.model.Jenkins : frobnicate" in wrong.faults
    printed, sent = line.run("export-configuration").words, server.post("configuration-as-code/export").text
    # Jenkins encrypts a secret anew at each export.
    assert re.sub(r"\{AQ[^}]*\}", "SECRET", printed) == re.sub(r"\{AQ[^}]*\}", "SECRET", sent)


@pytest.mark.emulator_alone
def test_command_that_the_emulator_lacks_is_refused_in_its_name(line: CommandLine) -> None:
    assert (5, "\nERROR: the emulator does not model the command groovy; Jenkins has it\n") == _end(line, "groovy", "=")


@only_read
@pytest.mark.own_process
def test_home_is_read_again_and_the_server_restarts_when_it_is_told_to(
    fresh: Any, connect: Any, freestyle: Callable[..., str]
) -> None:
    fresh.start()
    started = connect(fresh)
    started.create("", "job", freestyle("true")).raise_for_status()
    line = CommandLine(started.url, (started.user, started.password))
    written = fresh.home / "jobs/job/config.xml"
    written.write_text(written.read_text().replace("<project>", "<project><description>by hand</description>"))

    assert 0 == line.run("reload-configuration").code
    assert "by hand" == started.client.get_job_info("job")["description"]
    assert 0 == line.run("safe-restart", "-message", "an upgrade").code
    assert 5 == fresh.process.wait(30)
