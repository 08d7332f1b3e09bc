"""Tells what the imported jobs need before they can be published: plugins that the lock lacks, labels that no agent has."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Collection, Iterator, Mapping

from bootstrap.acts import casc
from bootstrap.importing.findings import Note, make_note
from bootstrap.jenkins.definitions import agents, elements
from bootstrap.jenkins.definitions.casc_variables import Variables

_NAMED = 5  # jobs in one line


def judge(rendered: Mapping[str, str], locked: Collection[str], settings: Mapping[str, str]) -> Iterator[Note]:
    """The notes; `locked` are the plugins of the lock, `settings` the texts of the settings files in `casc/`."""
    jobs = {name: ElementTree.fromstring(xml.encode()) for name, xml in rendered.items()}
    yield from _judge_plugins(jobs, locked)
    # The environments in which the jobs will be are not known; without groups of agents, the builder takes ordinary jobs.
    known = agents.read(settings, Variables(casc.VARIABLES, agents.make_builder_variables({})))
    if known is not None:
        yield from _judge_labels(jobs, known)


def _judge_plugins(jobs: Mapping[str, ElementTree.Element], locked: Collection[str]) -> Iterator[Note]:
    needed: dict[str, list[str]] = {}
    for name, root in jobs.items():
        for plugin in sorted({plugin for _, plugin in elements.judge(root, locked).lacking}):
            needed.setdefault(plugin, []).append(name)
    for plugin, names in sorted(needed.items()):
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        why = f"jenkins.lock.yaml does not have it, and it is needed by {', '.join(names[:_NAMED])}{more}"
        yield make_note(
            "plugin", plugin, why, f"./bootstrap.py jenkins lock --add {plugin}, or a launch refuses these jobs"
        )


def _judge_labels(jobs: Mapping[str, ElementTree.Element], known: agents.Agents) -> Iterator[Note]:
    for name, root in jobs.items():
        label = agents.find_label(root)
        refusals = [known.explain_refusal(label)] if label is not None else []
        script = "" if root.findtext("disabled") == "true" else root.findtext("definition/script") or ""
        refusals += [refusal for _, refusal in agents.find_script_faults(script, known)]
        for refusal in dict.fromkeys(filter(None, refusals)):
            yield make_note(
                "job", name, f"it {refusal.removeprefix('the Pipeline ')}", "a launch refuses it until then"
            )
