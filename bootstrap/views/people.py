"""Who has access where: the people of the environment file, and what is left of people who are no longer in it.

Each place is read as it is now: the accounts of Jenkins, the files with keys on the machine, the passwords in Secrets Manager,
and whom the roles on AWS trust.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bootstrap.acts import casc
from bootstrap.cloud import people_passwords, refusals
from bootstrap.context import Context
from bootstrap.environment.people import Person
from bootstrap.errors import BootstrapError
from bootstrap.jenkins.controller import account_record, people_accounts
from bootstrap.jenkins.definitions import people as definitions
from bootstrap.remote.desired.people import GIT_USER, KEYS

PLACES = ("jenkins", "password", "git", "machine", "aws")
PRESENT, LACKING, LEFT, NONE, UNKNOWN = "yes", "not yet", "left over", "-", "unknown"
_OUTPUTS = {"operator": "OperatorRoleArn", "developer": "DeveloperRoleArn", "auditor": "AuditorRoleArn"}
_READ_KEYS = f'for file in {KEYS}/*; do [ -f "$file" ] && sed "s|^|${{file##*/}} |" "$file"; done; true'


@dataclass(frozen=True)
class Access:
    """One person: id, role ('' for one who is not in the file), and by place whether there is access.

    A place has 'yes', 'not yet' (a launch would give it), 'left over' (a launch would take it), '-' for none, or 'unknown'.
    """

    name: str
    role: str
    email: str
    places: Mapping[str, str]

    @property
    def left(self) -> tuple[str, ...]:
        """The places with access that the file does not give."""
        return tuple(place for place in PLACES if self.places[place] == LEFT)


@dataclass(frozen=True)
class Overview:
    """Everybody with access, those of the file first; and the reasons why places are unknown, by place."""

    people: tuple[Access, ...]
    unseen: Mapping[str, str] = field(default_factory=dict)


def read_access(context: Context) -> Overview:
    """Read all places; one that does not answer is unknown. A job on the machine reads the accounts of Jenkins alone."""
    people = context.settings.people
    given = {place: _list_given(context, people, place) for place in PLACES}
    found: dict[str, set[str]] = {}
    unseen: dict[str, str] = {}
    looks: dict[str, Callable[[], set[str]]] = {
        "jenkins": lambda: _find_accounts(context),
        "password": lambda: _find_passwords(context),
        "git": lambda: _find_owners(context, is_git=True),
        "machine": lambda: _find_owners(context, is_git=False),
        "aws": lambda: _find_trusted(context),
    }
    for place, read in looks.items():
        if context.world.is_on_machine and place != "jenkins":
            unseen[place] = "a job has no right to read it"
            continue
        try:
            with refusals.convert_errors(f"looking at the access of people ({place})"):
                found[place] = read()
        except BootstrapError as error:
            unseen[place] = error.found.splitlines()[0]
    others = sorted(set().union(*found.values()) - people.keys())
    rows = [_describe(name, people.get(name), given, found) for name in (*people, *others)]
    return Overview(tuple(rows), unseen)


def _find_accounts(context: Context) -> set[str]:
    """The ids of the accounts in Jenkins of people in the file, and of people who are gone."""
    exported = casc.export(context.jenkins)
    recorded = casc.read_stored_settings(context.shell, sudo=not context.world.is_on_machine).exported
    people = context.settings.people
    made = frozenset[str]() if context.world.is_on_machine else account_record.read(context.shell)
    left = people_accounts.find_left(exported, recorded, definitions.list_users(context.casc_files), made)
    return {*left, *(name for name in people_accounts.read_accounts(exported) if name in people)}


def _find_passwords(context: Context) -> set[str]:
    arn = context.outputs("data").get("PeopleSecret")
    return set(people_passwords.read(context.world.aws("secretsmanager"), arn)) if arn else set()


def _describe(name: str, person: Person | None, given: Mapping[str, set[str]], found: Mapping[str, set[str]]) -> Access:
    places = {
        place: UNKNOWN if place not in found else _compare(is_given=name in given[place], is_found=name in found[place])
        for place in PLACES
    }
    return Access(name, person.role if person else "", person.email if person else "", places)


def _compare(*, is_given: bool, is_found: bool) -> str:
    if is_given:
        return PRESENT if is_found else LACKING
    return LEFT if is_found else NONE


def _list_given(context: Context, people: Mapping[str, Person], place: str) -> set[str]:
    """Who has access to a place by the environment file."""
    is_served = context.settings.repository.url is None
    has_accounts = definitions.has_accounts(context.casc_files)
    has_access: dict[str, Callable[[Person], bool]] = {
        "jenkins": lambda _: has_accounts,
        "password": lambda _: has_accounts,
        "git": lambda person: bool(person.ssh_keys) and is_served,
        "machine": lambda person: person.logs_in,
        "aws": lambda person: person.aws is not None,
    }
    return {name for name, person in people.items() if has_access[place](person)}


def _find_owners(context: Context, *, is_git: bool) -> set[str]:
    """The ids of people with a key on the machine, for the repository or for a login; the comment of a key is the id."""
    printed = context.shell.run(["sh", "-c", _READ_KEYS], sudo=True).stdout
    keys = (line.split() for line in printed.splitlines())
    return {words[-1] for words in keys if len(words) > 1 and (words[0] == GIT_USER) == is_git}


def read_trust(context: Context) -> dict[str, list[Mapping[str, Any]]]:
    """The statements of the trust policies of the roles for people, by role; none without the stack."""
    stack = context.stacks.get("people")
    outputs = stack.outputs if stack else {}
    iam = context.world.aws("iam")
    found: dict[str, list[Mapping[str, Any]]] = {}
    for role, output in _OUTPUTS.items():
        if output not in outputs:
            continue
        try:
            described = iam.get_role(RoleName=outputs[output].rpartition("/")[2])["Role"]
        except iam.exceptions.ClientError as error:
            if refusals.read_code(error) == "NoSuchEntity":
                continue
            raise BootstrapError(
                "reading the roles of people", refusals.format_error(error), refusals.choose_remedy(error)
            ) from error
        statements = described["AssumeRolePolicyDocument"]["Statement"]
        found[role] = [statements] if isinstance(statements, Mapping) else list(statements)
    return found


def list_principals(statement: Mapping[str, Any]) -> tuple[str, ...]:
    """Whom a statement of a trust policy names, of every kind: identities, services, providers; '*' is everybody.

    'NotPrincipal' counts as everybody: it names whom a statement is not about.
    """
    named = statement.get("Principal", "*")
    listed = named.values() if isinstance(named, Mapping) else [named]
    return tuple(it for values in listed for it in ([values] if isinstance(values, str) else values))


def list_trusted(trust: Mapping[str, Iterable[Mapping[str, Any]]]) -> set[tuple[str, str]]:
    """Whom the roles trust, as pairs of the role and the principal."""
    return {
        (role, principal)
        for role, statements in trust.items()
        for statement in statements
        if statement["Effect"] == "Allow"
        for principal in list_principals(statement)
    }


def _find_trusted(context: Context) -> set[str]:
    """The people whom their roles trust; of anybody else, and of a person in another role, the principal."""
    trusted = list_trusted(read_trust(context))
    # Several people may come in by one role of IAM Identity Center.
    wished = {name: (it.aws_role, it.aws) for name, it in context.settings.people.items() if it.aws}
    known = {name for name, pair in wished.items() if pair in trusted}
    return {*known, *(principal for _, principal in trusted - set(wished.values()))}
