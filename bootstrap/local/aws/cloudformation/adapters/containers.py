"""ECR repositories."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.conversions import is_true
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter, format_json, make_setter
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging


def _set_lifecycle(to: To, value: Any) -> None:
    name = {"repositoryName": to.physical_id}
    text = (value or {}).get("LifecyclePolicyText")
    if text is None:
        to.call("ecr", "delete_lifecycle_policy", **name)
    else:
        to.call("ecr", "put_lifecycle_policy", **name, lifecyclePolicyText=text)


def _set_policy(to: To, value: Any) -> None:
    name = {"repositoryName": to.physical_id}
    if value is None:
        to.call("ecr", "delete_repository_policy", **name)
    else:
        to.call("ecr", "set_repository_policy", **name, policyText=format_json(value))


def _ignore_change(to: To, value: Any) -> None:
    """Do nothing: only the deletion uses the property."""


class Repository(TableAdapter):
    """AWS::ECR::Repository; Ref is its name."""

    def delete(self, to: To) -> None:
        """Delete the repository; if EmptyOnDelete is true, also with images in it."""
        to.call("ecr", "delete_repository", repositoryName=to.physical_id, force=is_true(to.get("EmptyOnDelete")))


ADAPTERS = (
    Repository(
        Entry(
            "AWS::ECR::Repository",
            "ecr",
            "create_repository",
            "delete_repository",
            "repositoryName",
            name="RepositoryName",
            settings={
                "LifecyclePolicy": _set_lifecycle,
                "RepositoryPolicyText": _set_policy,
                "EmptyOnDelete": _ignore_change,
            },
            alters={
                "ImageTagMutability": make_setter(
                    "ecr", "put_image_tag_mutability", "repositoryName", "imageTagMutability"
                ),
                "ImageScanningConfiguration": make_setter(
                    "ecr", "put_image_scanning_configuration", "repositoryName", "imageScanningConfiguration"
                ),
            },
            read="describe_repositories",
            read_key="repositoryNames",
            item="repositories.0",
            attributes={"Arn": "repositoryArn", "RepositoryUri": "repositoryUri"},
            tags=Tagging(target="Arn"),
        )
    ),
)
