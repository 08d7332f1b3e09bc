"""Renders the fixtures of Job Builder's source distribution to XML, as its own tests do: `render.py FOLDER`.

FOLDER is the unpacked distribution. Each line of the output is the JSON of one item or view: the fixture, its kind and its XML.
A fixture is compared with the XML that lies beside it where there is one, so that what is posted is what Job Builder's tests
mean. Fixtures of faults have no XML and are left out.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

# The folders whose tests call one generator, and its class; a project of another type than freestyle has a root of its own.
GENERATORS = {
    "builders/fixtures": "builders.Builders",
    "general/fixtures": "general.General",
    "githuborg/fixtures": "project_githuborg.GithubOrganization",
    "hipchat/fixtures": "hipchat_notif.HipChat",
    "multibranch/fixtures": "project_multibranch.WorkflowMultiBranch",
    "notifications/fixtures": "notifications.Notifications",
    "parameters": "parameters.Parameters",
    "properties/fixtures": "properties.Properties",
    "publishers/fixtures": "publishers.Publishers",
    "reporters/fixtures": "reporters.Reporters",
    "scm/fixtures": "scm.SCM",
    "triggers/fixtures": "triggers.Triggers",
    "wrappers/fixtures": "wrappers.Wrappers",
}
PROJECTS = {
    "maven": "project_maven.Maven",
    "matrix": "project_matrix.Matrix",
    "flow": "project_flow.Flow",
    "githuborg": "project_githuborg.GithubOrganization",
    "multijob": "project_multijob.MultiJob",
    "multibranch": "project_multibranch.WorkflowMultiBranch",
    "multibranch-defaults": "project_multibranch.WorkflowMultiBranchDefaults",
    "externaljob": "project_externaljob.ExternalJob",
}
# The folders whose tests render whole definitions, by the way in which their definitions are read.
DEFINITIONS = (
    "duplicates/job_fixtures",
    "jsonparser/fixtures",
    "loader/fixtures",
    "macros/fixtures",
    "triggers/job_fixtures",
    "yamlparser/job_fixtures",
)
VIEWS = ("yamlparser/view_fixtures", "duplicates/view_fixtures")

Rendered = dict[str, str]


def find_class(name: str) -> Any:
    """A class of Job Builder's modules: `module.Class`."""
    module, _, kind = name.partition(".")
    return getattr(import_module(f"jenkins_jobs.modules.{module}"), kind)


def list_fixtures(folder: Path) -> Iterator[tuple[Path, list[Path]]]:
    """The fixtures of a folder, each with the files of its expected XML; those without such a file are left out."""
    whole = {path.parent: path for path in folder.rglob("expected-output.xml")}
    for directory, expected in sorted(whole.items()):
        yield directory, [expected]
    for path in sorted(folder.rglob("*.json" if folder.parent.name == "jsonparser" else "*.yaml")):
        is_part = path.name.endswith("plugins_info.yaml") or any(parent in whole for parent in path.parents)
        # Job Builder's tests read these as they are, and render nothing.
        is_part = is_part or path.name.startswith(("custom_", "exception_"))
        expected = sorted(folder.rglob(path.with_suffix(".xml").name))
        if expected and not is_part:
            yield path, expected


