"""All changes of moto, in one package; written for the exact version that pyproject.toml pins.

It decides what moto answers where moto differs from AWS, or would not answer the same after a restart. `NAMES` lists each name
that is replaced, and `ADDED` each name that moto lacks; a test looks up all of them. It does not know the toolkit that calls.
Imported by: server.
"""

from __future__ import annotations

import datetime
import functools
import importlib
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bootstrap.local.aws.compute import images
from bootstrap.local.aws.compute.instances import Instances
from bootstrap.local.aws.patches.account_defaults import ACCOUNT_ADDED, ACCOUNT_NAMES, AccountDefaultPatches
from bootstrap.local.aws.patches.added_alarms import ADDED_NAMES, AddedAlarmPatches
from bootstrap.local.aws.patches.autoscaling import SCALING_NAMES, AutoScalingPatches
from bootstrap.local.aws.patches.cidr_blocks import BLOCK_NAMES, ROUTE_CHANGES, CidrBlockPatches
from bootstrap.local.aws.patches.ec2 import Ec2Patches
from bootstrap.local.aws.patches.guards import GUARD_NAMES, GuardPatches
from bootstrap.local.aws.patches.invalid_settings import SETTING_NAMES, InvalidSettingPatches
from bootstrap.local.aws.patches.lifecycle_hooks import SCALING_ADDED
from bootstrap.local.aws.patches.mail_identities import MAIL_NAMES, MailIdentityPatches
from bootstrap.local.aws.patches.managed_keys import KEY_NAMES, ManagedKeyPatches
from bootstrap.local.aws.patches.public_parameters import ParameterPatches
from bootstrap.local.aws.patches.resolver import ResolverPatches
from bootstrap.local.aws.patches.route53 import Route53Patches
from bootstrap.local.aws.patches.s3 import S3Patches
from bootstrap.local.aws.patches.stored_settings import STORED_NAMES, StoredSettingsPatches
from bootstrap.local.aws.patches.sts import StsPatches
from bootstrap.local.aws.patches.vpn import VpnPatches
from bootstrap.local.aws.persistence import randomness

# What is changed, and why:
#
# * random ids: moto makes them from the seed of the request (see `randomness`), so that a replay makes the same ids; the
#   default VPC and groups, which moto makes at the first use of a region, have a seed of their own, because a read can be
#   the first use
# * the clock: it does not move during a journalled request, so that a replay shows the same time
# * speed: two lists that never change while the process runs are made once, not for each request (half of its time)
# * EC2: instances are machines (`instances`), and get the profile, metadata options and disks of their launch template; the
#   console is that of the machine, and key pairs are found by their ids (see `ec2`)
# * EC2: the defaults of an account in a region (see `account_defaults`)
# * EC2: a dry run is answered as on AWS, and changes nothing; a state without a reason shows none (see `ec2`)
# * Auto Scaling: the package `scaling` decides how a group keeps its size (see `autoscaling`); lifecycle hooks delay instances,
#   and topics are notified (see `lifecycle_hooks`)
# * network ACLs: an entry keeps its ICMP type and code (see `ec2`), and an invalid block is refused (see `cidr_blocks`)
# * VPN: options and static routes of a connection, routes that a VPN gateway propagates, and one gateway for a VPC (see `vpn`)
# * Route 53: each zone has an id and name servers as on AWS, and invalid requests are refused (see `route53`)
# * Route 53 Resolver: query logging configurations can be tagged, disassociated and deleted (see `resolver`)
# * security groups: a rule for IPv6 can be revoked also in a VPC without IPv6, where moto allows to create it,
#   and a rule for a group or a prefix list shows its description
# * CloudTrail: new insight selectors of a trail replace the old ones
# * STS: a session keeps its tags and its policy, which the guard reads (see `sts`)
# * IAM: AWS' managed policies are loaded for one partition only (1,500 for each of six take a second), and a permissions
#   boundary must exist, and numbers in conditions need no quotes; CloudWatch Logs: the policy of a key must allow it to use the
#   key (see `guards`)
# * S3: moto judges bucket policies without their conditions, so the guard alone does; a body is compared with the checksum in
#   its header (see `s3`)
# * KMS: the keys that AWS manages are such, and nobody can change them (see `managed_keys`)
# * Backup, flow logs and web ACLs: what is a second one of the same, and what an update takes away (see `stored_settings`)
# * CloudWatch: composite alarms and saved queries of its logs (see `added_alarms`)
# * EventBridge Scheduler and RDS: invalid schedules and databases are refused (see `invalid_settings`)
# * SES: the environment's sender is an identity, and identities are verified when they are made (see `mail_identities`)
# * SSM and EC2: Debian's images and their public parameters, also those that are published later (see `public_parameters`)

