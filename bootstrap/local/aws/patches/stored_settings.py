"""What the services store and when they refuse a change, where moto differs.

Backup plans, flow logs, web ACLs, DHCP options and subnet groups of databases.

Backup refuses a plan only if one that is not deleted has the same document, whatever its name
(https://github.com/ansible/ansible/pull/53655, from an account). EC2 takes flow logs of one resource to one destination that
record other traffic. UpdateWebACL takes the complete ACL: what is left out is gone (API reference of AWS WAF).
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

from bootstrap.local.aws.patches.invalid_settings import guard_databases

STORED_NAMES: dict[str, tuple[str, ...]] = {
    "moto.backup.models": ("BackupBackend.create_backup_plan",),
    "moto.ec2.models.dhcp_options": ("DHCPOptionsSetBackend.associate_dhcp_options",),
    "moto.ec2.models.flow_logs": ("FlowLogsBackend.create_flow_logs",),
    "moto.rds.models": (
        *(f"RDSBackend.{name}_subnet_group" for name in ("create", "modify_db", "delete")),
        "RDSBackend.create_db_instance",
    ),
    "moto.wafv2.models": ("FakeWebACL.update",),
}
"""The names of moto that are replaced here."""
_MADE = frozenset({"RuleId"})  # of a rule of a plan: what Backup adds
_DEFAULTS = {
    "ScheduleExpression": "cron(0 5 ? * * *)",
    "StartWindowMinutes": 480,
    "CompletionWindowMinutes": 10080,
    "ScheduleExpressionTimezone": "Etc/UTC",
}


class StoredSettingsPatches:
    """One method for each module that is changed."""

    def _backup_models(self, module: Any) -> None:
        original = module.BackupBackend.create_backup_plan

        @functools.wraps(original)
        def create_backup_plan(backend: Any, backup_plan: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
            document = _read_plan(backup_plan)
            living = [plan for plan in list(backend.plans.values()) if plan.deletion_date is None]
            if any(_read_plan(plan.backup_plan) == document for plan in living):
                raise module.AlreadyExistsException(msg="Backup plan with the same plan document already exists")
            earlier, backend.plans = backend.plans, {}  # moto refuses every second plan of one name
            try:
                plan = original(backend, backup_plan, *args, **kwargs)
            finally:
                backend.plans = {**earlier, **backend.plans}
            return plan

        module.BackupBackend.create_backup_plan = create_backup_plan

    def _ec2_models_dhcp_options(self, module: Any) -> None:
        backend_class = module.DHCPOptionsSetBackend
        original = backend_class.associate_dhcp_options

        @functools.wraps(original)
        def associate_dhcp_options(backend: Any, dhcp_options: Any, vpc: Any) -> None:
            if vpc.dhcp_options is not None:  # else moto takes the options before for assigned, and never deletes them
                backend.disassociate_dhcp_options(vpc)
            original(backend, dhcp_options, vpc)

        backend_class.associate_dhcp_options = associate_dhcp_options

    def _ec2_models_flow_logs(self, module: Any) -> None:
        original = module.FlowLogsBackend.create_flow_logs
        signature = inspect.signature(original)

        @functools.wraps(original)
        def create_flow_logs(backend: Any, *args: Any, **kwargs: Any) -> Any:
            traffic = signature.bind(backend, *args, **kwargs).arguments["traffic_type"]
            everything = backend.flow_logs
            hidden = {key: log for key, log in everything.items() if log.traffic_type != traffic}
            for key in hidden:
                del everything[key]
            try:
                return original(backend, *args, **kwargs)
            finally:
                everything.update(hidden)

        module.FlowLogsBackend.create_flow_logs = create_flow_logs

    def _rds_models(self, module: Any) -> None:
        guard_databases(module)
        create, delete = module.RDSBackend.create_subnet_group, module.RDSBackend.delete_subnet_group

        @functools.wraps(create)
        def create_subnet_group(backend: Any, subnet_name: str, *args: Any) -> Any:
            if subnet_name.lower() in backend.subnet_groups:
                text = f"DB subnet group {subnet_name} already exists"
                raise module.RDSClientError("DBSubnetGroupAlreadyExists", text)
            return create(backend, subnet_name.lower(), *args)

        def modify_db_subnet_group(backend: Any, subnet_name: str, description: str | None, subnets: list[Any]) -> Any:
            (group,) = backend.describe_db_subnet_groups(subnet_name.lower())
            group._subnets, group.description = subnets, description or group.description
            return group

        @functools.wraps(delete)
        def delete_subnet_group(backend: Any, subnet_name: str) -> Any:
            group = backend.subnet_groups.get(subnet_name.lower())
            users = [
                name
                for name, one in backend.databases.items()
                if group and getattr(one, "db_subnet_group", None) is group
            ]
            if users:
                raise module.RDSClientError(
                    "InvalidDBSubnetGroupStateFault",
                    f"Cannot delete the subnet group '{subnet_name}' because at least one database instance: {users[0]} "
                    "is still using it.",
                )
            return delete(backend, subnet_name.lower())

        module.RDSBackend.create_subnet_group = create_subnet_group
        module.RDSBackend.modify_db_subnet_group = modify_db_subnet_group
        module.RDSBackend.delete_subnet_group = delete_subnet_group

    def _wafv2_models(self, module: Any) -> None:
        original = module.FakeWebACL.update
        signature = inspect.signature(original)

        @functools.wraps(original)
        def update(acl: Any, *args: Any, **kwargs: Any) -> None:
            settings = dict(signature.bind(acl, *args, **kwargs).arguments)
            del settings["self"]
            original(acl, **settings)
            for name in settings.keys() - {"default_action", "visibility_config"}:
                if settings[name] is None:
                    setattr(acl, name, {"rules": [], "description": ""}.get(name))

        module.FakeWebACL.update = update


def _read_plan(plan: dict[str, Any]) -> dict[str, Any]:
    """The document of a plan with the defaults of its rules and without what Backup adds, for comparison."""
    rules = [
        {key: value for key, value in {**_DEFAULTS, **rule}.items() if key not in _MADE}
        for rule in plan.get("Rules", [])
    ]
    return {**plan, "Rules": rules}
