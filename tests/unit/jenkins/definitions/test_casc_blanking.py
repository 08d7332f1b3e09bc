"""What may be sent to Jenkins' check: the parts that a check applies are blanked, and every other line stays where it is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.jenkins.definitions import casc_tree
from bootstrap.jenkins.definitions.casc_blanking import PARTS, blank_applied_parts, is_applied_by_a_check

ROOT = Path(__file__).resolve().parents[4]

# A file, and what Jenkins' parser must make of what is sent of it.
FORMS = {
    "blocks": (
        "jenkins:\n  securityRealm:\n    local:\n      allowsSignup: false\n      users:  # people\n"
        "      - id: a\n        password: ${P}\n      # the end of it\n  mode: NORMAL\n",
        {"jenkins": {"securityRealm": {"local": {"allowsSignup": False, "users": None}}, "mode": "NORMAL"}},
    ),
    "flow": (
        "jenkins: {proxy: {name: p, port: 1}, log: {recorders: [{name: a,\n loggers: []}]}, mode: NORMAL}\n",
        {"jenkins": {"proxy": None, "log": None, "mode": "NORMAL"}},
    ),
    "flow that ends with it": (
        "jenkins: {mode: NORMAL, proxy: {\nname: p}}\n",
        {"jenkins": {"mode": "NORMAL", "proxy": None}},
    ),
    "quoted keys without spaces": (
        '{"jenkins":{"proxy":{"name":"p"},"mode":"NORMAL"}}\n',
        {"jenkins": {"proxy": None, "mode": "NORMAL"}},
    ),
    "escapes in a key": (
        'jenkins:\n  "pro\\x78y": {name: p}\n  mode: NORMAL\n',
        {"jenkins": {"proxy": None, "mode": "NORMAL"}},
    ),
    "explicit keys": (
        "? jenkins\n: ? proxy\n  : name: p\n    port: 1\n  ? mode\n  : NORMAL\n",
        {"jenkins": {"proxy": None, "mode": "NORMAL"}},
    ),
    "another case and another name": (
        "jenkins:\n  Proxy: {name: p}\n  SecurityRealm: {hudsonPrivate: {Users: [{id: a}], allowsSignup: true}}\n",
        {"jenkins": {"Proxy": None, "SecurityRealm": {"hudsonPrivate": {"Users": None, "allowsSignup": True}}}},
    ),
    "a text over lines and a variable": (
        'jenkins:\n  proxy: |\n    one\n\n    two\n  log: "${LOG}"\n  mode: NORMAL\n',
        {"jenkins": {"proxy": None, "log": None, "mode": "NORMAL"}},
    ),
    "an anchor that is used in it": (
        "x-people: &people [{id: a, password: p}]\njenkins:\n"
        "  securityRealm: {local: {users: *people, allowsSignup: true}}\n",
        {
            "x-people": [{"id": "a", "password": "p"}],
            "jenkins": {"securityRealm": {"local": {"users": None, "allowsSignup": True}}},
        },
    ),
    "an anchor around it": (
        "x-base: &base\n  proxy: {name: p}\n  mode: NORMAL\njenkins: *base\n",
        {"x-base": {"proxy": None, "mode": "NORMAL"}, "jenkins": {"proxy": None, "mode": "NORMAL"}},
    ),
    "an anchor in it that is used after it": (
        "jenkins:\n  proxy:\n    name: &name p.example.org\n    testUrl: &url 'http://a b/\"ü\"'\n    port: &port 0x10\n"
        "  systemMessage: *url\n  labelString: *name\n  quietPeriod: *port\n  views: [*name, *port]\n",
        {
            "jenkins": {
                "proxy": None,
                "systemMessage": 'http://a b/"ü"',
                "labelString": "p.example.org",
                "quietPeriod": 16,
                "views": ["p.example.org", 16],
            }
        },
    ),
    "a tree in it that is used after it": (
        "jenkins:\n  log:\n    recorders: &all\n      - name: a\n        loggers: [&one {name: '1.5', level: ~}]\n"
        "  views: *all\n  primaryView:\n    list: *one\n",
        {
            "jenkins": {
                "log": None,
                "views": [{"name": "a", "loggers": [{"name": "1.5", "level": None}]}],
                "primaryView": {"list": {"name": "1.5", "level": None}},
            }
        },
    ),
    "an anchor that is set again": (
        "jenkins:\n  mode: &m NORMAL\n  proxy: {name: &m p}\n  labelString: *m\n",
        {"jenkins": {"mode": "NORMAL", "proxy": None, "labelString": "p"}},
    ),
    "a tag and an anchor before it": (
        "jenkins:\n  proxy: &p !!map\n    name: p\n  mode: NORMAL\n",
        {"jenkins": {"proxy": None, "mode": "NORMAL"}},
    ),
    "Windows' ends of lines": (
        "jenkins:\r\n  proxy:\r\n    name: p\r\n  mode: NORMAL\r\n",
        {"jenkins": {"proxy": None, "mode": "NORMAL"}},
    ),
    "an end of the document": (
        "---\njenkins:\n  mode: NORMAL\n  proxy:\n    name: p\n...\n",
        {"jenkins": {"mode": "NORMAL", "proxy": None}},
    ),
}


def leaves(node: casc_tree.Node, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], int]]:
    """Each single value's path and line."""
    for key, value in node.entries:
        yield (*path, f"{key.meant.text}:"), key.line
        yield from leaves(value, (*path, key.meant.text))
    for number, item in enumerate(node.items):
        yield from leaves(item, (*path, str(number)))
    if node.kind is casc_tree.Kind.SCALAR:
        yield path, node.line


