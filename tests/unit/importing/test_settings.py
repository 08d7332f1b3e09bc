"""Settings: what the toolkit has already is told, secrets become variables, and what a launch refuses is taken out."""

from pathlib import Path

import pytest
import yaml
from recorded_jenkins import ROOT

from bootstrap.acts import casc
from bootstrap.importing import settings
from bootstrap.importing.settings import Converted

OWN = ROOT / "casc"
CIPHER = "{AQAABAAAAAQwLwEdHJ8sUZ+Ux1u8dJm0w==}"
CREDENTIALS = f"""
credentials:
  system:
    domainCredentials:
    - credentials:
      - string: {{id: "deploy-token", scope: GLOBAL, secret: "{CIPHER}"}}
      - basicSSHUserPrivateKey:
          id: "git key"
          privateKeySource: {{directEntry: {{privateKey: "{CIPHER}"}}}}
          passphrase: "{CIPHER}"
      - usernamePassword: {{id: "jenkins", username: "x", password: "in clear text"}}
      - file: {{id: "7", fileName: "f", secretBytes: "{CIPHER}"}}
"""


def convert(text: str, own: Path = OWN) -> Converted:
    return settings.convert(text, own)


def tell(converted: Converted) -> str:
    return "\n".join(map(str, converted.notes))


def test_secrets_become_variables_with_names_that_an_environment_takes() -> None:
    converted = convert(CREDENTIALS)
    assert [secret.variable for secret in converted.secrets] == [
        "DEPLOY_TOKEN_SECRET",
        "GIT_KEY_PRIVATEKEY",
        "GIT_KEY_PASSPHRASE",
        "IMPORTED_JENKINS_PASSWORD",
        "IMPORTED_7_SECRETBYTES",
    ]
    everything = "".join(converted.files.values()) + converted.left
    assert "AQAA" not in everything and "in clear text" not in everything
    assert "id: mail" in converted.files["credentials.yaml"]  # the toolkit's own credential stays
    assert '"${DEPLOY_TOKEN_SECRET}"' in converted.files["credentials.yaml"]


@pytest.mark.parametrize("domain", ["", "domain: {name: of a domain}, "])
def test_a_credential_with_an_id_of_the_toolkits_is_left_out_and_told(domain: str) -> None:
    mine, theirs = ({"string": {"id": each, "secret": CIPHER}} for each in ("mail", "theirs"))
    listed = f"{{{domain}credentials: [{mine}, {theirs}]}}"
    converted = convert(f"credentials: {{system: {{domainCredentials: [{listed}]}}}}\n")
    domains = yaml.safe_load(converted.files["credentials.yaml"])["credentials"]["system"]["domainCredentials"]
    ids = [next(iter(each.values()))["id"] for entry in domains for each in entry["credentials"]]
    assert ids.count("mail") == 1 and "theirs" in ids and len(domains) == (2 if domain else 1)
    assert [secret.variable for secret in converted.secrets] == ["THEIRS_SECRET"]
    assert "credential mail: casc/credentials.yaml has a credential with this id already; give it another" in tell(
        converted
    )


def test_two_secrets_of_one_name_get_two_variables() -> None:
    text = f"unclassified:\n  a: [{{name: x, token: '{CIPHER}'}}, {{name: x, token: '{CIPHER}'}}]\n"
    assert [secret.variable for secret in convert(text).secrets] == ["X_TOKEN", "X_TOKEN_2"]


def test_a_text_that_looks_like_a_variable_stays_that_text() -> None:
    converted = convert('unclassified:\n  shell: {shell: "${HOME}/x ^${Y}"}\n')
    assert '"^${HOME}/x ^${Y}"' in converted.files["imported-unclassified.yaml"]


