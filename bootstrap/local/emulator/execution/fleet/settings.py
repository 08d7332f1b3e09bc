"""The settings of one cloud, read from the checked tree of Configuration as Code, with the plugin's defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# The implementations of a host key strategy, by their names in Configuration as Code.
NON_VERIFYING, MANUALLY_TRUSTED, MANUALLY_PROVIDED, KNOWN_HOSTS = (
    "nonVerifyingKeyVerificationStrategy",
    "manuallyTrustedKeyVerificationStrategy",
    "manuallyProvidedKeyVerificationStrategy",
    "knownHostsFileKeyVerificationStrategy",
)
# The defaults of ec2-fleet (EC2FleetCloud) and of ssh-slaves (SSHLauncher), in seconds.
_STATUS_INTERVAL, _ONLINE_TIMEOUT, _ONLINE_INTERVAL = 10, 180, 15
_LAUNCH_TIMEOUT, _RETRIES, _RETRY_WAIT, _PORT = 60, 10, 15, 22


@dataclass(frozen=True)
class Connector:
    """How the controller connects by SSH; `strategy` judges the host's key, and `key` is the one that is provided."""

    credentials: str
    port: int
    timeout: float
    retries: int
    wait: float
    prefix: str
    suffix: str
    strategy: str
    key: str
    needs_trust: bool


@dataclass(frozen=True)
class FleetSettings:
    """One cloud. Sizes count instances, times are in seconds; `uses` is -1 for no limit, `idle_minutes` 0 for ever."""

    name: str
    group: str
    region: str
    endpoint: str
    labels: str
    folder: str
    executors: int
    minimum: int
    maximum: int
    spare: int
    uses: int
    idle_minutes: int
    is_private: bool
    is_exclusive: bool
    is_immediate: bool
    is_resubmitting: bool
    reconnects: bool
    only_running: bool
    interval: int
    online_timeout: float
    online_interval: float
    variables: Mapping[str, str]
    connector: Connector | None

    @property
    def label_set(self) -> frozenset[str]:
        """The single labels."""
        return frozenset(self.labels.split())


def read_fleets(clouds: Any) -> list[FleetSettings]:
    """Read the clouds of a checked `jenkins.clouds`."""
    return [_read_fleet(entry["eC2Fleet"]) for entry in clouds or [] if "eC2Fleet" in entry]


def _read_fleet(told: Mapping[str, Any]) -> FleetSettings:
    def read_number(name: str, default: int) -> int:
        value = told.get(name)
        return default if value is None else int(value)

    uses = str(told.get("maxTotalUses") or "").strip()
    variables = {str(entry["name"]): str(entry.get("value") or "") for entry in told.get("environmentVariables") or []}
    return FleetSettings(
        name=str(told.get("name") or "FleetCloud"),
        group=str(told.get("fleet") or ""),
        region=str(told.get("region") or ""),
        endpoint=str(told.get("endpoint") or ""),
        labels=str(told.get("labelString") or ""),
        folder=str(told.get("fsRoot") or ""),
        executors=max(1, read_number("numExecutors", 1)),
        minimum=max(0, read_number("minSize", 0)),
        maximum=read_number("maxSize", 0),
        spare=max(0, read_number("minSpareSize", 0)),
        uses=int(uses) if uses else -1,
        idle_minutes=read_number("idleMinutes", 0),
        is_private=bool(told.get("privateIpUsed")),
        is_exclusive=bool(told.get("restrictUsage")),
        is_immediate=bool(told.get("noDelayProvision")),
        is_resubmitting=not told.get("disableTaskResubmit"),
        reconnects=bool(told.get("alwaysReconnect")),
        only_running=bool(told.get("addNodeOnlyIfRunning")),
        interval=read_number("cloudStatusIntervalSec", _STATUS_INTERVAL),
        online_timeout=read_number("initOnlineTimeoutSec", _ONLINE_TIMEOUT),
        online_interval=read_number("initOnlineCheckIntervalSec", _ONLINE_INTERVAL),
        variables=variables,
        connector=_read_connector((told.get("computerConnector") or {}).get("sshConnector")),
    )


def _read_connector(told: Mapping[str, Any] | None) -> Connector | None:
    if told is None:
        return None
    ((strategy, details),) = (told.get("sshHostKeyVerificationStrategy") or {NON_VERIFYING: {}}).items()
    details = details or {}

    def read_from(name: str, default: int, least: int) -> int:
        value = told.get(name)
        return default if value is None or int(value) < least else int(value)

    return Connector(
        credentials=str(told.get("credentialsId") or ""),
        port=int(told.get("port") or 0) or _PORT,
        timeout=read_from("launchTimeoutSeconds", _LAUNCH_TIMEOUT, 1),
        retries=read_from("maxNumRetries", _RETRIES, 0),
        wait=read_from("retryWaitTime", _RETRY_WAIT, 0),
        prefix=str(told.get("prefixStartSlaveCmd") or ""),
        suffix=str(told.get("suffixStartSlaveCmd") or ""),
        strategy=strategy,
        key=re.sub(r"\s+", " ", str(details.get("key") or "")).strip(),
        needs_trust=bool(details.get("requireInitialManualTrust")),
    )
