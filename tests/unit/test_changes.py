"""Every change of docs/changes.md, made in a checkout of the tests' own exactly as it is written there.

The real command line must take the commands of the section over the changed checkout: it reads and checks everything, and
stops where it would lock the environment (`refusing.py`). Then the change itself is looked for, in what the toolkit makes of
the files.
"""

import re
import shlex
import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from test_bad_input import Entry, entry, restore  # noqa: F401 -- `entry` is a fixture

from bootstrap.acts import casc, jobs
from bootstrap.environment import settings
from bootstrap.environment.models import Settings
from bootstrap.jenkins.definitions.people import add_people
from bootstrap.jenkins.distribution import load_lock, needs
from bootstrap.stacks import parameters, template

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES = 3
BLOCK = re.compile(r"```(?P<language>\w+)\n(?P<body>.*?)```\n", re.DOTALL)
HEAD = re.compile(r"(?:#|//) (?P<file>\S+) \((?P<how>new|at the end|(?:behind|in place of) \"(?P<line>.*)\")\)")


@dataclass(frozen=True)
class Section:
    """A section of the document: its edits as file, how and lines; its commands; and its text."""

    edits: tuple[tuple[str, str, str, tuple[str, ...]], ...]
    commands: tuple[str, ...]
    text: str


def read(text: str) -> Section:
    edits, commands = [], []
    for block in BLOCK.finditer(text):
        first, *lines = block["body"].splitlines()
        if block["language"] == "console":
            commands += [it.removeprefix("./bootstrap.py ") for it in (first, *lines)]
            continue
        head = HEAD.fullmatch(first)
        assert head is not None, first
        edits.append((head["file"], head["how"].split(' "')[0], head["line"] or "", tuple(lines)))
    return Section(tuple(edits), tuple(commands), text)


def sections() -> dict[str, Section]:
    _, *parts = re.split(r"^## (.*)\n", (ROOT / "docs" / "changes.md").read_text(), flags=re.MULTILINE)
    return {title: read(text) for title, text in zip(parts[::2], parts[1::2], strict=True)}


SECTIONS = sections()


def make(checkout: Path, section: Section) -> None:
    """Make the edits of a section."""
    for name, how, wanted, lines in section.edits:
        path, more = checkout / name, "".join(f"{line}\n" for line in lines)
        if how == "new":
            assert not path.exists(), f"{name} is there already"
            path.write_text(more)
            continue
        text = path.read_text()
        if how == "at the end":
            path.write_text(text + more)
            continue
        assert 1 == text.splitlines().count(wanted), f"{name} has not one line '{wanted}'"
        kept = f"{wanted}\n" if how == "behind" else ""
        path.write_text(f"\n{text}".replace(f"\n{wanted}\n", f"\n{kept}{more}", 1).removeprefix("\n"))


@dataclass(frozen=True)
class Checkout:
    """What the toolkit makes of a checkout."""

    folder: Path

    def settings(self, name: str = "local") -> Settings:
        return settings.load(self.folder / "environments" / f"{name}.yaml")

    def job(self, name: str) -> ElementTree.Element:
        variables = {"repository": "file:///srv/git/toolkit.git", "branch": "main"}
        lock = load_lock(self.folder / "jenkins.lock.yaml")
        rendered = jobs.render(self.folder / "jobs", variables, lock.plugins)
        return ElementTree.fromstring(rendered.jobs[name].encode())

    def casc(self, name: str) -> str:
        chosen = self.settings()
        return casc.read(self.folder / "casc", casc.list_known_variables(chosen), chosen.jenkins.secrets)[name]


def find_freestyle(found: Checkout) -> None:
    job = found.job("hello")
    assert ("project", "linux") == (job.tag, job.findtext("assignedNode"))
    assert "echo hello" == job.findtext("builders/hudson.tasks.Shell/command")


def find_pipeline(found: Checkout) -> None:
    job = found.job("application")
    assert "https://git.example.org/team/application.git" in [it.text for it in job.iter("url")]
    assert ("Jenkinsfile", "*/main") == (job.findtext("definition/scriptPath"), job.findtext(".//branches//name"))
    assert ["H/5 * * * *"] == [it.findtext("spec") for it in job.iter("hudson.triggers.SCMTrigger")]


def find_inline(found: Checkout) -> None:
    job = found.job("inline")
    assert "true" == job.findtext("definition/sandbox")
    assert "${env.JOB_NAME}" in (job.findtext("definition/script") or "")