NAMES: dict[str, tuple[str, ...]] = {
    "moto.moto_api._internal.moto_random": ("MotoRandom.random", "MotoRandom.getrandbits"),
    "moto.core.base_backend": ("AccountSpecificBackend.__getitem__",),
    "moto.core.utils": ("utcnow",),
    "moto.backends": ("list_of_moto_modules",),
    "moto.core.responses": ("method_names_from_class",),
    "moto.ec2.models.instances": (
        "InstanceBackend.run_instances",
        "Instance.start",
        "Instance.stop",
        "Instance.terminate",
        "Instance.reboot",
        "Instance.add_block_device",
        "Instance.setup_defaults",
        "StateReason",
    ),
    "moto.ec2.models.elastic_block_store": (
        "EBSBackend.attach_volume",
        "EBSBackend.create_volume",
        "EBSBackend.detach_volume",
        "EBSBackend.delete_volume",
    ),
    "moto.ec2.models.security_groups": (
        "SecurityGroupBackend.revoke_security_group_egress",
        "SecurityGroupRule.description.fget",
        "SecurityGroupRule.__init__",
    ),
    **ACCOUNT_NAMES,
    **BLOCK_NAMES,
    **KEY_NAMES,
    **MAIL_NAMES,
    **SETTING_NAMES,
    **STORED_NAMES,
    "moto.ec2.responses._base_response": ("EC2BaseResponse.call_action",),
    "moto.ec2.responses.instances": ("parse_user_data",),
    "moto.ec2.responses.network_acls": (
        "NetworkACLs.create_network_acl_entry",
        "NetworkACLs.replace_network_acl_entry",
    ),
    "moto.cloudtrail.models": ("Trail.put_insight_selectors",),
    "moto.ec2.models.amis": ("AmiBackend._load_amis",),
    "moto.ec2.models.subnets": (
        "SubnetBackend.delete_subnet",
        "Subnet.ipv6_cidr_block_association_set.fget",
        "Subnet.get_available_subnet_ip",
        "Subnet.request_ip",
    ),
    "moto.ec2.models.nat_gateways": ("NatGatewayBackend.create_nat_gateway",),
    "moto.ec2.models.vpcs": ("random_private_ip", "VPCBackend.delete_vpc"),
    "moto.ec2.models.key_pairs": ("random_ed25519_key_pair", "random_rsa_key_pair"),
    "moto.ec2.responses.key_pairs": ("KeyPairs.describe_key_pairs",),
    "moto.ec2.responses.general": ("General.get_console_output",),
    **SCALING_NAMES,
    "moto.ec2.models.vpn_connections": ("VPNConnection.customer_gateway_configuration.fget",),
    "moto.ec2.models.vpn_gateway": ("VpnGatewayBackend.attach_vpn_gateway",),
    "moto.ec2.models.route_tables": (
        "RouteTable.routes.fget",
        *(f"RouteBackend.{name}" for name in ROUTE_CHANGES),
    ),
    "moto.ec2.responses.vpn_connections": ("VPNConnections.create_vpn_connection",),
    "moto.route53.models": (
        "DelegationSet.__init__",
        "create_route53_zone_id",
        "Route53Backend.create_hosted_zone",
        "Route53Backend.change_resource_record_sets",
        "Route53Backend.delete_hosted_zone",
        "Route53Backend.create_query_logging_config",
    ),
    "moto.route53resolver.models": ("datetime.now", "Route53ResolverBackend._matched_arn"),
    "moto.directconnect.models": ("datetime.now",),
    "moto.kms.utils": ("os.urandom", "rsa.generate_private_key", "ec.generate_private_key"),
    "moto.sts.utils": ("os.urandom",),
    "moto.sts.responses": ("TokenResponse.assume_role",),
    **GUARD_NAMES,
    "moto.secretsmanager.models": ("time.time",),
    "moto.s3.models": ("FakeBucket.__init__", "FakeBucket.get_permission"),
    "moto.s3.responses": ("S3Response._get_checksum",),
    "moto.ssm.models": (
        "ParameterDict._check_loading_status",
        "SimpleSystemManagerBackend.describe_parameters",
    ),
}

