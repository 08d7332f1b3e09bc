"""Gathers what decides how the machine should be, from the settings, the stacks and this machine; the host act takes it.

Looking and doing share this: for a plan nothing is issued or downloaded that is not there already, save the distribution.
"""

from __future__ import annotations

from bootstrap.acts import casc
from bootstrap.cloud.secrets import ensure_certificates
from bootstrap.context import ROOT, Context
from bootstrap.jenkins.controller.password_hash import hash_password
from bootstrap.preconditions import jenkins_files
from bootstrap.remote import operator_machine, toolkit_repository
from bootstrap.remote.artifacts import Artifact, hash_of, pack
from bootstrap.remote.desired.inputs import HostInputs, Toolkit
from bootstrap.runs.journal import Run
from bootstrap.values import Change, ChangeKind

EMULATOR = ROOT / "bootstrap" / "local" / "emulator"
# The names under which CasC asks for the hashes of passwords, and the data stack's outputs that name the passwords.
_PASSWORDS = {"ADMIN_PASSWORD": "AdminPasswordSecret", "TOOLKIT_PASSWORD": "ToolkitPasswordSecret"}


def gather(context: Context, run: Run) -> tuple[HostInputs, dict[str, Artifact]]:
    """The machine's desired state and the files it may have to be sent, by SHA-256."""
    software, artifacts = pack(jenkins_files.obtain(context, run), EMULATOR)
    toolkit = _toolkit(context, artifacts, run)
    host = context.url.removeprefix("https://").rstrip("/")
    names = [it for it in dict.fromkeys((host, *context.settings.names)) if it != context.machine.address]
    addresses = [context.machine.address]
    arn = context.outputs("data")["CertificatesSecret"]
    certificates, is_new = ensure_certificates(context.world.aws("secretsmanager"), arn, names, addresses)
    if is_new:
        run.change(Change("host", ChangeKind.ADD, "certificates", f"for {', '.join([*names, *addresses])}"))
    data = context.outputs("data")
    secrets = {name: hash_password(context.secret(output), data[output]) for name, output in _PASSWORDS.items()}
    casc.require_final(secrets)
    inputs = HostInputs(
        settings=context.settings,
        instance_id=context.machine.instance_id,
        data_volume_id=context.outputs("data")["DataVolumeId"],
        url=context.url,
        software=software,
        secrets=secrets,
        toolkit_password=context.secret("ToolkitPasswordSecret"),
        toolkit_token=context.secret("ToolkitTokenSecret"),
        certificate=certificates.certificate_pem,
        certificate_key=certificates.key,
        authority=certificates.authority_pem,
        casc_files=context.casc_files,
        casc_variables=context.casc_values,
        aws_environment=context.world.machine_environment(context.outputs("network")["ControllerSubnetId"]),
        ca_certificates=operator_machine.certificates(context.settings.host.ca_certificates),
        pip_configuration=operator_machine.pip_configuration(),
        toolkit=toolkit,
        login_user=context.machine.user,
    )
    return inputs, artifacts


def _toolkit(context: Context, artifacts: dict[str, Artifact], run: Run) -> Toolkit | None:
    """The repository on the machine; none where the jobs take the toolkit from a repository of the operator's."""
    if context.settings.repository.url is not None:
        return None
    taken = toolkit_repository.snapshot(ROOT, context.state)
    if taken.notice:
        run.notice(taken.notice)
    own = context.environment_file.resolve()
    if own.is_relative_to(ROOT.resolve()) and str(own.relative_to(ROOT.resolve())) in taken.untracked:
        run.notice(
            f"the jobs on the machine will not find this environment: {own.name} is not sent there; add it to git first"
        )
    branch = context.settings.repository.branch
    path = toolkit_repository.bundle(taken, branch, context.state / toolkit_repository.BUNDLE)
    digest = hash_of(path)
    artifacts[digest] = path
    return Toolkit(branch, taken.commit, digest)
