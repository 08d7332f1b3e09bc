"""Which agents the settings in `casc/` and the groups of the environment file define, and whether one of them takes a job.

Jenkins queues a build that no agent takes, and it waits for ever. So a job whose label no agent has is refused before a launch.
The same is true for a job without a label where every agent takes only jobs that ask for its label (mode EXCLUSIVE).

Jenkins lets an exclusive agent also take a job whose expression names none of its labels, such as `!windows`. Such a job is
refused, because an exclusive agent may have rights that the job is not meant to have.

Not judged: labels that are known only during a build, and all labels where the settings define clouds, because a cloud makes
agents with labels of its own. The clouds of groups of agents are in no settings file; a group has one label.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import yaml

from bootstrap.environment.agents import ORDINARY, AgentGroup, takes_ordinary_jobs, takes_toolkit_jobs
from bootstrap.errors import CascRejected, Fault
from bootstrap.jenkins.definitions import casc_tree, labels
from bootstrap.jenkins.definitions.casc_tree import Kind, Node
from bootstrap.jenkins.definitions.casc_variables import Variables
from bootstrap.jenkins.definitions.groovy_text import Broken, Statement, Token, parse_statements

BUILT_IN = "built-in"
MACHINE = "machine"
"""The agent of the toolkit's own jobs on the machine of the controller, where no group runs them."""

# Jobs that occupy an executor themselves. A Pipeline occupies one where its script says so; a folder, none.
_BUILT_ON_AN_EXECUTOR = frozenset({"project", "maven2-moduleset"})


@dataclass(frozen=True)
class Agent:
    """An agent with executors, or the controller where it has some; an exclusive one takes no job without a label.

    `is_group` marks the agents of a group, which are made when a job waits for them. The plugin makes none for an expression
    that names another label than that of the group, also behind a `!` or beside a `||` (EC2FleetCloud.canProvision).
    """

    name: str
    labels: frozenset[str]
    is_exclusive: bool
    is_group: bool = False

    def takes(self, expression: str) -> bool:
        """Whether a job with this label expression runs here; raises labels.NoExpression if it is none."""
        if self.is_group and not labels.find_names(expression) <= self.labels:
            return False
        return labels.satisfies(self.labels, expression)


@dataclass(frozen=True)
class Agents:
    """All agents that the settings define."""

    found: tuple[Agent, ...]

    def explain_refusal(self, label: str) -> str | None:
        """Why no agent takes a job with this label expression (empty: none), or None if one does."""
        if not label:
            if any(not agent.is_exclusive for agent in self.found):
                return None
            return f"asks for no label, and every agent takes only jobs that ask for its label: {self._offer}"
        try:
            takers = [agent for agent in self.found if agent.takes(label)]
            names = labels.find_names(label)
        except labels.NoExpression as error:
            return f"asks for a label that Jenkins cannot read: {error}"
        unnamed = next((agent for agent in takers if agent.is_exclusive and not agent.labels & names), None)
        if unnamed is not None:
            return (
                f"asks for '{label}', which also fits the agent '{unnamed.name}'; that agent is for jobs that name one of its "
                f"labels: name the label of the agent that you want, for example 'LABEL && {label}'"
            )
        if takers:
            return None
        return f"asks for the label '{label}', which no agent has: {self._offer}"

    @property
    def _offer(self) -> str:
        known = sorted(
            {it for agent in self.found for it in agent.labels if agent.is_group or it != agent.name} - {BUILT_IN}
        )
        choice = f"use one of these labels: {', '.join(known)}" if known else "there is no agent with a label"
        return f"its builds would wait for ever; {choice}, or add a group of agents to the environment file ('agents')"


def make_builder_variables(groups: Mapping[str, AgentGroup]) -> dict[str, str]:
    """Label and mode of the agent `builder` on the machine of the controller, as variables of the settings.

    It takes the ordinary jobs. If a group takes those, it takes only jobs that ask for it by its name. If a group has the label
    of ordinary jobs, it takes those without a label.
    """
    gives_way = takes_ordinary_jobs(groups)
    return {
        "JENKINS_BUILDER_LABEL": "builder" if gives_way or ORDINARY in groups else ORDINARY,
        "JENKINS_BUILDER_MODE": "EXCLUSIVE" if gives_way else "NORMAL",
    }


def remove_machine(files: Mapping[str, str], groups: Mapping[str, AgentGroup]) -> dict[str, str]:
    """The settings files without the agent `machine`, if a group runs the jobs of the toolkit. Nothing else in them changes.

    CascRejected if the list of agents is in flow style, or has no other agent.
    """
    changed = dict(files)
    for name, text in files.items() if takes_toolkit_jobs(groups) else ():
        tree = _parse_yaml(text)
        section = _get_entry(tree, "jenkins") if tree is not None else None
        nodes = _get_entry(section, "nodes") if section is not None else None
        for node in nodes.items if nodes is not None else ():
            if any(
                (it := _get_entry(body.meant, "name")) is not None and it.text == MACHINE for _, body in node.entries
            ):
                changed[name] = _cut_item(name, text, nodes, node)
    return changed