def test_what_the_toolkit_sets_is_told_with_both_values_and_left_for_a_person() -> None:
    converted = convert("jenkins:\n  numExecutors: 7\n  quietPeriod: 0\n  disabledAdministrativeMonitors: [x]\n")
    told = tell(converted)
    assert (
        "setting jenkins.numExecutors: casc/controller.yaml has it already, as '0'; there it is '7'; if the other"
        in told
    )
    assert (
        "setting jenkins.quietPeriod: casc/controller.yaml has it already, with the same value; nothing to do" in told
    )
    assert yaml.safe_load(converted.left) == {"jenkins": {"numExecutors": 7, "quietPeriod": 0}}
    assert yaml.safe_load(converted.files["imported-jenkins.yaml"]) == {
        "jenkins": {"disabledAdministrativeMonitors": ["x"]}
    }


def test_the_case_of_a_key_does_not_hide_that_the_toolkit_sets_it() -> None:
    assert "casc/controller.yaml has it already" in tell(convert("jenkins:\n  NumExecutors: 7\n"))


def test_an_implementation_of_another_kind_is_not_merged_with_the_toolkits() -> None:
    converted = convert(f"jenkins:\n  securityRealm:\n    ldap:\n      managerPasswordSecret: '{CIPHER}'\n")
    assert "setting jenkins.securityRealm: casc/access.yaml has it already, as 'local'; there it is 'ldap'" in tell(
        converted
    )
    assert converted.files == {} and converted.secrets == [] and "***" in converted.left


def test_the_value_of_a_variable_that_is_named_after_a_secret_is_one() -> None:
    converted = convert(
        "unclassified:\n"
        "  folders: [{env: [{key: DB_PASSWORD, value: in clear text}, {key: USE_TOKEN, value: 'true'}]}]\n"
        "  templates: [{name: API_KEY, defaultValue: geheim}, {name: HOME, defaultValue: /x}]\n"
    )
    everything = "".join(converted.files.values()) + converted.left
    assert "in clear text" not in everything and "geheim" not in everything
    assert "/x" in everything and '"true"' in everything
    assert [secret.variable for secret in converted.secrets] == ["DB_PASSWORD_VALUE", "API_KEY_DEFAULTVALUE"]


def test_user_and_password_in_a_url_of_a_setting_are_left_out_and_told() -> None:
    url = "https://ghp_SECRET:x-oauth-basic@host/a.git"
    converted = convert(f"unclassified:\n  library: {{remote: '{url}', script: 'git clone {url} x'}}\n")
    (text,) = converted.files.values()
    assert '"https://host/a.git"' in text
    told = tell(converted)
    assert "secret unclassified.library.remote: user and password were left out of its URL; use a credential" in told
    assert "secret unclassified.library.script: a URL there seems to have a password; use a credential" in told


def test_a_note_shows_no_secret_of_either_side(tmp_path: Path) -> None:
    own = tmp_path / "casc"
    own.mkdir()
    (own / "mine.yaml").write_text("unclassified:\n  x: {apiToken: our-own, url: 'https://us:pw@host/'}\n")
    told = tell(convert("unclassified:\n  x: {apiToken: geheim, url: 'https://them:pw@host/x'}\n", own))
    assert "unclassified.x.apiToken: casc/mine.yaml has it already, as '***'; there it is '***'" in told
    assert not any(secret in told for secret in ("our-own", "geheim", "pw@"))


def test_accounts_are_named() -> None:
    text = "jenkins:\n  securityRealm:\n    local:\n      users: [{id: admin}, {id: bob}]\n"
    told = tell(convert(text))
    assert "account bob: Jenkins does not export its password; add the person to casc/access.yaml" in told
    assert "account admin" not in told


def test_a_part_that_the_toolkit_does_not_set_joins_the_part_that_it_sets() -> None:
    converted = convert("unclassified:\n  mailer: {charset: UTF-8, defaultSuffix: x}\n")
    assert yaml.safe_load(converted.files["imported-unclassified.yaml"]) == {
        "unclassified": {"mailer": {"defaultSuffix": "x"}}
    }


def test_an_attribute_with_a_fault_is_taken_out_and_told() -> None:
    text = "unclassified:\n  pollSCM: {pollingThreadCount: many}\n  shell: {shell: /bin/sh}\n"
    converted = convert(text)
    assert "setting unclassified.pollSCM: it has a fault: unclassified.pollSCM.pollingThreadCount: " in tell(converted)
    assert list(yaml.safe_load(converted.files["imported-unclassified.yaml"])["unclassified"]) == ["shell"]
    assert yaml.safe_load(converted.left) == {"unclassified": {"pollSCM": {"pollingThreadCount": "many"}}}


