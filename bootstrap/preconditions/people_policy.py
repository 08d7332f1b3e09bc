"""Writes the operator's policy into the template of the roles for people; it depends on the environment and on this code."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bootstrap.acts.stack import StackTemplate
from bootstrap.context import Context
from bootstrap.errors import BootstrapError
from bootstrap.preconditions import launcher_policy, stack_inputs
from bootstrap.preconditions.policy_statements import Statement
from bootstrap.values import Stack

STACK = "people"
_OF_KEY = "LoginKey"
# The outputs with the pairs whose private keys an operator reads: of the login, and of Jenkins' logins at agents.
_KEY_PAIRS = ("KeyPairId", "ClientKeyPairId")
_PLACE = 'Statement: [{Sid: Nothing, Effect: Deny, Action: "*", Resource: "*"}]'
"""The line of the template in whose place the statements come."""


def gather_template(
    context: Context, name: str, existing: Mapping[str, Stack], tags: Mapping[str, str]
) -> StackTemplate:
    """The desired state of one stack, as `stack_inputs.make_template` returns it; that of people with the operator's policy."""
    wished = stack_inputs.make_template(context, name, existing, tags)
    if name != STACK:
        return wished
    text = wished.path.read_text(encoding="utf-8")
    if text.count(_PLACE) != 1:
        raise BootstrapError(
            f"writing the operator's policy into {wished.path}",
            f"the template does not have this line once: {_PLACE}",
            "Put it back into the policy of the role Operator. Nothing was changed.",
        )
    statements = limit_keys(launcher_policy.make_operator_policy(context)["Statement"], existing)
    path = context.state / f"{STACK}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace(_PLACE, f"Statement: {json.dumps(statements)}"), encoding="utf-8")
    return replace(wished, path=path)


def limit_keys(statements: Sequence[Statement], existing: Mapping[str, Stack]) -> list[Statement]:
    """The statements with the keys of this environment alone; without any, where there is no key pair yet.

    The parameter with a private key has the id of its pair as its name, and no name that is known before. So `doctor --policy`
    prints a policy that somebody attaches before there is a key pair: it names the folder of all of them.
    """
    pairs = sorted(it.outputs[output] for it in existing.values() for output in _KEY_PAIRS if output in it.outputs)
    kept = []
    for statement in statements:
        if statement["Sid"] != _OF_KEY:
            kept.append(statement)
        elif pairs:
            folder = statement["Resource"].removesuffix("*")
            kept.append({**statement, "Resource": [f"{folder}{pair}" for pair in pairs]})
    return kept
