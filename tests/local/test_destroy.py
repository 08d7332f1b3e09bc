"""Down and gone: first with the data kept, then with nothing left."""

from leftovers import things
from trial import NAME, Launched


def test_destroy_keeps_what_is_data(launched: Launched) -> None:
    volume = launched.context.outputs("data")["DataVolumeId"]

    shown = launched.done("destroy")

    assert [] == list(things(NAME))
    context = launched.reopen()
    assert {"data"} == set(context.stacks)
    assert [volume] == [
        found["VolumeId"] for found in context.world.aws("ec2").describe_volumes(VolumeIds=[volume])["Volumes"]
    ]
    assert "launch" in shown


def test_destroy_with_the_data_needs_the_environments_name(launched: Launched) -> None:
    found = launched.run("destroy", "--delete-data", "other")

    assert 2 == found.returncode
    assert {"data"} == set(launched.reopen().stacks)


def test_destroy_with_the_data_leaves_nothing(launched: Launched) -> None:
    launched.done("destroy", "--delete-data", NAME)

    assert [] == list(things(NAME))
    assert not (launched.state / "cloud").exists()
