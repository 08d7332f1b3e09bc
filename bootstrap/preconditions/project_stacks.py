"""What is one's own, beside the toolkit's: the stacks that an environment file names, and the repository of a project.

All of it is checked before anything is touched, and every fault has its place.
"""

from __future__ import annotations

from collections.abc import Iterator

from bootstrap.context import Context
from bootstrap.environment import settings as environments
from bootstrap.errors import Fault, SettingsInvalid, TemplateInvalid
from bootstrap.preconditions import stack_inputs
from bootstrap.projects import folders
from bootstrap.stacks import composition, rules

Place = tuple[str | int, ...]
_GIVEN = frozenset({"Project", "Environment"})  # parameters that every stack gets


def check(context: Context) -> None:
    """SettingsInvalid for what the file names and cannot be; TemplateInvalid for a parameter that nothing can give."""
    faults = [*_find_stack_faults(context), *_find_repository_faults(context)]
    if faults:
        placed = environments.place_faults(context.environment_file, faults)
        doing = f"looking for what '{context.settings.name}' has of its own"
        raise SettingsInvalid(doing, placed, "Correct the file; docs/projects.md of the toolkit explains both.")
    unmet = list(_find_unmet_parameters(context))
    if unmet:
        remedy = "Give the parameter a default, or the name of an output; a stack takes outputs of those before it."
        raise TemplateInvalid("checking your own stacks", unmet, remedy)


def _find_stack_faults(context: Context) -> Iterator[tuple[Place, str]]:
    named = context.settings.stacks
    for index, name in enumerate(named):
        if composition.is_of_toolkit(name) or composition.is_template_of_agents(name):
            yield ("stacks", index), f"'{name}' is a stack of the toolkit; your own stack needs another name"
        elif taken := next((it for it in composition.ORDER if name.endswith(f"-{it}")), None):
            yield (
                ("stacks", index),
                f"'{name}' ends in '-{taken}': an environment '{context.settings.name}-{name.removesuffix(f'-{taken}')}' would "
                f"have a stack of the toolkit with the same full name; your own stack needs another name",
            )
        elif name in named[:index]:
            yield ("stacks", index), f"'{name}' is in the list twice"
        elif not stack_inputs.find_template(name).is_file():
            yield ("stacks", index), f"there is no template cloudformation/{name}.yaml"


def _find_repository_faults(context: Context) -> Iterator[tuple[Place, str]]:
    if folders.is_apart() and context.settings.repository.url is not None:
        yield (
            ("repository", "url"),
            "the jobs of a project need project and toolkit in one repository, which a launch puts on the machine; "
            "leave url out",
        )


def _find_unmet_parameters(context: Context) -> Iterator[Fault]:
    known = set(_GIVEN)
    for name in context.wanted:
        path = stack_inputs.find_template(name)
        if name in context.settings.stacks:
            yield from rules.find_unmet_parameters(path, known)
        known |= rules.list_outputs(path)
