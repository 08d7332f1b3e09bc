"""Templates as files: reads them, checks them against their parameters, and lints them. Nothing here calls a cloud.

Only this module imports cfn-lint. Linting all templates takes seconds. So the checksum of a template without errors is stored,
with the region and the version of cfn-lint, in the folder `.bootstrap`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from bootstrap.errors import Fault, TemplateInvalid
from bootstrap.projects import folders

REMEMBERED = (
    64  # how many contents of templates are understood once in a process: a plan and a launch read each several times
)
LARGEST = 51200  # the largest template in a request to CloudFormation, in bytes; a larger one needs a bucket
_REMEDY = "Correct the template; nothing was created or changed."


@dataclass(frozen=True)
class Source:
    """A template as the act needs it.

    `defaults` has every parameter, with its default or None. If a change would replace one of the resources `replaced`, the
    stack is first updated with the parameters `by_way_of`, with which these resources do not exist. With `keeps_tags`, an
    update changes no tag, because one of the resources cannot get a new one.
    """

    body: str
    defaults: Mapping[str, str | None]
    replaced: frozenset[str] = frozenset()
    by_way_of: Mapping[str, str] = field(default_factory=dict)
    keeps_tags: bool = False


class _Loader(yaml.CSafeLoader):
    """YAML in which the short forms (!Ref, !Sub ...) are just values: only parameters and metadata are read here.

    By libyaml: the parser in Python takes ten times as long, which was a third of a launch of the stacks.
    """


def _construct_short_form(loader: _Loader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True) if isinstance(node, yaml.MappingNode) else None


_Loader.add_multi_constructor("!", _construct_short_form)


def parse(body: str) -> Any:
    """A template's content; the short forms of functions come out as their bare arguments."""
    return yaml.load(body, _Loader)  # noqa: S506 -- a CSafeLoader of our own


def compose(path: Path, body: bytes) -> yaml.Node:
    """The template at `path` as YAML nodes, which have line and column; TemplateInvalid if it is no template."""
    root = yaml.compose(_understand(path, body).body, _Loader)
    assert root is not None  # it was read as a mapping
    return root


def list_resources(body: str) -> dict[str, Any]:
    """The resources of a template by their ids, in a form that is equal for equal text: it has the tags of short forms."""
    root = yaml.compose(body, yaml.CSafeLoader)
    sections = dict(_list_entries(root))
    return {name: _construct_shape(node) for name, node in _list_entries(sections.get("Resources"))}


def _list_entries(node: yaml.Node | None) -> list[tuple[str, yaml.Node]]:
    return [(key.value, value) for key, value in node.value] if isinstance(node, yaml.MappingNode) else []


