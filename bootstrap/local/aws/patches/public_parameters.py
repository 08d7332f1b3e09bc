"""The public parameters of Debian's images exist in SSM, the account's own list does not show them, and EC2 has the images."""

from __future__ import annotations

import functools
from typing import Any

from bootstrap.local.aws.compute import images


class ParameterPatches:
    """One method for each module that is changed."""

    catalogue: images.Catalogue

    def _ssm_models(self, module: Any) -> None:
        original = module.ParameterDict._check_loading_status

        @functools.wraps(original)
        def check(parameters: Any, key: str) -> None:
            original(parameters, key)
            if str(key or "").startswith(images.PARAMETERS):
                self._bring_versions_to(parameters, module)

        module.ParameterDict._check_loading_status = check
        describe = module.SimpleSystemManagerBackend.describe_parameters

        @functools.wraps(describe)
        def describe_parameters(backend: Any, *args: Any, **kwargs: Any) -> Any:
            found = describe(backend, *args, **kwargs)
            return [one for one in found if not one.name.startswith("/aws/service/")]

        module.SimpleSystemManagerBackend.describe_parameters = describe_parameters

    def _bring_versions_to(self, parameters: Any, module: Any) -> None:
        """Give each public parameter one version for each image that was ever published, as on AWS."""
        for name in images.list_parameters():
            versions: list[Any] = dict.setdefault(parameters, name, [])
            for number, image in enumerate(self.catalogue.published[len(versions) :], len(versions) + 1):
                made = module.Parameter(
                    account_id=parameters.account_id,
                    name=name,
                    value=image.id,
                    parameter_type="String",
                    description=None,
                    allowed_pattern=None,
                    keyid=None,
                    last_modified_date=image.published.timestamp(),
                    version=number,
                    data_type="aws:ec2:image",
                )
                versions.append(made)

    def _ec2_models_amis(self, module: Any) -> None:
        original = module.AmiBackend._load_amis

        @functools.wraps(original)
        def load(backend: Any) -> None:
            original(backend)
            self.catalogue.bring_to(backend, module)

        module.AmiBackend._load_amis = load