def lines_of(text: str) -> dict[tuple[str, ...], int]:
    tree = casc_tree.parse(text)
    assert tree is not None
    return dict(leaves(tree))


@pytest.mark.parametrize("form", FORMS)
def test_only_the_blanked_parts_change(form: str) -> None:
    text, meant = FORMS[form]

    sent = blank_applied_parts(text)

    assert sent is not None
    assert meant == yaml.safe_load(sent)
    before, after = lines_of(text), lines_of(sent)
    moved = {path for path in before.keys() & after.keys() if before[path] != after[path]}
    assert {path for path in moved if not is_applied_by_a_check(path)} == set()
    assert len(text.splitlines()) == len(sent.splitlines())


@pytest.mark.parametrize(
    "text",
    [
        "jenkins:\n  log:\n    recorders: []\n",
        "jenkins: {securityRealm: {local: {users: [{id: a}]}}, proxy: {name: p}}",
        "x-people: &p [{id: a}]\njenkins:\n  securityRealm:\n    local:\n      users: *p\n",
        "# nothing\n",
    ],
)
def test_a_file_with_only_blanked_parts_is_not_sent(text: str) -> None:
    assert blank_applied_parts(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "jenkins:\n  mode: NORMAL\n",
        "unclassified: {proxy: {name: p}, log: 1}\n",
        "jenkins: {nodes: [{permanent: {proxy: {name: p}}}], securityRealm: {ldap: {users: []}}}\n",
    ],
)
def test_a_file_without_such_a_part_is_sent_unchanged(text: str) -> None:
    assert text == blank_applied_parts(text)


def test_a_part_that_a_check_applies_is_known_by_its_path() -> None:
    assert is_applied_by_a_check(("jenkins", "securityRealm", "hudsonPrivate", "users", "0", "id"))
    assert is_applied_by_a_check(("jenkins", "LOG"))
    assert not is_applied_by_a_check(("jenkins", "securityRealm", "local"))


def test_no_account_log_level_or_proxy_of_this_repository_is_sent() -> None:
    for path in (ROOT / "casc").glob("*.yaml"):
        sent: Any = yaml.safe_load(blank_applied_parts(path.read_text()) or "") or {}
        for part in PARTS:
            node = sent
            for name in part:
                node = node.get(name) if isinstance(node, dict) else None
            assert node is None, path
