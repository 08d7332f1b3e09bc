"""What happens to the stashes of a Pipeline after its end, and to a restart from a stage: read in the plugins' sources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.own_process, pytest.mark.only_read]

STASHING = "node { writeFile file: 'a', text: 'a'; stash 'some'; unstash 'some' }"
STASH = "writeFile file: 'a', text: 'a'; stash 'some'"
DECLARATIVE = f"pipeline {{{{ agent any\n {{}} \n stages {{{{ stage('a') {{{{ steps {{{{ {STASH} }}}} }}}} }}}} }}}}"


def list_stashed(fresh: Any, job: str) -> list[str]:
    """The numbers of the builds that have a stash."""
    return sorted(path.parts[-3] for path in (fresh.home / "jobs" / job / "builds").glob("*/stashes/some.tar.gz"))


def test_a_build_has_no_stash_after_its_end_unless_its_job_preserves_the_newest(
    fresh: Any, connect: Callable[[Any], Any], pipeline: Callable[[str], str]
) -> None:
    fresh.start()
    server = connect(fresh)
    scripts = {"plain": STASHING, "keeps": DECLARATIVE.format("options { preserveStashes(buildCount: 2) }")}
    for job, script in scripts.items():
        server.create("", job, pipeline(script))
        for _ in range(3):
            assert "SUCCESS" == server.run(job)[0]["result"]

    assert ([], ["2", "3"]) == (list_stashed(fresh, "plain"), list_stashed(fresh, "keeps"))


def test_a_restart_from_a_stage_is_refused_in_the_emulators_name_where_jenkins_could_do_it(
    fresh: Any, connect: Callable[[Any], Any], pipeline: Callable[[str], str]
) -> None:
    fresh.start()
    server = connect(fresh)
    scripts = {
        "scripted": "echo 'x'",
        "declarative": DECLARATIVE.format(""),
        "never": DECLARATIVE.format("options { disableRestartFromStage() }"),
    }
    for job, script in scripts.items():
        server.create("", job, pipeline(script))
        server.run(job)

    path = "restart/restartPipeline?stageName=a"
    assert {"scripted": 404, "declarative": 501, "never": 404} == {
        job: server.post(f"job/{job}/1/{path}").status_code for job in scripts
    }
    answer = server.get("job/declarative/1/restart/api/json")
    assert (501, True) == (answer.status_code, "the emulator does not restart" in answer.text)
    assert 501 == server.post("job/declarative/1/restart/restart").status_code
    server.post("job/declarative/disable")
    assert 404 == server.get("job/declarative/1/restart/").status_code


@pytest.mark.parametrize("count", [0, 51])
def test_a_wrong_number_of_builds_is_refused_before_the_build_begins(
    server: Any, name: str, pipeline: Callable[[str], str], count: int
) -> None:
    server.create("", name, pipeline(DECLARATIVE.format(f"options {{ preserveStashes(buildCount: {count}) }}")))

    build, log = server.run(name)

    assert "FAILURE" == build["result"]
    assert "The number of builds to preserve must be between 1 and 50. @ line 2" in log
    assert "Stashed" not in log
