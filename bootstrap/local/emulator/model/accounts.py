"""Judges the form by which an administrator creates an account, and creates it, as Jenkins' own user database does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .passwords import LONGEST, hash_password
from .security import ANONYMOUS, User, Users

_ID = re.compile(r"[\w-]+", re.ASCII)
_NEVER = frozenset({ANONYMOUS, "system", "unknown"})


@dataclass(frozen=True)
class AccountForm:
    """The fields of the form; a field that was not sent is None."""

    username: str | None
    password1: str | None
    password2: str | None
    full_name: str | None
    email: str | None


def read_form(fields: Mapping[str, str]) -> AccountForm:
    """Read the fields that Jenkins' form has."""
    return AccountForm(*(fields.get(name) for name in ("username", "password1", "password2", "fullname", "email")))


def find_faults(form: AccountForm, users: Users, *, has_mail: bool) -> dict[str, str]:
    """Find what is wrong, by the fields; `has_mail` if the plugin mailer is there, which wants an address.

    The order and the words are those of Jenkins (HudsonPrivateSecurityRealm#validateAccountCreationForm): a later fault of a
    field takes the place of an earlier one.
    """
    faults: dict[str, str] = {}
    if not form.username:
        faults["username"] = "User name is required"
    elif not _ID.fullmatch(form.username):
        faults["username"] = "User name must only contain alphanumeric characters, underscore and dash"
    elif (user := users.find(form.username)) is not None and user.password:
        faults["username"] = "User name is already taken"
    if password := _find_password_fault(form):
        faults["password1"] = password
    if has_mail and "@" not in (form.email or ""):
        faults["email"] = "Invalid e-mail address"
    for field, name, kind in (
        ("username", form.username, "username"),
        ("fullname", form.full_name or form.username, "full name"),
    ):
        if not _is_allowed(name or ""):
            faults[field] = f'"{"null" if name is None else name}" is prohibited as a {kind} for security reasons.'
    return faults


def _find_password_fault(form: AccountForm) -> str:
    if not form.password1:
        return "Password is required"
    if len(form.password1.encode()) > LONGEST:
        words = "Password cannot be longer than 72 characters"
        others = "(a-z, A-Z, 0-9, and basic punctuation; fewer when using other characters, like Chinese characters or emoji)"
        return f"{words}." if form.password1.isascii() else f"{words} {others}."
    return "" if form.password1 == form.password2 else "Password didn't match"


def _is_allowed(name: str) -> bool:
    return bool(name.strip()) and name.strip().lower() not in _NEVER


def create_account(form: AccountForm, users: Users, *, has_mail: bool) -> User:
    """Create the account of a form without faults; a user without a password, such as an author of changes, gets one."""
    user = users.ensure(form.username or "")
    user.full_name = form.full_name or user.identifier
    if has_mail:
        user.email = form.email or ""
    users.set_password(user, hash_password(form.password1 or ""))
    return user
