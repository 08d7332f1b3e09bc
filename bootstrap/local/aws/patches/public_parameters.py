"""SSM: the public parameters of Debian's images exist, and the account's own list does not show them."""

from __future__ import annotations

import functools
from typing import Any

from bootstrap.local.aws.compute import images


class ParameterPatches:
    """One method for the module that is changed."""

    def _ssm_models(self, module: Any) -> None:
        original = module.ParameterDict._check_loading_status

        @functools.wraps(original)
        def check(parameters: Any, key: str) -> None:
            original(parameters, key)
            if str(key or "").startswith(images.PARAMETERS) and not getattr(parameters, "debian_loaded", False):
                parameters.debian_loaded = True
                for name, value in images.list_parameters().items():
                    made = module.Parameter(
                        account_id=parameters.account_id,
                        name=name,
                        value=value,
                        parameter_type="String",
                        description=None,
                        allowed_pattern=None,
                        keyid=None,
                        last_modified_date=images.RELEASED.timestamp(),
                        version=1,
                        data_type="aws:ec2:image",
                    )
                    dict.setdefault(parameters, name, []).append(made)

        module.ParameterDict._check_loading_status = check
        describe = module.SimpleSystemManagerBackend.describe_parameters

        @functools.wraps(describe)
        def describe_parameters(backend: Any, *args: Any, **kwargs: Any) -> Any:
            found = describe(backend, *args, **kwargs)
            return [one for one in found if not one.name.startswith("/aws/service/")]

        module.SimpleSystemManagerBackend.describe_parameters = describe_parameters
