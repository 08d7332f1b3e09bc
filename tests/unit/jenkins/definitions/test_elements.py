"""Whose elements a job has: the table against Job Builder's own modules, and its rules."""

import ast
import re
import xml.etree.ElementTree as ElementTree
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from bootstrap.jenkins.definitions.elements import CORE, decode_class_name, find_owner, judge

ROOT = Path(__file__).parents[4]
# The short names of these plugins are not certain, or what stands there is a part of a name that is put together.
UNCERTAIN = (
    "ca.silvermaplesolutions.",
    "com.sonatype.insight.",
    "comparative.",
    "hudson.plugins.blame_upstream_commiters.",
    "hudson.plugins.locksandlatches.",
    "hudson.plugins.measurement_plots.",
    "imagegallery.",
    "matrix.",
    "messaging.",
    "org.jenkinsci.plugins.GroovyAxis",
    "org.jenkinsci.plugins.KmapJenkinsBuilder",
    "org.jenkinsci.plugins.buildschainfingerprinter.",
    "org.jenkinsci.plugins.gitlab.",
    "org.sonatype.nexus.",
    "org.zeroturnaround.",
)
LOCKED = yaml.safe_load((ROOT / "jenkins.lock.yaml").read_text())["plugins"]


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("project", CORE),
        ("hudson.model.ListView", CORE),
        ("hudson.model.ExternalJob", "external-monitor-job"),
        ("hudson.tasks.Shell", CORE),
        ("hudson.tasks.Mailer", "mailer"),
        ("hudson.tasks.NoSuch", None),
        ("flow-definition", "workflow-job"),
        ("hudson.plugins.git.extensions.impl.WipeWorkspace", "git"),
        ("hudson.plugins.gitter.X", None),
        ("hudson.scm.SubversionSCM$ModuleLocation", "subversion"),
        ("jenkins.branch.BranchSource", "branch-api"),
        ("jenkins.branch.buildstrategies.basic.TagBuildStrategyImpl", "basic-branch-build-strategies"),
        ("com.cloudbees.hudson.plugins.folder.properties.AuthorizationMatrixProperty", "matrix-auth"),
        ("com.cloudbees.hudson.plugins.folder.Folder", "cloudbees-folder"),
    ],
)
def test_the_longest_matching_name_decides(name: str, owner: str | None) -> None:
    assert owner == find_owner(name)


def test_escaped_characters_in_class_names_are_decoded() -> None:
    assert "hudson.plugins.build_timeout.X$Y" == decode_class_name("hudson.plugins.build__timeout.X_-Y")


def test_missing_plugins_and_unknown_elements_are_reported_separately() -> None:
    xml = """<project>
      <scm class="hudson.scm.SubversionSCM"/>
      <builders>
        <hudson.tasks.Shell/><EnvInjectBuilder/><OwnBuilder/><our.Own plugin="ours@1"/>
        <hudson.tasks.Shell><configuredLocalRules class="vector"/></hudson.tasks.Shell>
      </builders>
    </project>"""

    found = judge(ElementTree.fromstring(xml), {"ours-not": "1"})

    lacking = (("hudson.scm.SubversionSCM", "subversion"), ("EnvInjectBuilder", "envinject"), ("our.Own", "ours"))
    assert (lacking, ("OwnBuilder",)) == (found.lacking, found.unknown)


def written_by_job_builder() -> set[str]:
    """The names of classes that stand as texts in Job Builder's modules: what it may write, and few words more."""
    spec = find_spec("jenkins_jobs.modules")
    assert spec is not None and spec.submodule_search_locations
    found: set[str] = set()
    for path in Path(spec.submodule_search_locations[0]).glob("*.py"):
        tree = ast.parse(path.read_text())
        texts = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.Module) and node.body
            if isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in texts:
                found |= set(re.findall(r"^(?:[a-z]\w*\.)+[A-Z]\w*$", node.value))
    return {decode_class_name(name) for name in found}


def test_the_table_has_almost_every_class_that_job_builder_writes() -> None:
    names = written_by_job_builder()

    unknown = {name for name in names if find_owner(name) is None}

    assert len(names) > 300
    assert [] == sorted(name for name in unknown if not name.startswith(UNCERTAIN))


def test_every_plugin_of_the_lock_that_has_elements_is_in_the_table() -> None:
    owners = {find_owner(name) for name in written_by_job_builder()}

    assert {"git", "junit", "mailer", "email-ext", "htmlpublisher", "ws-cleanup", "build-timeout"} <= owners & set(
        LOCKED
    )
