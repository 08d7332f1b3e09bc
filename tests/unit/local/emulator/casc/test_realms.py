"""A user database that the emulator lacks is refused in its own name: as it stands, it would let nobody in, or everybody."""

import pytest

from bootstrap.local.emulator.casc.applying import ConfigurationRefused, require_modelled


@pytest.mark.parametrize("realm", ["legacy", "ldap", "oic"])
def test_a_user_database_that_is_lacking_is_refused(realm: str) -> None:
    with pytest.raises(ConfigurationRefused) as caught:
        require_modelled({"jenkins": {"securityRealm": {realm: {}}}})

    (issue,) = caught.value.issues
    assert issue.said.startswith(
        f"The emulator of Jenkins has no security realm {realm} (jenkins.securityRealm.{realm})"
    )


@pytest.mark.parametrize("realm", ["local", "none"])
def test_those_that_are_there_are_taken(realm: str) -> None:
    require_modelled({"jenkins": {"securityRealm": {realm: {}}}})
    require_modelled({})
