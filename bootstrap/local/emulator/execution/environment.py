"""The environment variables of a build, as Jenkins documents them under /env-vars.html."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ..model.builds import Build
from ..model.configuration import BUILT_IN, NodeSettings
from ..model.home import Home

_NODE_TIMEOUT = "org.jenkinsci.plugins.workflow.support.pickles.ExecutorPickle.timeoutForNodeMillis"


def make_build_variables(home: Home, build: Build) -> dict[str, str]:
    """The variables of the build; they are the same for every step."""
    job, url = build.job, home.url
    variables = {
        "BUILD_NUMBER": str(build.number),
        "BUILD_ID": str(build.number),
        "BUILD_DISPLAY_NAME": build.shown_name,
        "BUILD_TAG": f"jenkins-{job.full_name.replace('/', '-')}-{build.number}",
        "BUILD_URL": url + build.path,
        "RUN_DISPLAY_URL": url + build.path + "display/redirect",
        "JOB_NAME": job.full_name,
        "JOB_BASE_NAME": job.name,
        "JOB_URL": url + job.path,
        "JENKINS_URL": url,
        "HUDSON_URL": url,
        "JENKINS_HOME": str(home.directory),
        "HUDSON_HOME": str(home.directory),
        "CI": "true",
    }
    variables.update(home.configuration.variables)
    variables.update({parameter.name: parameter.value for parameter in build.parameters})
    if build.revision:
        variables.update(make_git_variables(build))
    return variables


def read_node_timeout(home: Home) -> float:
    """How long a build waits for a lost agent, in seconds: the property of Jenkins, else five minutes."""
    told = home.options.arguments.properties.get(_NODE_TIMEOUT, "")
    return int(told) / 1000 if told.isdigit() else 300.0


def make_git_variables(build: Build) -> dict[str, str]:
    """The variables that the git plugin sets after a checkout."""
    variables = {
        "GIT_COMMIT": build.revision,
        "GIT_BRANCH": f"origin/{build.branch}",
        "GIT_LOCAL_BRANCH": build.branch,
        "GIT_URL": build.remote,
    }
    earlier = [other for other in build.earlier if other.revision]
    if earlier:
        variables["GIT_PREVIOUS_COMMIT"] = earlier[0].revision
        good = [other for other in earlier if other.result == "SUCCESS"]
        if good:
            variables["GIT_PREVIOUS_SUCCESSFUL_COMMIT"] = good[0].revision
    return variables


def make_node_variables(node: NodeSettings, executor: int, workspace: Path) -> dict[str, str]:
    """The variables that a step gets from its node."""
    return {
        "NODE_NAME": node.name or BUILT_IN,
        "NODE_LABELS": " ".join(sorted(node.labels)),
        "EXECUTOR_NUMBER": str(executor),
        "WORKSPACE": str(workspace),
        "WORKSPACE_TMP": f"{workspace}@tmp",
    }


def make_process_environment(base: Mapping[str, str], *layers: dict[str, str]) -> dict[str, str]:
    """A node's own environment with layers over it; 'PATH+X' puts its value before PATH."""
    environment = dict(base)
    for layer in layers:
        for name, value in layer.items():
            override(environment, name, value)
    return environment


def override(environment: dict[str, str], name: str, value: str) -> None:
    """Set one variable as hudson.EnvVars#override does."""
    base, plus, _ = name.partition("+")
    if not value:
        environment.pop(name, None)
    elif plus:
        environment[base] = value + (":" + environment[base] if environment.get(base) else "")
    else:
        environment[name] = value


def expand(text: str, environment: dict[str, str]) -> str:
    """Replace $NAME and ${NAME}; unknown names stay as they are (hudson.Util#replaceMacro)."""
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda match: environment.get(match[1] or match[2], match[0]), text)
