"""The account act: brings what an account has only once to its file, and gives it back.

CloudFormation makes what it has a type for. Everything else is a setting: the act writes down the value before its first
change, and `release` restores it. A custom resource would delete the setting with its stack, and leave the account weaker than
before.

What somebody else set, and a trail of somebody else that covers all regions, is measured and never changed. `adopt` takes a
setting over.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from bootstrap.acts import stack
from bootstrap.acts.account_standing import (
    TRAIL,
    OpenedAccount,
    Standing,
    State,
    format_value,
    read_standings,
    read_trails,
)
from bootstrap.acts.stack import StackTemplate
from bootstrap.cloud import account_claim, account_records
from bootstrap.cloud.account_records import Record
from bootstrap.cloud.account_trails import FoundTrail
from bootstrap.errors import AccountInUse, AccountOwned, UsageError
from bootstrap.projects import folders
from bootstrap.values import Change, ChangeKind, Reporter

ACT = "account"


def plan(account: OpenedAccount, report: Reporter) -> tuple[Change, ...]:
    """The changes that `apply` would make; AccountOwned if another project holds the account."""
    held = account.read_claim()
    _refuse_foreign_claim(account, f"planning the account '{account.settings.name}'")
    changes = [] if held else [Change(ACT, ChangeKind.ADD, "claim", f"of the project '{account.project}'")]
    changes += _plan_trail(account, report)
    changes += [it for it in (_plan_setting(standing) for standing in read_standings(account)) if it]
    _report_foreign(account, report)
    return tuple(changes)


def apply(account: OpenedAccount, report: Reporter) -> tuple[str, ...]:
    """Bring the account to its file; returns what was kept of a trail that the file no longer has.

    AccountOwned if another project holds the account; then nothing was changed.
    """
    _claim(account, f"applying the account '{account.settings.name}'", report)
    kept = _apply_trail(account, report)
    for standing in read_standings(account):
        change = _plan_setting(standing)
        if change is None:
            continue
        if standing.is_wished:
            _write(account, standing)
        else:
            _restore(account, standing, report)
        report.change(change)
    _report_foreign(account, report)
    return kept


def adopt(account: OpenedAccount, name: str, report: Reporter) -> None:
    """Take over a setting that somebody else set. Its value stays until `apply`, and comes back with `release`."""
    doing = f"adopting '{name}' of the account '{account.settings.name}'"
    if name == TRAIL:
        found = "a trail is made by the stack of who owns it; a second hand on it would be undone by the first"
        raise UsageError(doing, found, "Leave it: 'account verify' measures it. Nothing was changed.")
    standing = next(it for it in read_standings(account) if it.name == name)
    if not standing.is_wished:
        raise UsageError(doing, "the account file does not have it", "Add it to the file. Nothing was changed.")
    if standing.state is not State.FOREIGN:
        raise UsageError(doing, f"it is {standing.state}", "Only what is foreign can be adopted. Nothing was changed.")
    _claim(account, doing, report)
    record = Record("adopted", previous=standing.value, written=standing.value)
    account_records.keep_record(account.aws("ssm"), account.project, name, record)
    report.change(Change(ACT, ChangeKind.ALTER, name, "adopted; 'account apply' brings it to the file"))


def release(account: OpenedAccount, names: Collection[str], report: Reporter) -> None:
    """Give settings back: each gets the value that it had before the toolkit's first change.

    A setting that somebody changed since keeps that value.
    """
    _refuse_foreign_claim(account, f"releasing settings of the account '{account.settings.name}'")
    for standing in read_standings(account):
        if standing.record is not None and standing.name in names:
            _restore(account, standing, report)
            report.change(_describe_release(standing))


def destroy(account: OpenedAccount, names: Collection[str], report: Reporter) -> tuple[str, ...]:
    """Release all settings, stop the trail, and give up the claim; returns what was kept: the logs and their key.

    AccountInUse while environments use the account; AccountOwned if another project holds it.
    """
    doing = f"destroying the account '{account.settings.name}'"
    _refuse_foreign_claim(account, doing)
    users = account.find_users()
    if users:
        remedy = "Destroy these environments first. Nothing was changed."
        raise AccountInUse(doing, f"these environments use it: {', '.join(users)}", remedy)
    release(account, names, report)
    kept = _destroy_stack(account, report)
    if account.read_claim() is not None:
        account_claim.give_up_claim(account.aws("iam"))
        report.change(Change(ACT, ChangeKind.REMOVE, "claim", f"of the project '{account.project}'"))
    return kept


def make_template(account: OpenedAccount) -> StackTemplate:
    """The desired state of the account's stack. The file has a trail."""
    trail = account.settings.trail
    assert trail is not None
    parameters = {
        "Project": account.project,
        "ArchiveDays": str(trail.archive_days),
        "ExpireDays": str(trail.expire_days),
    }
    return StackTemplate(
        account.stack_name, folders.find("cloudformation/account/account.yaml"), parameters, account.tags
    )


