"""Users and passwords in URLs are recognized in the forms in which people write them; names of secrets are, too."""

import pytest

from bootstrap.importing.cleaning import clean
from bootstrap.importing.plain_secrets import has_user, is_named_after_secret, remove_user

WITH_USER = {
    "https://ghp_SECRET:x-oauth-basic@host/a": "https://host/a",
    "https://ghp_SECRET@host": "https://host",
    "HTTPS://ghp_SECRET@host": "HTTPS://host",
    "git+https://ghp_SECRET@host": "git+https://host",
    "https://me:p$a{b}@host": "https://host",
    "https://me:pa/ss@host/@x": "https://host/@x",
    "https://me:p@/ss@host/x": "https://host/x",
    "https://a:b@c:d@host/": "https://host/",
    "https://a:b@h1,https://c:d@h2": "https://h1,https://h2",
    "https://h/?u=https://a:b@h2": "https://h/?u=https://h2",
    "scm:git:https://a:b@host": "scm:git:https://host",
    "ssh://git:pw@host:22/x": "ssh://git@host:22/x",
    "jdbc:mysql://u:p@host/x": "jdbc:mysql://u@host/x",
}
WITHOUT = [
    "https://medium.com/@user",
    "https://host:8080/@x",
    "https://[::1]:80/@x",
    "ssh://git@host/x",
    "git@host:a/b.git",
    "https://${USER}:${TOKEN}@host",
    "me@example.org",
]


@pytest.mark.parametrize(("url", "shorter"), WITH_USER.items())
def test_the_user_in_a_url_is_removed_and_noticed_in_a_text(url: str, shorter: str) -> None:
    assert remove_user(url) == shorter
    assert has_user(f"git clone '{url}' x")


@pytest.mark.parametrize("text", WITHOUT)
def test_what_is_no_user_stays(text: str) -> None:
    assert remove_user(text) == text and not has_user(f"git clone {text} x")


def test_variables_in_a_script_are_no_secrets() -> None:
    assert not has_user("git clone https://$USER:$TOKEN@host https://me:$TOKEN@host")


@pytest.mark.parametrize("name", ["DB_PASSWORD", "AWS_SECRET_ACCESS_KEY", "api-key", "privateKey"])
def test_the_name_of_a_secret_is_recognized(name: str) -> None:
    assert is_named_after_secret(name)


@pytest.mark.parametrize("name", ["TOKENS_DIR", "PASSWORD_FILE", "KEYBOARD", ""])
def test_other_names_are_not(name: str) -> None:
    assert not is_named_after_secret(name)


def test_a_token_in_the_url_of_a_job_is_left_out_and_told() -> None:
    cleaned = clean("<project><scm><url>https://ghp_SECRET@host/a.git</url></scm></project>")
    assert cleaned.root.findtext("scm/url") == "https://host/a.git"
    assert cleaned.secrets == ("scm/url, user and password in the URL",)


@pytest.mark.parametrize(
    "pair",
    [
        "<hudson.model.StringParameterDefinition><name>DB_PASSWORD</name><defaultValue>geheim</defaultValue>"
        "</hudson.model.StringParameterDefinition>",
        "<x.StringProperty><key>API_KEY</key><value>geheim</value></x.StringProperty>",
        "<entry><string>GH_TOKEN</string><string>geheim</string></entry>",
    ],
)
def test_the_value_of_a_parameter_that_is_named_after_a_secret_is_left_out_and_told(pair: str) -> None:
    cleaned = clean(f"<project><properties>{pair}</properties></project>")
    assert len(cleaned.secrets) == 1 and "geheim" not in "".join(cleaned.root.itertext())


def test_the_values_of_other_parameters_stay() -> None:
    other = "<p><name>HOME</name><defaultValue>/x</defaultValue></p>"
    switch = "<p><name>USE_TOKEN</name><defaultValue>true</defaultValue></p>"
    cleaned = clean(f"<project><properties>{other}{switch}</properties></project>")
    assert cleaned.secrets == () and [each.text for each in cleaned.root.iter("defaultValue")] == ["/x", "true"]
