"""EC2: the defaults of an account in a region that moto lacks, and what they do to later requests.

They are the blocks of public images and snapshots, the defaults of the metadata service, and the serial console, which no
instance has here. Volumes are encrypted by default, too: moto keeps that setting without an effect.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.compute.launch import METADATA_DEFAULTS as METADATA

ACCOUNT_NAMES: dict[str, tuple[str, ...]] = {
    "moto.ec2.responses.amis": ("AmisResponse.modify_image_attribute",),
    "moto.ec2.responses.elastic_block_store": ("ElasticBlockStore.modify_snapshot_attribute",),
}
"""The names of moto that are replaced here; `encrypt_by_default` is for the module of volumes (see `ec2`)."""
ACCOUNT_ADDED: dict[str, tuple[str, ...]] = {
    "moto.ec2.responses.settings": tuple(
        f"Settings.{name}"
        for name in (
            *("get_snapshot_block_public_access_state", "enable_snapshot_block_public_access"),
            *("disable_snapshot_block_public_access", "get_image_block_public_access_state"),
            *("enable_image_block_public_access", "disable_image_block_public_access"),
            *("get_instance_metadata_defaults", "modify_instance_metadata_defaults"),
            *("get_serial_console_access_status", "enable_serial_console_access", "disable_serial_console_access"),
        )
    )
}
"""The names that moto lacks and that are added here."""
UNBLOCKED = "unblocked"
_OF_METADATA = ("HttpTokens", "HttpPutResponseHopLimit", "HttpEndpoint", "InstanceMetadataTags")
_NO_PREFERENCE = ("no-preference", "-1")
# EC2's own words, as they are quoted in public reports of failed copies of images.
_NO_PUBLIC_IMAGE = (
    "You can't publicly share this image because block public access for AMIs is enabled for this account. To publicly share "
    "the image, you must call the DisableImageBlockPublicAccess API."
)
# No report of EC2's words for snapshots was found.
_NO_PUBLIC_SNAPSHOT = "The local cloud: block public access for snapshots is enabled for this account, in the state {}."


class AccountDefaultPatches:
    """One method for each module that is changed."""

    def _ec2_responses_settings(self, module: Any) -> None:
        def answer(read: Callable[[Any, dict[str, Any]], dict[str, Any]]) -> Callable[[Any], Any]:
            def respond(response: Any) -> Any:
                response.error_on_dryrun()
                return module.ActionResult(read(response, read_defaults(response.ec2_backend)))

            return respond

        for operation, read in _OPERATIONS.items():
            setattr(module.Settings, operation, answer(read))

    def _ec2_responses_amis(self, module: Any) -> None:
        original = module.AmisResponse.modify_image_attribute

        @functools.wraps(original)
        def modify_image_attribute(response: Any) -> Any:
            added = (response._get_param("LaunchPermission", {}) or {}).get("Add", [])
            named = response._get_param("UserGroups", []) if response._get_param("OperationType") == "add" else []
            is_public = "all" in (*named, *(it.get("Group") for it in added))
            if is_public and read_defaults(response.ec2_backend).get("images", UNBLOCKED) != UNBLOCKED:
                raise _make_refusal(_NO_PUBLIC_IMAGE)
            return original(response)

        module.AmisResponse.modify_image_attribute = modify_image_attribute

    def _ec2_responses_elastic_block_store(self, module: Any) -> None:
        original = module.ElasticBlockStore.modify_snapshot_attribute

        @functools.wraps(original)
        def modify_snapshot_attribute(response: Any) -> Any:
            added = (response._get_param("CreateVolumePermission", {}) or {}).get("Add", [])
            named = response._get_param("GroupNames", []) if response._get_param("OperationType") == "add" else []
            state = read_defaults(response.ec2_backend).get("snapshots", UNBLOCKED)
            if "all" in (*named, *(it.get("Group") for it in added)) and state != UNBLOCKED:
                raise _make_refusal(_NO_PUBLIC_SNAPSHOT.format(state))
            return original(response)

        module.ElasticBlockStore.modify_snapshot_attribute = modify_snapshot_attribute


def read_defaults(backend: Any) -> dict[str, Any]:
    """The defaults of a region, by names of this module; what was never set is missing."""
    defaults: dict[str, Any] = backend.__dict__.setdefault("account_defaults", {})
    return defaults


def encrypt_by_default(original: Callable[..., Any]) -> Callable[..., Any]:
    """moto's creation of a volume, which encrypts where the region's default says so."""

    @functools.wraps(original)
    def create_volume(backend: Any, size: Any, zone_name: str, snapshot_id: str | None = None, encrypted: bool = False,
                      *rest: Any, **named: Any) -> Any:  # fmt: skip
        encrypted = encrypted or backend.__dict__.get("ebs_encryption_by_default", False)
        return original(backend, size, zone_name, snapshot_id, encrypted, *rest, **named)

    return create_volume


def _make_refusal(message: str) -> Exception:
    from moto.ec2.exceptions import OperationNotPermitted

    refusal: Exception = OperationNotPermitted(message)
    return refusal


def _set_snapshots(response: Any, defaults: dict[str, Any]) -> dict[str, Any]:
    from moto.ec2.exceptions import InvalidParameterValue

    state = response._get_param("State")
    if state not in {"block-all-sharing", "block-new-sharing"}:
        raise InvalidParameterValue(f"Value ({state}) for parameter State is invalid.")
    defaults["snapshots"] = state
    return {"State": state}


def _set_images(_: Any, defaults: dict[str, Any]) -> dict[str, Any]:
    defaults["images"] = "block-new-sharing"
    return {"ImageBlockPublicAccessState": "block-new-sharing"}


def _free(kind: str, key: str) -> Callable[[Any, dict[str, Any]], dict[str, Any]]:
    def free(_: Any, defaults: dict[str, Any]) -> dict[str, Any]:
        defaults.pop(kind, None)
        return {key: UNBLOCKED}

    return free


def _set_metadata(response: Any, defaults: dict[str, Any]) -> dict[str, Any]:
    """What the request leaves out stays as it is; 'no-preference', and -1 for the limit, take a default away."""
    current = response.ec2_backend.__dict__.setdefault(METADATA, {})
    for name in _OF_METADATA:
        value = response._get_param(name)
        if value is not None and str(value) in _NO_PREFERENCE:
            current.pop(name, None)
        elif value is not None:
            current[name] = int(value) if name == "HttpPutResponseHopLimit" else value
    return {"Return": True}


def _set_console(is_open: bool) -> Callable[[Any, dict[str, Any]], dict[str, Any]]:
    def change(_: Any, defaults: dict[str, Any]) -> dict[str, Any]:
        defaults["console"] = is_open
        return {"SerialConsoleAccessEnabled": is_open}

    return change


_OPERATIONS: dict[str, Callable[[Any, dict[str, Any]], dict[str, Any]]] = {
    "get_snapshot_block_public_access_state": lambda _, found: {
        "State": found.get("snapshots", UNBLOCKED),
        "ManagedBy": "account",
    },
    "enable_snapshot_block_public_access": _set_snapshots,
    "disable_snapshot_block_public_access": _free("snapshots", "State"),
    "get_image_block_public_access_state": lambda _, found: {
        "ImageBlockPublicAccessState": found.get("images", UNBLOCKED),
        "ManagedBy": "account",
    },
    "enable_image_block_public_access": _set_images,
    "disable_image_block_public_access": _free("images", "ImageBlockPublicAccessState"),
    "get_instance_metadata_defaults": lambda response, _: {
        "AccountLevel": {**response.ec2_backend.__dict__.get(METADATA, {}), "ManagedBy": "account"}
    },
    "modify_instance_metadata_defaults": _set_metadata,
    "get_serial_console_access_status": lambda _, found: {
        "SerialConsoleAccessEnabled": found.get("console", False),
        "ManagedBy": "account",
    },
    "enable_serial_console_access": _set_console(True),
    "disable_serial_console_access": _set_console(False),
}
