"""The solver against drawn update centers: what it returns holds by the definition, and what it refuses has no solution."""

import base64
import hashlib
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.jenkins.distribution.metadata import Metadata
from bootstrap.jenkins.distribution.releases import Release, Releases
from bootstrap.jenkins.distribution.solve import Unsolvable, Wish, solve

CORE = 2
NAMES = "abcd"
Drawn = dict[str, dict[int, tuple[int, dict[str, tuple[int, bool]]]]]

RELEASES = st.dictionaries(
    st.integers(1, 3),
    st.tuples(
        st.integers(1, CORE + 1),
        st.dictionaries(st.sampled_from(NAMES), st.tuples(st.integers(1, 3), st.booleans()), max_size=2),
    ),
    min_size=1,
)
CENTERS = st.dictionaries(st.sampled_from(NAMES), RELEASES, min_size=1)
LOCKS = st.dictionaries(st.sampled_from(NAMES), st.integers(1, 3))
REQUESTS = st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=3)


def make_releases(drawn: Drawn) -> Releases:
    plugins: dict[str, Any] = {}
    for name, versions in drawn.items():
        for version, (core, needs) in versions.items():
            dependencies = [
                {"name": needed, "version": str(least), "optional": is_optional}
                for needed, (least, is_optional) in needs.items()
                if needed != name
            ]
            digest = base64.b64encode(hashlib.sha256(f"{name}{version}".encode()).digest()).decode()
            entry = {"requiredCore": str(core), "dependencies": dependencies, "sha256": digest}
            plugins.setdefault(name, {})[str(version)] = entry
    return Releases(Metadata(plugins, {}, None))


def is_closed(chosen: Mapping[str, Release], requested: list[str]) -> bool:
    """By the definition: nothing is missing, nothing is too old, nothing needs a newer core, and nothing is left over."""
    reached, waiting = set(), list(requested)
    while waiting:
        name = waiting.pop()
        if name not in chosen:
            return False
        if name not in reached:
            reached.add(name)
            waiting += chosen[name].needs
    return reached == chosen.keys() and all(
        int(release.core) <= CORE
        and all(int(chosen[needed].version) >= int(least) for needed, least in release.needs.items())
        and all(needed not in chosen or int(chosen[needed].version) >= int(least)
                for needed, least in release.optional.items())
        for release in chosen.values()
    )  # fmt: skip


def list_sets(releases: Releases, names: str) -> Iterator[dict[str, Release]]:
    """Every set of releases that there is."""
    choices = [[None, *releases.list_releases(name).values()] for name in names]
    for chosen in itertools.product(*choices):
        yield {release.name: release for release in chosen if release is not None}


@settings(max_examples=400)
@given(CENTERS, LOCKS, REQUESTS, st.sets(st.sampled_from(NAMES)))
def test_a_solution_is_closed_and_lowers_nothing(
    drawn: Drawn, locked: dict[str, int], requested: list[str], upgrades: set[str]
) -> None:
    releases = make_releases(drawn)
    versions = {name: str(version) for name, version in locked.items()}
    try:
        solution = solve(releases, Wish(str(CORE), requested, versions, {}, frozenset(upgrades & locked.keys())))
    except Unsolvable as error:
        assert error.faults
        return

    assert is_closed(solution.releases, requested)
    for name, version in locked.items():
        if name in solution.releases:
            assert int(solution.releases[name].version) >= version
    assert solution.raised.keys() <= solution.releases.keys()


@settings(max_examples=400)
@given(CENTERS, LOCKS, REQUESTS)
def test_a_lock_that_is_a_solution_already_stays(drawn: Drawn, locked: dict[str, int], requested: list[str]) -> None:
    releases = make_releases(drawn)
    versions = {name: str(version) for name, version in locked.items()}
    found = {name: releases.find(name, version) for name, version in versions.items()}
    chosen = {name: release for name, release in found.items() if release is not None}
    if len(chosen) < len(found) or not is_closed(chosen, requested):
        return

    assert chosen == solve(releases, Wish(str(CORE), requested, versions)).releases


@settings(max_examples=400)
@given(CENTERS, LOCKS, REQUESTS)
def test_what_is_refused_has_no_set_of_newest_versions(
    drawn: Drawn, locked: dict[str, int], requested: list[str]
) -> None:
    """A set in which each plugin has its newest release for the core, and each locked one its own version, is found."""
    releases = make_releases(drawn)
    versions = {name: str(version) for name, version in locked.items()}
    wanted = {
        name: releases.find(name, versions[name])
        if name in versions
        else next(iter(releases.list_for_core(name, str(CORE))), None)
        for name in NAMES
    }
    try:
        solve(releases, Wish(str(CORE), requested, versions))
    except Unsolvable:
        sets = [each for each in list_sets(releases, NAMES) if is_closed(each, requested)]
        assert not any(all(wanted[name] == release for name, release in each.items()) for each in sets)


def test_a_version_that_spares_the_locked_ones_but_leads_nowhere_is_not_the_end() -> None:
    releases = make_releases({
        "a": {1: (1, {"b": (9, False)}), 2: (1, {"c": (2, False)})},
        "b": {1: (1, {})},
        "c": {1: (1, {}), 2: (1, {})},
    })  # fmt: skip

    solution = solve(releases, Wish(str(CORE), ["a", "c"], {"c": "1"}))

    assert {"a": "2", "c": "2"} == {name: release.version for name, release in solution.releases.items()}
    assert "a 2 requires c 2" == str(solution.raised["c"])
