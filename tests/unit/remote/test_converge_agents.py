"""The agent's secret: fetched from a Jenkins that answers, kept where it is right, and waited for where it cannot be read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_jenkins import FakeJenkins, serving
from scripted import ScriptedContext

from bootstrap.remote.converge import agents, draining, units
from bootstrap.remote.converge.core import Failed

SECRET = "0123456789abcdef" * 4
DESCRIPTION = (
    '<jnlp><application-desc main-class="hudson.remoting.jnlp.Main">'
    f"<argument>{SECRET}</argument><argument>machine</argument></application-desc></jnlp>"
)
PATH = "/computer/machine/jenkins-agent.jnlp"


class Jenkins(FakeJenkins):
    """One whose settings name the agent."""

    def __init__(self) -> None:
        super().__init__()
        self.description = DESCRIPTION

    def answer(self, handler: Any) -> None:
        self.body = self.description.encode() if handler.path == PATH else None
        super().answer(handler)


@pytest.fixture
def server() -> Jenkins:
    return Jenkins()


@pytest.fixture
def resource(server: Jenkins) -> Iterator[dict[str, Any]]:
    with serving(server) as url:
        secrets = [{"path": "/token", "prefix": "11"}]
        jenkins = {"url": url, "user": "toolkit", "secrets": secrets}
        yield {"id": "agent secret", "kind": "agent_secret", "path": "/secret", "node": "machine", "jenkins": jenkins}


@pytest.fixture
def context(tmp_path: Path, resource: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> ScriptedContext:
    monkeypatch.setattr(agents, "_OWNER", {})  # these tests may not be root's
    (tmp_path / "token").write_text("token")
    return ScriptedContext(root=tmp_path, resources={"agent secret": resource})


def test_the_secret_is_fetched_kept_closed_and_then_left_alone(
    context: ScriptedContext, resource: dict[str, Any], server: Jenkins
) -> None:
    finding = agents.agent_secret(context, resource)
    assert finding is not None and finding.kind == "add"
    finding.act()

    kept = context.path("/secret")
    assert (SECRET, 0o400) == (kept.read_text(), kept.stat().st_mode & 0o777)
    assert agents.agent_secret(context, resource) is None


def test_another_secret_is_replaced(context: ScriptedContext, resource: dict[str, Any]) -> None:
    context.path("/secret").write_text("old")

    finding = agents.agent_secret(context, resource)

    assert finding is not None and finding.kind == "alter"
    assert SECRET not in finding.detail
    finding.act()
    assert SECRET == context.path("/secret").read_text()


def test_a_jenkins_whose_settings_do_not_name_the_agent_is_left_alone(
    context: ScriptedContext, resource: dict[str, Any], server: Jenkins
) -> None:
    server.refuses = {PATH: 404}

    assert agents.agent_secret(context, resource) is None


def test_a_secret_that_is_there_needs_no_jenkins(
    context: ScriptedContext, resource: dict[str, Any], server: Jenkins
) -> None:
    server.secrets = set()
    context.path("/secret").write_text(SECRET)

    assert agents.agent_secret(context, resource) is None


@pytest.mark.parametrize(
    "description", ["", "<jnlp/>", f"<argument>{SECRET[1:]}</argument>", "<argument>../x</argument>"]
)
def test_what_is_no_secret_is_never_kept(
    context: ScriptedContext, resource: dict[str, Any], server: Jenkins, description: str
) -> None:
    server.description = description or " "

    finding = agents.agent_secret(context, resource)

    assert finding is not None and finding.detail == "when Jenkins answers"
    with pytest.raises(Failed, match="the secret of the agent machine cannot be read"):
        finding.act()
    assert not context.path("/secret").exists()


def test_nothing_is_wished_of_a_unit_before_what_it_awaits(context: ScriptedContext) -> None:
    unit = {"id": "it", "kind": "unit", "name": "it.service", "awaits": "agent secret"}

    assert units.unit(context, unit) is None
    assert [] == context.ran


def test_quiet_mode_is_taken_back_after_the_agents_restart(
    context: ScriptedContext, resource: dict[str, Any], server: Jenkins, monkeypatch: pytest.MonkeyPatch
) -> None:
    context.script = {"systemctl show -p ControlGroup --value it.service": "\n"}
    context.drain = {"it.service": {**resource["jenkins"], "seconds": 30, "own": "", "is_jenkins": False}}

    with draining.drained(context, "it.service", is_needed=True):
        assert server.is_quiet

    assert not server.is_quiet
    assert not draining.mark_of(context, "it.service").exists()
