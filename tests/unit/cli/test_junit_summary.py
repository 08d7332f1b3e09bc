"""The end of a test run: totals, skips with their reasons, the slowest tests."""

from pathlib import Path

from bootstrap.cli.junit_summary import read_outcomes, summarize

UNIT = """<testsuites><testsuite>
<testcase classname="tests.unit.test_one" name="test_a" time="0.5" />
<testcase classname="tests.unit.test_one" name="test_b" time="2.0"><skipped message="no chromium here" /></testcase>
</testsuite></testsuites>"""
LOCAL = """<testsuites><testsuite>
<testcase classname="tests.local.test_two" name="test_c" time="40.1"><failure message="assert 1 == 2&#10;more" /></testcase>
</testsuite></testsuites>"""


def test_the_summary_names_skips_failures_and_the_slowest_and_ends_with_the_totals(tmp_path: Path) -> None:
    (tmp_path / "unit.xml").write_text(UNIT)
    (tmp_path / "launched.xml").write_text(LOCAL)

    shown = summarize(read_outcomes(tmp_path)).splitlines()

    assert "skipped in unit: no chromium here" in shown
    assert "    40.1 s  launched  tests.local.test_two.test_c" in shown
    assert "  launched  tests.local.test_two.test_c: assert 1 == 2" in shown
    assert "1 passed, 1 failed, 1 skipped" == shown[-1]


def test_only_the_ten_slowest_are_told(tmp_path: Path) -> None:
    cases = "".join(f'<testcase classname="c" name="t{number}" time="{number}" />' for number in range(30))
    (tmp_path / "unit.xml").write_text(f"<testsuite>{cases}</testsuite>")

    shown = summarize(read_outcomes(tmp_path))

    assert "c.t29" in shown
    assert "c.t20" in shown
    assert "c.t19" not in shown


def test_a_part_that_ended_half_way_counts_as_failed(tmp_path: Path) -> None:
    (tmp_path / "aws.xml").write_text("<testsuite><testcase")

    assert summarize(read_outcomes(tmp_path)).endswith("0 passed, 1 failed, 0 skipped")
