"""The checks of the hardening: what they read out of arguments and settings, and that docs/security.md names them all."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import hardening
import pytest
from handshake import Spoken

ROOT = Path(__file__).resolve().parents[3]


def check(name: str) -> Any:
    """A check as a function; pytest gives it its evidence otherwise."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("checks", ROOT / "tests" / "acceptance" / "test_hardening.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


@pytest.mark.parametrize(
    "argument",
    [
        "-Dhudson.security.csrf.GlobalCrumbIssuerConfiguration.DISABLE_CSRF_PROTECTION=true",
        "-Dhudson.security.csrf.DefaultCrumbIssuer.EXCLUDE_SESSION_ID=true",
        "-Djenkins.security.s2m.CallableDirectionChecker.allow=true",
        "-Dhudson.model.DirectoryBrowserSupport.CSP=",
        "-Djenkins.security.csp.CspHeader.headerName=X-Nothing",
        "-Dpermissive-script-security.enabled=true",
        "-Djenkins.security.ApiTokenProperty.adminCanGenerateNewTokens=true",
        "-Djenkins.security.SuspiciousRequestFilter.allowSemicolonsInPath",
    ],
)
def test_a_property_that_turns_a_protection_off_is_found(argument: str) -> None:
    assert [argument[2:].partition("=")[0]] == hardening.protections_off(["/usr/bin/java", argument, "-jar"])


def test_our_own_properties_turn_none_off() -> None:
    service = (ROOT / "bootstrap" / "remote" / "desired" / "jenkins.py").read_text(encoding="utf-8")
    own = [f"-D{name}" for name in re.findall(r'"([a-z]+\.[A-Za-z.]+\.[A-Za-z.]+)"', service)]
    assert len(own) > 3
    assert [] == hardening.protections_off(own)


@pytest.mark.parametrize(("heap", "limit", "holds"), [("1g", 2 << 30, True), ("2g", 2 << 30, False)])
def test_a_heap_must_fit_into_the_memory_of_the_service(heap: str, limit: int, holds: bool) -> None:
    found = {"units": {"jenkins.service": {"MemoryMax": str(limit)}}}
    settings = SimpleNamespace(settings=SimpleNamespace(jenkins=SimpleNamespace(heap=heap)))
    assert holds == passes("test_the_heap_fits_into_the_memory", found, settings)


def passes(name: str, *evidence: Any) -> bool:
    try:
        check(name)(*evidence)
    except AssertionError:
        return False
    return True


LIMITED = {"MemoryMax": "1000", "TasksMax": "64"}


@pytest.mark.parametrize(
    ("nginx", "holds"),
    [(LIMITED, True), ({**LIMITED, "MemoryMax": "infinity"}, False), ({**LIMITED, "TasksMax": ""}, False)],
)
def test_a_service_without_a_limit_fails(nginx: dict[str, str], holds: bool) -> None:
    units = dict.fromkeys(("jenkins.service", "jenkins-agent.service", "jenkins-builder.service"), LIMITED)
    units["nginx.service"] = nginx
    context = SimpleNamespace(settings=SimpleNamespace(agents={}))
    assert holds == passes("test_services_have_limits", {"units": units}, context)


@pytest.mark.parametrize(
    ("allowed", "url", "holds"),
    [
        (True, None, True),
        (False, "https://git.example/x", True),
        (True, "https://git.example/x", False),
        (False, None, False),
    ],
)
def test_a_local_checkout_is_allowed_only_where_the_repository_is_local(allowed: bool, url: Any, holds: bool) -> None:
    property_ = "-Dhudson.plugins.git.GitSCM.ALLOW_LOCAL_CHECKOUT=true"
    settings = SimpleNamespace(settings=SimpleNamespace(repository=SimpleNamespace(url=url)))
    assert holds == passes(
        "test_local_folders_are_checked_out_only_where_needed", {"arguments": [property_] if allowed else []}, settings
    )


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        (
            "test_no_script_is_approved",
            {"scriptApproval": {"forceSandbox": True}},
            {"scriptApproval": {"approvedSignatures": ["x"]}},
        ),
        ("test_no_script_is_approved", {}, {"scriptApproval": {"approvedScriptHashes": ["SHA512:0"]}}),
        ("test_git_hooks_do_not_run", {}, {"gitHooks": {"allowedOnController": True}}),
        (
            "test_tokens_are_made_only_on_demand",
            {"apiToken": {"usageStatisticsEnabled": True}},
            {"apiToken": {"creationOfLegacyTokenEnabled": True}},
        ),
        (
            "test_git_servers_must_be_known",
            {
                "gitHostKeyVerificationConfiguration": {
                    "sshHostKeyVerificationStrategy": "knownHostsFileVerificationStrategy"
                }
            },
            {
                "gitHostKeyVerificationConfiguration": {
                    "sshHostKeyVerificationStrategy": {"noHostKeyVerificationStrategy": {}}
                }
            },
        ),
    ],
)
def test_the_settings_of_security_are_judged(name: str, good: Any, bad: Any) -> None:
    assert (True, False) == (passes(name, {"security": good}), passes(name, {"security": bad}))


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("test_browsers_are_not_remembered", {"disableRememberMe": True}, {}),
        (
            "test_descriptions_are_plain_text",
            {},
            {"markupFormatter": {"rawHtml": {"disableSyntaxHighlighting": False}}},
        ),
    ],
)
def test_the_settings_of_jenkins_are_judged(name: str, good: Any, bad: Any) -> None:
    assert (True, False) == (passes(name, {"jenkins": good}), passes(name, {"jenkins": bad}))


def test_a_proxy_that_takes_everything_fails() -> None:
    told = [Spoken((), 1.0, "TLSv1.3", status) for status in (413, 403)]
    assert [True, False] == [passes("test_the_proxy_refuses_large_sign_ins", each) for each in told]


def rows() -> list[list[str]]:
    """The table 'Hardening' of docs/security.md, without its head."""
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    section = text[text.index("\n## Hardening\n") :].partition("\n## ")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def checks() -> set[str]:
    found = set()
    for path in (ROOT / "tests" / "acceptance").glob("test_*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found |= {
            node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        }
    return found


def test_every_point_of_the_hardening_has_its_check() -> None:
    named = {name for row in rows() for name in re.findall(r"`(test_\w+)`", row[-1])}
    assert [] == [row[0] for row in rows() if not re.search(r"`test_\w+`", row[-1])]
    assert [] == sorted(named - checks())


def test_every_check_of_the_hardening_is_in_the_table() -> None:
    named = {name for row in rows() for name in re.findall(r"`(test_\w+)`", row[-1])}
    tree = ast.parse((ROOT / "tests" / "acceptance" / "test_hardening.py").read_text(encoding="utf-8"))
    own = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert [] == sorted(own - named)
