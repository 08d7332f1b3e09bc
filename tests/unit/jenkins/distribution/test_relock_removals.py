"""`jenkins lock` removes what nothing requires any more, and keeps what somebody requested."""

from bootstrap.jenkins.distribution import load_lock, needs
from tests.unit.jenkins.distribution.relocking import Project, check


def test_what_nothing_requires_any_more_is_removed(project: Project) -> None:
    project.run("--remove", "bee")

    assert {"mole": "1.0", "yak": "1.0"} == project.versions()
    text = project.lock_file.read_text()
    assert "  # used by the jobs\n  - mole  # because of the garden\n  # used by nobody\n  - yak\n" in text
    assert "- api  1.0, nothing requires it\n" in project.output()
    assert {"mole", "yak"} == needs.load_table(project.needs_file).rows.keys()
    check(project)


def test_a_removed_request_stays_if_another_plugin_requires_it(project: Project) -> None:
    project.run("--add", "api")
    project.output()

    project.run("--remove", "api")

    assert "1.0" == project.versions()["api"]
    assert "api" not in load_lock(project.lock_file).requested
    assert "! api stays in the lock, although it is no longer requested: bee 1.0 requires it\n" in project.output()
    check(project)


def test_a_plugin_that_nobody_requested_and_nothing_requires_is_removed(project: Project) -> None:
    project.center.publish("cow", "2.0")
    with project.lock_file.open("a") as file:
        file.write('  cow: {version: "2.0", sha256: null}\n')

    project.run("--remove", "cow")

    assert "cow" not in project.lock_file.read_text()
    check(project)


def test_the_heading_of_a_group_stays_when_its_first_plugin_is_removed(project: Project) -> None:
    project.center.publish("bee", "2.0", "honey:1,wax:1")
    project.center.publish("honey", "1")
    project.center.publish("wax", "1")

    project.run("--upgrade", "bee")

    text = project.lock_file.read_text()
    assert '  # Libraries.\n  honey: {version: "1", sha256: ' in text
    assert "api:" not in text
    check(project)


def test_a_plugin_that_somebody_wrote_into_the_lock_is_requested_from_then_on(project: Project) -> None:
    project.center.publish("cow", "2.0", "grass:1.0")
    project.center.publish("grass", "1.0")
    with project.lock_file.open("a") as file:
        file.write('  cow: {version: "2.0", sha256: null}\n  grass: {version: "1.0", sha256: null}\n')

    project.run()

    lock = load_lock(project.lock_file)
    assert ["bee", "cow", "mole", "yak"] == list(lock.requested)
    assert ("2.0", "1.0") == (lock.plugins["cow"], lock.plugins["grass"])
    check(project)


def test_a_lock_without_requests_gets_them(project: Project) -> None:
    text = project.lock_file.read_text()
    begin, end = text.index("# what we"), text.index("plugins:\n")
    project.lock_file.write_text(text[:begin] + text[end:])

    project.run()

    assert ["bee", "mole", "yak"] == list(load_lock(project.lock_file).requested)
    check(project)


def test_a_name_in_requested_alone_is_enough(project: Project) -> None:
    project.center.publish("locale", "2.0")
    project.lock_file.write_text(project.lock_file.read_text().replace("  - yak\n", "  - locale\n  - yak\n"))

    project.run()

    assert "2.0" == project.versions()["locale"]
    check(project)
