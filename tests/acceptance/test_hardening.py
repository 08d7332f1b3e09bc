"""Jenkins as a hardening guide wants it, beyond what the other groups check; docs/security.md has the whole table."""

from __future__ import annotations

from typing import Any

import requests
from handshake import Spoken
from hardening import Door, protections_off

from bootstrap.context import Context
from bootstrap.remote.desired.agent import list_agents
from bootstrap.remote.desired.jenkins import LOCAL_CHECKOUT, SESSION_MINUTES, compute_needed_memory

Inspection = dict[str, Any]
Exported = dict[str, Any]
_NOTHING = {403, 404}


def test_nobody_can_sign_up(exported_settings: Exported, closed_doors: dict[str, Door]) -> None:
    """Nobody can sign up."""
    assert exported_settings["jenkins"]["securityRealm"]["local"].get("allowsSignup") is not True
    assert closed_doors["signup"].status in _NOTHING


def test_the_command_line_speaks_no_remoting(closed_doors: dict[str, Door]) -> None:
    """Jenkins' command line does not use remoting."""
    assert closed_doors["remoting"].status in _NOTHING


def test_jenkins_has_no_ssh_server(sign_in_page: requests.Response, installed_plugins: dict[str, Any]) -> None:
    """Jenkins runs no SSH server of its own."""
    assert "sshd" not in installed_plugins
    assert "X-SSH-Endpoint" not in sign_in_page.headers


def test_agents_have_no_tcp_port(
    controllers_state: dict[str, Any], inspection: Inspection, closed_doors: dict[str, Door]
) -> None:
    """Jenkins opens no TCP port for agents, and the web interface cannot open one."""
    assert -1 == controllers_state["slaveAgentPort"]
    assert (closed_doors["agents"].status in _NOTHING, "x-jenkins-jnlp-port" in closed_doors["agents"].headers) == (
        True,
        False,
    )
    wanted = {"-Djenkins.model.Jenkins.slaveAgentPort=-1", "-Djenkins.model.Jenkins.slaveAgentPortEnforce=true"}
    assert wanted <= set(inspection["arguments"])


def test_idle_sessions_end(inspection: Inspection) -> None:
    """A session that nobody uses ends."""
    wanted = {f"--sessionTimeout={SESSION_MINUTES}", f"--sessionEviction={SESSION_MINUTES * 60}"}
    assert wanted <= set(inspection["arguments"])


def test_browsers_are_not_remembered(exported_settings: Exported) -> None:
    """No browser stays signed in after its session."""
    assert exported_settings["jenkins"].get("disableRememberMe") is True


def test_descriptions_are_plain_text(exported_settings: Exported) -> None:
    """Descriptions are plain text, without markup."""
    # What is the default may be left out of an export.
    assert exported_settings["jenkins"].get("markupFormatter", "plainText") in (
        "plainText",
        {"plainText": None},
        {"plainText": {}},
    )


def test_no_script_is_approved(exported_settings: Exported) -> None:
    """No script and no signature has been approved to run outside of the sandbox."""
    approval = exported_settings["security"].get("scriptApproval") or {}
    assert [] == [*(approval.get("approvedSignatures") or ()), *(approval.get("approvedScriptHashes") or ())]


def test_tokens_are_made_only_on_demand(exported_settings: Exported) -> None:
    """No user gets an API token without asking, and none of the legacy kind."""
    tokens = exported_settings["security"].get("apiToken") or {}
    assert [] == [name for name, value in tokens.items() if value is True and name != "usageStatisticsEnabled"]


def test_git_servers_must_be_known(exported_settings: Exported) -> None:
    """Git over SSH accepts only host keys that are known."""
    held = exported_settings["security"]["gitHostKeyVerificationConfiguration"]["sshHostKeyVerificationStrategy"]
    assert "knownHostsFileVerificationStrategy" == (held if isinstance(held, str) else next(iter(held)))


def test_git_hooks_do_not_run(exported_settings: Exported) -> None:
    """Hooks of Git repositories do not run."""
    assert [] == [
        name for name, value in (exported_settings["security"].get("gitHooks") or {}).items() if value is True
    ]


def test_local_folders_are_checked_out_only_where_needed(inspection: Inspection, context: Context) -> None:
    """Folders of the machine can be checked out only if the toolkit's repository is one."""
    is_allowed = f"-D{LOCAL_CHECKOUT}=true" in inspection["arguments"]
    assert is_allowed == (context.settings.repository.url is None)


def test_credentials_need_a_permission(inspection: Inspection) -> None:
    """A build uses a credential only if its user has the permission Credentials/UseItem."""
    assert "-Dcom.cloudbees.plugins.credentials.UseItemPermission=true" in inspection["arguments"]


def test_no_protection_is_turned_off(inspection: Inspection) -> None:
    """No Java property turns a protection of Jenkins off, such as that of the controller from its agents."""
    assert inspection["arguments"]
    assert [] == protections_off(inspection["arguments"])


def test_services_have_limits(inspection: Inspection, context: Context) -> None:
    """Memory and processes of Jenkins, its builds and nginx are limited."""
    limited = ("jenkins.service", *(agent.unit for agent in list_agents(context.settings.agents)), "nginx.service")
    limits = {name: inspection["units"][name] for name in limited}
    held = {name: (unit["MemoryMax"].isdigit(), unit["TasksMax"].isdigit()) for name, unit in limits.items()}
    assert dict.fromkeys(limits, (True, True)) == held


def test_the_heap_fits_into_the_memory(inspection: Inspection, context: Context) -> None:
    """The largest heap of Java fits into the memory that the service may use."""
    heap, limit = context.settings.jenkins.heap, int(inspection["units"]["jenkins.service"]["MemoryMax"]) >> 20
    assert compute_needed_memory(heap) <= limit, f"jenkins.heap is {heap}, the service may use {limit} MiB"


def test_the_proxy_refuses_large_sign_ins(large_sign_in: Spoken) -> None:
    """The proxy refuses a sign-in with a large body."""
    assert 413 == large_sign_in.status
