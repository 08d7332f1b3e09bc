"""Where this machine gets Debian from, said again for another release of Debian.

The image of the local cloud's machines comes from the same archive, mirror or proxy that the operator's machine uses; no
mirror is built in. This module reads apt's source entries, in both of apt's formats (sources.list(5)), keeps those of
Debian's own archive, and rewrites their suites. It decides nothing about downloading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bootstrap.errors import LocalCloudFailed

# Names that a suite of Debian's own archive can begin with; third-party archives use them too, see `_is_debian`.
RELEASES = frozenset(
    {"bullseye", "bookworm", "trixie", "forky", "sid", "oldoldstable", "oldstable", "stable", "testing", "unstable"}
)
# Backports and proposed updates are left out: a machine image is made of the release and its corrections.
SUFFIXES = {"": "", "-updates": "-updates", "-security": "-security", "/updates": "-security"}


@dataclass(frozen=True)
class Source:
    """One entry: where, which suites and components, and `signed_by` (a keyring's path, or an armoured key, or '')."""

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""
    trusted: bool = False

    def text(self) -> str:
        """The entry in deb822 form."""
        lines = [
            "Types: deb",
            f"URIs: {' '.join(self.uris)}",
            f"Suites: {' '.join(self.suites)}",
            f"Components: {' '.join(self.components)}",
        ]
        if self.signed_by:
            lines.append(f"Signed-By:{self.signed_by if self.signed_by.startswith(chr(10)) else ' ' + self.signed_by}")
        if self.trusted:
            lines.append("Trusted: yes")
        return "\n".join(lines) + "\n"


def parse_deb822(text: str) -> list[Source]:
    """The enabled binary entries of a '*.sources' file."""
    found = []
    for block in re.split(r"\n[ \t]*\n", _without_comments(text)):
        fields = _fields(block)
        if "deb" not in fields.get("types", "").split() or _says(fields, "enabled", default="yes") == "no":
            continue
        found.append(
            Source(
                uris=tuple(fields.get("uris", "").split()),
                suites=tuple(fields.get("suites", "").split()),
                components=tuple(fields.get("components", "").split()),
                signed_by=fields.get("signed-by", ""),
                trusted=_says(fields, "trusted", default="no") == "yes",
            )
        )
    return found


def parse_one_line(text: str) -> list[Source]:
    """The binary entries of a '*.list' file: 'deb [option=value ...] uri suite component ...'."""
    found = []
    for line in _without_comments(text).splitlines():
        match = re.match(r"\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)((?:\s+\S+)*)\s*$", line.partition("#")[0])
        if match is None:
            continue
        options = dict(part.partition("=")[::2] for part in (match[1] or "").split())
        found.append(
            Source(
                uris=(match[2],),
                suites=(match[3],),
                components=tuple(match[4].split()),
                signed_by=options.get("signed-by", ""),
                trusted=options.get("trusted", "no") == "yes",
            )
        )
    return found


def read_sources(apt: Path = Path("/etc/apt")) -> list[Source]:
    """Every enabled entry of this machine's apt, in apt's order of files; mirror lists are replaced by what they list."""
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    found: list[Source] = []
    for file in files:
        if not file.is_file():
            continue
        if file.suffix == ".sources":
            found += parse_deb822(file.read_text())
        elif file.suffix == ".list":
            found += parse_one_line(file.read_text())
    return [replace(source, uris=_expanded(source.uris)) for source in found]


def for_release(sources: Iterable[Source], release: str) -> list[Source]:
    """Debian's own archive among `sources`, with the suites of `release`; LocalCloudFailed when there is none."""
    candidates = [source for source in (_renamed(each, release) for each in sources) if source.suites]
    # A third party may call its suite 'bookworm' and its component 'main' too, but it signs with a key of its own. A
    # company that signs its copy of Debian anew is believed when nothing is signed by Debian.
    debian = [source for source in candidates if _is_debian(source)] or candidates
    if not any(release in source.suites for source in debian):
        raise LocalCloudFailed(
            "looking for a Debian archive in this machine's apt configuration",
            f"no entry under /etc/apt names Debian's archive ({len(candidates)} entries look alike)",
            "The machines of the local cloud are Debian: add your Debian mirror to /etc/apt/sources.list.d/debian.sources.",
        )
    return list(dict.fromkeys(debian))


def render(sources: Iterable[Source]) -> str:
    """A 'debian.sources' file of these entries."""
    return "\n".join(source.text() for source in sources)


def keyrings(sources: Iterable[Source]) -> tuple[Path, ...]:
    """The keyring files that the entries name and that Debian's own keyring package does not bring."""
    paths = {Path(name) for source in sources for name in source.signed_by.split() if name.startswith("/")}
    return tuple(sorted(path for path in paths if not _is_debian_keyring(str(path))))


def _renamed(source: Source, release: str) -> Source:
    if "main" not in source.components:
        return replace(source, suites=())
    suites = []
    for suite in source.suites:
        match = re.fullmatch(r"([a-z]+)((?:[-/].*)?)", suite)
        if match and match[1] in RELEASES and match[2] in SUFFIXES:
            suites.append(release + SUFFIXES[match[2]])
    return replace(source, suites=tuple(dict.fromkeys(suites)))


def _is_debian(source: Source) -> bool:
    named = source.signed_by.split()
    return not source.signed_by or (named[0].startswith("/") and any(map(_is_debian_keyring, named)))


def _is_debian_keyring(path: str) -> bool:
    return Path(path).name.startswith("debian-archive-")


def _expanded(uris: tuple[str, ...]) -> tuple[str, ...]:
    """Debian's cloud images name a local file of mirrors ('mirror+file:'), which another machine does not have."""
    found: list[str] = []
    for uri in uris:
        path = Path(uri.removeprefix("mirror+file:").replace("//", "/"))
        if uri.startswith("mirror+file:") and path.is_file():
            found += [line.split()[0] for line in _without_comments(path.read_text()).splitlines() if line.strip()]
        else:
            found.append(uri)
    return tuple(found)


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


def _fields(block: str) -> Mapping[str, str]:
    """The fields of one stanza, names in lower case; a continued value keeps its line breaks."""
    fields: dict[str, str] = {}
    name = ""
    for line in block.splitlines():
        if line[:1] in {" ", "\t"} and name:
            fields[name] += "\n" + line
        elif ":" in line:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields


def _says(fields: Mapping[str, str], name: str, default: str) -> str:
    """A yes/no field as apt reads it."""
    value = fields.get(name, default).strip().lower()
    return "no" if value in {"no", "false", "0", "off", "without", "disable"} else "yes" if value else default