# --- private functions


def _claim(account: OpenedAccount, doing: str, report: Reporter) -> None:
    before = account.read_claim()
    holder = account_claim.take_claim(account.aws("iam"), account.own_claim) if before is None else before
    if holder.project != account.project:
        raise AccountOwned(doing, f"{holder} holds the account {account.account_id}", _REMEDY_OWNED)
    if before is None:
        report.change(Change(ACT, ChangeKind.ADD, "claim", f"of the project '{account.project}'"))


def _refuse_foreign_claim(account: OpenedAccount, doing: str) -> None:
    holder = account.read_claim()
    if holder is not None and holder.project != account.project:
        raise AccountOwned(doing, f"{holder} holds the account {account.account_id}", _REMEDY_OWNED)


_REMEDY_OWNED = (
    "Change the account from that project, or let it run 'account destroy' first. 'account status' and 'account verify' work "
    "from here, too. Nothing was changed."
)


def _plan_setting(standing: Standing) -> Change | None:
    """The change that a setting needs; None for what is as wished, and for what belongs to somebody else."""
    if not standing.is_wished:
        return _describe_release(standing) if standing.record is not None else None
    if standing.state is State.FOREIGN or standing.is_as_wished:
        return None
    kind = ChangeKind.ADD if standing.state is State.ABSENT else ChangeKind.ALTER
    edited = "somebody changed it; " if standing.is_edited else ""
    detail = f"{edited}{format_value(standing.value)} -> {format_value(standing.wish)}"
    return Change(ACT, kind, standing.name, detail)


def _describe_release(standing: Standing) -> Change:
    assert standing.record is not None
    if standing.is_edited:
        return Change(ACT, ChangeKind.REMOVE, standing.name, "released; somebody changed it, and it stays so")
    detail = f"released: {format_value(standing.value)} -> {format_value(standing.record.previous)}"
    return Change(ACT, ChangeKind.REMOVE, standing.name, detail)


def _write(account: OpenedAccount, standing: Standing) -> None:
    """Record first: after a kill between the two calls the record has the true previous value, and `apply` writes again."""
    record = standing.record or Record("owned", previous=standing.value, written=standing.wish)
    account_records.keep_record(
        account.aws("ssm"), account.project, standing.name, replace(record, written=standing.wish)
    )
    standing.setting.write(account.aws, account.account_id, standing.wish)


def _restore(account: OpenedAccount, standing: Standing, report: Reporter) -> None:
    assert standing.record is not None
    if standing.is_edited:
        report.notice(
            f"{standing.name}: somebody changed it to {format_value(standing.value)} after the toolkit; it stays so, and is "
            f"not set back to {format_value(standing.record.previous)}"
        )
    elif standing.value != standing.record.previous:
        standing.setting.write(account.aws, account.account_id, standing.record.previous)
    account_records.remove_record(account.aws("ssm"), account.project, standing.name)


def _find_covering(trails: Collection[FoundTrail]) -> FoundTrail | None:
    return next((it for it in trails if it.covers_all), None)


def _plan_trail(account: OpenedAccount, report: Reporter) -> list[Change]:
    if account.settings.trail is not None and (account.stack is not None or not _is_covered(account)):
        return list(stack.plan(account.aws("cloudformation"), make_template(account)))
    if account.settings.trail is None and account.stack is not None:
        return [Change(ACT, ChangeKind.REMOVE, account.stack_name, "the trail; its bucket and its key stay")]
    return []


def _is_covered(account: OpenedAccount) -> bool:
    """Whether a trail of somebody else records all regions already. A second copy of the same events costs money."""
    return _find_covering(read_trails(account)[1]) is not None


def _apply_trail(account: OpenedAccount, report: Reporter) -> tuple[str, ...]:
    if account.settings.trail is None:
        return _destroy_stack(account, report)
    if account.stack is not None or not _is_covered(account):
        stack.apply(account.aws("cloudformation"), make_template(account), report)
        account.forget()
    return ()


def _destroy_stack(account: OpenedAccount, report: Reporter) -> tuple[str, ...]:
    if account.stack is None:
        return ()
    kept = stack.destroy(account.aws("cloudformation"), account.stack_name, report)
    account.forget()
    return kept


def _report_foreign(account: OpenedAccount, report: Reporter) -> None:
    for standing in read_standings(account):
        if standing.state is State.FOREIGN and standing.is_wished and not standing.is_as_wished:
            report.notice(
                f"{standing.name}: somebody else set it to {format_value(standing.value)}; it stays so. Take it over with: "
                f"account adopt {account.settings.name} --only {standing.name}"
            )
    covering = _find_covering(read_trails(account)[1])
    if account.settings.trail is not None and covering is not None:
        second = "a second copy of the same events costs money" if account.stack else "none is made"
        report.notice(f"trail: {covering.arn} of somebody else records all regions; {second}")
