"""Divides a policy into parts that IAM accepts as managed policies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bootstrap.preconditions.policy_statements import Statement

LARGEST = 6144  # the longest managed policy, in characters without white space
MOST = 10  # managed policies that a user or a role can have, unless its account's quota was raised


def split(policy: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Split the policy into policies that are not longer than LARGEST."""
    documents: list[list[dict[str, Any]]] = [[]]
    for each in policy["Statement"]:
        for part in _split_statement(each):
            if documents[-1] and _measure([*documents[-1], part]) > LARGEST:
                documents.append([])
            documents[-1].append(part)
    return [{"Version": policy["Version"], "Statement": statements} for statements in documents]


def _split_statement(whole: Statement) -> list[Statement]:
    """A statement, divided into several if it is longer than LARGEST."""
    if _measure([whole]) <= LARGEST:
        return [whole]
    actions = whole["Action"]
    middle = len(actions) // 2
    halves = (("A", actions[:middle]), ("B", actions[middle:]))
    return [
        part
        for mark, half in halves
        for part in _split_statement({**whole, "Sid": whole["Sid"] + mark, "Action": half})
    ]


def _measure(statements: list[dict[str, Any]]) -> int:
    return len(json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":")))