def test_a_section_that_is_too_large_loses_its_largest_attribute(tmp_path: Path) -> None:
    own = tmp_path / "casc"
    own.mkdir()
    large = "x" * 1_100_000
    converted = convert(f"unclassified:\n  pollSCM: {{x: '{large}'}}\n  shell: {{shell: /bin/sh}}\n", own)
    assert "setting unclassified.pollSCM: it has a fault: " in tell(converted) and "more than the limit" in tell(
        converted
    )
    assert list(yaml.safe_load(converted.files["imported-unclassified.yaml"])["unclassified"]) == ["shell"]


def test_what_no_locked_plugin_knows_is_in_a_file_of_its_own() -> None:
    converted = convert("unclassified:\n  sonarGlobalConfiguration: {buildWrapperEnabled: true}\nartifactory: {x: 1}\n")
    assert set(converted.files) == {"imported-unclassified-other.yaml", "imported-artifactory-other.yaml"}
    assert (
        "casc/imported-unclassified-other.yaml: the toolkit knows no plugin of the lock with these settings: sonarGlobal"
        in tell(converted)
    )


def test_what_that_jenkins_could_not_export_is_told() -> None:
    converted = convert('unclassified:\n  shell: "FAILED TO EXPORT\\nhudson.x#y: java.lang.Error"\n')
    assert "setting unclassified.shell: that Jenkins could not export it" in tell(converted) and converted.files == {}


def test_what_could_not_be_exported_is_taken_out_at_any_depth() -> None:
    failed = '"FAILED TO EXPORT\\nhudson.x#y: java.lang.Error"'
    converted = convert(
        "unclassified:\n"
        f"  libraries: [{{name: a, retriever: {{git: {failed}}}}}, {failed}, {{name: b, deep: {{x: {{y: {failed}}}, z: 1}}}}]\n"
        f"tool: {failed}\n"
    )
    assert "FAILED" not in "".join(converted.files.values())
    (text,) = converted.files.values()
    assert yaml.safe_load(text) == {"unclassified": {"libraries": [{"name": "a"}, {"name": "b", "deep": {"z": 1}}]}}
    told = tell(converted)
    for place in ("libraries.0.retriever.git", "libraries.1", "libraries.2.deep.x.y"):
        assert f"setting unclassified.{place}: that Jenkins could not export it; set it in casc/ by hand" in told
    assert "setting tool: that Jenkins could not export it" in told


@pytest.mark.parametrize("root", ["../x", "a b", "x\u202e", "jenkins/..", "ü"])
def test_a_section_with_a_strange_name_names_no_file(root: str) -> None:
    converted = convert(f'"{root}":\n  a: 1\n')
    assert converted.files == {} and "it is not a section of settings" in tell(converted)


def test_the_files_are_taken_where_the_toolkits_own_use_secrets_of_an_environment(tmp_path: Path) -> None:
    own = tmp_path / "casc"
    own.mkdir()
    (own / "mine.yaml").write_text('unclassified:\n  location: {url: "${A_SECRET_OF_MINE}"}\n')
    converted = convert("unclassified:\n  shell: {shell: /bin/sh}\n", own)
    (own / "imported-unclassified.yaml").write_text(converted.files["imported-unclassified.yaml"])
    assert len(casc.read(own, own=["A_SECRET_OF_MINE"])) == 2


@pytest.mark.parametrize(
    "value",
    ["yes", "1.5", "1e5", "2026-01-01", "~", "null", "0x10", "a: b", "- a", "#x", "é\u2028x", "a\nb\n", " x ", ""],
)
def test_a_string_stays_that_string_for_the_parser_of_jenkins(value: str) -> None:
    text = yaml.safe_dump({"unclassified": {"shell": {"shell": value}}}, default_style='"')
    converted = convert(text)
    assert yaml.safe_load(converted.files["imported-unclassified.yaml"]) == {
        "unclassified": {"shell": {"shell": value}}
    }