class Renderer:
    """Renders one fixture, with the settings and the plugins that lie beside it."""

    def __init__(self, path: Path) -> None:
        from jenkins.plugins import Plugin
        from jenkins_jobs.config import JJBConfig
        from jenkins_jobs.registry import ModuleRegistry

        beside = path / "test" if path.is_dir() else path.with_suffix("")
        self._path, self._config = path, JJBConfig(f"{beside}.conf")
        self._config.validate()
        described = Path(f"{beside}.plugins_info.yaml")
        import yaml

        plugins = [Plugin(**each) for each in yaml.safe_load(described.read_text())] if described.exists() else None
        self._registry = ModuleRegistry(self._config, plugins)

    def render_part(self, generator: str) -> Iterator[str]:
        """The XML of a fixture of one generator."""
        from jenkins_jobs.loader import Loader
        from jenkins_jobs.xml_config import XmlJob

        definition = Loader.empty(self._config).load_path(self._path)
        kind = definition.get("project-type", "freestyle")
        root = ElementTree.Element("project")
        if kind != "freestyle":
            root = find_class(PROJECTS[kind])(self._registry).root_xml(definition)
        find_class(generator)(self._registry).gen_xml(root, definition)
        yield XmlJob(root, "fixturejob").output().decode()

    def render_view(self) -> Iterator[str]:
        """The XML of a fixture of one view."""
        from jenkins_jobs.loader import Loader
        from jenkins_jobs.xml_config import XmlJob

        definition = Loader.empty(self._config).load_path(self._path)
        kind = str(definition["view-type"])
        title = "".join(part.capitalize() for part in kind.split("_"))
        module = find_class(f"view_{kind}.{title}")(self._registry)
        root = module.root_xml(definition)
        module.gen_xml(root, definition)
        yield XmlJob(root, "fixtureview").output().decode()

    def render_definitions(self, *, are_views: bool) -> Iterator[str]:
        """The XML of each job or view that a fixture defines."""
        from jenkins_jobs import utils
        from jenkins_jobs.alphanum import AlphanumSort
        from jenkins_jobs.loader import load_files
        from jenkins_jobs.roots import Roots
        from jenkins_jobs.xml_config import XmlJobGenerator, XmlViewGenerator

        roots = Roots(self._config)
        paths = [self._path]
        if self._config.recursive:
            paths = [Path(path) for path in utils.recurse_path(str(self._path))]
        load_files(self._config, roots, paths)
        self._registry.set_macros(roots.macros)
        if are_views:
            rendered = XmlViewGenerator(self._registry).generateXML(roots.generate_views())
        else:
            jobs = roots.generate_jobs()
            self._registry.amend_job_dicts(jobs)
            rendered = XmlJobGenerator(self._registry).generateXML(jobs)
        yield from (each.output().decode() for each in sorted(rendered, key=AlphanumSort))


def render_folder(tests: Path, folder: str) -> Iterator[Rendered]:
    """Render the fixtures of one folder; raises AssertionError where the XML is not the expected one."""
    is_view = folder in (*VIEWS, "views/fixtures")
    for path, expected in list_fixtures(tests / folder):
        renderer = Renderer(path)
        if folder == "views/fixtures":
            parts = list(renderer.render_view())
        elif generator := GENERATORS.get(folder):
            parts = list(renderer.render_part(generator))
        else:
            parts = list(renderer.render_definitions(are_views=is_view))
        wanted = "".join(file.read_text() for file in expected)
        assert squeeze("".join(parts)) == squeeze(wanted), f"{path} renders to other XML than {expected}"
        for number, xml in enumerate(parts):
            name = f"{folder}/{path.name}" + (f" ({number + 1})" if number else "")
            yield {"fixture": name, "kind": "view" if is_view else "item", "xml": xml}


def squeeze(xml: str) -> str:
    """XML without what Job Builder's tests do not compare either: blank lines, and the two ways to write a quote."""
    lines = xml.replace("&quot;", '"').replace("<BLANKLINE>", "").splitlines()
    return "\n".join(line for line in lines if line.strip())


def main() -> None:
    """Print all that can be rendered."""
    warnings.simplefilter("ignore")
    home = Path(sys.argv[1]).resolve()
    os.chdir(home)  # some fixtures name files by their path in the distribution
    sys.path.append(str(home / "tests/yamlparser/job_fixtures"))
    for folder in (*GENERATORS, *DEFINITIONS, *VIEWS, "views/fixtures"):
        for rendered in render_folder(home / "tests", folder):
            print(json.dumps(rendered))


if __name__ == "__main__":
    main()
