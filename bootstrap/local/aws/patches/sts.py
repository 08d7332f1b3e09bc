"""Changes moto's STS: a session keeps its tags and its policy, which the guard reads; a replay makes the same keys."""

from __future__ import annotations

import functools
from typing import Any

from bootstrap.local.aws.access import trust
from bootstrap.local.aws.compute import keys


class StsPatches:
    """The changes of moto's STS; a part of `patches.Patches`."""

    def _sts_utils(self, module: Any) -> None:
        module.os = keys.SeededSystem

    def _sts_responses(self, module: Any) -> None:
        original = module.TokenResponse.assume_role

        @functools.wraps(original)
        def assume_role(response: Any) -> Any:
            result = original(response)
            parameters = {name: response._get_param(name) for name in ("Policy", "Tags")}
            result.result["Credentials"].bootstrap_session = trust.read_session_settings(parameters)
            return result

        module.TokenResponse.assume_role = assume_role