def find_plugin(found: Checkout) -> None:
    lock = load_lock(found.folder / "jenkins.lock.yaml")
    table = needs.load_table(found.folder / "jenkins.needs.yaml")
    assert "locale" in lock.requested
    assert "614.va_6a_5a_1a_f2b_38" == lock.plugins["locale"]
    assert [] == list(needs.find_faults(lock, table))
    assert {"locale": "jenkins.needs.yaml does not have it"} == needs.find_unjudged(lock, table)


def find_secret(found: Checkout) -> None:
    assert "team/deploy-token" == found.settings().jenkins.secrets["DEPLOY_TOKEN"].secret
    assert 'secret: "${DEPLOY_TOKEN}"' in found.casc("credentials.yaml")


def find_setting(found: Checkout) -> None:
    assert "  quietPeriod: 5\n" in found.casc("controller.yaml")


def find_package(found: Checkout) -> None:
    assert ("jq",) == found.settings().host.extra_packages


def find_address(found: Checkout) -> None:
    assert "ci@example.org" == casc.list_known_variables(found.settings())["JENKINS_ADMIN_ADDRESS"]


def find_block(found: Checkout) -> None:
    made = parameters.make_parameters(found.settings(), "network", {})
    assert ("10.77.0.0/16", "192.168.0.0/24") == (made["OperatorCidr"], made["OperatorCidr2"])


def find_tag(found: Checkout) -> None:
    assert {"Team": "build"} == found.settings().tags


def find_person(found: Checkout) -> None:
    people = found.settings().people
    text = add_people({"access.yaml": found.casc("access.yaml")}, people)["access.yaml"]
    assert "developer" == people["first-developer"].role
    assert "${readFile:/etc/jenkins/people/first-developer:-" in text


def find_environment(found: Checkout) -> None:
    assert ("lab", "10.78.0.0/16") == (found.settings("lab").name, found.settings("lab").network.cidr)


def find_resource(found: Checkout) -> None:
    body: Any = template.parse((found.folder / "cloudformation" / "network.yaml").read_text())
    assert "AWS::EC2::SecurityGroup" == body["Resources"]["DatabaseClients"]["Type"]


FINDERS: dict[str, Callable[[Checkout], None]] = {
    "A freestyle job": find_freestyle,
    "A Pipeline from a repository": find_pipeline,
    "A Pipeline inline": find_inline,
    "A plugin": find_plugin,
    "A secret or a credential": find_secret,
    "A setting of Jenkins": find_setting,
    "A package on the machine": find_package,
    "An e-mail address": find_address,
    "A block of operators": find_block,
    "A tag": find_tag,
    "A person": find_person,
    "An environment": find_environment,
    "A resource in a template": find_resource,
}


def test_every_section_has_its_proof() -> None:
    assert list(SECTIONS) == list(FINDERS)


@pytest.mark.parametrize("title", SECTIONS)
def test_a_change_is_short_and_says_whether_jenkins_restarts(title: str) -> None:
    section = SECTIONS[title]

    assert section.edits
    assert 1 == len(section.commands)
    assert re.search(r"^Jenkins restarts: ", section.text, re.MULTILINE)
    assert [] == [name for name, _, _, lines in section.edits if len(lines) > MOST_LINES]


@pytest.mark.parametrize("title", SECTIONS)
def test_a_change_works_as_it_is_written(entry: Entry, title: str) -> None:  # noqa: F811
    section, checkout = SECTIONS[title], entry.checkout
    restore(checkout)
    shutil.rmtree(checkout / "environments")
    shutil.copytree(ROOT / "environments", checkout / "environments")
    make(checkout, section)

    for command in section.commands:
        found = entry.run(*shlex.split(command))
        # A command that changes something locks the environment first; `jobs` and `casc` alone need a launched one.
        assert ["lock"] == found["touched"], found["err"] + found["out"]
    FINDERS[title](Checkout(checkout))


def test_a_change_that_is_written_wrongly_is_noticed(entry: Entry) -> None:  # noqa: F811
    restore(entry.checkout)
    wrong = SECTIONS["A freestyle job"].text.replace("node: linux", "node: nowhere")
    make(entry.checkout, read(wrong))

    found = entry.run("jobs", "apply")

    assert ([], 1) == (found["touched"], found["code"])
    assert "jobs/hello.yaml:1:" in found["err"] + found["out"]
