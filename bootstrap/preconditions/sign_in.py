"""What the provider of `sign_in` needs before something is changed: its plugin in the lock, and a way back in."""

from __future__ import annotations

from bootstrap.context import Context
from bootstrap.environment import settings as environments
from bootstrap.errors import SettingsInvalid
from bootstrap.jenkins.definitions import sign_in as definitions
from bootstrap.runs.journal import Run
from bootstrap.values import Secret


def check_plugins(context: Context) -> None:
    """SettingsInvalid if the lock lacks the plugin of the chosen provider.

    Which version there is for the locked core, and what it requires, only an update center knows: nothing here guesses it.
    """
    provider = context.settings.provider
    missing = [name for name in definitions.list_plugins(provider) if name not in context.lock.pins]
    if provider is None or not missing:
        return
    reason = f"{context.lock.path.name} does not have the plugin {', '.join(missing)}, which Jenkins needs for it"
    faults = environments.place_faults(context.environment_file, [(("sign_in", provider.kind), reason)])
    remedy = (
        f"Run: {context.tool} jenkins lock --add {' '.join(missing)}. It asks the update center for the version that fits "
        "the locked core, and adds what that one requires. It needs the Internet, or a mirror (docs/operations.md)."
    )
    raise SettingsInvalid(
        f"looking for the plugin by which people sign in to '{context.settings.name}'", faults, remedy
    )


def report(context: Context, run: Run) -> None:
    """One line where people keep accounts in Jenkins itself though the file has a provider."""
    section = context.settings.sign_in
    if section is not None and context.settings.provider is None:
        run.notice(
            f"sign_in.{section.kind} is not used: {context.settings.emulator_key} is 'emulator', which has accounts of its own "
            "alone; people sign in with those"
        )


def make_way_back(context: Context, admin_hash: Secret) -> dict[str, Secret]:
    """The hash with which the administrator signs in while the provider does not answer, by the name of its file.

    `admin_hash` is in the form of Jenkins' own user database. Nothing for SAML and LDAP, whose plugins have no such way.
    """
    provider = context.settings.provider
    if provider is None or provider.kind != "oidc":
        return {}
    return {definitions.WAY_BACK: Secret(admin_hash.reveal().removeprefix(definitions.HASH_PREFIX))}
