"""Makes apt sources for the Debian release of the machine image from the apt sources of this machine.

The image comes from the same archive, mirror or proxy that the operator's machine uses; no mirror is built in. This module
reads apt's entries in both formats (sources.list(5)), selects those of Debian's own archive, and replaces their suites. It
downloads nothing.
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
# Without backports and proposed updates: a machine image has only the release and its updates.
SUFFIXES = {"": "", "-updates": "-updates", "-security": "-security", "/updates": "-security"}


@dataclass(frozen=True)
class Source:
    """One entry: URIs, suites, components, and `signed_by` (the path of a keyring, or an armoured key, or '')."""

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""
    trusted: bool = False

    def format_text(self) -> str:
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
    entries = []
    for block in re.split(r"\n[ \t]*\n", _remove_comments(text)):
        fields = _parse_fields(block)
        if "deb" not in fields.get("types", "").split() or _parse_yes_or_no(fields, "enabled", default="yes") == "no":
            continue
        entries.append(
            Source(
                uris=tuple(fields.get("uris", "").split()),
                suites=tuple(fields.get("suites", "").split()),
                components=tuple(fields.get("components", "").split()),
                signed_by=fields.get("signed-by", ""),
                trusted=_parse_yes_or_no(fields, "trusted", default="no") == "yes",
            )
        )
    return entries


def parse_one_line(text: str) -> list[Source]:
    """The binary entries of a '*.list' file: 'deb [option=value ...] uri suite component ...'."""
    entries = []
    for line in _remove_comments(text).splitlines():
        match = re.match(r"\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)((?:\s+\S+)*)\s*$", line.partition("#")[0])
        if match is None:
            continue
        options = dict(part.partition("=")[::2] for part in (match[1] or "").split())
        entries.append(
            Source(
                uris=(match[2],),
                suites=(match[3],),
                components=tuple(match[4].split()),
                signed_by=options.get("signed-by", ""),
                trusted=options.get("trusted", "no") == "yes",
            )
        )
    return entries


def read_sources(apt: Path = Path("/etc/apt")) -> list[Source]:
    """Every enabled entry of this machine's apt, in apt's order of files; mirror lists are replaced by their mirrors."""
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    entries: list[Source] = []
    for file in files:
        if not file.is_file():
            continue
        if file.suffix == ".sources":
            entries += parse_deb822(file.read_text())
        elif file.suffix == ".list":
            entries += parse_one_line(file.read_text())
    return [replace(source, uris=_expand_mirror_lists(source.uris)) for source in entries]


def adapt_to_release(sources: Iterable[Source], release: str) -> list[Source]:
    """The entries of Debian's own archive in `sources`, with the suites of `release`; LocalCloudFailed if there are none."""
    candidates = [source for source in (_change_suites(each, release) for each in sources) if source.suites]
    # A third party can also have a suite 'bookworm' with a component 'main', but it signs with its own key. The copy of a
    # company that signs Debian again is accepted if no entry is signed by Debian.
    debian = [source for source in candidates if _is_debian(source)] or candidates
    if not any(release in source.suites for source in debian):
        raise LocalCloudFailed(
            "looking for a Debian archive in this machine's apt configuration",
            f"no entry under /etc/apt names Debian's archive ({len(candidates)} entries look alike)",
            "The machines of the local cloud are Debian: add your Debian mirror to /etc/apt/sources.list.d/debian.sources.",
        )
    return list(dict.fromkeys(debian))


def render(sources: Iterable[Source]) -> str:
    """The text of a 'debian.sources' file with these entries."""
    return "\n".join(source.format_text() for source in sources)


def list_keyrings(sources: Iterable[Source]) -> tuple[Path, ...]:
    """The keyring files of the entries that are not in Debian's own keyring package."""
    paths = {Path(name) for source in sources for name in source.signed_by.split() if name.startswith("/")}
    return tuple(sorted(path for path in paths if not _is_debian_keyring(str(path))))


def _change_suites(source: Source, release: str) -> Source:
    if "main" not in source.components:
        return replace(source, suites=())
    suites = []
    for suite in source.suites:
        match = re.fullmatch(r"([a-z]+)((?:[-/].*)?)", suite)
        if match and match[1] in RELEASES and match[2] in SUFFIXES:
            suites.append(release + SUFFIXES[match[2]])
    return replace(source, suites=tuple(dict.fromkeys(suites)))


def _is_debian(source: Source) -> bool:
    keyrings_named = source.signed_by.split()
    return not source.signed_by or (keyrings_named[0].startswith("/") and any(map(_is_debian_keyring, keyrings_named)))


def _is_debian_keyring(path: str) -> bool:
    return Path(path).name.startswith("debian-archive-")


def _expand_mirror_lists(uris: tuple[str, ...]) -> tuple[str, ...]:
    """Replace local lists of mirrors ('mirror+file:', as in Debian's cloud images), which a machine does not have."""
    expanded: list[str] = []
    for uri in uris:
        path = Path(uri.removeprefix("mirror+file:").replace("//", "/"))
        if uri.startswith("mirror+file:") and path.is_file():
            expanded += [line.split()[0] for line in _remove_comments(path.read_text()).splitlines() if line.strip()]
        else:
            expanded.append(uri)
    return tuple(expanded)


def _remove_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


def _parse_fields(block: str) -> Mapping[str, str]:
    """The fields of one stanza, names in lower case; a value of several lines keeps its line breaks."""
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


def _parse_yes_or_no(fields: Mapping[str, str], name: str, default: str) -> str:
    """The value of a yes/no field, as apt interprets it."""
    value = fields.get(name, default).strip().lower()
    return "no" if value in {"no", "false", "0", "off", "without", "disable"} else "yes" if value else default
