"""Collects the inputs of the host act from the settings, the stacks and this machine.

Plans and launches both use it.
"""

from __future__ import annotations

from bootstrap.acts import casc
from bootstrap.cloud.secrets import ensure_certificates
from bootstrap.context import ROOT, Context
from bootstrap.preconditions import jenkins_files
from bootstrap.remote import operator_machine, toolkit_repository
from bootstrap.remote.artifacts import Artifact, hash_of, pack
from bootstrap.remote.desired.inputs import HostInputs, Toolkit
from bootstrap.runs.journal import Run
from bootstrap.values import Change, ChangeKind

EMULATOR = ROOT / "bootstrap" / "local" / "emulator"
# The names of the secrets in CasC, and the outputs of the data stack with their ARNs.
_SECRETS = {
    "ADMIN_PASSWORD": "AdminPasswordSecret",
    "TOOLKIT_PASSWORD": "ToolkitPasswordSecret",
    "TOOLKIT_TOKEN": "ToolkitTokenSecret",
}


def gather(context: Context, run: Run) -> tuple[HostInputs, dict[str, Artifact]]:
    """The inputs of the host act, and the artifacts that the machine may need, by SHA-256.

    Downloads the distribution and issues certificates if they do not exist yet. DistributionFailed, or BootstrapError.
    """
    software, artifacts = pack(jenkins_files.obtain(context, run), EMULATOR)
    toolkit = _toolkit(context, artifacts, run)
    host = context.url.removeprefix("https://").rstrip("/")
    names = [it for it in dict.fromkeys((host, *context.settings.names)) if it != context.machine.address]
    addresses = [context.machine.address]
    arn = context.outputs("data")["CertificatesSecret"]
    certificates, is_new = ensure_certificates(context.world.aws("secretsmanager"), arn, names, addresses)
    if is_new:
        run.change(Change("host", ChangeKind.ADD, "certificates", f"for {', '.join([*names, *addresses])}"))
    secrets = {name: context.secret(output) for name, output in _SECRETS.items()}
    casc.require_final(secrets)
    inputs = HostInputs(
        settings=context.settings,
        instance_id=context.machine.instance_id,
        data_volume_id=context.outputs("data")["DataVolumeId"],
        url=context.url,
        software=software,
        secrets=secrets,
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
    """The repository of the toolkit for the machine; None if the jobs use a repository of the operator."""
    if context.settings.repository.url is not None:
        return None
    snapshot = toolkit_repository.snapshot(ROOT, context.state)
    if snapshot.notice:
        run.notice(snapshot.notice)
    own_file = context.environment_file.resolve()
    if own_file.is_relative_to(ROOT.resolve()) and str(own_file.relative_to(ROOT.resolve())) in snapshot.untracked:
        run.notice(
            f"the jobs on the machine will not find this environment: {own_file.name} is not sent there; add it to git first"
        )
    branch = context.settings.repository.branch
    path = toolkit_repository.bundle(snapshot, branch, context.state / toolkit_repository.BUNDLE)
    digest = hash_of(path)
    artifacts[digest] = path
    return Toolkit(branch, snapshot.commit, digest)
