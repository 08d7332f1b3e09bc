"""AWS Backup: vaults and plans. They are stored as the template gives them; no backup is made."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter, make_setter
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging


def _convert_plan(value: Any) -> dict[str, Any]:
    """Rename the two properties that the service names otherwise than the template."""
    rules = []
    for entry in value.get("BackupPlanRule", []):
        rule = {key: item for key, item in entry.items() if key != "TargetBackupVault"}
        rules.append({**rule, "TargetBackupVaultName": entry["TargetBackupVault"]})
    return {**{key: item for key, item in value.items() if key != "BackupPlanRule"}, "Rules": rules}


class Vault(TableAdapter):
    """AWS::Backup::BackupVault; Ref is its name."""

    def make_parameters(self, to: To, names: Any) -> dict[str, Any]:
        """Add the tags to the call that creates the vault."""
        parameters = super().make_parameters(to, names)
        return parameters if to.physical_id or not to.tags else {**parameters, "BackupVaultTags": to.tags}


TAGS = Tagging("ResourceArn", target="BackupVaultArn", keys="TagKeyList", as_map=True)
ADAPTERS = (
    Vault(
        Entry(
            "AWS::Backup::BackupVault",
            "backup",
            "create_backup_vault",
            "delete_backup_vault",
            "BackupVaultName",
            name="BackupVaultName",
            settings={
                "LockConfiguration": make_setter("backup", "put_backup_vault_lock_configuration", "BackupVaultName"),
            },
            ignored=frozenset({"AccessPolicy", "Notifications"}),
            read="describe_backup_vault",
            attributes={"BackupVaultName": "@id", "BackupVaultArn": "BackupVaultArn"},
            tags=TAGS,
        )
    ),
    TableAdapter(
        Entry(
            "AWS::Backup::BackupPlan",
            "backup",
            "create_backup_plan",
            "delete_backup_plan",
            "BackupPlanId",
            id_path="BackupPlanId",
            shaped={"BackupPlan": _convert_plan},
            read="get_backup_plan",
            attributes={"BackupPlanId": "@id", "BackupPlanArn": "BackupPlanArn", "VersionId": "VersionId"},
            tags=Tagging("ResourceArn", target="BackupPlanArn", keys="TagKeyList", as_map=True),
        )
    ),
)
