"""Evaluates what must be known when a template is read, before any resource exists: values of parameters, mappings, conditions.

Names in Ref and Fn::GetAtt (`computed_names`), lists of Fn::ForEach (`foreach`) and locations of snippets (`includes`) need it.
"""

from __future__ import annotations

from typing import Any, NoReturn

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.template.intrinsics import Scope
from bootstrap.local.aws.cloudformation.template.template import Template

ACCOUNT = "123456789012"  # the account of moto's default credentials
_SSM = "AWS::SSM::Parameter::Value<"


class NoValue(Exception):
    """The value depends on a parameter without a value: the template is described only. The text is the parameter's name."""


class KnownValues:
    """The values of a template's parameters and of the pseudo parameters that do not depend on its stack.

    The value of a parameter comes from `lists` if it is a list, else from `given_values`, else from its default.
    """

    def __init__(
        self, template: Template, given_values: dict[str, str], lists: dict[str, list[str]], region: str
    ) -> None:
        self._looked_up: set[str] = set()
        self._without_value: set[str] = set()
        values: dict[str, Any] = {}
        for name, declaration in template.read_section("Parameters").items():
            if str(declaration.get("Type", "")).startswith(_SSM):
                self._looked_up.add(name)
            elif name in lists:
                values[name] = lists[name]
            elif name in given_values or "Default" in declaration:
                values[name] = str(given_values.get(name, declaration.get("Default")))
            else:
                self._without_value.add(name)
        pseudo = {"AWS::AccountId": ACCOUNT, "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}
        pseudo |= {"AWS::Region": region} if region else {}
        self._subject = ""
        self._scope = Scope(template, values, pseudo, self._refuse, self._refuse, self._refuse, self._refuse)

    def evaluate(self, value: Any, subject: str) -> Any:
        """Return the value; `subject` names it in a refusal. Raises NoValue, and Refused if it depends on what is not known."""
        self._subject = subject
        return self._scope.evaluate(value)

    def _refuse(self, name: str, *_: Any) -> NoReturn:
        if name in self._without_value:
            raise NoValue(name)
        if name in self._looked_up:
            raise Refused(f"The local cloud does not know {name}, a parameter of SSM, when it reads {self._subject}")
        raise Refused(f"Template error: {self._subject} cannot depend on {name}")
