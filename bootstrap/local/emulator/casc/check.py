"""Checks a configuration as JCasC does; the result is plain values with all variables replaced.

As in Jenkins, the first fault ends the check. The order is its own: roots and attributes in the order in which Jenkins knows
them, in an object the parameters of its constructor first, and what is unknown at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .conversion import PERMISSION, SecretText, convert, is_secret_name
from .faults import ROOT_KIND, Fault, Unfit, make_unknown
from .hashing import order_keys
from .permissions import find_permission
from .sources import Node
from .variables import Unresolvable, Variables
from .vocabulary import OPEN_ROOTS, TEXT, Attribute, Vocabulary, uncapitalise

__all__ = ["Checker", "SecretText", "Warned"]
_ROOT_HINT = (
    "This may indicate that the required plugin is not installed or failed to load. "
    "Verify that the plugin is installed and check the Jenkins startup logs for plugin loading errors."
)


@dataclass(frozen=True)
class Warned:
    """A warning of Jenkins, and the line where what it is about begins."""

    line: int
    message: str


class Checker:
    """One check of a configuration; `warned` has what is accepted with a warning, `unjudged` what nothing is known of here."""

    def __init__(self, plugins: Mapping[str, str], variables: Variables) -> None:
        self._vocabulary, self._variables = Vocabulary(plugins), variables
        self.warned: dict[tuple[str, int], Warned] = {}
        self.unjudged: list[str] = []
        self.unrecorded_plugins = self._vocabulary.unrecorded_plugins
        self._policies = {"unknown": "reject", "deprecated": "reject", "restricted": "reject"}

    def check(self, tree: Node) -> dict[str, Any]:
        """The whole configuration; ConfigurationRefused with the first fault."""
        try:
            return self._check_roots(tree)
        except Fault as fault:
            raise fault.refuse() from fault
        except Unfit as unfit:
            raise Fault(str(unfit).partition(": ")[2], cause=str(unfit)).refuse() from unfit

    def _check_roots(self, tree: Node) -> dict[str, Any]:
        known: dict[str, str] = {}
        for root in self._vocabulary.roots:
            key = _find(tree.value, [root])
            if key is not None:
                known[key] = root
        result: dict[str, Any] = {}
        for key, root in sorted(known.items(), key=lambda pair: self._vocabulary.roots.index(pair[1])):
            node = tree.value[key]
            attributes = self._vocabulary.list_root_attributes(root)
            taken = self._check_attributes(
                _require_mapping(node), node, attributes, root, self._vocabulary.find_root_class(root), root
            )
            if root == "configuration-as-code":
                self._policies.update({name: value for name, value in taken.items() if name in self._policies})
            result[root] = taken
        rest = [key for key in order_keys(tree.value) if key not in known and not key.startswith("x-")]
        if rest and not self._pass_unjudged(rest, tree, result):
            word = "elements" if len(rest) > 1 else "element"
            fault = Fault(f"No configurator found for the following root {word}: {', '.join(rest)}. {_ROOT_HINT}")
            fault.kind, fault.target = ROOT_KIND, ", ".join(rest)
            raise fault
        return result

    def _pass_unjudged(self, names: Iterable[str], node: Node, result: dict[str, Any]) -> bool:
        """Take settings as they stand if a plugin of which nothing was recorded may know them."""
        if not self._vocabulary.unrecorded_plugins:
            return False
        for name in names:
            self.unjudged.append(name)
            result[name] = self._read_guarded(name, node.value[name])
        return True

    # Objects

    def _check_attributes(
        self,
        members: dict[str, Node],
        node: Node,
        known: Mapping[str, Attribute],
        owner: str,
        kind: str,
        root: str = "",
    ) -> dict[str, Any]:
        """Check the attributes of a mapping, of which the constructor has taken its own."""
        rest, result = dict(members), dict[str, Any]()
        for name, attribute in known.items():
            key = self._take(rest, attribute)
            if key is None or rest[key].value is None:  # null, or a decimal number: not touched
                rest.pop(key or "", None)
                continue
            child = rest.pop(key)
            self._require_allowed(attribute, node)
            result[name] = self._check_attribute(child, attribute, owner)
        if rest:
            self._refuse_unknown(rest, members, node, known, owner, kind, root, result)
        return result

    def _take(self, members: Mapping[str, Node], attribute: Attribute) -> str | None:
        key = _find(members, [attribute.name])
        if key is None:
            for alias in attribute.aliases:
                key = _find(members, [alias])
                if key is not None:
                    message = f"'{alias}' is an obsolete attribute name, please use '{attribute.name}'"
                    self._warn(members[key], message)
                    break
        return key

    def _warn(self, node: Node, message: str) -> None:
        self.warned[node.file, node.line] = Warned(node.line, message)

    def _require_allowed(self, attribute: Attribute, node: Node) -> None:
        told = {"deprecated": "is deprecated"} if attribute.is_deprecated else {}
        if attribute.restriction and (attribute.restriction, self._policies["restricted"]) != ("Beta", "beta"):
            told["restricted"] = f"is restricted: {attribute.restriction}"
        for policy, words in told.items():
            message = f"'{attribute.name}' {words}"
            self._warn(node, message)
            if self._policies[policy] == "reject":
                raise Fault(message)

    def _check_attribute(self, node: Node, attribute: Attribute, owner: str) -> Any:
        """Check the value of an attribute; a fault names the attribute and its place."""
        self._require_configurator(attribute.kind)
        try:
            return self._check_value(node, attribute)
        except Fault as fault:
            if fault.unknown:
                raise
            words = f"Failed to configure '{attribute.name}': {fault.message}"
            raise Fault(words, self._name_owner(attribute.kind), cause=fault.cause).add_place(
                node, attribute.name
            ) from fault
        except Unfit as unfit:
            words = f"Failed to set attribute '{attribute.name}'"
            raise Fault(words, owner, cause=str(unfit)).add_place(node, attribute.name) from unfit

    def _require_configurator(self, kind: str) -> None:
        if kind in {"hudson.model.ViewProperty", "hudson.plugins.emailext.EmailType", "java.lang.Object"}:
            raise Fault(f"Cannot find configurator for type class {kind}")

    def _name_owner(self, kind: str) -> str:
        if self._vocabulary.list_implementations(kind) is not None:
            return uncapitalise(kind)
        return self._vocabulary.find_owner_name(kind)

    def _refuse_unknown(
        self,
        rest: Mapping[str, Node],
        members: Mapping[str, Node],
        node: Node,
        known: Mapping[str, Attribute],
        owner: str,
        kind: str,
        root: str,
        result: dict[str, Any],
    ) -> None:
        names = [key for key in order_keys(members) if key in rest]
        if root in OPEN_ROOTS and self._pass_unjudged(names, node, result):
            return
        available = sorted(
            name for name, attribute in known.items() if not attribute.is_deprecated and not attribute.restriction
        )
        page, unknown = "Invalid configuration elements for type: ", ",".join(names)
        message = f"{page}class {kind} : {unknown}.\nAvailable attributes : {', '.join(available)}"
        self._warn(node, message)
        if self._policies["unknown"] == "reject":
            raise make_unknown(owner, page, message, unknown, available)

    # Values

    def _check_value(self, node: Node, attribute: Attribute) -> Any:
        if not attribute.is_list:
            return self._check_single(node, attribute)
        if not isinstance(node.value, list):
            raise Fault(f"Item isn't a Sequence {node.file}:{node.line}")
        return [self._check_single(child, attribute) for child in node.value]

    def _check_single(self, node: Node, attribute: Attribute) -> Any:
        kind = attribute.kind
        if self._vocabulary.list_implementations(kind) is not None:
            return self._check_implementation(node, kind)
        if self._vocabulary.is_class(kind):
            return self._check_object(node, kind)
        if not isinstance(node.value, str):
            raise Fault(f"Item isn't a Scalar {node.file}:{node.line}")
        text = self._resolve_text(node)
        if kind == PERMISSION and find_permission(text) is None and self.unrecorded_plugins:
            self.unjudged.append(text)
            return text
        return convert(text, attribute)

    def _resolve_text(self, node: Node) -> str:
        try:
            return self._variables.resolve(node.value or "")
        except Unresolvable as fault:
            raise Unfit(fault.kind, str(fault)) from fault

    def _check_implementation(self, node: Node, base: str) -> dict[str, Any]:
        if isinstance(node.value, dict):
            if len(node.value) != 1:
                keys = ", ".join(order_keys(node.value))
                words = f"Single entry map expected to configure a {base} but found multiple entries: [{keys}]"
                raise Unfit("java.lang.IllegalArgumentException", words)
            ((symbol, body),) = node.value.items()
        elif isinstance(node.value, str):
            symbol, body = self._resolve_text(node), Node({}, node.file, node.line)
        elif node.value is None:
            raise Unfit("java.lang.NullPointerException", "null")
        else:
            raise Unfit("java.lang.IllegalArgumentException", f"Unexpected configuration type {node.plain}")
        names = self._vocabulary.list_implementations(base) or {}
        name = next((each for each in names if each.lower() == symbol.lower()), None)
        if name is None:
            found: dict[str, Any] = {}
            if self._pass_unjudged([symbol], Node({symbol: body}, node.file, node.line), found):
                return found
            available = list(dict.fromkeys(self._vocabulary.find_preferred_name(base, each) for each in names.values()))
            words = f"No {base} implementation found for {symbol}"
            raise make_unknown(uncapitalise(base), "No implementation found for:", words, symbol, available)
        kind = names[name]
        return {self._vocabulary.find_preferred_name(base, kind): self._check_object(body, kind)}

    def _check_object(self, node: Node, kind: str) -> dict[str, Any]:
        rest, owner = dict(_require_mapping(node)), self._vocabulary.find_owner_name(kind)
        known = self._vocabulary.list_attributes(kind)
        result: dict[str, Any] = {}
        for parameter in self._vocabulary.list_parameters(kind):
            child = rest.get(parameter.name)
            if child is not None and child.value is not None:
                result[parameter.name] = self._check_value(
                    child, known.get(parameter.name) or Attribute(parameter.name, TEXT)
                )
                del rest[parameter.name]
            elif parameter.is_required:
                raise Fault(f"{parameter.name} is required to configure class {kind}")
        return result | self._check_attributes(rest, node, known, owner, kind)

    # What nothing is known of

    def _read_anything(self, node: Node) -> Any:
        if isinstance(node.value, dict):
            return {key: self._read_guarded(key, child) for key, child in node.value.items()}
        if isinstance(node.value, list):
            return [self._read_anything(child) for child in node.value]
        return None if node.value is None else self._resolve_text(node)

    def _read_guarded(self, key: str, node: Node) -> Any:
        # Where nothing else is known, names tell what must not be exported in the clear.
        value = self._read_anything(node)
        return SecretText(value) if isinstance(value, str) and is_secret_name(key) else value


def _require_mapping(node: Node) -> dict[str, Node]:
    if node.value is None:
        return {}
    if not isinstance(node.value, dict):
        raise Fault(f"Item isn't a Mapping {node.file}:{node.line}")
    return dict(node.value)


def _find(members: Mapping[str, Node], names: Iterable[str]) -> str | None:
    wanted = {name.lower() for name in names}
    return next((key for key in members if key.lower() in wanted), None)
