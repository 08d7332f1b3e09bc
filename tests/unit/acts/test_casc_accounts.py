"""Accounts of people in the casc act: who is gone is removed after the reload."""

import json

from bootstrap.acts import casc
from bootstrap.jenkins.controller import people_accounts
from bootstrap.jenkins.definitions.people import DESCRIPTION
from bootstrap.values import Change, ChangeKind
from tests.recorder import Recorder
from tests.unit.acts.casc_machine import EXPORT, GOOD, Machine, digest_of

REALM = "jenkins:\n  securityRealm:\n    local:\n      users:\n"
PERSON = f"      - id: first\n        description: {json.dumps(DESCRIPTION)}\n"
WITH_ADMIN = {"a.yaml": f"{REALM}      - {{id: admin}}\n"}


def test_the_account_of_who_is_gone_is_removed_after_the_reload(server) -> None:
    before, after = f"{REALM}      - id: admin\n{PERSON}", f"{REALM}      - id: admin\n"
    server.on("POST", "configuration-as-code/export", before, before, after)
    server.on("POST", "user/first/doDelete", (302, {"Location": "http://jenkins.invalid/done"}, ""))
    machine, report = Machine({"a.yaml": "old"}, applied=digest_of(before), exported=before), Recorder()

    casc.apply(machine, server.client, WITH_ADMIN, {}, report)

    changed = [each for each in server.asked if each.startswith("POST") and "export" not in each]
    assert ["POST configuration-as-code/reload", "POST user/first/doDelete"] == changed[-2:]
    assert (
        Change("casc", ChangeKind.REMOVE, "user first", people_accounts.make_change("first").detail) in report.changes
    )
    assert after == machine.exported


def test_an_account_is_removed_though_its_settings_left_in_an_earlier_run(server) -> None:
    export = f"{REALM}      - id: admin\n{PERSON}"
    server.on("POST", "configuration-as-code/export", export)
    server.on("POST", "user/first/doDelete", (302, {"Location": "http://jenkins.invalid/done"}, ""))
    machine, report = Machine(WITH_ADMIN, applied=digest_of(export), exported=export), Recorder()

    assert ["user first"] == [it.name for it in casc.plan(machine, server.client, WITH_ADMIN, {}, Recorder())]
    casc.apply(machine, server.client, WITH_ADMIN, {}, report)

    assert "POST user/first/doDelete" in server.asked and "POST configuration-as-code/reload" not in server.asked


def test_an_account_with_another_description_is_removed_on_a_new_machine_too(server) -> None:
    """The machine was replaced, so nothing but the record on the data volume knows that the toolkit made the account."""
    renamed = f"{REALM}      - id: admin\n      - id: first\n        description: mine\n      - id: guest\n"
    server.on("POST", "configuration-as-code/export", renamed)
    server.on("POST", "user/first/doDelete", (302, {"Location": "http://jenkins.invalid/done"}, ""))
    machine, report = Machine({}), Recorder()
    # Neither a name that Jenkins does not have, nor one that the files have, nor what is no name, is removed.
    machine.accounts = "admin\nfirst\ngone\n../../admin\n"

    assert ["a.yaml", "user first"] == [it.name for it in casc.plan(machine, server.client, WITH_ADMIN, {}, Recorder())]
    casc.apply(machine, server.client, WITH_ADMIN, {}, report)

    assert ["POST user/first/doDelete"] == [each for each in server.asked if "doDelete" in each]
    assert "admin\ngone\n" == machine.accounts


def test_an_account_is_recorded_before_the_reload_that_makes_it(server) -> None:
    """However the command ends then, the account is known."""
    files = {"a.yaml": f"{REALM}      - id: admin\n{PERSON}"}
    server.on("POST", "configuration-as-code/export", files["a.yaml"])
    machine = Machine({"a.yaml": "old"}, applied="before", exported=EXPORT)

    casc.apply(machine, server.client, files, {}, Recorder())
    casc.apply(machine, server.client, files, {}, Recorder())

    assert "first\n" == machine.accounts
    assert 1 == machine.ran.count("record") and machine.ran.index("record") < machine.ran.index("place")


def test_other_passwords_are_a_reason_for_a_reload(server) -> None:
    machine = Machine(GOOD, applied=digest_of(EXPORT), exported=EXPORT)
    casc.apply(machine, server.client, GOOD, {}, Recorder())
    assert "POST configuration-as-code/reload" not in server.asked

    machine.passwords = "another"
    casc.apply(machine, server.client, GOOD, {}, Recorder())
    assert 1 == server.asked.count("POST configuration-as-code/reload")

    casc.apply(machine, server.client, GOOD, {}, Recorder())
    assert 1 == server.asked.count("POST configuration-as-code/reload")
