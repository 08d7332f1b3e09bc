"""A stack as it is wished, and a Jenkins whose settings the casc act applies."""

from pathlib import Path

import pytest

from bootstrap.acts.stack import StackTemplate
from tests.unit.acts.casc_machine import EXPORT
from tests.unit.acts.scripted_cloudformation import TAGS, TEMPLATE


@pytest.fixture
def wished(tmp_path: Path) -> StackTemplate:
    path = tmp_path / "it.yaml"
    path.write_text(TEMPLATE)
    return StackTemplate("it", path, {"Size": "1"}, TAGS)


@pytest.fixture
def server(jenkins_server):
    """A Jenkins that accepts everything."""
    jenkins_server.on("POST", "configuration-as-code/check", (200, {}, "[]"))
    jenkins_server.on("POST", "configuration-as-code/reload", (302, {"Location": "http://jenkins.invalid/done"}, ""))
    jenkins_server.on("GET", "done", "")
    jenkins_server.on("POST", "configuration-as-code/export", EXPORT)
    return jenkins_server
