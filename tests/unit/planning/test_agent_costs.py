"""What groups of agents cost: always, and by use."""

from bootstrap.environment.agents import AgentGroup
from bootstrap.environment.models import Settings
from bootstrap.planning import agent_costs
from bootstrap.values import Stack

GROUPS = {
    "linux": AgentGroup(minimum=1, spare=2, maximum=5, disk_gib=30),
    "spot": AgentGroup(spot=True, minimum=1, maximum=4),
    "idle": AgentGroup(instance_types=("m6i.large",), maximum=1),
    "full": AgentGroup(minimum=2, maximum=2),
}
SETTINGS = Settings(environment="trial", cloud="local", owner="a", cost_center="b", agents=GROUPS)
STACKS = [f"agents-{label}" for label in GROUPS]
PRICES = {"instances": {"t3.large": "0.1"}}


def test_instances_that_always_run_are_those_that_stand_by_or_more() -> None:
    assert [
        ("agents 'linux' t3.large", "instances", "t3.large", 2),
        ("agents 'idle' m6i.large", "instances", "m6i.large", 0),
        ("agents 'full' t3.large", "instances", "t3.large", 2),
    ] == list(agent_costs.list_options(SETTINGS, STACKS))
    assert 2 * 30 + 1 * 20 + 0 + 2 * 20 == agent_costs.count_standing_gib(SETTINGS, STACKS)


def test_a_group_without_a_stack_costs_nothing() -> None:
    assert [] == list(agent_costs.list_options(SETTINGS, ["network"]))
    assert 30 * 2 == agent_costs.count_standing_gib(SETTINGS, ["agents-linux"])


def test_what_may_come_is_told_by_the_hour() -> None:
    """Not of a group that cannot grow, nor of a type without a price."""
    assert [
        "up to 3 more agents 'linux', each 0.1 an hour",
        "1 to 4 agents 'spot' at the price of Spot",
    ] == list(agent_costs.list_by_use(SETTINGS, PRICES))


def test_the_groups_that_exist_are_read_from_their_stacks() -> None:
    values = {"InstanceType1": "m6i.large", "Spot": "yes", "Minimum": "3", "Maximum": "4", "DiskGib": "50"}
    stacks = {
        "network": Stack("jenkins-trial-network", "CREATE_COMPLETE", {}, {"InstanceType1": "t3.large"}),
        "agents-old": Stack("jenkins-trial-agents-old", "CREATE_COMPLETE", {}, values),
        "agents-linux": Stack("jenkins-trial-agents-linux", "CREATE_COMPLETE", {}, {**values, "Maximum": "1"}),
        "agents-half": Stack("jenkins-trial-agents-half", "REVIEW_IN_PROGRESS"),
    }

    found = agent_costs.read_standing_groups(SETTINGS, stacks)

    assert {"old", "linux"} == set(found)
    assert (3, 4, 0, 50, True) == (
        found["old"].minimum,
        found["old"].maximum,
        found["old"].spare,
        found["old"].disk_gib,
        found["old"].spot,
    )
    # What stands by is only in the environment file, and never more than the stack lets run.
    assert (1, 1, 1) == (found["linux"].minimum, found["linux"].maximum, found["linux"].spare)
