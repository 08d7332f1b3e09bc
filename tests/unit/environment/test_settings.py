"""Environment files: their names, networks, defaults and addresses, and the files and the schema that are shipped."""

import json
from pathlib import Path

import pytest

from bootstrap.acts import casc
from bootstrap.environment import settings
from bootstrap.environment.secret_names import RESERVED, RESERVED_PREFIXES, find_faults
from bootstrap.errors import SettingsInvalid
from tests.unit.environment.environment_files import WHOLE, load

ROOT = Path(__file__).resolve().parents[3]


def test_a_file_that_does_not_exist_names_those_that_do(tmp_path: Path) -> None:
    load(tmp_path, WHOLE)

    with pytest.raises(SettingsInvalid) as caught:
        settings.load(tmp_path / "other.yaml")

    assert "there are: trial" in caught.value.remedy


def test_the_name_must_be_the_files(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load(tmp_path, WHOLE, "other")

    assert "the name must equal the file's: 'other', not 'trial'" == caught.value.faults[0].message


def test_networks_of_one_cloud_may_not_overlap(tmp_path: Path) -> None:
    load(tmp_path, WHOLE.replace("trial", "first") + "network:\n  cidr: 10.5.0.0/16\n", "first")

    with pytest.raises(SettingsInvalid) as caught:
        load(tmp_path, WHOLE + "network:\n  cidr: 10.5.7.0/24\n")

    assert (
        "10.5.7.0/24 overlaps with 10.5.0.0/16 of the environment 'first' (first.yaml)"
        in caught.value.faults[0].message
    )


def test_networks_of_different_clouds_may_overlap(tmp_path: Path) -> None:
    (tmp_path / "first.yaml").write_text(WHOLE.replace("trial", "first").replace("local", "aws"))

    assert "10.77.0.0/16" == load(tmp_path, WHOLE).network.cidr


def test_what_is_not_said_has_a_default(tmp_path: Path) -> None:
    found = load(tmp_path, WHOLE)

    assert (2, "none", (), "none") == (
        found.network.zones,
        found.network.nat,
        found.access.operator_cidrs,
        found.jenkins.fallback,
    )


@pytest.mark.parametrize("name", ["local", "aws", "office", "nonproduction", "production"])
def test_the_shipped_environments_are_good(name: str) -> None:
    path = ROOT / "environments" / f"{name}.yaml"
    found = settings.load(path)

    assert name == found.name
    settings.check_ways(path, found)


def test_every_shipped_environment_is_known_here() -> None:
    names = {it.stem for it in (ROOT / "environments").glob("*.yaml")}

    assert {"local", "aws", "office", "nonproduction", "production"} <= names


def test_the_complete_example_names_every_key() -> None:
    text = (ROOT / "environments" / "aws.yaml").read_text()
    document = json.loads(settings.format_schema())
    sections = [document, *document["$defs"].values()]

    missing = [key for section in sections for key in section["properties"] if f"{key}:" not in text]

    assert [] == missing


def test_the_checked_in_schema_is_the_models(  # editors complete by it
) -> None:
    assert settings.format_schema() == (ROOT / "environments" / "schema.json").read_text()


def test_settings_are_frozen(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="frozen"):
        load(tmp_path, WHOLE).owner = "another"  # type: ignore[misc]


URLS = (
    *(
        "http://ci.example.org/",
        "https://ci.example.org",
        "https://ci.example.org/jenkins/",
        "https:///",
        "https://a b/",
    ),
    *(
        "https://ci;include /etc/passwd/",
        "https://ci;deny/",
        "https://ci}/",
        "https://ci{/",
        "https://ci'/",
        "https://${x}/",
    ),
    *(
        "https://$host/",
        'https://ci"/',
        "https://ci\\/",
        "https://user@ci/",
        "https://ci#x/",
        "https://ci?x/",
        "https://-ci/",
    ),
    *(
        "https://ci.example.org/\n",
        "https://ci\n/",
        "https://ci\x1b/",
        "https://ci:0/",
        "https://ci:443443/",
        "https://é/",
    ),
    *("https://ci..example/", "https://*.example.org/", "https://~ci/", "https://_/"),
)


@pytest.mark.parametrize("url", URLS)
def test_an_address_that_is_more_than_a_host_and_a_port_is_refused(tmp_path: Path, url: str) -> None:
    path = tmp_path / "trial.yaml"
    path.write_text(f"{WHOLE}jenkins:\n  url: {json.dumps(url)}\n")

    with pytest.raises(SettingsInvalid, match="is not https://, a host name"):
        settings.load(path)


@pytest.mark.parametrize("url", ["https://ci/", "https://ci.example.org/", "https://10.0.0.1:8443/", "https://A-1.b/"])
def test_an_address_of_a_host_is_taken(tmp_path: Path, url: str) -> None:
    path = tmp_path / "trial.yaml"
    path.write_text(f"{WHOLE}jenkins:\n  url: {url}\n")

    assert url == settings.load(path).jenkins.url


def test_the_names_of_the_toolkits_variables_are_no_names_for_secrets() -> None:
    names = {*casc.SECRETS, *casc.VARIABLES}

    assert set() == {it for it in names if it not in RESERVED and not it.startswith(RESERVED_PREFIXES)}
    of_agents = [("jenkins", "secrets", "AGENTS_BIG_KEY")]
    assert of_agents == [place for place, _ in find_faults(["AGENTS_BIG_KEY", "AGENTS_KEY_FILE"])]
