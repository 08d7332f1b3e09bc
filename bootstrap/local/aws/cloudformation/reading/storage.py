"""Buckets, file systems, images, backups and code."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.reading import buckets
from bootstrap.local.aws.cloudformation.reading.read import Read, Way
from bootstrap.local.aws.cloudformation.reading.rules import read_renamed

PLAN = {"Rules": "BackupPlanRule", "TargetBackupVaultName": "TargetBackupVault"}


def _describe_efs(method: str, key: str, root: str, **ways: Way) -> Read:
    return Read("efs", method, {key: "@id"}, root, dict(ways))


def _make_read(service: str, method: str, key: str, **ways: Way) -> Read:
    return Read(service, method, {key: "@id"}, ways=dict(ways), plain=False)


def _read_lifecycle(part: Any, _: Context) -> dict[str, Any]:
    return {"LifecyclePolicyText": part["lifecyclePolicyText"], "RegistryId": part.get("registryId")}


def _read_lock(part: Any, _: Context) -> Any:
    if not part.get("Locked"):
        return None
    return {"MinRetentionDays": part.get("MinRetentionDays"), "MaxRetentionDays": part.get("MaxRetentionDays")}


def _read_living(answer: Any, _: Context) -> Any:
    """The plan; Backup also describes deleted ones."""
    return None if answer.get("DeletionDate") else answer


def _read_image_lock(part: Any, _: Context) -> Any:
    listed = part.get("imageTagMutabilityExclusionFilters")
    names = {"filterType": "ImageTagMutabilityExclusionFilterType", "filter": "ImageTagMutabilityExclusionFilterValue"}
    return listed and [{names.get(key, key): value for key, value in item.items()} for item in listed]


READS: dict[str, tuple[Read, ...]] = {
    **buckets.READS,
    "AWS::EFS::FileSystem": (
        _describe_efs("describe_file_systems", "FileSystemId", "FileSystems.0", FileSystemTags="Tags"),
        _describe_efs("describe_lifecycle_configuration", "FileSystemId", ""),
        _make_read("efs", "describe_file_system_policy", "FileSystemId", FileSystemPolicy="Policy"),
        _make_read("efs", "describe_backup_policy", "FileSystemId", BackupPolicy="BackupPolicy"),
    ),
    "AWS::EFS::MountTarget": (
        _describe_efs("describe_mount_targets", "MountTargetId", "MountTargets.0"),
        _describe_efs("describe_mount_target_security_groups", "MountTargetId", ""),
    ),
    "AWS::EFS::AccessPoint": (
        _describe_efs("describe_access_points", "AccessPointId", "AccessPoints.0", AccessPointTags="Tags"),
    ),
    "AWS::ECR::Repository": (
        Read(
            "ecr",
            "describe_repositories",
            {"repositoryNames": ["@id"]},
            "repositories.0",
            {"ImageTagMutabilityExclusionFilters": _read_image_lock},
        ),
        _make_read("ecr", "get_lifecycle_policy", "repositoryName", LifecyclePolicy=_read_lifecycle),
        _make_read("ecr", "get_repository_policy", "repositoryName", RepositoryPolicyText="policyText"),
        Read("ecr", "list_tags_for_resource", {"resourceArn": "@Arn"}),
    ),
    "AWS::Backup::BackupVault": (
        Read("backup", "describe_backup_vault", {"BackupVaultName": "@id"}, "", {"LockConfiguration": _read_lock}),
        Read("backup", "list_tags", {"ResourceArn": "@BackupVaultArn"}, ways={"BackupVaultTags": "Tags"}, plain=False),
    ),
    "AWS::Backup::BackupPlan": (
        Read(
            "backup",
            "get_backup_plan",
            {"BackupPlanId": "@id"},
            _read_living,
            {"BackupPlan": read_renamed("BackupPlan", PLAN)},
        ),
        Read("backup", "list_tags", {"ResourceArn": "@BackupPlanArn"}, ways={"BackupPlanTags": "Tags"}, plain=False),
    ),
    "AWS::CodeCommit::Repository": (
        Read("codecommit", "get_repository", {"repositoryName": "#RepositoryName"}, "repositoryMetadata"),
    ),
}
