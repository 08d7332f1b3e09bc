"""`new`: writes the files of a job or an environment that works at once, as a beginning."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from bootstrap.cli.command import Command

# The label of the agent that runs the builds of a new job.
_LABEL = "linux"
_JOB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_ENVIRONMENT_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}[a-z0-9]")
_PIPELINE = """\
# A Pipeline whose steps are in the file below; docs/changes.md has other kinds of jobs.
- job: {{name: {name}, project-type: pipeline, dsl: !include-raw-verbatim: pipelines/{name}.groovy}}
"""
_STEPS = """\
pipeline {{
  agent {{ label '{label}' }}
  options {{ timeout(time: 10, unit: 'MINUTES') }}
  stages {{
    stage('Say') {{
      steps {{
        echo 'hello from {name}'
      }}
    }}
  }}
}}
"""
_FREESTYLE = """\
# A freestyle job; docs/changes.md has other kinds of jobs.
- job:
    name: {name}
    project-type: freestyle
    node: {label}
    builders:
      - shell: echo hello from {name}
"""
_ENVIRONMENT = """\
# yaml-language-server: $schema=schema.json
# An environment on this machine. A key that is left out has a default; aws.yaml has and explains all keys.
version: {version}
environment: {name}
project: {project}
cloud: local
region: {region}
owner: operator@localhost
cost_center: none

network:
  cidr: {block}

access:
  operator_cidrs: [{block}]

jenkins:
  source: official
  fallback: emulator
"""


def new(options: argparse.Namespace) -> int:
    """Write the files; UsageError if one of them exists or the name cannot be used."""
    from bootstrap.runs import terminal

    written, following = _write_job(options) if options.kind == "job" else _write_environment(options.name)
    for path in written:
        terminal.write(f"wrote {path}\n")
    terminal.write(f"next: git add {' '.join(written)}   {following}\n")
    return 0


def _write_job(options: argparse.Namespace) -> tuple[list[str], str]:
    """The files of a job, and the command that publishes it. All jobs must render with it, otherwise the files are removed."""
    from bootstrap import context
    from bootstrap.acts import jobs
    from bootstrap.errors import UsageError
    from bootstrap.jenkins.distribution import load_lock
    from bootstrap.projects import folders

    name = options.name
    if not _JOB_NAME.fullmatch(name):
        found = (
            f"'{name}' is not a name for a job: it has letters, digits and . _ -, and begins with a letter or a digit"
        )
        raise UsageError(f"making the job '{name}'", found, "Choose another name.")
    files = {f"jobs/{name}.yaml": (_FREESTYLE if options.freestyle else _PIPELINE).format(name=name, label=_LABEL)}
    if not options.freestyle:
        files[f"jobs/pipelines/{name}.groovy"] = _STEPS.format(name=name, label=_LABEL)
    plugins = load_lock(folders.find("jenkins.lock.yaml")).plugins
    own = folders.find_own_folder("jobs")
    pipelines = folders.name_toolkit_path("jobs/pipelines")
    variables = {"repository": "file:///repository", "branch": "main", "pipelines": pipelines}
    _write(files, lambda: jobs.render(context.ROOT / "jobs", variables, plugins, None, own))
    return list(files), "./bootstrap.py jobs apply"


def _write_environment(name: str) -> tuple[list[str], str]:
    """The file of an environment with a block that no other one has, and the command that launches it."""
    import ipaddress

    from bootstrap.context import PROJECT
    from bootstrap.environment import other_environments, settings, versions
    from bootstrap.errors import UsageError
    from bootstrap.projects import creation, folders

    if not _ENVIRONMENT_NAME.fullmatch(name):
        rule = "2 to 32 small letters, digits and -; the first is a letter, and the last is no -"
        found = f"'{name}' is not a name for an environment: {rule}"
        raise UsageError(f"making the environment '{name}'", found, "Choose another name.")
    region = other_environments.REGION
    path = PROJECT / "environments" / f"{name}.yaml"
    neighbours = [it.block for it in other_environments.list_neighbours(path, "local", region)]
    candidates = (ipaddress.IPv4Network(f"10.{number}.0.0/16") for number in range(78, 255))
    block = next((it for it in candidates if not any(it.overlaps(taken) for taken in neighbours)), None)
    if block is None:
        remedy = "Copy environments/local.yaml and choose a block yourself."
        raise UsageError(f"making the environment '{name}'", "every block from 10.78.0.0/16 on is taken", remedy)
    # As the others here: another project on the same account has stacks of its own.
    project = other_environments.find_usual_project(path.parent)
    if not project:
        project = creation.name_project(PROJECT) if folders.is_apart() else other_environments.PROJECT
    files = {
        f"environments/{name}.yaml": _ENVIRONMENT.format(
            name=name, version=versions.CURRENT, region=region, block=block, project=project
        )
    }
    _write(files, lambda: settings.load(path))
    return list(files), f"./bootstrap.py -e {name} launch"


def _write(files: Mapping[str, str], check: Callable[[], object]) -> None:
    """Write new files below the checkout; if `check` refuses what there is then, they are removed again."""
    from bootstrap.context import PROJECT
    from bootstrap.errors import BootstrapError, UsageError

    paths: list[Path] = []
    try:
        for name, text in files.items():
            path = PROJECT / name
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("x", encoding="utf-8") as file:
                    paths.append(path)
                    file.write(text)
            except FileExistsError as error:
                doing, remedy = f"writing {name}", "It is not overwritten: choose another name, or edit that file."
                raise UsageError(doing, "there is a file of this name already", remedy) from error
        check()
    except BootstrapError:
        for path in paths:
            path.unlink()
        raise


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=("job", "environment"), help="what to make")
    parser.add_argument("name", help="its name")
    parser.add_argument("--freestyle", action="store_true", help="with 'job': a freestyle job; otherwise a Pipeline")


COMMANDS = (
    Command(
        "new",
        185,
        "write the files of a new job or environment, which work at once",
        new,
        (
            ("new job hello", "a Pipeline: jobs/hello.yaml and its steps"),
            ("new job hello --freestyle", "a freestyle job"),
            ("new environment lab", "an environment on this machine, with a block of its own"),
        ),
        _add_arguments,
    ),
)
