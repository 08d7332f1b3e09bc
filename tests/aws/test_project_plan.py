"""A plan from a project: the command itself, with the toolkit where the start script clones it, and code of both."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap.projects import creation, pin
from tests.aws.conftest import ROOT

VERSION = "v1"
ENVIRONMENT = """\
environment: own
cloud: local
owner: somebody
cost_center: none
stacks: [clients]
network: {cidr: 10.91.0.0/16}
access: {operator_cidrs: [10.91.0.0/16]}
jenkins: {source: emulator}
"""
TEMPLATE = """\
Parameters:
  Project: {Type: String}
  VpcId: {Type: String}
Resources:
  Clients: {Type: "AWS::EC2::SecurityGroup", Properties: {GroupDescription: !Ref Project, VpcId: !Ref VpcId}}
"""
FILES = {
    "environments/own.yaml": ENVIRONMENT,
    "cloudformation/clients.yaml": TEMPLATE,
    "casc/quiet.yaml": "jenkins:\n  quietPeriod: 5\n",
    "jobs/hello.yaml": "- job: {name: hello, project-type: freestyle, node: linux, builders: [shell: echo]}\n",
}


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@localhost"]
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own") / "project"
    creation.create(folder, pin.Pin(str(ROOT), VERSION))
    for name, text in FILES.items():
        (folder / name).write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "own code")
    # A copy of what git tracks here, also of what was not committed yet, as a repository of its own.
    toolkit = folder / ".toolkit" / VERSION
    for name in git(ROOT, "ls-files", "-z").split("\0"):
        if name and (ROOT / name).is_file():
            (toolkit / name).parent.mkdir(parents=True, exist_ok=True)
            (toolkit / name).write_bytes((ROOT / name).read_bytes())
    git(toolkit, "init", "--quiet")
    git(toolkit, "add", "--all")
    git(toolkit, "commit", "--quiet", "-m", "the toolkit")
    known = ROOT / ".bootstrap" / "linted.json"  # linting the toolkit's templates is most of a first plan
    (folder / ".bootstrap").mkdir(mode=0o700)
    if known.is_file():
        shutil.copy(known, folder / ".bootstrap")
    return folder


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    toolkit = project / ".toolkit" / VERSION
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "BOOTSTRAP_"))}
    environ |= {"BOOTSTRAP_PROJECT": str(project), "BOOTSTRAP_ROOT": str(toolkit), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-m", "bootstrap", "-e", "own", *arguments]
    return subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True, timeout=300)


def test_a_plan_has_the_code_of_both(project: Path) -> None:
    done = run(project, "plan", "--out", "plan.json")

    assert 2 == done.returncode, done.stdout + done.stderr
    assert "clients cannot be planned yet: the stacks network, acls, data and controller do not exist" in done.stdout
    assert "not sent to the machine" not in done.stdout
    acts = json.loads((project / "plan.json").read_text())["acts"]
    named = {act: set(content["inputs"]) for act, content in acts.items()}
    assert {"clients.yaml", "network.yaml"} <= named["stack"]
    assert {"quiet.yaml", "controller.yaml"} <= named["casc"]
    assert {"hello", "seed"} <= named["jobs"]
    assert (project / ".bootstrap" / "own" / "runs").is_dir()
    assert not (project / ".toolkit" / VERSION / ".bootstrap").exists(), "state is the project's"
    assert "" == git(project / ".toolkit" / VERSION, "status", "--porcelain")


def test_a_fault_in_code_of_its_own_stops_a_plan_at_its_place(project: Path) -> None:
    template = project / "cloudformation" / "clients.yaml"
    template.write_text(TEMPLATE.replace("VpcId: {", "VpcID: {"))
    try:
        done = run(project, "plan")
    finally:
        template.write_text(TEMPLATE)

    assert 1 == done.returncode, done.stdout + done.stderr
    assert f"{template}:3:3: the parameter 'VpcID' has no default" in done.stdout + done.stderr
