"""Passwords of people in Secrets Manager: everybody has one, nobody else has, and no version keeps an old one."""

import json
from typing import Any

import pytest

from bootstrap.cloud import people_passwords
from bootstrap.errors import UsageError


class Manager:
    """A secret with its current version and the one before, as Secrets Manager keeps them."""

    def __init__(self, text: str = "{}") -> None:
        self.versions = [text]

    def get_secret_value(self, **asked: Any) -> dict[str, str]:
        assert {"SecretId": "arn"} == asked
        return {"SecretString": self.versions[-1]}

    def put_secret_value(self, **given: Any) -> None:
        self.versions = [self.versions[-1], given["SecretString"]]


def test_everybody_gets_a_password_once() -> None:
    manager = Manager()
    made = people_passwords.ensure(manager, "arn", ["first", "second"], writes=True)
    again = people_passwords.ensure(manager, "arn", ["first", "second"], writes=True)

    assert made == again == people_passwords.read(manager, "arn")
    assert 2 == len({secret.reveal() for secret in made.values()})
    assert all(len(secret.reveal()) == 32 and secret.reveal().isalnum() for secret in made.values())


def test_a_look_writes_nothing() -> None:
    manager = Manager()

    assert {"first"} == set(people_passwords.ensure(manager, "arn", ["first"], writes=False))
    assert ["{}"] == manager.versions


def test_who_is_gone_is_in_no_version() -> None:
    manager = Manager(json.dumps({"first": "one", "second": "two"}))

    people_passwords.ensure(manager, "arn", ["first"], writes=True)

    assert [{"first": "one"}] * 2 == [json.loads(text) for text in manager.versions]


def test_a_rotated_password_is_in_no_version() -> None:
    manager = Manager(json.dumps({"first": "one", "second": "two"}))

    people_passwords.rotate(manager, "arn", "first")

    assert not [text for text in manager.versions if '"one"' in text]
    assert all(json.loads(text)["second"] == "two" for text in manager.versions)


def test_nobody_rotates_a_password_that_no_launch_made() -> None:
    with pytest.raises(UsageError, match="launch"):
        people_passwords.rotate(Manager(), "arn", "first")


@pytest.mark.parametrize("text", ["", "no JSON", '{"first": 1}'])
def test_a_broken_secret_has_no_passwords(text: str) -> None:
    assert {} == people_passwords.read(Manager(text), "arn")
