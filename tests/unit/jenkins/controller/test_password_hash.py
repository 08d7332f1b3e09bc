"""The hash of a password that Jenkins is handed: the same each time, Jenkins' own form, and never the text."""

import re
from pathlib import Path

import pytest

from bootstrap.errors import BootstrapError
from bootstrap.jenkins.controller.password_hash import hash_password
from bootstrap.local.emulator.model.security import Users
from bootstrap.values import Secret

PASSWORD = Secret("Aa0" * 10)
ARN = "arn:aws:secretsmanager:eu-central-1:1:secret:AdminPassword-x1Y2z3"


def test_the_hash_is_the_same_each_time() -> None:
    assert hash_password(PASSWORD, ARN) == hash_password(PASSWORD, ARN)


def test_the_hash_is_another_one_for_another_user_environment_or_password() -> None:
    found = {
        hash_password(PASSWORD, ARN).reveal(),
        hash_password(PASSWORD, ARN.replace("Admin", "Toolkit")).reveal(),
        hash_password(Secret("another"), ARN).reveal(),
    }

    assert 3 == len(found)


def test_the_salt_does_not_depend_on_the_password() -> None:
    salts = {hash_password(Secret(word), ARN).reveal()[: len("#jbcrypt:$2a$10$") + 21] for word in ("one", "two")}

    assert 1 == len(salts)


def test_jenkins_accepts_the_hash() -> None:
    # HudsonPrivateSecurityRealm: the prefix, and the form by which it tells a hash from a password.
    text = hash_password(PASSWORD, ARN).reveal()

    assert re.fullmatch(r"#jbcrypt:\$2a\$10\$[./A-Za-z0-9]{53}", text)
    assert PASSWORD.reveal() not in text


def test_the_password_signs_in(tmp_path: Path) -> None:
    users = Users(tmp_path)
    admin = users.ensure("admin")

    users.set_password(admin, hash_password(PASSWORD, ARN).reveal())

    assert users.is_password(admin, PASSWORD.reveal())
    assert not users.is_password(admin, hash_password(PASSWORD, ARN).reveal())


def test_a_password_that_bcrypt_would_cut_is_refused_unseen() -> None:
    with pytest.raises(BootstrapError, match="it has 73 bytes") as caught:
        hash_password(Secret("x" * 73), ARN)

    assert "xxx" not in str(caught.value)
