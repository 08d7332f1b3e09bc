"""The desired state by the names of its resources, and the settings of a unit in it."""

import configparser
from typing import Any

from bootstrap.remote.desired.inputs import HostInputs
from bootstrap.remote.desired.state import list_resources


def by_id(given: HostInputs) -> dict[str, dict[str, Any]]:
    return {resource["id"]: resource for resource in list_resources(given)}


def settings_of(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=["="])
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser


def unit(wished: dict[str, dict[str, Any]], name: str = "jenkins.service file") -> configparser.ConfigParser:
    return settings_of(wished[name]["content"])
