"""The user data of an agent's instance, as cloud-init reads it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from bootstrap.stacks import template

ROOT = Path(__file__).resolve().parents[2]


def read_cloud_config(**values: str) -> dict[str, Any]:
    """The user data of the template, with the substitutions that CloudFormation makes."""
    document = template.parse((ROOT / "cloudformation" / "agents.yaml").read_text())
    substituted = document["Resources"]["LaunchTemplate"]["Properties"]["LaunchTemplateData"]["UserData"]["Fn::Base64"]
    text = substituted[0]  # of Fn::Sub, whose second argument has the values
    for name, value in values.items():
        text = text.replace(f"${{{name.replace('__', '::').replace('_', '.')}}}", value)
    assert "${" not in text, re.findall(r"\$\{[^}]*\}", text)
    assert text.startswith("#cloud-config\n")
    parsed = yaml.safe_load(text)
    assert isinstance(parsed, dict)
    return parsed
