"""The section `network.intentions` of an environment file, and what the other options of the network intend by themselves."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator

from bootstrap.environment.sections import Section
from bootstrap.network.intentions import Intention, contradictions, is_environment, parse
from bootstrap.network.places import INTERNET, OPERATORS, ROLES

_DIRECT = "operators -> controller:22"
Wish = Annotated[str, AfterValidator(lambda text: str(parse(text)))]


class Intentions(Section):
    """Who may reach whom, and who must not; `verify` checks each intention on the existing network.

    By default operators reach the controller's HTTPS (and its SSH, if the toolkit connects directly; both only if
    access.operator_cidr is set), nobody reaches Jenkins' own port, and the Internet reaches nothing of the controller.
    """

    allow: tuple[Wish, ...] = ("operators -> controller:443",)
    deny: tuple[Wish, ...] = ("internet -> controller:*", "operators -> controller:8080")

    def allowed(
        self, bastion_blocks: tuple[str, ...] = (), *, operators: str | None, is_ssh_direct: bool = False
    ) -> tuple[Intention, ...]:
        """What is allowed: what is written, and what options intend: the operators' SSH where it comes directly, and SSH to
        the bastion from the blocks that its own option names. What the default says of operators is said of nobody where there
        are none.
        """
        written = self.meant(operators)
        ssh = [_DIRECT] if operators and is_ssh_direct and _DIRECT not in self.allow else []
        return tuple(parse(it) for it in (*written, *ssh, *(f"{block} -> bastion:22" for block in bastion_blocks)))

    def meant(self, operators: str | None) -> tuple[str, ...]:
        """What is written under `allow`, or its default where there is somebody to keep it to."""
        return self.allow if operators or "allow" in self.model_fields_set else ()

    def denied(self) -> tuple[Intention, ...]:
        """What is denied."""
        return tuple(parse(it) for it in self.deny)

    def environments(self) -> frozenset[str]:
        """The names that can only be environments'."""
        spoken_of = [parse(it) for it in (*self.allow, *self.deny)]
        return frozenset(end for it in spoken_of for end in (it.source, it.destination) if is_environment(end))


def faults(
    section: Intentions,
    operators: str | None,
    bastion_blocks: tuple[str, ...] = (),
    *,
    environments: Mapping[str, str],
    own: str,
    is_ssh_direct: bool = False,
    is_isolated: bool = True,
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Names that nobody has, and contradictions: the place of each below 'intentions', and what is wrong.

    `environments` are the blocks of the environments beside this one, and of this one, whose name is `own`. The place is the
    one that a person wrote: the other may be a default, or what the bastion's option intends. `is_isolated` is whether the
    network has the subnets for data.
    """
    yield from _nobody(section, operators, environments)
    yield from _nowhere(section) if not is_isolated else ()
    allow = section.allowed(bastion_blocks, operators=operators, is_ssh_direct=is_ssh_direct)
    deny, blocks = section.denied(), {**environments, **({OPERATORS: operators} if operators else {})}
    for wish, ban in contradictions(allow, deny, blocks, own):
        number = allow.index(wish)
        if "allow" in section.model_fields_set and number < len(section.allow):
            yield ("allow", number), f"'{wish}' contradicts the deny '{ban}'{_unwritten(section, 'deny')}"
        else:
            option = "access.ssh" if str(wish) == _DIRECT else "bastion.allow"
            is_default = number < len(section.meant(operators))
            unwritten = _unwritten(section, "allow") if is_default else f", which {option} adds"
            yield ("deny", deny.index(ban)), f"'{ban}' contradicts the allow '{wish}'{unwritten}"


def _nobody(
    section: Intentions, operators: str | None, environments: Mapping[str, str]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Ends that mean nobody: an environment that is none, and in a promise operators where none are named."""
    for key, wishes in (("allow", section.allow), ("deny", section.deny)):
        for number, text in enumerate(wishes if key in section.model_fields_set else ()):
            wish = parse(text)
            for end in (wish.source, wish.destination):
                if is_environment(end) and end not in environments:
                    yield (key, number), _unknown(end, environments)
            if key == "allow" and wish.source == OPERATORS and not operators:
                yield (key, number), f"'{wish}': there are no operators; set access.operator_cidr"


def _nowhere(section: Intentions) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Promises to or of data, which nobody could keep where no isolated subnet is."""
    for number, text in enumerate(section.allow):
        if "data" in (parse(text).source, parse(text).destination):
            yield ("allow", number), f"'{text}': the role data needs isolated subnets; set network.isolated to true"


def _unknown(end: str, environments: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(end, (*ROLES, OPERATORS, INTERNET, *environments), n=1)
    meant = f"; did you mean '{near[0]}'? Else" if near else ""
    beside = f", the environments {', '.join(sorted(environments))}" if environments else ""
    known = ", ".join((*ROLES, OPERATORS, INTERNET))
    wrong = f"'{end}' is neither a role nor an environment of the same cloud and region"
    return f"{wrong}{meant or ';'} there are {known}{beside}, and blocks"


def _unwritten(section: Intentions, key: str) -> str:
    return "" if key in section.model_fields_set else f", the default of '{key}'"
