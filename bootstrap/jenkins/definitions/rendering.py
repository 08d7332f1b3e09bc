"""Renders the job definitions with Job Builder as a library: offline, and with no settings but those in the folder.

Jobs that are kept as XML (raw_jobs.py) are rendered with them. Every job and view gets a footer (footer.py).
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from bootstrap.errors import Fault, JobsInvalid
from bootstrap.jenkins.definitions import agents, elements, footer, pipelines, raw_jobs
from bootstrap.jenkins.definitions.jobs import find_key_faults, find_schedule_fault
from bootstrap.projects import folders
from bootstrap.values import JobSet

_ABOUT_BRACES = (
    "; a name in braces is a parameter of Job Builder. Write every other brace twice, '{{' and '}}', or put the text into a "
    "file and write '!include-raw-verbatim: FILE' in its place"
)
_REMEDY = "Correct the definition; nothing was sent to Jenkins."


def render(
    folder: Path,
    variables: Mapping[str, str],
    plugins: Mapping[str, str],
    known: agents.Agents | None = None,
    own: Path | None = None,
    *,
    has_scripts: bool = True,
) -> JobSet:
    """The XML of the jobs and views that the definitions in `folder` describe.

    `variables` can be used as {name} in every definition. `plugins` (name to version) decides which XML is rendered, if it
    depends on the version of a plugin. With `known` agents, a job that none of them takes is a fault. The definitions in the
    folder `own`, a project's, come beside those in `folder`; a file takes the place of its namesake there. Without
    `has_scripts`, the scripts of Pipelines in the repository are not looked at. Needs no Jenkins and no network. Raises
    JobsInvalid with all faults.
    """
    with _silence_job_builder():
        return _Renderer(folder, variables, plugins, known, own, has_scripts=has_scripts).render()


class _Renderer:
    """Renders one folder with the parts of Job Builder; collects the faults."""

    def __init__(
        self,
        folder: Path,
        variables: Mapping[str, str],
        plugins: Mapping[str, str],
        known: agents.Agents | None,
        own: Path | None,
        *,
        has_scripts: bool,
    ) -> None:
        self._folder = folder
        self._own = own
        self._paths = folders.list_layered_files(folder, own)
        self._repository = (own or folder).parent
        self._variables = {"pipelines": "jobs/pipelines", **variables}
        self._plugins = plugins
        self._agents = known
        self._has_scripts = has_scripts
        self._faults: list[Fault] = []
        self._scripts: set[str] = set()  # the scripts that were checked: several jobs may run the same one
        self._unjudged: list[str] = []

    def render(self) -> JobSet:
        from jenkins_jobs.registry import ModuleRegistry, PluginVersion
        from jenkins_jobs.xml_config import XmlJobGenerator, XmlViewGenerator

        roots, config = self._load()
        raw = raw_jobs.read(self._folder, self._own, self._add_fault)
        jobs, views = self._expand(roots, has_others=bool(raw))
        plugins = [
            {"shortName": name, "version": PluginVersion(version)} for name, version in sorted(self._plugins.items())
        ]
        registry = ModuleRegistry(config, plugins)
        registry.set_macros(roots.macros)
        self._run_guarded(None, registry.amend_job_dicts, jobs)
        rendered_jobs = self._generate(XmlJobGenerator(registry), jobs)
        rendered_views = self._generate(XmlViewGenerator(registry), views)
        for job in raw:
            self._keep(job, job, rendered_jobs)
        self._check_folders(rendered_jobs, [*jobs, *raw])
        self._raise_faults()
        return JobSet(_sort_by_folder(rendered_jobs), _sort_by_folder(rendered_views), tuple(self._unjudged))

    def _load(self) -> tuple[Any, Any]:
        from jenkins_jobs.config import JJBConfig
        from jenkins_jobs.loader import load_files
        from jenkins_jobs.roots import Roots

        ini = self._folder / "job-builder.ini"
        config = self._run_guarded(ini, lambda: JJBConfig(str(ini), config_file_required=True))
        self._raise_faults()
        roots = Roots(config)
        for path in self._paths:
            self._run_guarded(path, load_files, config, roots, [path])
        self._raise_faults()
        self._check_keys()
        if "global" in roots.defaults:
            for name, value in self._variables.items():
                roots.defaults["global"].params[name] = value
        return roots, config

    def _check_keys(self) -> None:
        from jenkins_jobs.defaults import job_contents_keys, view_contents_keys

        texts = {path: path.read_text(encoding="utf-8") for path in self._paths}
        known = job_contents_keys | view_contents_keys
        for path, text in texts.items():
            self._faults += find_key_faults(str(self._show(path)), text, known, "".join(texts.values()))

    def _expand(self, roots: Any, *, has_others: bool) -> tuple[list[Any], list[Any]]:
        jobs = self._run_guarded(None, roots.generate_jobs) or []
        views = self._run_guarded(None, roots.generate_views) or []
        self._raise_faults()
        if not jobs and not has_others:
            self._add_fault(self._folder, "no job is defined here")
        self._raise_faults()
        return jobs, views

    def _generate(self, generator: Any, items: Iterable[Any]) -> dict[str, str]:
        rendered: dict[str, str] = {}
        for item in items:
            for each in self._run_guarded(_find_position(item), generator.generateXML, [item]) or ():
                self._keep(each, item, rendered)
        return rendered

    def _keep(self, job: Any, item: Any, rendered: dict[str, str]) -> None:
        """Check a rendered job or view, which `item` defines, and add it to `rendered`."""
        if str(job.name) in rendered:
            self._add_fault(_find_position(item), f"the job '{job.name}' is defined in a YAML file, too")
        self._check_script(job.xml, item)
        self._check_schedules(job.xml, item)
        self._check_plugins(job.xml, item)
        self._check_agents(job.xml, item)
        rendered[str(job.name)] = _finish_xml(job)

    def _check_script(self, xml: Any, item: Any) -> None:
        """The script of a Pipeline from this repository must exist, and its Jenkinsfile must have no faults."""
        script = xml.findtext("definition/scriptPath")
        urls = [element.text for element in xml.iterfind("definition/scm//url")]
        if not script or not self._has_scripts or self._variables.get("repository") not in urls:
            return
        path = (self._repository / script).resolve()
        if not path.is_relative_to(self._repository.resolve()):
            self._add_fault(_find_position(item), f"'{script}' is outside of the repository")
        elif not path.is_file():
            self._add_fault(_find_position(item), f"there is no file '{script}'")
        elif script not in self._scripts:
            self._scripts.add(script)
            try:
                self._faults += pipelines.find_faults(script, path.read_text(encoding="utf-8"), self._agents)
            except (OSError, UnicodeError) as error:
                self._faults.append(Fault(script, 1, 1, f"cannot be read: {error}"))

    def _check_schedules(self, xml: Any, item: Any) -> None:
        """A schedule that Jenkins cannot read never starts a build, and Jenkins reports no error."""
        for kind in ("hudson.triggers.TimerTrigger", "hudson.triggers.SCMTrigger"):
            for spec in xml.iterfind(f".//{kind}/spec"):
                if fault := find_schedule_fault(spec.text or ""):
                    self._add_fault(_find_position(item), fault)

    def _check_plugins(self, xml: Any, item: Any) -> None:
        """Jenkins would drop an element whose plugin is missing, and publish the job without it."""
        judged = elements.judge(xml, self._plugins)
        for name, plugin in judged.lacking:
            lack = f"'{item.name}': the element {name} belongs to the plugin {plugin}, which jenkins.lock.yaml does not have"
            self._add_fault(_find_position(item), f"{lack}; Jenkins would drop it without an error")
        self._unjudged += [f"element {name} of '{item.name}'" for name in judged.unknown]

    def _check_agents(self, xml: Any, item: Any) -> None:
        """A job that no agent takes would wait in the queue for ever."""
        if self._agents is None:
            return
        label = agents.find_label(xml)
        if label is not None and (refusal := self._agents.explain_refusal(label)):
            self._add_fault(_find_position(item), f"the job '{item.name}' {refusal}")
        is_disabled = xml.findtext("disabled") == "true"
        script = "" if is_disabled else xml.findtext("definition/script") or ""
        for _, refusal in agents.find_script_faults(script, self._agents):
            self._add_fault(_find_position(item), f"in the script of '{item.name}', {refusal}")

    def _check_folders(self, rendered: Mapping[str, str], items: Iterable[Any]) -> None:
        for item in items:
            parent = str(item.name).rpartition("/")[0]
            if parent and parent not in rendered and item.name in rendered:
                self._add_fault(
                    _find_position(item), f"'{item.name}' is in the folder '{parent}', which no job defines"
                )

    def _run_guarded(self, where: Any, function: Any, *arguments: Any) -> Any:
        """Call a function of Job Builder; an exception about a definition becomes a fault with the best known position."""
        from jenkins_jobs.errors import JenkinsJobsException

        try:
            return function(*arguments)
        except JenkinsJobsException as error:
            self._add_fault(*_explain_error(error, where))
        except yaml.MarkedYAMLError as error:
            self._add_fault(error.problem_mark or where, f"not YAML: {error.problem or error}")
        except (AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError) as error:
            # Job Builder does not check types: a list instead of a string raises one of these.
            self._add_fault(where, f"cannot be rendered: {type(error).__name__}: {error}")
        return None

    def _add_fault(self, where: Any, message: str) -> None:
        """Add a fault; `where` is a path, or a position of Job Builder or PyYAML, which count lines from 0."""
        line, column = (0, 0) if where is None or isinstance(where, Path) else (where.line, where.column)
        file = Path(str(getattr(where, "path", None) or getattr(where, "name", None) or self._folder))
        file = where if isinstance(where, Path) else file
        self._faults.append(Fault(str(self._show(file)), line + 1, column + 1, message))

    def _show(self, path: Path) -> Path:
        """The path of a file from the folder of the repository."""
        return path.relative_to(self._repository) if path.is_relative_to(self._repository) else path

    def _raise_faults(self) -> None:
        if self._faults:
            faults = sorted(self._faults, key=lambda fault: (fault.file, fault.line, fault.column))
            raise JobsInvalid(f"rendering the jobs in {self._folder}", faults, _REMEDY)


def _explain_error(error: Any, where: Any) -> tuple[Any, str]:
    """The best position of an error of Job Builder, and its message; for a duplicate, the position of the second one."""
    contexts = list(reversed(error.ctx))
    if contexts and error.message.startswith("Previous "):
        second = next((each for each in contexts if each.message.startswith("Duplicate ")), contexts[0])
        before = f"{error.message.lower()} in line {error.pos.line + 1}"
        if second.pos and second.pos.path != error.pos.path:  # the first one is in another file
            return second.pos, f"{second.message}; {before} of {error.pos.path.name}"
        return contexts[0].pos, f"{second.message}; {before}"
    positions = [error.pos, *(context.pos for context in contexts), where]
    hint = _ABOUT_BRACES if str(error.message).startswith("While formatting string") else ""
    return next((position for position in positions if position), None), f"{error.message}{hint}"


def _find_position(item: Any) -> Any:
    """The position where a job or view is defined: the innermost one that Job Builder has."""
    return next((context.pos for context in reversed(item.context) if context.pos), None)


def _finish_xml(rendered: Any) -> str:
    """The XML of one job or view as it is sent: in the sandbox, without fields of old data, and with the footer."""
    definition = rendered.xml.find("definition")
    for sandbox in definition.findall("sandbox") if definition is not None else ():
        if definition.get("class", "").endswith(".CpsScmFlowDefinition"):
            definition.remove(sandbox)  # this definition has no such field: it always runs in the sandbox
        else:
            sandbox.text = "true"  # Job Builder's default is false, and Jenkins forces the sandbox (casc/security.yaml)
    footer.add(rendered.xml)
    return str(rendered.output().decode())


def _sort_by_folder(rendered: Mapping[str, str]) -> dict[str, str]:
    """Sorted by name; a folder stands before its jobs."""
    return {name: rendered[name] for name in sorted(rendered, key=lambda name: name.split("/"))}


@contextmanager
def _silence_job_builder() -> Iterator[None]:
    """Suppress Job Builder's warnings: about versions of plugins, which are no Python versions, and about pkg_resources."""
    logger = logging.getLogger("jenkins_jobs")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
