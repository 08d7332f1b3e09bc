"""Apt's source entries: what is read, what is taken for Debian's archive, what another release makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.errors import LocalCloudFailed
from bootstrap.local.machines.sources import (
    Source,
    adapt_to_release,
    list_keyrings,
    parse_deb822,
    parse_one_line,
    read_sources,
    render,
)

MIRROR = "http://mirror.example/debian"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def source(suites: str, *, components: str = "main", signed_by: str = "", uris: str = MIRROR) -> Source:
    return Source(tuple(uris.split()), tuple(suites.split()), tuple(components.split()), signed_by)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("deb http://mirror.example/debian bookworm main", [source("bookworm")]),
        ("  deb   http://mirror.example/debian\tbookworm  main contrib ", [source("bookworm", components="main contrib")]),
        ("deb [signed-by=/k.gpg] http://mirror.example/debian bookworm main", [source("bookworm", signed_by="/k.gpg")]),
        ("deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main # ours",
         [source("bookworm", signed_by="/k.gpg")]),
        ("deb [trusted=yes] http://mirror.example/debian bookworm main",
         [Source((MIRROR,), ("bookworm",), ("main",), trusted=True)]),
        ("deb http://mirror.example/debian ./", [source("./", components="")]),
        ("# deb http://mirror.example/debian bookworm main", []),
        ("deb-src http://mirror.example/debian bookworm main", []),
        ("", []),
        ("nonsense", []),
    ],
)  # fmt: skip
def test_one_line_entry_is_read(line: str, expected: list[Source]) -> None:
    assert parse_one_line(line) == expected


@pytest.mark.parametrize(
    ("stanza", "expected"),
    [
        (f"Types: deb\nURIs: {MIRROR}\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: {KEYRING}",
         [source("bookworm bookworm-updates", signed_by=KEYRING)]),
        (f"types: deb deb-src\nuris: {MIRROR}\nsuites: bookworm\ncomponents: main", [source("bookworm")]),
        (f"Types: deb\n# an old mirror\nURIs: {MIRROR}\nSuites: bookworm\nComponents: main", [source("bookworm")]),
        (f"Types: deb\nURIs: {MIRROR}\n http://second.example/debian\nSuites: bookworm\nComponents: main",
         [source("bookworm", uris=f"{MIRROR} http://second.example/debian")]),
        (f"Types: deb\nURIs: {MIRROR}\nSuites: bookworm\nComponents: main\nTrusted: yes",
         [Source((MIRROR,), ("bookworm",), ("main",), trusted=True)]),
        (f"Types: deb-src\nURIs: {MIRROR}\nSuites: bookworm\nComponents: main", []),
        (f"Enabled: no\nTypes: deb\nURIs: {MIRROR}\nSuites: bookworm\nComponents: main", []),
        (f"Enabled: false\nTypes: deb\nURIs: {MIRROR}\nSuites: bookworm\nComponents: main", []),
        ("", []),
    ],
)  # fmt: skip
def test_stanza_is_read(stanza: str, expected: list[Source]) -> None:
    assert parse_deb822(stanza) == expected


def test_stanzas_are_parted_by_empty_lines_only() -> None:
    one = f"Types: deb\nURIs: {MIRROR}\nSuites: {{}}\nComponents: main\n"
    text = "# head\n\n" + one.format("bookworm") + " \n\n" + one.format("bookworm-security")
    assert parse_deb822(text) == [source("bookworm"), source("bookworm-security")]


def test_key_inside_an_entry_survives_reading_and_writing() -> None:
    key = "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDMEabc\n -----END PGP PUBLIC KEY BLOCK-----"
    text = f"Types: deb\nURIs: {MIRROR}\nSuites: bookworm\nComponents: main\nSigned-By:{key}\n"
    assert render(parse_deb822(text)) == text


@pytest.mark.parametrize(
    ("suites", "expected"),
    [
        ("bookworm", "trixie"),
        ("bookworm bookworm-updates bookworm-security", "trixie trixie-updates trixie-security"),
        ("bullseye bullseye-security", "trixie trixie-security"),
        ("stable stable-updates", "trixie trixie-updates"),
        ("bookworm bookworm-backports bookworm-proposed-updates", "trixie"),
        ("bookworm bookworm/updates", "trixie trixie-security"),
        ("trixie trixie", "trixie"),
        ("sid", "trixie"),
    ],
)
def test_suites_become_those_of_the_wanted_release(suites: str, expected: str) -> None:
    assert adapt_to_release([source(suites)], "trixie") == [source(expected)]


def test_security_archive_of_its_own_keeps_its_address_components_and_key() -> None:
    host = [
        source("bookworm", components="main contrib", signed_by=KEYRING),
        source("bookworm-security", signed_by=KEYRING, uris="http://mirror.example/security"),
    ]
    assert adapt_to_release(host, "trixie") == [
        source("trixie", components="main contrib", signed_by=KEYRING),
        source("trixie-security", signed_by=KEYRING, uris="http://mirror.example/security"),
    ]


@pytest.mark.parametrize(
    "stranger",
    [
        source("bookworm", components="stable", uris="http://engine.example/linux/debian"),
        source("bookworm-pgdg", uris="http://database.example/apt"),
        source("cloud-sdk-bookworm", uris="http://cloud.example/apt"),
        source("nodistro", uris="http://node.example"),
        source("./", components="", uris="http://flat.example"),
        source("bookworm", signed_by="/etc/apt/keyrings/other.gpg", uris="http://other.example/apt"),
        source("bookworm", signed_by="\n -----BEGIN PGP PUBLIC KEY BLOCK-----", uris="http://inline.example/apt"),
    ],
)
def test_third_party_archive_is_left_out(stranger: Source) -> None:
    assert adapt_to_release([stranger, source("bookworm", signed_by=KEYRING)], "trixie") == [
        source("trixie", signed_by=KEYRING)
    ]


def test_company_that_signs_its_copy_anew_is_believed_when_nobody_else_is_there() -> None:
    own = source("bookworm", signed_by="/etc/apt/keyrings/company.gpg")
    assert adapt_to_release([own], "trixie") == [source("trixie", signed_by="/etc/apt/keyrings/company.gpg")]


@pytest.mark.parametrize(
    "entries", [[], [source("noble")], [source("bookworm-security")], [source("sid", components="contrib")]]
)
def test_host_without_a_debian_archive_is_told_what_to_add(entries: list[Source]) -> None:
    with pytest.raises(LocalCloudFailed) as failure:
        adapt_to_release(entries, "trixie")
    assert "debian.sources" in failure.value.remedy


def test_keyrings_are_those_that_debians_package_does_not_bring() -> None:
    entries = [source("trixie", signed_by=KEYRING), source("trixie", signed_by="/etc/apt/keyrings/company.gpg")]
    assert list_keyrings(entries) == (Path("/etc/apt/keyrings/company.gpg"),)


def test_all_files_of_apt_are_read_and_disabled_ones_are_not(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(f"deb {MIRROR} bookworm main\n")
    (tmp_path / "sources.list.d" / "b.sources").write_text(
        f"Types: deb\nURIs: {MIRROR}\nSuites: bookworm-updates\nComponents: main\n"
    )
    (tmp_path / "sources.list.d" / "a.list").write_text(f"deb {MIRROR} bookworm-security main\n")
    (tmp_path / "sources.list.d" / "c.list.disabled").write_text(f"deb {MIRROR} sid main\n")
    assert read_sources(tmp_path) == [source("bookworm"), source("bookworm-security"), source("bookworm-updates")]


def test_machine_without_any_source_has_none(tmp_path: Path) -> None:
    assert read_sources(tmp_path) == []


def test_file_of_mirrors_is_replaced_by_its_mirrors(tmp_path: Path) -> None:
    mirrors = tmp_path / "debian.list"
    mirrors.write_text(f"# near\n{MIRROR} priority:1\nhttp://far.example/debian\n")
    (tmp_path / "sources.list").write_text(f"deb mirror+file:{mirrors} bookworm main\n")
    assert read_sources(tmp_path) == [source("bookworm", uris=f"{MIRROR} http://far.example/debian")]
