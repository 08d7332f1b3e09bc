"""Packages that nobody needs any more: removed alone, kept where something needs them, gone on with after a kill."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from scripted import Answer, ScriptedContext

from bootstrap.remote.converge import removals
from bootstrap.remote.converge.core import Failed, Finding

IT = {"id": "obsolete packages", "kind": "absent_packages", "names": ["old-java", "older-java"]}
NEEDED = """\
dpkg: dependency problems prevent removal of old-java:amd64:
 tool depends on default-java | java8-runtime; however:
  Package default-java is not installed.

dpkg: error processing package old-java (--remove):
 dependency problems - not removing
"""


@dataclass
class Dpkg:
    """Answers as dpkg-query and dpkg do."""

    states: dict[str, str]
    needed: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    breaks: bool = False
    own: str = ""  # what dpkg-query says of a metapackage

    def __call__(self, line: str) -> Answer:
        words = line.split()
        if words[0] == "dpkg-query" and words[-1] == "our-java":
            return self.own
        if words[0] == "dpkg-query":
            return "".join(f"{name} {state}\n" for name, state in self.states.items())
        assert "dpkg" == words[0] and "--remove" in words, line
        names = words[words.index("--remove") + 1 :]
        if "--no-act" in words:
            (name,) = names
            if name in self.held:
                return f"dpkg: package {name} is on hold, not touching it.  Use --force-hold to override\n"
            return (1, NEEDED) if name in self.needed else f"Would remove or purge {name} (1) ...\n"
        if self.breaks:
            return 1, "dpkg: error: its script failed"
        self.states |= dict.fromkeys(names, "config-files")
        return ""


def machine(tmp_path: Path, dpkg: Dpkg) -> ScriptedContext:
    return ScriptedContext(root=tmp_path, script=dpkg)


def found(finding: Finding | None) -> Finding:
    assert finding is not None
    return finding


@pytest.mark.parametrize("state", ["installed", "half-installed", "unpacked", "half-configured"])
def test_what_is_there_or_half_there_is_removed_and_nothing_else(tmp_path: Path, state: str) -> None:
    context = machine(tmp_path, Dpkg({"old-java": state}))
    finding = found(removals.absent_packages(context, IT))
    assert ("remove", "old-java") == (finding.kind, finding.detail)
    finding.act()
    assert "dpkg --remove old-java" == context.ran[-1]
    assert removals.absent_packages(context, IT) is None


@pytest.mark.parametrize("states", [{}, {"old-java": "config-files"}, {"old-java": "not-installed"}])
def test_what_is_gone_is_left_alone_by_one_question(tmp_path: Path, states: dict[str, str]) -> None:
    context = machine(tmp_path, Dpkg(states))
    assert removals.absent_packages(context, IT) is None
    assert 1 == len(context.ran)


def test_where_none_is_named_nothing_is_asked(tmp_path: Path) -> None:
    context = machine(tmp_path, Dpkg({}))
    assert removals.absent_packages(context, {**IT, "names": []}) is None
    assert [] == context.ran


def test_what_another_package_needs_stays_with_a_note_and_the_rest_goes(tmp_path: Path) -> None:
    context = machine(tmp_path, Dpkg({"old-java": "installed", "older-java": "installed"}, needed={"old-java"}))
    assert "older-java" == found(removals.absent_packages(context, IT)).detail
    assert [
        "old-java stays on the machine, but the desired state does not need it: tool depends on default-java | java8-runtime"
    ] == context.notes


def test_a_look_ahead_of_what_makes_it_removable_tells_what_will_go(tmp_path: Path) -> None:
    dpkg = Dpkg({"old-java": "installed"}, needed={"old-java"})
    context = machine(tmp_path, dpkg)
    context.resources = {"meta": {"id": "meta", "name": "our-java", "version": "25", "summary": "", "provides": []}}
    awaiting = {**IT, "awaits": ["meta"]}
    assert "old-java" == found(removals.absent_packages(context, awaiting)).detail
    assert [] == context.notes
    dpkg.own = "installed 25"
    assert removals.absent_packages(context, awaiting) is None
    assert "old-java stays" in context.notes[0]


def test_what_somebody_holds_stays_with_a_note(tmp_path: Path) -> None:
    context = machine(tmp_path, Dpkg({"old-java": "installed"}, held={"old-java"}))
    assert removals.absent_packages(context, IT) is None
    assert "is on hold" in context.notes[0]


def test_a_removal_that_breaks_is_a_failure_with_its_words(tmp_path: Path) -> None:
    context = machine(tmp_path, Dpkg({"old-java": "installed"}, breaks=True))
    with pytest.raises(Failed) as caught:
        found(removals.absent_packages(context, IT)).act()
    assert ("dpkg --remove old-java", "dpkg: error: its script failed") == (caught.value.command, caught.value.tail)
