"""`people`: who has access where, people who come and go, and their passwords."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from bootstrap.cli.command import Command

_ACTIONS = ("list", "add", "remove", "rotate", "password")
_DOING = "reading the command line"


def people(options: argparse.Namespace) -> int:
    """Carry out one action; UsageError if a person is named where none belongs, or none where one does."""
    from bootstrap.errors import UsageError

    if (options.person is None) != (options.action == "list"):
        found = f"'people {options.action}' {'takes no' if options.action == 'list' else 'needs a'} USER"
        raise UsageError(_DOING, found, "'./bootstrap.py people --help' has examples.")
    if options.action != "add" and (given := [name for name in _FIELDS if getattr(options, name)]):
        raise UsageError(_DOING, f"--{given[0]} is for 'people add'", "Edit the environment file to change a person.")
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "list": _list,
        "add": _add,
        "remove": _remove,
        "rotate": _rotate,
        "password": _print_password,
    }
    return actions[options.action](options)


def _list(options: argparse.Namespace) -> int:
    """A table of people; the exit code is 2 if access is left over, 1 if something could not be looked at."""
    from bootstrap.cli import console
    from bootstrap.cli.environment_opening import DONE, FAILED, PENDING, open_environment
    from bootstrap.views import people as view

    with open_environment(options) as (opened, run):
        found = view.read_access(opened)
        rows = [vars(person) for person in found.people]
        run.event("people", rows=[{**row, "places": dict(row["places"])} for row in rows], unseen=dict(found.unseen))
        if not options.json and found.people:
            cells = ([it.name, it.role or "none", it.email or "-", *it.places.values()] for it in found.people)
            console.print_table(("person", "role", "mail", *view.PLACES), cells)
        for place, reason in found.unseen.items():
            run.notice(f"{place} was not looked at: {reason}")
        left = [person.name for person in found.people if person.left]
        if not found.people:
            run.say(f"nobody is in {opened.environment_file.name}, and nobody is left over")
        elif left:
            counted = f"{len(left)} {'person' if len(left) == 1 else 'people'}"
            run.say(f"\naccess of {counted} is left over: '{opened.tool} launch' takes it")
        if left:
            return PENDING
        return FAILED if found.unseen else DONE


def _add(options: argparse.Namespace) -> int:
    """Write a person into the environment file, at the end of its people; the whole file is checked."""
    from bootstrap.environment import people as checks
    from bootstrap.environment import people_file
    from bootstrap.errors import UsageError

    try:
        checks.check_id(options.person)
    except ValueError as error:
        raise UsageError(_DOING, str(error), "Nothing was changed.") from error
    missing = [f"--{name}" for name in ("name", "email", "role") if not getattr(options, name)]
    if missing:
        raise UsageError(
            _DOING, f"'people add' needs {', '.join(missing)}", "'./bootstrap.py people --help' has examples."
        )
    fields = {name: getattr(options, name) for name in ("name", "email", "role")}
    lists = {"groups": options.group, "ssh_keys": [_read_key(path) for path in options.key]}
    fields |= {name: values for name, values in lists.items() if values}
    fields |= {name: value for name in ("aws", "git") if (value := getattr(options, name))}
    _edit(options, lambda text: people_file.add_person(text, options.person, fields), "added")
    return 0


def _read_key(path: str) -> str:
    from bootstrap.environment import ssh_keys
    from bootstrap.errors import UsageError

    doing = f"reading the public key {path}"
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
        ssh_keys.check(text)
    except OSError as error:
        raise UsageError(doing, error.strerror or str(error), "Name the file *.pub of the key.") from error
    except ValueError as error:
        raise UsageError(doing, str(error), "Name the file *.pub of the key.") from error
    return text


def _remove(options: argparse.Namespace) -> int:
    """Take a person out of the environment file."""
    from bootstrap.environment import people_file

    _edit(options, lambda text: people_file.remove_person(text, options.person), "removed")
    return 0


def _edit(options: argparse.Namespace, change: Callable[[str], str], done: str) -> None:
    """Change the environment file; if it is refused then, it is put back. Prints the next command."""
    from bootstrap import context
    from bootstrap.environment import people_file, settings, user_files, yaml_source
    from bootstrap.errors import BootstrapError, UsageError
    from bootstrap.runs import terminal

    path = context.find_named_file(options.environment)
    settings.load(path)
    if obstacle := user_files.find_obstacle(path):
        raise UsageError(f"changing the people in {path}", obstacle, user_files.advise(path))
    before = yaml_source.read_text(path)
    try:
        text = change(before)
    except people_file.Unchangeable as error:
        raise UsageError(f"changing the people in {path}", str(error), "Nothing was changed.") from error
    user_files.replace_text(path, text)
    try:
        chosen = settings.load(path)
    except BootstrapError:
        user_files.replace_text(path, before)
        raise
    tool = context.Context(path, chosen).tool
    if options.json:
        terminal.write_json({"event": "people-changed", "person": options.person, "done": done, "file": str(path)})
    else:
        terminal.write(f"{done} {options.person}: {path}\nnext: {tool} plan   {tool} launch\n")


def _rotate(options: argparse.Namespace) -> int:
    """Make another password, which counts from the next launch on."""
    from bootstrap.cli.environment_opening import DONE, open_environment
    from bootstrap.cloud import people_passwords

    with open_environment(options, changes=True) as (opened, run):
        name = _require_person(options, opened.settings.people)
        people_passwords.rotate(opened.world.aws("secretsmanager"), opened.outputs("data")["PeopleSecret"], name)
        run.event("password-rotated", person=name)
        run.say(f"{name} has another password; the old one counts until Jenkins has the new one")
        run.say(f"next: {opened.tool} launch   {opened.tool} people password {name}")
    return DONE


def _print_password(options: argparse.Namespace) -> int:
    """Print a person's password, from Secrets Manager; UsageError if no launch has made one."""
    from bootstrap.cli.environment_opening import DONE, open_environment
    from bootstrap.cloud import people_passwords
    from bootstrap.errors import UsageError
    from bootstrap.runs import terminal

    with open_environment(options) as (opened, _):
        name = _require_person(options, opened.settings.people)
        arn = opened.outputs("data").get("PeopleSecret")
        stored = people_passwords.read(opened.world.aws("secretsmanager"), arn) if arn else {}
        if name not in stored:
            raise UsageError(
                f"reading the password of '{name}'", "no launch has made it yet", f"Run: {opened.tool} launch"
            )
        terminal.write(f"{stored[name].reveal()}\n")
    return DONE


