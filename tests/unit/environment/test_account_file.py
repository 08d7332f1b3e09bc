"""Account files: what is read, and what is refused with its line and column."""

from pathlib import Path

import pytest

from bootstrap.environment import account_file
from bootstrap.errors import SettingsInvalid

ROOT = Path(__file__).resolve().parents[3]
WHOLE = "account: trial\nenvironment: base\n"
CONTACT = "{name: A, title: B, email: a@localhost, phone: '1'}"
BROKEN = {
    "unknown key": ("trial: {}\n", 3, 1, "unknown key 'trial'; did you mean 'trail'?"),
    "unknown key inside": ("trail:\n  expire: 3\n", 4, 3, "unknown key 'trail.expire'; did you mean 'expire_days'?"),
    "key of an environment": ("region: eu-central-1\n", 3, 1, "unknown key 'region'; did you mean"),
    "short password": ("password_policy: {minimum_length: 5}\n", 3, 35, "greater than or equal to 6, not 5"),
    "archived after it is deleted": (
        "trail: {archive_days: 90, expire_days: 90}\n",
        3,
        1,
        "must be more than archive_days",
    ),
    "number that is none": ("account_id: '12'\n", 3, 13, "does not match ^[0-9]{12}$"),
    "number without quotes": ("account_id: 111122223333\n", 3, 13, "write it in quotes"),
    "contact without a phone": (
        "contacts: {security: {name: A, title: B, email: a@localhost}}\n",
        3,
        12,
        "the key 'contacts.security.phone' is missing",
    ),
    "contact with letters for a phone": (
        f"contacts:\n  billing: {CONTACT.replace(chr(39) + '1', chr(39) + 'call')}\n",
        4,
        59,
        "contacts.billing.phone: 'call' does not match",
    ),
    "switch that is no switch": ("ebs_encryption: 1\n", 3, 17, "ebs_encryption: Input should be a valid boolean"),
    "another version": ("version: 2\n", 3, 10, "version: Input should be 1"),
    "no YAML": ("trail: [\n", 4, 1, "not YAML"),
}


def write(folder: Path, text: str, name: str = "trial") -> Path:
    (folder / "environments").mkdir()
    (folder / "environments" / "base.yaml").write_text("")
    (folder / "accounts").mkdir()
    path = folder / "accounts" / f"{name}.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_refused_with_its_place(name: str, tmp_path: Path) -> None:
    text, line, column, message = BROKEN[name]

    with pytest.raises(SettingsInvalid) as caught:
        account_file.load(write(tmp_path, WHOLE + text))

    (fault,) = caught.value.faults
    assert message in fault.message
    assert (line, column) == (fault.line, fault.column)


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, "account: Trial\nenvironment: base\ntrail: {archive_days: 0}\n")

    with pytest.raises(SettingsInvalid) as caught:
        account_file.load(path)

    assert [(1, 10), (3, 23)] == [(fault.line, fault.column) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("text", "name", "place", "message"),
    [
        (WHOLE, "other", (1, 10), "the file is called 'other.yaml'; write 'account: other'"),
        (WHOLE.replace("base", "gone"), "trial", (2, 14), "environment: there is no "),
    ],
)
def test_names_must_lead_to_files(text: str, name: str, place: tuple[int, int], message: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=message) as caught:
        account_file.load(write(tmp_path, text, name))

    assert place == (caught.value.faults[0].line, caught.value.faults[0].column)


def test_a_missing_file_names_those_that_there_are(tmp_path: Path) -> None:
    path = write(tmp_path, WHOLE)

    with pytest.raises(SettingsInvalid) as caught:
        account_file.load(path.with_name("absent.yaml"))

    assert "there are: trial." in caught.value.remedy


def test_what_is_left_out_is_not_wished(tmp_path: Path) -> None:
    read = account_file.load(write(tmp_path, WHOLE))

    assert (None, None, False, False) == (
        read.trail,
        read.password_policy,
        read.ebs_encryption,
        read.s3_public_access_block,
    )


@pytest.mark.parametrize("name", ["local", "aws"])
def test_the_shipped_files_are_good(name: str) -> None:
    assert name == account_file.load(ROOT / "accounts" / f"{name}.yaml").name


def test_the_example_explains_every_key() -> None:
    text = (ROOT / "accounts" / "aws.yaml").read_text()

    missing = [key for key in account_file.AccountSettings.model_fields if f"{key}:" not in text]

    assert [] == missing


def test_the_schema_is_the_one_that_is_checked_in() -> None:
    assert account_file.format_schema() == (ROOT / "accounts" / "schema.json").read_text()
