"""The code of a second factor is compared whatever characters a caller sends."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap.local.aws.access import second_factor
from bootstrap.local.aws.access.policies.parameters import Call
from bootstrap.local.aws.access.refusals import Refused

SERIAL, SEED = "arn:aws:iam::123456789012:mfa/first", "JBSWY3DPEHPK3PXP"
PRINCIPAL: Any = SimpleNamespace(source_arn="arn:aws:iam::123456789012:user/first", account="123456789012")


@pytest.fixture(autouse=True)
def device(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = SimpleNamespace(virtual_mfa_devices={SERIAL: SimpleNamespace(base32_string_seed=SEED)})
    monkeypatch.setattr(second_factor, "find_backend", lambda *_: backend)
    monkeypatch.setattr(second_factor, "find_user", lambda _: SimpleNamespace(mfa_devices={SERIAL: None}))


def call(code: str) -> Call:
    return Call("sts", "AssumeRole", "eu-central-1", "123456789012", {"SerialNumber": (SERIAL,), "TokenCode": (code,)})


def test_the_code_of_this_moment_is_a_second_factor() -> None:
    assert second_factor.check(PRINCIPAL, call(second_factor.compute_code(SEED, int(time.time()) // 30)))


@pytest.mark.parametrize("code", ["", "12345", "１２３４５６", "12345\u00e9", "\ud800"])
def test_any_other_text_is_refused(code: str) -> None:
    with pytest.raises(Refused, match="invalid MFA one time pass code"):
        second_factor.check(PRINCIPAL, call(code))
