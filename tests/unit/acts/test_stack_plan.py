"""What the stack act plans, and how it refuses what cannot be planned, against a CloudFormation of few words."""

import pytest

from bootstrap.acts import stack
from bootstrap.acts.stack import StackTemplate
from bootstrap.errors import StackFailed, TemplateInvalid
from bootstrap.values import ChangeKind
from tests.unit.acts.scripted_cloudformation import SAME, TAGS, TEMPLATE, Cloud, altered, apply


def test_a_stack_that_was_only_planned_is_none() -> None:
    assert None is stack.read(Cloud("REVIEW_IN_PROGRESS"), "it")


@pytest.mark.parametrize("status", ["DELETE_IN_PROGRESS", "IMPORT_ROLLBACK_FAILED", "ROLLBACK_IN_PROGRESS"])
def test_a_plan_over_what_cannot_be_planned_names_the_status_and_the_way_out(
    status: str, wished: StackTemplate
) -> None:
    """States that the local cloud does not get into by itself: an import that failed twice, somebody else's deletion."""
    with pytest.raises(StackFailed) as caught:
        stack.plan(Cloud(status), wished)

    assert f"it is {status}" == caught.value.found
    assert "again" in caught.value.remedy


@pytest.mark.parametrize(("protect", "before"), [(True, False), (False, True)])
def test_protection_is_as_wished_even_where_nothing_else_changes(
    protect: bool, before: bool, wished: StackTemplate
) -> None:
    cloud = Cloud("CREATE_COMPLETE", proposals=[SAME], protected=before, **TAGS)

    apply(cloud, StackTemplate(wished.name, wished.path, wished.parameters, TAGS, protect=protect))

    assert protect == cloud.stack["EnableTerminationProtection"]


def test_a_change_set_that_cannot_be_computed_tells_why_and_goes(wished: StackTemplate) -> None:
    cloud = Cloud("CREATE_COMPLETE", proposals=["Parameter validation failed: no such subnet"])

    with pytest.raises(StackFailed, match="no such subnet"):
        apply(cloud, wished)

    assert {} == cloud.sets


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"Size": "1", "Sise": "2"}, "the template has no parameter 'Sise'"),
        ({}, "the parameter 'Size' has no default and was not given"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_before_anything(
    parameters: dict[str, str], message: str, wished: StackTemplate
) -> None:
    cloud = Cloud()

    with pytest.raises(TemplateInvalid) as caught:
        apply(cloud, StackTemplate("it", wished.path, parameters, TAGS))

    assert [(3, message)] == [(fault.line, fault.message) for fault in caught.value.faults]
    assert [] == cloud.calls


def test_a_template_that_is_too_large_is_refused_before_anything(wished: StackTemplate) -> None:
    wished.path.write_text(TEMPLATE + "#" * 51200)

    with pytest.raises(TemplateInvalid, match="two stacks"):
        apply(Cloud(), wished)


def test_a_plan_of_a_new_stack_leaves_nothing_behind(wished: StackTemplate) -> None:
    cloud = Cloud(proposals=[[altered(action="Add")]])

    assert ["it/Group"] == [change.name for change in stack.plan(cloud, wished, sleep=lambda _: None)]
    assert ({}, {}) == (cloud.stack, cloud.sets)


def test_a_plan_of_a_good_stack_is_empty(wished: StackTemplate) -> None:
    cloud = Cloud("CREATE_COMPLETE", proposals=[SAME], Commit="old")

    assert () == stack.plan(cloud, wished, sleep=lambda _: None)
    assert ("CREATE_COMPLETE", {}) == (cloud.stack["StackStatus"], cloud.sets)


def test_a_plan_shows_a_change_that_no_resource_has(wished: StackTemplate) -> None:
    cloud = Cloud("CREATE_COMPLETE", proposals=[[]])

    assert [ChangeKind.ALTER] == [change.kind for change in stack.plan(cloud, wished, sleep=lambda _: None)]


def test_a_plan_over_the_remains_of_a_failed_creation_says_so(wished: StackTemplate) -> None:
    found = stack.plan(Cloud("ROLLBACK_COMPLETE"), wished)

    assert [(ChangeKind.REPLACE, "it")] == [(change.kind, change.name) for change in found]


def test_a_plan_does_not_wait(wished: StackTemplate) -> None:
    with pytest.raises(StackFailed, match="UPDATE_IN_PROGRESS"):
        stack.plan(Cloud("UPDATE_IN_PROGRESS"), wished)
