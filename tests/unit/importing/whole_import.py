"""A whole import of the recorded Jenkins into a folder."""

from recorded_jenkins import FOLDER, FREESTYLE, PIPELINE

from bootstrap.importing.conversion import Imported, describe


def fill(other) -> None:
    """A folder with two jobs, and one job beside it."""
    other.list_jobs("", "team", "build it", views=("wall",))
    other.add_job("job/team/", FOLDER)
    other.list_jobs("team", "free", "pipe")
    other.add_job("job/team/job/free/", FREESTYLE)
    other.add_job("job/team/job/pipe/", PIPELINE)
    other.add_job("job/build%20it/", FREESTYLE.replace("<canRoam>false", "<canRoam>true"))


def tell(imported: Imported) -> str:
    return "\n".join(describe(imported))
