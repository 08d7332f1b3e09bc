"""What a verdict looks like to a person: a line a check, and why one was left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.cli import console
from bootstrap.values import Check, Verdict


def test_a_check_that_was_left_out_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    checks = (
        Check("Everything holds", "passed", 0.1, "", "network"),
        Check("A build runs: linux", "passed", 21.0, "it waited 21 s", "agents"),
        Check(
            "Machines reach each other",
            "skipped",
            0.0,
            "there is one machine only\ntest_network.py:40: left",
            "network",
        ),
    )

    console.print_verdict(Verdict(checks, Path("verify.xml")))

    assert capsys.readouterr().out.splitlines() == [
        "passed  network  Everything holds",
        "passed  agents   A build runs: linux (it waited 21 s)",
        "skipped network  Machines reach each other (there is one machine only)",
    ]
