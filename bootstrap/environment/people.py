"""The people of an environment: who they are, their roles, and with what they come in.

A role decides what a person may do in Jenkins, in the git repository on the machine, on the machine itself and on AWS. This
module says which role reaches what. What it may do there is in `jenkins.definitions.people` for Jenkins, and for AWS in the
template `cloudformation/people.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bootstrap.environment import ssh_keys
from bootstrap.environment.sections import Section

Role = Literal["administrator", "operator", "developer", "auditor"]
GitAccess = Literal["read", "write"]
ROLES: tuple[Role, ...] = ("administrator", "operator", "developer", "auditor")
# Users of Jenkins and of the machine that are not people, and names that Jenkins itself gives a meaning.
RESERVED = frozenset(
    ("admin", "toolkit", "builds", "anonymous", "authenticated", "everyone", "system", "unknown", "root", "git", "me")
)
MOST = 200
_ID = r"^[a-z][a-z0-9-]{0,30}[a-z0-9]$"
# IAM takes a comma in a name, too; here it would end the ARN, because the parameters of the stack are lists with commas.
_PRINCIPAL = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):iam::[0-9]{12}:(?P<kind>user|role)/(?P<path>([A-Za-z0-9+=.@_-]+/)*)(?P<name>[A-Za-z0-9+=.@_-]+)"
)
# It is written into Jenkins' settings: characters of a plain address alone, none that YAML or Jenkins replaces.
_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"[A-Za-z0-9.!#%&'*+/=?_|~-]{{1,64}}@{_LABEL}(\.{_LABEL})*")
_SSO_PATH, _SSO_NAME = "aws-reserved/sso.amazonaws.com/", "AWSReservedSSO_"
Found = tuple[tuple[str | int, ...], str]


def check_id(text: str) -> str:
    """Returns the id of a person; ValueError for one that is none, or belongs to somebody else."""
    if not re.fullmatch(_ID.strip("^$"), text):
        raise ValueError(f"{text!r} is no id: it has 2 to 32 small letters, digits and '-', and begins with a letter")
    if text in RESERVED:
        raise ValueError(f"'{text}' is a user of Jenkins or of the machine itself; choose another id")
    return text


def _check_name(text: str) -> str:
    """Returns the name of a person as people read it; ValueError for a blank one, or characters that are not seen."""
    if not text.strip():
        raise ValueError("is blank; write the name that Jenkins shows")
    if not text.isprintable():
        hidden = next(character for character in text if not character.isprintable())
        raise ValueError(f"has the character U+{ord(hidden):04X}, which is not seen; write the name without it")
    return text


def _check_principal(text: str) -> str:
    """Returns the ARN of an IAM user or role; ValueError for any other text."""
    if "," in text:
        raise ValueError(f"{text!r} has a comma; name one IAM user or role alone, whose name has none")
    if not _PRINCIPAL.fullmatch(text):
        raise ValueError(
            f"{text!r} is no ARN of an IAM user or role, such as arn:aws:iam::111122223333:user/NAME; "
            "of a session (sts, assumed-role), write the role"
        )
    return text


def _check_address(text: str) -> str:
    """Returns a mail address without quoting; ValueError for any other text."""
    if len(text) > 254 or not _ADDRESS.fullmatch(text):
        raise ValueError(f"{text[:80]!r} is no mail address, such as first.operator@example.org")
    return text


def is_sso_role(arn: str) -> bool:
    """Whether the ARN is that of a role that IAM Identity Center made.

    Sessions of such a role carry no aws:MultiFactorAuthPresent, whether the person gave a second factor or not.
    """
    found = _PRINCIPAL.fullmatch(arn)
    is_role = found is not None and found["kind"] == "role"
    return found is not None and is_role and found["path"].startswith(_SSO_PATH) and found["name"].startswith(_SSO_NAME)


PersonId = Annotated[str, Field(pattern=_ID), AfterValidator(check_id)]
PrincipalArn = Annotated[str, AfterValidator(_check_principal)]
PublicKey = Annotated[str, AfterValidator(ssh_keys.check)]
Email = Annotated[str, AfterValidator(_check_address)]
Group = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,62}$")]


class Person(Section):
    """One person. `git` is what the keys may do in the repository on the machine; left out, what the role may."""

    # Jenkins would replace '${' as a variable.
    name: Annotated[
        str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f$^]+$"), AfterValidator(_check_name)
    ]
    email: Email
    role: Role
    groups: tuple[Group, ...] = ()
    ssh_keys: Annotated[tuple[PublicKey, ...], Field(max_length=10)] = ()
    aws: PrincipalArn | None = None
    git: GitAccess | None = None

    @property
    def git_access(self) -> Literal["read", "branches", "write"]:
        """What the person's keys may do in the repository: read, push to branches that are not launched, or push to all."""
        if self.role in {"administrator", "operator"}:
            return self.git or "write"
        return "branches" if self.git == "write" else "read"

    @property
    def logs_in(self) -> bool:
        """Whether the person's keys open a shell on the machine: for those whose role changes what is on it."""
        return self.role in {"administrator", "operator"} and bool(self.ssh_keys)

    @property
    def aws_role(self) -> Literal["operator", "developer", "auditor"]:
        """The role of the environment on AWS that the person may take; an administrator works as an operator there."""
        return "operator" if self.role == "administrator" else self.role


People = Annotated[dict[PersonId, Person], Field(max_length=MOST)]


def find_faults(people: Mapping[str, Person], partition: str) -> Iterator[Found]:
    """Every fault of people who are each valid by themselves."""
    owners: dict[str, str] = {}
    principals: dict[str, str] = {}
    for name, person in people.items():
        place = ("people", name)
        for number, key in enumerate(person.ssh_keys):
            if key in owners:
                whose = "is there twice" if owners[key] == name else f"is the key of '{owners[key]}', too"
                yield (*place, "ssh_keys", number), f"{whose}; each person needs keys of their own"
            owners.setdefault(key, name)
        if person.git == "write" and person.role == "auditor":
            yield (*place, "git"), "an auditor changes nothing; leave 'git' out, or choose another role"
        if person.aws is None:
            continue
        found = _PRINCIPAL.fullmatch(person.aws)
        if found is not None and found["partition"] != partition:
            yield (*place, "aws"), f"is an ARN of the partition {found['partition']}; this region is in {partition}"
        other = principals.setdefault(person.aws, name)
        if other != name and not is_sso_role(person.aws):
            yield (*place, "aws"), f"is the identity of '{other}', too; each person needs one of their own"
        elif other != name and people[other].aws_role != person.aws_role:
            taken = people[other].aws_role
            yield (*place, "aws"), f"'{other}' comes in by it as {taken}: everybody of this role would get both"
