"""Rules of the machine's packet filter, as nftables lists them: what a rule asks, which ports it names, and what it rejects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

ORDINARY_CHAIN = "ordinary_builds"


def rejected_address(rule: dict[str, Any]) -> str:
    """The address for which a rule of ordinary builds rejects everything; empty for any other rule."""
    matched = list(list_matches(rule["expr"]))
    is_plain = len(matched) == 1 and matched[0][0] in {"ip daddr", "ip6 daddr"}
    is_reject = rule["chain"] == ORDINARY_CHAIN and any("reject" in part for part in rule["expr"])
    return str(matched[0][1]) if is_plain and is_reject else ""


def jumps_to_ordinary_builds(rule: dict[str, Any]) -> bool:
    return any(part.get("jump") == {"target": ORDINARY_CHAIN} for part in rule["expr"])


def list_matches(rule: list[dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    """What a rule asks, as text such as 'tcp dport', and for which value."""
    for part in rule:
        if "match" in part:
            left = part["match"]["left"]
            kind, asked = next(iter(left.items()))
            words = [asked.get("protocol", kind), asked.get("field") or asked.get("key")] if asked else [kind]
            yield " ".join(map(str, words)), part["match"]["right"]


def list_ports(rule: list[dict[str, Any]]) -> set[Any]:
    found: set[Any] = set()
    for asked, value in list_matches(rule):
        if asked == "tcp dport":
            found |= set(value["set"]) if isinstance(value, dict) and "set" in value else {str(value)}
    return {int(port) if str(port).isdigit() else str(port) for port in found}


def is_harmless(rule: list[dict[str, Any]]) -> bool:
    """Answers to what the machine asked, its loopback, and ICMP."""
    asked = dict(list_matches(rule))
    is_answer = "ct state" in asked and "new" not in str(asked["ct state"])
    return is_answer or asked.get("meta iif") == "lo" or bool({"icmp type", "icmpv6 type"} & asked.keys())
