"""How an account stands, for a reader: a table of what it has only once, and the checks of its file. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bootstrap.acts.account_standing import (
    TRAIL,
    OpenedAccount,
    Standing,
    State,
    format_value,
    read_standings,
    read_trails,
)
from bootstrap.values import Check

GROUP = "account"


@dataclass(frozen=True)
class AccountView:
    """What the table shows: what it is, its state, and what was found."""

    rows: tuple[tuple[str, str, str], ...]


def read_view(account: OpenedAccount, *, with_all: bool) -> AccountView:
    """The claim, the users, the trails and the settings of an account; `with_all` also those that the file does not have."""
    claim = account.read_claim()
    whose = State.ABSENT if claim is None else State.OWNED if claim.project == account.project else State.FOREIGN
    rows = [("claim", str(whose), str(claim or f"nobody holds the account {account.account_id}"))]
    rows += _list_trail_rows(account, with_all=with_all)
    rows += [
        (it.name, str(it.state), _describe(it))
        for it in read_standings(account)
        if with_all or it.is_wished or it.record is not None
    ]
    users = account.find_users()
    rows.append(("users", str(len(users)), ", ".join(users) or "no environment uses the account"))
    return AccountView(tuple(rows))


def verify(account: OpenedAccount) -> tuple[Check, ...]:
    """One check for the claim and for everything in the file: whether the account has it, whoever made it."""
    claim = account.read_claim()
    is_ours = claim is not None and claim.project == account.project
    checks = [_make_check("the project holds the account", "" if is_ours else f"held by {claim or 'nobody'}")]
    if account.settings.trail is not None:
        checks.append(_make_check(TRAIL, _find_trail_fault(account)))
    checks += [
        _make_check(it.name, "" if it.is_as_wished else f"{_describe(it)}; it is {it.state}")
        for it in read_standings(account)
        if it.is_wished
    ]
    return tuple(checks)


def _make_check(name: str, fault: str) -> Check:
    return Check(name, "failed" if fault else "passed", 0.0, fault, GROUP)


def _find_trail_fault(account: OpenedAccount) -> str:
    own, others = read_trails(account)
    candidates = [it for it in (own, *others) if it is not None and (it is own or it.covers_all)]
    if not candidates:
        return "no trail records the calls of all regions"
    if any(not it.faults for it in candidates):
        return ""
    return "; ".join(f"{it.arn}: {', '.join(it.faults)}" for it in candidates)


def _list_trail_rows(account: OpenedAccount, *, with_all: bool) -> Iterator[tuple[str, str, str]]:
    own, others = read_trails(account)
    if own is not None:
        yield TRAIL, str(State.OWNED), f"{own.arn} into {own.bucket}{_join_faults(own.faults)}"
    shown = [it for it in others if with_all or it.covers_all]
    for it in shown:
        scope = "of the organization" if it.is_of_organization else "of somebody else"
        yield TRAIL, str(State.FOREIGN), f"{it.arn}, {scope}{_join_faults(it.faults)}"
    if own is None and not shown and (with_all or account.settings.trail is not None):
        yield TRAIL, str(State.ABSENT), "no trail"


def _join_faults(faults: tuple[str, ...]) -> str:
    return f": {', '.join(faults)}" if faults else ""


def _describe(standing: Standing) -> str:
    if standing.is_as_wished:
        return format_value(standing.value)
    edited = "somebody changed it to " if standing.is_edited else ""
    return f"{edited}{format_value(standing.value)}; the file says {format_value(standing.wish)}"
