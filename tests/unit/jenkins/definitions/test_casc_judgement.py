"""What Jenkins drops, or breaks on without a place, is refused with file, line and column.

Each row is a file, where the fault is, and what is told; the rows of `TAKEN` are those that Jenkins takes as they are meant.
"""

from pathlib import Path

import pytest

from bootstrap.errors import CascRejected
from bootstrap.jenkins.definitions import casc

VALUES = {"COUNT": "3", "WORD": "abc", "NESTED": "a${X}", "NONE": ""}
USER = "jenkins: {securityRealm: {local: {users: [%s]}}}\n"
LOG = "jenkins: {log: {recorders: [%s]}}\n"

REFUSED = {
    # forms
    "jenkins:\n  systemMessage: 1.5\n": (
        "2:18",
        "Jenkins ignores 1.5, a decimal number, without an error; write '\"1.5\"'",
    ),
    "x:\n  - -1e3\n": ("2:5", "a decimal number"),
    "x: .inf\n": ("1:4", "a decimal number"),
    "x: 2026-11-29\n": ("1:4", "Jenkins refuses 2026-11-29, a date; write '\"2026-11-29\"'"),
    "x: 2026-11-29 10:00:00 +1\n": ("1:4", "a date"),
    "x-a: &a {mode: NORMAL}\njenkins:\n  <<: *a\n": ("3:3", "Jenkins fails on '<<' with an error page"),
    "jenkins:\n  systemMessage: !foo x\n": ("2:18", "no value with the tag '!foo'"),
    "jenkins:\n  systemMessage: !!binary aGk=\n": ("2:18", "no value with the tag '!!binary'"),
    "jenkins:\n  systemMessage: !!float 1\n": ("2:18", "no value with the tag '!!float'"),
    "tool: {}\njenkins:\n": ("2:1", "'jenkins' is empty"),
    "jenkins: ~\n": ("1:1", "'jenkins' is empty"),
    "jenkins:\n  mode:\tNORMAL\n": ("2:8", "not YAML"),
    "jenkins:\n\tmode: NORMAL\n": ("2:1", "not YAML"),
    "jenkins: {mode: NORMAL}\n---\ntool: {}\n": ("2:1", "expected a single document"),
    "jenkins:\n  mode: NORMAL\n  mode: EXCLUSIVE\n": ("3:3", "duplicate key"),
    # numbers
    "jenkins: {numExecutors: abc}\n": (
        "1:25",
        "jenkins.numExecutors: 'abc' is not a number, and Jenkins would use its default",
    ),
    "jenkins: {numExecutors: ''}\n": ("1:25", "'' is not a number"),
    "jenkins: {numExecutors: 0x10}\n": ("1:25", "'0x10' is not a number"),
    "jenkins: {numExecutors: 1_000}\n": ("1:25", "'1_000' is not a number"),
    "jenkins: {numExecutors: 010}\n": ("1:25", "'010' is 10 for Jenkins and another number in YAML; write 10"),
    "jenkins: {numExecutors: 99999999999}\n": ("1:25", "larger than Jenkins' integers"),
    "jenkins: {NumExecutors: -3}\n": ("1:25", "less than 0; Jenkins' check accepts it, and its reload stops there"),
    "jenkins: {quietPeriod: '${WORD}'}\n": ("1:24", "${WORD}, here 'abc', is not a number"),
    "jenkins: {quietPeriod: '${NONE}'}\n": ("1:24", "${NONE}, here '', is not a number"),
    "jenkins: {quietPeriod: '${UNSET:-five}'}\n": ("1:24", "${UNSET:-five}, here 'five', is not a number"),
    "jenkins: {quietPeriod: '${COUNT}${WORD}'}\n": ("1:24", "here '3abc', is not a number"),
    # truths, words
    "jenkins: {disableRememberMe: maybe}\n": ("1:30", "neither true nor false, and Jenkins would read it as false"),
    "jenkins: {disableRememberMe: t}\n": ("1:30", "neither true nor false"),
    "jenkins: {disableRememberMe: ''}\n": ("1:30", "neither true nor false"),
    "jenkins: {disableRememberMe: '${WORD}'}\n": ("1:30", "${WORD}, here 'abc', is neither true nor false"),
    "jenkins: {mode: normal}\n": ("1:17", "'normal' is not one of NORMAL, EXCLUSIVE"),
    # shapes
    "jenkins:\n  views:\n    all: {name: all}\n": ("3:5", "jenkins.views: a list is needed here, not a mapping"),
    "jenkins:\n  disabledAdministrativeMonitors: one\n": ("2:35", "a list is needed here, not a value"),
    "jenkins: {views: [~]}\n": ("1:19", "jenkins.views.0: this element of the list is empty"),
    "jenkins: {systemMessage: [a]}\n": ("1:26", "one text is needed here, not a list"),
    "jenkins: {mode: {a: b}}\n": ("1:17", "one word is needed here, not a mapping"),
    "jenkins: {crumbIssuer: [standard]}\n": ("1:24", "a mapping is needed here, not a list"),
    "jenkins: {views: [{all: {name: a}, list: {name: b}}]}\n": (
        "1:19",
        "one of its kinds is needed here, not 2: all, list",
    ),
    "unclassified: {location: [url]}\n": ("1:26", "a mapping is needed here, not a list"),
    "jenkins:\n  mode:\n": ("2:8", "jenkins.mode has no value, so Jenkins keeps its current value without an error"),
    "unclassified:\n  location: null\n": ("2:13", "unclassified.location has no value"),
    "x-none: &n ~\njenkins:\n  systemMessage: *n\n": ("3:18", "jenkins.systemMessage has no value"),
    # values that are replaced again
    "jenkins: {systemMessage: '${NESTED}'}\n": (
        "1:26",
        "the value of ${NESTED} contains '${', which Jenkins would replace again",
    ),
    # what Jenkins is not asked about
    USER % "{name: a}": ("1:43", "jenkins.securityRealm.local.users.0 needs the key 'id'"),
    USER % "{id: a, passwd: '${P}'}": ("1:51", "unknown key 'jenkins.securityRealm.local.users.0.passwd'"),
    USER % "{id: a, groups: [b]}": ("1:51", "there are: description, id, name, password, properties"),
    USER % "{id: a, properties: {mailer: {}}}": ("1:63", "a list is needed here"),
    USER % "{id: a, properties: [mailer: {emailAddres: b}]}": ("1:73", "did you mean 'emailAddress'?"),
    USER % "admin": ("1:43", "a mapping is needed here, not a value"),
    LOG % "{loggers: []}": ("1:29", "jenkins.log.recorders.0 needs the key 'name'"),
    LOG % "{name: a, loggers: [{name: b, level: LOUD}]}": ("1:66", "'LOUD' is not one of OFF, SEVERE"),
    LOG % "{name: a, loggers: [{name: b}]}": ("1:49", "needs the key 'level'"),
    "jenkins: {log: {Recorder: []}}\n": ("1:17", "did you mean 'recorders'?"),
    "jenkins: {log: x}\n": ("1:16", "a mapping is needed here, not a value"),
    "jenkins: {proxy: {name: p, port: http}}\n": ("1:34", "jenkins.proxy.port: 'http' is not a number"),
    "jenkins: {proxy: {host: p}}\n": ("1:19", "unknown key 'jenkins.proxy.host'; there are: name,"),
}