def _cut_item(name: str, text: str, nodes: Node | None, item: Node) -> str:
    """A file without one item of a list, from the line of its dash to the last line of its values."""
    if nodes is None or text[nodes.start] == "[" or len(nodes.items) < 2:
        reason = f"the agent '{MACHINE}' has to go, because a group of agents runs the toolkit's jobs"
        fault = Fault(f"casc/{name}", item.line, item.column, reason)
        doing = "taking an agent out of Jenkins' settings"
        raise CascRejected(doing, [fault], "Write 'nodes' in block style, with the agent 'builder' in it.")
    lines = text.splitlines(keepends=True)
    ends = (it for it in casc_tree.walk(item) if it.kind in {Kind.SCALAR, Kind.ALIAS})
    last = text.count("\n", 0, max(it.end for it in ends))
    return "".join(lines[: item.line - 1] + lines[last + 1 :])


def read(
    files: Mapping[str, str], variables: Variables, groups: Mapping[str, AgentGroup] | None = None
) -> Agents | None:
    """The agents of the settings files and of the groups.

    None if that cannot be said, because of clouds in the files or of labels that are not known here.
    """
    trees = [tree for tree in map(_parse_yaml, files.values()) if tree is not None]
    sections = [section for tree in trees if (section := _get_entry(tree, "jenkins")) is not None]
    if any((clouds := _get_entry(section, "clouds")) is not None and clouds.items for section in sections):
        return None
    nodes = [
        item for section in sections if (listed := _get_entry(section, "nodes")) is not None for item in listed.items
    ]
    # The controller's settings may stand in several files; each key stands in one of them.
    controller = Node(Kind.MAPPING, 0, 0, 1, 1, entries=[entry for section in sections for entry in section.entries])
    bodies = [body.meant for node in nodes for _, body in node.meant.entries]
    places = [(_read_scalar(body, "name", variables), body) for body in bodies] + [(BUILT_IN, controller)]
    agents = []
    for name, body in places:
        if _read_scalar(body, "numExecutors", variables) == "0":
            continue  # left out, it is 1 for an agent and 2 for the controller
        labelled, mode = _read_scalar(body, "labelString", variables), _read_scalar(body, "mode", variables)
        if name is None or labelled is None or mode is None:
            return None
        agents.append(Agent(name, frozenset({name, *labelled.split()}), mode.upper() == "EXCLUSIVE"))
    of_groups = [Agent(label, frozenset({label}), it.exclusive, is_group=True) for label, it in (groups or {}).items()]
    return Agents((*agents, *of_groups))


def _parse_yaml(text: str) -> Node | None:
    try:
        return casc_tree.parse(text)
    except yaml.YAMLError:
        return None  # `casc.read` refuses this file


def _get_entry(node: Node, key: str) -> Node | None:
    """The value of a key; the last one wins, as in Jenkins."""
    found = [value.meant for name, value in node.meant.entries if name.text == key]
    return found[-1] if found else None


def _read_scalar(node: Node, key: str, variables: Variables) -> str | None:
    """A scalar as Jenkins will have it, empty where it is left out; None where it is not known here."""
    value = _get_entry(node, key)
    return "" if value is None or value.is_null else variables.resolve(value.text)


def find_label(job: ElementTree.Element) -> str | None:
    """The label expression of a job that is built on an executor (empty: none), or None for other kinds of jobs."""
    if job.tag not in _BUILT_ON_AN_EXECUTOR or job.findtext("disabled") == "true":
        return None
    return "" if job.findtext("canRoam") == "true" else (job.findtext("assignedNode") or "").strip()


def find_script_faults(script: str, agents: Agents) -> Iterator[tuple[int, str]]:
    """The offsets in a Pipeline's text where it asks for an executor that no agent has, with the reason; of any Pipeline."""
    try:
        found = parse_statements(script)
    except Broken:
        return
    yield from find_statement_faults(found, agents)


def find_statement_faults(found: Iterable[Statement], agents: Agents) -> Iterator[tuple[int, str]]:
    """The same of a Pipeline whose statements are read already."""
    for statement in found:
        for offset, label in find_requested_labels(statement):
            refusal = agents.explain_refusal(label)
            if refusal:
                yield offset, f"the Pipeline {refusal}"


def find_requested_labels(statement: Statement) -> Iterator[tuple[int, str]]:
    """Where a Pipeline asks for an executor, and with which label (empty: none); those that only a build knows are left out."""
    body, first = statement.body, next(iter(statement.arguments), None)
    if statement.word == "agent" and (body or (first is not None and first.text == "any")):
        label = "" if not body else _read_label_in_block(body[0])
        if label is not None:
            yield statement.head.offset, label
        return
    if statement.word == "node" and body is not None:
        label = _read_label_argument(statement.arguments)
        if label is not None:
            yield statement.head.offset, label
    for inner in body or ():
        yield from find_requested_labels(inner)


def _read_label_in_block(kind: Statement) -> str | None:
    """What `agent { ... }` asks for; None for agents that a plugin provides."""
    if kind.word == "any":
        return ""
    if kind.word == "label":
        return _read_label_argument(kind.arguments)
    if kind.word == "node":
        found = next((inner for inner in kind.body or () if inner.word == "label"), None)
        return _read_label_argument(found.arguments) if found is not None else None
    return None


def _read_label_argument(arguments: tuple[Token, ...]) -> str | None:
    """The label in `'x'`, `('x')` or `label: 'x'`, empty where nothing is given; None for what is evaluated in the build."""
    given = [token for token in arguments if token.text not in {"(", ")", ":", "label"}]
    if not given:
        return ""
    token = given[0]
    if len(given) > 1 or token.kind != "text" or "\\" in token.text:
        return None
    quote = token.text[:3] if token.text[:3] in {"'''", '"""'} else token.text[:1]
    label = token.text[len(quote) : -len(quote)].strip()
    return None if quote[0] == '"' and "$" in label else label
