"""The section `network.intentions` of an environment file, and the intentions that other options add."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator

from bootstrap.environment.sections import Section
from bootstrap.network.intentions import Intention, find_contradictions, is_environment, parse
from bootstrap.network.path_ends import INTERNET, OPERATORS, ROLES

_DIRECT = "operators -> controller:22"
Wish = Annotated[str, AfterValidator(lambda text: str(parse(text)))]


class Intentions(Section):
    """Who may reach whom, and who must not; `verify` checks each intention on the existing network.

    By default operators reach the controller's HTTPS (and its SSH, if the toolkit connects directly; both only if
    access.operator_cidrs has blocks), nobody reaches Jenkins' own port, and the Internet reaches nothing of the controller.
    """

    allow: tuple[Wish, ...] = ("operators -> controller:443",)
    deny: tuple[Wish, ...] = ("internet -> controller:*", "operators -> controller:8080")

    def list_allowed(
        self, bastion_blocks: tuple[str, ...] = (), *, operators: Sequence[str], is_ssh_direct: bool = False
    ) -> tuple[Intention, ...]:
        """The intentions to allow: those of the file, and those that options add.

        Options add SSH of the operators if it is direct, and SSH to the bastion from the blocks of its option. Without
        operators the default of `allow` is left out.
        """
        written = self.list_allow_texts(operators)
        ssh = [_DIRECT] if operators and is_ssh_direct and _DIRECT not in self.allow else []
        return tuple(parse(it) for it in (*written, *ssh, *(f"{block} -> bastion:22" for block in bastion_blocks)))

    def list_allow_texts(self, operators: Sequence[str]) -> tuple[str, ...]:
        """The texts of `allow`; its default only if there are operators."""
        return self.allow if operators or "allow" in self.model_fields_set else ()

    def list_denied(self) -> tuple[Intention, ...]:
        """The intentions to deny."""
        return tuple(parse(it) for it in self.deny)

    def list_environments(self) -> frozenset[str]:
        """The ends of intentions that can only be names of environments."""
        intentions = [parse(it) for it in (*self.allow, *self.deny)]
        return frozenset(end for it in intentions for end in (it.source, it.destination) if is_environment(end))


def find_faults(
    section: Intentions,
    operators: Sequence[str],
    bastion_blocks: tuple[str, ...] = (),
    *,
    environments: Mapping[str, str],
    own: str,
    is_ssh_direct: bool = False,
    is_isolated: bool = True,
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Unknown names and contradictions: for each the path below 'intentions', and a message.

    `environments` has the blocks of all environments, also of this one, whose name is `own`. Of two intentions that contradict
    each other, the path is that of the one in the file; the other can be a default or added by an option. `is_isolated` is
    whether the network has isolated subnets, in which data is.
    """
    yield from _check_ends(section, operators, environments)
    yield from _check_data(section) if not is_isolated else ()
    allow = section.list_allowed(bastion_blocks, operators=operators, is_ssh_direct=is_ssh_direct)
    deny, blocks = (
        section.list_denied(),
        {OPERATORS: operators, **{name: [block] for name, block in environments.items()}},
    )
    for allowed, denied in find_contradictions(allow, deny, blocks, own):
        number = allow.index(allowed)
        if "allow" in section.model_fields_set and number < len(section.allow):
            yield ("allow", number), f"'{allowed}' contradicts the deny '{denied}'{_is_unwritten(section, 'deny')}"
        else:
            option = "access.ssh" if str(allowed) == _DIRECT else "bastion.allow"
            is_default = number < len(section.list_allow_texts(operators))
            unwritten = _is_unwritten(section, "allow") if is_default else f", which {option} adds"
            yield ("deny", deny.index(denied)), f"'{denied}' contradicts the allow '{allowed}'{unwritten}"


def _check_ends(
    section: Intentions, operators: Sequence[str], environments: Mapping[str, str]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Faults for unknown environments, and for operators in `allow` if there are no operators."""
    for key, texts in (("allow", section.allow), ("deny", section.deny)):
        for number, text in enumerate(texts if key in section.model_fields_set else ()):
            intention = parse(text)
            for end in (intention.source, intention.destination):
                if is_environment(end) and end not in environments:
                    yield (key, number), _explain_unknown_end(end, environments)
            if key == "allow" and intention.source == OPERATORS and not operators:
                yield (key, number), f"'{intention}': there are no operators; set access.operator_cidrs"


def _check_data(section: Intentions) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Faults for an `allow` of the role data, which needs isolated subnets."""
    for number, text in enumerate(section.allow):
        if "data" in (parse(text).source, parse(text).destination):
            yield ("allow", number), f"'{text}': the role data needs isolated subnets; set network.isolated to true"


def _explain_unknown_end(end: str, environments: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(end, (*ROLES, OPERATORS, INTERNET, *environments), n=1)
    suggestion = f"; did you mean '{near[0]}'? Else" if near else ""
    other_environments = f", the environments {', '.join(sorted(environments))}" if environments else ""
    fixed_names = ", ".join((*ROLES, OPERATORS, INTERNET))
    problem = f"'{end}' is neither a role nor an environment of the same cloud and region"
    return f"{problem}{suggestion or ';'} there are {fixed_names}{other_environments}, and blocks"


def _is_unwritten(section: Intentions, key: str) -> str:
    return "" if key in section.model_fields_set else f", the default of '{key}'"