TAKEN = (
    "jenkins: {numExecutors: +4, quietPeriod: '0', slaveAgentPort: -1}\n",
    "jenkins: {numExecutors: '${COUNT}', quietPeriod: '${COUNT}0', scmCheckoutRetryCount: '${SECRET}'}\n",
    "jenkins: {quietPeriod: '${UNSET:-5}', numExecutors: '${sysProp:executors}'}\n",
    "jenkins: {disableRememberMe: Y, noUsageStatistics: 1, systemMessage: '^${X}'}\n",
    "jenkins: {crumbIssuer: standard, views: [all: {name: a}, list: ], mode: NORMAL}\n",
    "jenkins: {systemMessage: '1.5', labelString: 1.2.3, views: []}\n",
    "jenkins: {systemMessage: '2026-11-29', labelString: !!str 1.5}\n",
    "jenkins: {log: {recorders: [{name: a, loggers: [{name: b, level: '500'}]}]}, proxy: {name: p, port: 1}}\n",
    "unclassified: {somethingElse: ~, other: {numExecutors: abc}}\n",
    "jenkins: {securityRealm: {saml: {users: abc, n: ~}}, clouds: [amazonEC2: {instanceCap: x}]}\n",
    USER % "{id: a, properties: [search, slack: {channel: x}, timezone: {timeZoneName: UTC}]}",
    "x-list: &l [a]\nx-text: ~\njenkins: {disabledAdministrativeMonitors: *l}\n",
)


def read(text: str, tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "casc"
    folder.mkdir()
    (folder / "a.yaml").write_text(text)
    return casc.read(folder, ("SECRET", "P", *VALUES), VALUES)


@pytest.mark.parametrize("text", REFUSED)
def test_settings_that_jenkins_ignores_or_fails_on_are_faults_with_their_places(text: str, tmp_path: Path) -> None:
    place, part = REFUSED[text]

    with pytest.raises(CascRejected) as caught:
        read(text, tmp_path)

    told = [f"{fault.line}:{fault.column} {fault.message}" for fault in caught.value.faults]
    assert any(line.startswith(f"{place} ") and part in line for line in told), told
    assert len(told) == 1, told


@pytest.mark.parametrize("text", TAKEN)
def test_settings_that_jenkins_accepts_are_accepted(text: str, tmp_path: Path) -> None:
    assert {"a.yaml": text} == read(text, tmp_path)