def _construct_shape(node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return node.tag, {key.value: _construct_shape(value) for key, value in node.value}
    return node.tag, [_construct_shape(it) for it in node.value] if isinstance(node, yaml.SequenceNode) else node.value


def load(path: Path, parameters: Mapping[str, str]) -> Source:
    """Read the template at `path`; TemplateInvalid if it is no template, is too large, or does not fit these parameters."""
    source = _read(path)
    faults = [
        Fault(str(path), _find_line(source.body, "Parameters:"), 1, message)
        for message in _find_misfits(source.defaults, parameters)
    ]
    if faults:
        raise TemplateInvalid(f"giving {path.name} its parameters", faults, _REMEDY)
    return source


def read_declared_parameters(path: Path) -> Mapping[str, str | None]:
    """The parameters of the template at `path`, with their defaults or None."""
    return _read(path).defaults


def _find_misfits(defaults: Mapping[str, str | None], parameters: Mapping[str, str]) -> list[str]:
    unknown = [f"the template has no parameter '{name}'" for name in parameters if name not in defaults]
    missing = [
        f"the parameter '{name}' has no default and was not given"
        for name, default in defaults.items()
        if default is None and name not in parameters
    ]
    return unknown + missing


def _read(path: Path) -> Source:
    return _understand(path, read_bytes(path))


@lru_cache(REMEMBERED)
def _understand(path: Path, body: bytes) -> Source:
    if len(body) > LARGEST:
        fault = Fault(str(path), 1, 1, f"{len(body)} bytes; CloudFormation takes {LARGEST} in a request")
        raise TemplateInvalid(f"reading {path.name}", [fault], "Divide it into two stacks.")
    try:
        content = parse(body.decode())
    except UnicodeDecodeError as error:
        fault = Fault(str(path), body.count(b"\n", 0, error.start) + 1, 1, f"not UTF-8: {error.reason}")
        raise TemplateInvalid(f"reading {path.name}", [fault], "Save the template as UTF-8.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        fault = Fault(str(path), line, column, str(getattr(error, "problem", error)))
        raise TemplateInvalid(f"reading {path.name}", [fault], _REMEDY) from error
    if not isinstance(content, dict):
        raise TemplateInvalid(f"reading {path.name}", [Fault(str(path), 1, 1, "not a mapping")], _REMEDY)
    _check_shape(path, content, body.decode())
    metadata = content.get("Metadata") or {}
    replacement = metadata.get("Replacement") or {}
    return Source(
        body=body.decode(),
        defaults={name: _format_default(it.get("Default")) for name, it in (content.get("Parameters") or {}).items()},
        replaced=frozenset(replacement.get("Of", ())),
        by_way_of=dict(replacement.get("ByWayOf", {})),
        keeps_tags=metadata.get("KeepsTags") is True,
    )


def _check_shape(path: Path, content: Mapping[str, Any], text: str) -> None:
    """TemplateInvalid if a section, a parameter, a resource or an output is not a mapping."""
    wrong = [
        name if not isinstance(section, dict) else f"{name}.{key}"
        for name in ("Metadata", "Parameters", "Resources", "Outputs")
        for section in [content.get(name) or {}]
        for key, it in (section.items() if isinstance(section, dict) else [("", None)])
        if not isinstance(section, dict) or (name != "Metadata" and not isinstance(it, dict))
    ]
    if wrong:
        line = _find_line(text, f"{wrong[0].partition('.')[0]}:")
        raise TemplateInvalid(
            f"reading {path.name}", [Fault(str(path), line, 1, f"'{it}' is not a mapping") for it in wrong], _REMEDY
        )


def read_bytes(path: Path) -> bytes:
    """The content of a template; TemplateInvalid if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        fault = Fault(str(path), 1, 1, f"cannot be read: {error.strerror}")
        raise TemplateInvalid(f"reading {path.name}", [fault], "Restore it: git restore.") from error


def _format_default(value: Any) -> str | None:
    return None if value is None else str(value)


def _find_line(body: str, start: str) -> int:
    return next((number for number, line in enumerate(body.splitlines(), 1) if line.startswith(start)), 1)


def lint(path: Path, region: str) -> None:
    """TemplateInvalid with every error that cfn-lint finds for the region. Warnings are ignored here; the tests check them."""
    key = hashlib.sha256(b"\0".join((read_bytes(path), region.encode(), _read_linter_version().encode()))).hexdigest()
    above = path.resolve().parents
    folder = next((it for it in above if it.name == "cloudformation"), above[0]).parent
    memory = (folders.PROJECT if folder == folders.ROOT else folder) / ".bootstrap" / "linted.json"
    known_keys = _read_memory(memory)
    if key in known_keys:
        return
    _read(path)  # first, because our errors for a file that cannot be read are clearer than cfn-lint's
    faults = [fault for fault, is_error in list_findings(path, region) if is_error]
    if faults:
        raise TemplateInvalid(f"checking {path.name} for {region}", faults, _REMEDY)
    _write_memory(memory, [*known_keys[-63:], key])


@cache
def _read_linter_version() -> str:
    return version("cfn-lint")  # it reads the package's metadata


def list_findings(path: Path, region: str) -> list[tuple[Fault, bool]]:
    """Every finding of cfn-lint about a template in a region, and whether it is an error."""
    from cfnlint.api import lint_file
    from cfnlint.config import ManualArgs

    matches = lint_file(path, ManualArgs(regions=[region]))
    return [
        (
            Fault(str(path), match.linenumber, match.columnnumber, f"{match.rule.id} {match.message}"),
            match.rule.id.startswith("E"),
        )
        for match in sorted(matches, key=lambda match: (match.linenumber, match.columnnumber))
    ]


def _read_memory(memory: Path) -> list[str]:
    try:
        return list(json.loads(memory.read_text()))
    except (OSError, ValueError):
        return []


def _write_memory(memory: Path, keys: list[str]) -> None:
    # Without the folder nothing is stored: such a template is linted each time.
    if memory.parent.is_dir():
        scratch = memory.with_suffix(".new")
        try:
            scratch.write_text(json.dumps(keys))
            scratch.replace(memory)
        except OSError:
            return


def list_permissions(kind: str, region: str) -> frozenset[str]:
    """The IAM actions that the handlers of a resource type need, by the schema of the type."""
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, kind).schema.get("handlers", {})
    return frozenset(action for handler in handlers.values() for action in handler.get("permissions", ()))


def list_known_actions(actions: Collection[str]) -> frozenset[str]:
    """Those of the names that are IAM actions, by cfn-lint's copy of the list of services and actions that AWS publishes.

    A name with a wildcard is one if it matches at least one action.
    """
    import fnmatch

    from cfnlint.data import AdditionalSpecs
    from cfnlint.helpers import load_resource

    services: Mapping[str, Any] = load_resource(AdditionalSpecs, "Policies.json")

    def is_known(action: str) -> bool:
        service, _, name = action.lower().partition(":")
        named = services.get(service, {}).get("Actions", {})
        return name in named or ("*" in name and bool(fnmatch.filter(named, name)))

    return frozenset(filter(is_known, actions))
