"""A Jenkins that answers with anything: it is told and not written, and it never breaks the command."""

import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorded_jenkins import FREESTYLE

from bootstrap.errors import ImportFailed
from bootstrap.importing import plugins as plugin_list
from bootstrap.importing import reading
from bootstrap.importing.conversion import describe
from bootstrap.importing.source import Answer
from tests.unit.importing.whole_import import tell


def test_the_report_has_one_line_of_visible_characters_for_each_thing(other, import_it, tmp_path: Path) -> None:
    long = "x" * 500
    export = f'"{long}\\ud800\\u202e": {{a: 1}}\nunclassified: {{x: [{{name: "n\\u202e\\e[1m\\ud800{long}", token: abc}}]}}\n'
    other.add("POST configuration-as-code/export", {"status": 200, "body": export})
    other.list_jobs("", "odd")
    step = "<x.Step plugin='x@1'><y>a\u202e\x85b</y></x.Step>"
    sandbox = "<definition class='org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition'><script>x</script>"
    xml = f"<flow-definition><properties>{step}</properties>{sandbox}<sandbox>\u202efalse\u2028</sandbox></definition>"
    other.add_job("job/odd/", f"{xml}</flow-definition>")
    imported = import_it()
    assert len(imported.differing) == 1 and imported.secrets
    lines = (tmp_path / "into" / "report.txt").read_bytes().decode().removesuffix("\n").split("\n")
    assert lines == describe(imported) and all(line.isprintable() and len(line) < 1000 for line in lines)
    assert all(len(secret.place) <= 120 for secret in imported.secrets)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["jobs", "views", "name", "computer", "plugins", "shortName", "version", "dependencies", "displayName"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(jobs=VALUES, plugins=VALUES, computers=VALUES)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_is_read_or_refused_and_never_breaks_the_command(jobs, plugins, computers) -> None:
    class Any:
        url = "https://ci.example.org/"

        def get(self, path: str, tree: str = "") -> Answer:
            return Answer(200, {"X-Jenkins": "2"}, FREESTYLE.encode())

        def export_settings(self) -> Answer:
            return Answer(404, {}, b"")

        def get_json(self, path: str, tree: str) -> object:
            return plugins if "plugin" in path else computers if "computer" in path else jobs

    found = reading.read(Any())
    listed = plugin_list.read(found.plugins, found.notes)
    list(plugin_list.judge(listed, {}))
    plugin_list.write(listed, {})
    assert all(str(note).isprintable() for note in found.notes)


@pytest.mark.parametrize(
    "xml",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><project>&b;</project>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><project/>',
        "<a>" * 5000 + "</a>" * 5000,
        "<project>" + "<a/>" * 100_000 + "</project>",
        "no xml",
        "",
        "<project>\x01</project>",
        "<project><a:b/></project>",
    ],
)
def test_hostile_xml_is_told_and_not_written(xml: str, other, import_it, tmp_path: Path) -> None:
    other.list_jobs("", "bad", "good")
    other.add_job("job/bad/", xml)
    other.add_job("job/good/", FREESTYLE)
    imported = import_it()
    assert "job bad: its configuration cannot be read: line" in tell(imported)
    assert [each.name for each in imported.outcomes] == ["good"]
    assert not (tmp_path / "into" / "jobs" / "raw" / "bad.xml").exists()


def test_all_jobs_together_have_a_greatest_number_of_elements(
    other, import_it, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(reading, "MOST_ELEMENTS", 50)
    other.list_jobs("", "a", "b")
    for name in ("a", "b"):
        other.add_job(f"job/{name}/", f"<project>{'<x/>' * 30}</project>")
    with pytest.raises(ImportFailed, match="more than 50 elements of XML together"):
        import_it()
    assert not (tmp_path / "into").exists()


@pytest.mark.parametrize(
    ("export", "said"),
    [
        (
            "a: &a [x,x,x,x,x,x,x,x,x]\n"
            + "".join(f"{b}: &{b} [*{a}{f',*{a}' * 8}]\n" for a, b in itertools.pairwise("abcdefgh")),
            "values",
        ),
        ("a: &a {b: *a}\n", "nested more than 100 deep"),
        ("[" * 5000, "nested too deeply"),
        ("a: [" * 500 + "]" * 500, "nested"),
        ("x" * 5_000_000, "characters"),
        ("- a\n", "not a mapping"),
        ("a: !!python/object/apply:os.system [x]\nb: {c: 'x\n", "not YAML"),
    ],
)
def test_a_hostile_export_is_told_and_not_written(export: str, said: str, other, import_it, tmp_path: Path) -> None:
    other.add("POST configuration-as-code/export", {"status": 200, "body": export})
    note = next(note for note in import_it().notes if note.kind == "settings")
    assert "the export cannot be used" in note.why and said in note.why
    assert not (tmp_path / "into" / "casc").exists()
