"""The section `network.intentions` of an environment file, and what the other options of the network intend by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator

from bootstrap.network.intentions import Intention, contradictions, parse
from bootstrap.sections import Section

_DIRECT = "operators -> controller:22"
Wish = Annotated[str, AfterValidator(lambda text: str(parse(text)))]


class Intentions(Section):
    """Who is meant to reach whom, and who never: verify proves every one of them on the network that is there.

    Where nothing is written, operators reach the controller's HTTPS (and its SSH, where that is how the toolkit connects),
    nobody reaches the port of Jenkins itself, and the Internet reaches nothing of the controller.
    """

    allow: tuple[Wish, ...] = ("operators -> controller:443",)
    deny: tuple[Wish, ...] = ("internet -> controller:*", "operators -> controller:8080")

    def allowed(self, bastion_blocks: tuple[str, ...] = (), *, is_ssh_direct: bool = False) -> tuple[Intention, ...]:
        """What is allowed: what is written, and what options intend: the operators' SSH where it comes directly, and SSH to
        the bastion from the blocks that its own option names.
        """
        ssh = [_DIRECT] if is_ssh_direct and _DIRECT not in self.allow else []
        return tuple(parse(it) for it in (*self.allow, *ssh, *(f"{block} -> bastion:22" for block in bastion_blocks)))

    def denied(self) -> tuple[Intention, ...]:
        """What is denied."""
        return tuple(parse(it) for it in self.deny)


def faults(
    section: Intentions, operators: str | None, bastion_blocks: tuple[str, ...] = (), *, is_ssh_direct: bool = False
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Contradictions: the place of each below 'intentions', and what it contradicts.

    The place is the one that a person wrote: the other may be a default, or what the bastion's option intends.
    """
    allow, deny = section.allowed(bastion_blocks, is_ssh_direct=is_ssh_direct), section.denied()
    for wish, ban in contradictions(allow, deny, operators):
        number = allow.index(wish)
        if "allow" in section.model_fields_set and number < len(section.allow):
            yield ("allow", number), f"'{wish}' contradicts the deny '{ban}'{_unwritten(section, 'deny')}"
        else:
            option = "access.ssh" if str(wish) == _DIRECT else "bastion.allow"
            unwritten = _unwritten(section, "allow") if number < len(section.allow) else f", which {option} intends"
            yield ("deny", deny.index(ban)), f"'{ban}' contradicts the allow '{wish}'{unwritten}"


def _unwritten(section: Intentions, key: str) -> str:
    return "" if key in section.model_fields_set else f", which holds unless '{key}' is written"