def _require_person(options: argparse.Namespace, known: object) -> str:
    from bootstrap.errors import UsageError

    names = sorted(known) if isinstance(known, dict) else []
    if options.person not in names:
        listed = f"there are: {', '.join(names)}" if names else "it has no people"
        raise UsageError(
            _DOING, f"the environment file has no person '{options.person}'; {listed}", "Use one of its ids."
        )
    return str(options.person)


_FIELDS = ("name", "email", "role", "group", "key", "aws", "git")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        choices=_ACTIONS,
        help="list: who has access where, and what is left over; add, remove: change the environment file; "
        "rotate: make another password; password: print it",
    )
    parser.add_argument("person", nargs="?", metavar="USER", help="the id of the person")
    parser.add_argument("--name", help="with 'add': the name that Jenkins shows")
    parser.add_argument("--email", help="with 'add': the mail address")
    parser.add_argument("--role", help="with 'add': administrator, operator, developer or auditor")
    parser.add_argument("--group", action="append", default=[], help="with 'add': a group; may be repeated")
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="FILE",
        help="with 'add': a public SSH key (*.pub); may be repeated",
    )
    parser.add_argument("--aws", metavar="ARN", help="with 'add': the IAM user or role with which the person signs in")
    parser.add_argument(
        "--git", choices=("read", "write"), help="with 'add': another access to the repository than the role's"
    )


COMMANDS = (
    Command(
        "people",
        55,
        "people of the environment: who has access where; add, remove, passwords",
        people,
        (
            ("people list", "who has access where, and what is left over; exits with 2 if something is"),
            (
                "people add first-operator --name 'First Operator' --email first@example.org --role operator --key id.pub",
                "write a person into the environment file",
            ),
            ("people remove first-operator", "take the person out of it; the next launch takes every access"),
            ("people password first-operator", "print the password for Jenkins"),
            ("people rotate first-operator", "make another one, for the next launch"),
        ),
        _add_arguments,
    ),
)
