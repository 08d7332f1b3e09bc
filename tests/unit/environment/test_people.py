"""People in an environment file: who is accepted, how others are refused, and what a role reaches."""

import base64
import struct
from pathlib import Path

import pytest

from bootstrap.environment import settings, ssh_keys
from bootstrap.environment.people import Person, is_sso_role
from bootstrap.errors import SettingsInvalid

WHOLE = "environment: trial\ncloud: aws\nowner: someone\ncost_center: lab\n"
SSO = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_x_0123456789abcdef"
USER = "arn:aws:iam::111122223333:user/team/first"


def encode(kind: str, *fields: bytes) -> str:
    """A public key of these fields."""
    parts = (kind.encode(), *fields)
    body = b"".join(struct.pack(">I", len(part)) + part for part in parts)
    return f"{kind} {base64.b64encode(body).decode()}"


ED25519 = encode("ssh-ed25519", b"k" * 32)
OTHER = encode("ssh-ed25519", b"o" * 32)


def rsa(bits: int) -> str:
    return encode("ssh-rsa", b"\x01\x00\x01", (1 << (bits - 1)).to_bytes(bits // 8 + 1))


def load(tmp_path: Path, people: str, head: str = WHOLE) -> settings.Settings:
    path = tmp_path / "trial.yaml"
    path.write_text(f"{head}people:\n{people}")
    return settings.load(path)


def person(identity: str = "first-operator", role: str = "operator", **more: str) -> str:
    lines = {"name": "First", "email": "first@example.org", "role": role, **more}
    return f"  {identity}:\n" + "".join(f"    {key}: {value}\n" for key, value in lines.items())


@pytest.mark.parametrize(
    "key",
    [
        ED25519,
        rsa(2048),
        rsa(4096),
        encode("ecdsa-sha2-nistp256", b"nistp256", b"\x04" + b"p" * 64),
        encode("ecdsa-sha2-nistp521", b"nistp521", b"\x04" + b"p" * 132),
        encode("sk-ssh-ed25519@openssh.com", b"k" * 32, b"ssh:"),
        encode("sk-ecdsa-sha2-nistp256@openssh.com", b"nistp256", b"\x04" + b"p" * 64, b"ssh:"),
    ],
    ids=lambda key: key.split()[0],
)
def test_a_key_is_kept_without_its_comment(key: str) -> None:
    assert key == ssh_keys.check(f"{key} first@laptop of mine")


@pytest.mark.parametrize(
    ("key", "part"),
    [
        (rsa(1024), "has 1024 bits"),
        (encode("ssh-dss", b"p", b"q", b"g", b"y"), "DSA keys are weak"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n", "this is a private key"),
        ("ssh-ed25519", "not a public SSH key on one line"),
        (f"{ED25519}\n{OTHER}", "not a public SSH key on one line"),
        (f'command="true" {ED25519}', "is no type of key here"),
        (encode("ssh-ed25519", b"k" * 31), "damaged"),
        (ED25519[:-8], "damaged"),
        (encode("ssh-ed25519", b"k" * 32, b"more"), "damaged"),
        (ED25519.replace("ssh-ed25519", "ssh-rsa"), "damaged"),
        ("ssh-ed25519 !!!!", "damaged"),
        (encode("ssh-ed25519-cert-v01@openssh.com", b"n" * 32, b"k" * 32), "a certificate"),
    ],
)
def test_a_weak_or_broken_key_is_refused(key: str, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        ssh_keys.check(key)


def test_a_refused_private_key_is_not_shown(tmp_path: Path) -> None:
    text = "-----BEGIN OPENSSH PRIVATE KEY-----\\nprecious\\n-----END OPENSSH PRIVATE KEY-----"

    with pytest.raises(SettingsInvalid) as caught:
        load(tmp_path, person(ssh_keys=f'["{text}"]'))

    assert "this is a private key" in str(caught.value)
    assert "precious" not in str(caught.value)


@pytest.mark.parametrize(
    ("people", "place", "part"),
    [
        (person("admin"), "6:3", "'admin' is a user of Jenkins"),
        (person("authenticated"), "6:3", "choose another id"),
        (person("First"), "6:3", "does not match"),
        (person(role="boss"), "9:11", "'administrator', 'operator', 'developer' or 'auditor'"),
        (person(email="nobody"), "8:12", "'nobody' is no mail address"),
        (person(email="'a b@example.org'"), "8:12", "no mail address"),
        (person(name="'${HOME}'"), "7:11", "does not match"),
        (person(git="force"), "10:10", "'read' or 'write'"),
        (person(role="auditor", git="write"), "10:10", "an auditor changes nothing"),
        (person(aws="arn:aws:sts::111122223333:assumed-role/x/y"), "10:10", "of a session"),
        (person(aws=f"'{USER},444455556666'"), "10:10", "has a comma"),
        (person(aws=f"'{SSO},*'"), "10:10", "has a comma"),
        (person(name="'  '"), "7:11", "is blank"),
        (person(name='"First\\u202eOperator"'), "7:11", "U+202E"),
        (person(name='"First\\u2028Operator"'), "7:11", "U+2028"),
        (person(aws="arn:aws-cn:iam::111122223333:user/x"), "10:10", "of the partition aws-cn"),
        (person(ssh_keys=f"['{ED25519}', '{ED25519} again']"), f"10:{16 + len(ED25519) + 4}", "is there twice"),
        (
            person(ssh_keys=f"['{ED25519}']") + person("second-operator", ssh_keys=f"['{ED25519} of mine']"),
            "15:16",
            "is the key of 'first-operator', too",
        ),
        (person(aws=USER) + person("second-operator", aws=USER), "15:10", "is the identity of 'first-operator'"),
        (person(aws=SSO) + person("second", "auditor", aws=SSO), "15:10", "comes in by it as operator"),
        (person(mail="x@example.org"), "10:5", "did you mean"),
    ],
)
def test_a_fault_is_told_with_its_place(people: str, place: str, part: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load(tmp_path, people)

    (fault,) = caught.value.faults
    assert (place, True) == (f"{fault.line}:{fault.column}", part in fault.message), str(fault)


def test_people_of_one_role_may_come_in_by_one_role_of_identity_center(tmp_path: Path) -> None:
    found = load(tmp_path, person(aws=SSO) + person("second", "administrator", aws=SSO)).people

    assert {"operator"} == {it.aws_role for it in found.values()}
    assert is_sso_role(SSO) and not is_sso_role(USER)
    assert not is_sso_role("arn:aws:iam::111122223333:role/deploy")
    assert not is_sso_role(SSO.replace("AWSReservedSSO_", "Other_"))
    assert not is_sso_role(SSO.replace(":role/", ":user/"))


@pytest.mark.parametrize(
    ("role", "git", "access", "logs_in"),
    [
        ("administrator", None, "write", True),
        ("operator", None, "write", True),
        ("operator", "read", "read", True),
        ("developer", None, "read", False),
        ("developer", "write", "branches", False),
        ("auditor", None, "read", False),
    ],
)
def test_a_role_decides_what_keys_open(role: str, git: str | None, access: str, logs_in: bool) -> None:
    one = Person.model_validate_json(
        f'{{"name": "A", "email": "a@example.org", "role": "{role}", "ssh_keys": ["{ED25519}"]'
        + (f', "git": "{git}"}}' if git else "}")
    )

    assert (access, logs_in) == (one.git_access, one.logs_in)
    assert not one.model_copy(update={"ssh_keys": ()}).logs_in


@pytest.mark.parametrize(("branch", "is_refused"), [("pushed", True), ("pushed/one", True), ("pushed-one", False)])
def test_the_launched_branch_is_not_where_pushed_commits_are_kept(
    branch: str, is_refused: bool, tmp_path: Path
) -> None:
    path = tmp_path / "trial.yaml"
    path.write_text(f"{WHOLE}repository: {{branch: {branch}}}\n")

    if not is_refused:
        assert branch == settings.load(path).repository.branch
        return
    with pytest.raises(SettingsInvalid, match="choose another branch"):
        settings.load(path)
