"""The reason of an event for a fault of the engine names the exception and its place."""

from bootstrap.local.aws.cloudformation.errors import describe_failure


def test_the_reason_names_the_line_that_raised() -> None:
    """A run whose log is gone still says where the engine failed."""
    try:
        raise RuntimeError("dictionary changed")
    except RuntimeError as failure:
        text = describe_failure(failure)
    assert text.startswith(
        "Internal Failure: a fault of the local cloud, not of the template: RuntimeError: dictionary"
    )
    assert "raised at test_errors.py:" in text


def test_a_failure_that_was_never_raised_has_no_place() -> None:
    """Nothing is invented."""
    assert describe_failure(ValueError("x")).endswith("ValueError: x")