ADDED: dict[str, tuple[str, ...]] = {
    "moto.logs.models": ("LogsBackend.set_key",),
    "moto.cloudwatch.responses": ADDED_NAMES["moto.cloudwatch.responses"],
    "moto.logs.responses": (
        "LogsResponse.associate_kms_key",
        "LogsResponse.disassociate_kms_key",
        *ADDED_NAMES["moto.logs.responses"],
    ),
    **ACCOUNT_ADDED,
    **SCALING_ADDED,
    "moto.ec2.models.vpn_connections": ("VPNConnection.routes",),
    "moto.ec2.models.route_tables": ("RouteTable.propagating_vgws",),
    "moto.ec2.responses.vpn_connections": (
        "VPNConnections.create_vpn_connection_route",
        "VPNConnections.delete_vpn_connection_route",
    ),
    "moto.ec2.responses.route_tables": (
        "RouteTables.enable_vgw_route_propagation",
        "RouteTables.disable_vgw_route_propagation",
    ),
    "moto.route53resolver.responses": (
        "Route53ResolverResponse.delete_resolver_query_log_config",
        "Route53ResolverResponse.disassociate_resolver_query_log_config",
    ),
}


class Patches(
    Ec2Patches,
    CidrBlockPatches,
    AutoScalingPatches,
    VpnPatches,
    Route53Patches,
    ResolverPatches,
    StsPatches,
    GuardPatches,
    S3Patches,
    ParameterPatches,
    ManagedKeyPatches,
    MailIdentityPatches,
    InvalidSettingPatches,
    StoredSettingsPatches,
    AddedAlarmPatches,
    AccountDefaultPatches,
):
    """Changes those modules of moto that are loaded; call `apply` again after more of them were loaded."""

    def __init__(
        self, salt: str, instances: Callable[[], Instances], verified: tuple[str, str, str] | None = None
    ) -> None:
        self._salt = salt
        self.verified = verified
        self.catalogue = images.Catalogue()
        self._instances = instances
        self._patched: set[str] = set()
        self._lock = threading.Lock()

    def apply(self) -> None:
        """Change the modules that are loaded and not changed yet."""
        with self._lock:
            for module in {**NAMES, **ADDED}:
                if module in sys.modules and module not in self._patched:
                    self._patched.add(module)
                    getattr(self, "_" + module.removeprefix("moto.").replace(".", "_").replace("__", "_"))(
                        sys.modules[module]
                    )

    def load(self, *modules: str) -> None:
        """Import modules of moto and change them."""
        for module in modules:
            importlib.import_module(module)
        self.apply()

    def _moto_api_internal_moto_random(self, module: Any) -> None:
        module.MotoRandom.random = lambda _self: randomness.find_source().random()
        module.MotoRandom.getrandbits = lambda _self, bits: randomness.find_source().getrandbits(bits)

    def _core_base_backend(self, module: Any) -> None:
        original = module.AccountSpecificBackend.__getitem__
        salt = self._salt

        def getitem(self: Any, region: str) -> Any:
            region = "aws" if region == "global" else region
            if region in self.keys():
                return dict.__getitem__(self, region)
            with randomness.use_seed(f"{salt}/{self.service_name}/{self.account_id}/{region}"):
                return original(self, region)

        module.AccountSpecificBackend.__getitem__ = getitem

    def _core_utils(self, module: Any) -> None:
        def utcnow() -> datetime.datetime:
            return _bootstrap_now()  # type: ignore[name-defined, no-any-return] # noqa: F821

        module._bootstrap_now = randomness.utcnow
        module.utcnow.__code__ = utcnow.__code__  # other modules have imported the function itself

    def _backends(self, module: Any) -> None:
        listed = functools.cache(lambda: tuple(module_list()))
        module_list = module.list_of_moto_modules
        module.list_of_moto_modules = listed

    def _core_responses(self, module: Any) -> None:
        module.method_names_from_class = functools.cache(module.method_names_from_class)

    def _cloudtrail_models(self, module: Any) -> None:
        def put_insight_selectors(trail: Any, selectors: list[dict[str, str]]) -> None:
            trail.insight_selectors = list(selectors)

        module.Trail.put_insight_selectors = put_insight_selectors

    def _directconnect_models(self, module: Any) -> None:
        class Moment(datetime.datetime):
            """The time of this thread's clock; moto makes ids from it."""

            @classmethod
            def now(cls, tz: datetime.tzinfo | None = None) -> Any:
                return randomness.utcnow()

        module.datetime = Moment

    def _kms_utils(self, module: Any) -> None:
        from bootstrap.local.aws.compute import keys

        module.os = keys.SeededSystem
        module.rsa = keys.wrap_module(module.rsa)
        module.ec = keys.wrap_module(module.ec)

    def _secretsmanager_models(self, module: Any) -> None:
        module.time = randomness.Clock


def make_environment(directory: Path) -> dict[str, str]:
    """The environment variables that moto reads when it is imported; writes the list of images that moto loads."""
    return {
        "MOTO_DISABLE_GLOBAL_CORS": "true",
        "MOTO_AMIS_PATH": str(images.write_images(directory)),
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
        "MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION": "true",
        "MOTO_ENABLE_AMI_VALIDATION": "true",
        "MOTO_ENABLE_KEYPAIR_VALIDATION": "false",
    }
