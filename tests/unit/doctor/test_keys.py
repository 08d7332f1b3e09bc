"""How old the keys are."""

import datetime
from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from bootstrap.doctor import keys
from bootstrap.doctor.findings import Health
from bootstrap.environment.models import Settings

NOW = datetime.datetime.now(datetime.UTC)
USER = "arn:aws:iam::111122223333:user/eva"
FIRST, SECOND, THIRD = "AKIAFIRSTFIRSTFI", "AKIASECONDSECOND", "AKIATHIRDTHIRDTH"


@pytest.fixture
def services() -> Iterator[tuple[Any, dict[str, Stubber]]]:
    made: dict[str, Any] = {
        name: boto3.client(name, region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
        for name in ("ec2", "iam", "sts")
    }
    with ExitStack() as stack:
        stubs = {name: stack.enter_context(Stubber(client)) for name, client in made.items()}
        yield made, stubs
        for stub in stubs.values():
            stub.assert_no_pending_responses()


def look(clients: Any, cloud: str = "aws") -> list[Any]:
    settings = Settings(environment="trial", cloud=cloud, owner="a", cost_center="b")
    return list(keys.examine(SimpleNamespace(settings=settings, world=SimpleNamespace(aws=clients.__getitem__))))


def days_ago(days: float) -> datetime.datetime:
    return NOW - datetime.timedelta(days=days)


def pairs(ec2: Stubber, *ages: float) -> None:
    told = {"KeyPairs": [{"KeyName": "jenkins-trial", "CreateTime": days_ago(age)} for age in ages]}
    ec2.add_response("describe_key_pairs", told, {"Filters": [{"Name": "key-name", "Values": ["jenkins-trial"]}]})


def caller(sts: Stubber, arn: str) -> None:
    sts.add_response("get_caller_identity", {"Arn": arn, "Account": "111122223333", "UserId": "x"})


@pytest.mark.parametrize(("days", "health"), [(0.5, Health.GOOD), (90.5, Health.GOOD), (91.5, Health.WARNING)])
def test_the_machines_key_is_old_beyond_ninety_days(services: Any, days: float, health: Health) -> None:
    clients, stubs = services
    pairs(stubs["ec2"], days)

    (found,) = look(clients, "local")

    assert (health, f"the machine's SSH key 'jenkins-trial' is {int(days)} days old") == (found.health, found.found)
    assert ("KeyName" in found.remedy) == (health is Health.WARNING)


def test_each_active_access_key_is_told_with_its_last_use(services: Any) -> None:
    clients, stubs = services
    pairs(stubs["ec2"])
    caller(stubs["sts"], USER)
    listed = [
        {"AccessKeyId": key, "Status": status, "CreateDate": days_ago(age), "UserName": "eva"}
        for key, status, age in ((FIRST, "Active", 200), (SECOND, "Inactive", 400), (THIRD, "Active", 120))
    ]
    stubs["iam"].add_response("list_access_keys", {"AccessKeyMetadata": listed, "IsTruncated": False}, {})
    for key, used in ((FIRST, {"LastUsedDate": days_ago(1)}), (THIRD, {})):
        told = {"UserName": "eva", "AccessKeyLastUsed": {"ServiceName": "N/A", "Region": "N/A", **used}}
        stubs["iam"].add_response("get_access_key_last_used", told, {"AccessKeyId": key})

    first, third = look(clients)

    assert (Health.WARNING, Health.WARNING) == (first.health, third.health)
    assert f"the access key {FIRST}, last used on {days_ago(1):%Y-%m-%d}, is 200 days old" == first.found
    assert f"--access-key-id {FIRST} --status Inactive" in first.remedy
    assert f"the access key {THIRD}, never used, is 120 days old" == third.found
    assert f"delete-access-key --access-key-id {THIRD}" in third.remedy


def test_what_a_role_is_given_ends_by_itself(services: Any) -> None:
    clients, stubs = services
    pairs(stubs["ec2"])
    caller(stubs["sts"], "arn:aws:sts::111122223333:assumed-role/Ops/eva")

    (found,) = look(clients)

    assert (Health.GOOD, "the caller's credentials are temporary") == (found.health, found.found)


def test_who_may_not_ask_is_told_that_it_is_not_known(services: Any) -> None:
    clients, stubs = services
    pairs(stubs["ec2"])
    caller(stubs["sts"], USER)
    stubs["iam"].add_client_error("list_access_keys", "AccessDenied", "no")

    (found,) = look(clients)

    assert (Health.WARNING, "the age of the caller's access keys is not known: AccessDenied: no") == (
        found.health,
        found.found,
    )
    assert "iam:ListAccessKeys" in found.remedy
