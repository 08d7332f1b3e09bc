"""The check of whom the roles for people trust sees each way in which a trust can be wider than the environment file."""

import importlib.util
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

CHECKS = Path(__file__).resolve().parents[2] / "acceptance" / "test_people.py"
ONE = "arn:aws:iam::111122223333:user/one"
SSO = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_x_0123456789abcdef"
FACTOR = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
PEOPLE = {
    "one": SimpleNamespace(aws_role="operator", aws=ONE),
    "two": SimpleNamespace(aws_role="auditor", aws=SSO),
    "three": SimpleNamespace(aws_role="auditor", aws=None),
}


def allow(principal: Any, condition: dict[str, Any] | None = None, effect: str = "Allow") -> dict[str, Any]:
    return {"Effect": effect, "Principal": principal, **({"Condition": condition} if condition else {})}


GOOD = {"operator": [allow({"AWS": ONE}, FACTOR)], "auditor": [allow({"AWS": [SSO]})]}


@pytest.fixture(scope="module")
def checks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("checks_of_people", CHECKS)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(checks: ModuleType, trust: dict[str, list[dict[str, Any]]]) -> None:
    context = SimpleNamespace(settings=SimpleNamespace(people=PEOPLE))
    checks.test_the_roles_trust_people_of_the_code_alone(trust, context)


def test_the_trust_of_the_file_is_good(checks: ModuleType) -> None:
    check(checks, GOOD)
    check(checks, {**GOOD, "operator": [*GOOD["operator"], allow("*", effect="Deny")]})


@pytest.mark.parametrize(
    "trust",
    [
        {"operator": GOOD["operator"]},
        {"operator": [allow({"AWS": SSO})], "auditor": [allow({"AWS": ONE}, FACTOR)]},
        {**GOOD, "operator": [*GOOD["operator"], allow("*", FACTOR)]},
        {**GOOD, "operator": [*GOOD["operator"], allow({"Service": "ec2.amazonaws.com"}, FACTOR)]},
        {**GOOD, "operator": [allow({"AWS": ONE}, {"BoolIfExists": FACTOR["Bool"]})]},
        {**GOOD, "operator": [allow({"AWS": ONE}, {"Bool": {"aws:MultiFactorAuthPresent": "false"}})]},
        {**GOOD, "operator": [allow({"AWS": ONE})]},
    ],
    ids=["nobody", "swapped", "everybody", "a service", "if it exists", "without", "no condition"],
)
def test_any_other_trust_is_found(checks: ModuleType, trust: dict[str, list[dict[str, Any]]]) -> None:
    with pytest.raises(AssertionError):
        check(checks, trust)
