"""Accounts that an administrator creates and deletes by the web interface.

The fields, the words and the order of the faults were read in Jenkins' source (HudsonPrivateSecurityRealm).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

pytestmark = pytest.mark.only_read

GOOD = {"username": "contract-one", "password1": "first word", "password2": "first word", "email": "one@localhost"}
FORM = "securityRealm/createAccountByAdmin"


@pytest.fixture
def cleaned(server: Any) -> Iterator[Any]:
    """The server; the account of the tests is deleted after the test."""
    yield server
    server.post("user/contract-one/doDelete")


def sign_in(server: Any, user: str, word: str) -> int:
    return requests.get(f"{server.url}/whoAmI/api/json", auth=(user, word), timeout=30).status_code


def test_an_account_is_made_and_deleted(cleaned: Any) -> None:
    made = cleaned.post(FORM, data={**GOOD, "fullname": "First One"})

    assert (302, "/securityRealm/") == (made.status_code, made.headers["Location"])
    assert "First One" == cleaned.get("user/contract-one/api/json").json()["fullName"]
    assert 200 == sign_in(cleaned, "contract-one", "first word")

    gone = cleaned.post("securityRealm/user/contract-one/doDelete")

    assert (302, "/securityRealm/") == (gone.status_code, gone.headers["Location"])
    assert 404 == cleaned.get("user/contract-one/api/json").status_code
    assert 401 == sign_in(cleaned, "contract-one", "first word")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"username": ""}, '"" is prohibited as a username for security reasons.'),
        ({"username": "a b"}, "User name must only contain alphanumeric characters, underscore and dash"),
        ({"username": "ADMIN"}, "User name is already taken"),
        ({"username": "System"}, '"System" is prohibited as a username for security reasons.'),
        ({"fullname": "anonymous"}, '"anonymous" is prohibited as a full name for security reasons.'),
        ({"password2": "other"}, "Password didn't match"),
        ({"password1": ""}, "Password is required"),
        ({"password1": "x" * 73}, "Password cannot be longer than 72 characters."),
        ({"email": "nobody"}, "Invalid e-mail address"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_field_is_shown_with_its_fault_and_makes_no_account(
    cleaned: Any, change: dict[str, str], words: str
) -> None:
    answer = cleaned.post(FORM, data={**GOOD, **change})

    assert 200 == answer.status_code
    assert words in answer.text.replace("&quot;", '"').replace("&#039;", "'")
    assert 404 == cleaned.get("user/contract-one/api/json").status_code


def test_a_password_that_looks_like_a_hash_is_a_password(cleaned: Any) -> None:
    word = "#jbcrypt:$2a$10$abc"
    cleaned.post(FORM, data={**GOOD, "password1": word, "password2": word})

    assert 200 == sign_in(cleaned, "contract-one", word)


@pytest.mark.own_process
def test_only_an_administrator_with_a_crumb_makes_accounts_and_nobody_signs_up(server: Any) -> None:
    reader = requests.Session()
    reader.auth = ("reader", "reader-password")
    crumb = reader.get(f"{server.url}/crumbIssuer/api/json", timeout=30).json()
    headers = {crumb["crumbRequestField"]: crumb["crumb"]}

    refused = reader.post(f"{server.url}/{FORM}", data=GOOD, headers=headers, timeout=30)

    assert (403, "hudson.model.Hudson.Administer") == (refused.status_code, refused.headers["X-Required-Permission"])
    assert 403 == server.post(FORM, data=GOOD, headers={"Jenkins-Crumb": None}).status_code
    assert 403 == server.anonymous.post(f"{server.url}/{FORM}", data=GOOD, timeout=30).status_code
    assert 405 == server.get(FORM).status_code
    assert 404 == server.get("signup").status_code
    assert 404 == server.get("user/contract-one/api/json").status_code


@pytest.mark.own_process
def test_the_page_of_a_new_account_has_the_form(server: Any) -> None:
    page = server.get("securityRealm/addUser").text

    assert all(f'name="{field}"' in page for field in (*GOOD, "fullname", "Jenkins-Crumb"))
