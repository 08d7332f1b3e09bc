"""Collects the inputs of the host act from the settings, the stacks and this machine.

Looking and doing share this: for a look nothing is written to AWS, and nothing is downloaded but the distribution.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from bootstrap.acts import casc
from bootstrap.cloud import people_passwords
from bootstrap.cloud.certificates import Certificates, Subjects
from bootstrap.cloud.secrets import SecretArns, ensure_certificates
from bootstrap.context import PROJECT, ROOT, Context
from bootstrap.errors import StackMissing
from bootstrap.jenkins.controller.password_hash import hash_password
from bootstrap.jenkins.definitions import people
from bootstrap.preconditions import agent_groups, jenkins_files, sign_in, user_secrets
from bootstrap.projects import folders
from bootstrap.remote import operator_machine, toolkit_repository
from bootstrap.remote.artifacts import Artifact, hash_of, pack
from bootstrap.remote.desired.inputs import HostInputs, Toolkit
from bootstrap.runs.journal import Run
from bootstrap.values import Change, ChangeKind, Secret

EMULATOR = ROOT / "bootstrap" / "local" / "emulator"
# The names under which CasC asks for the hashes of passwords, and the data stack's outputs that name the passwords.
_PASSWORDS = {"ADMIN_PASSWORD": "AdminPasswordSecret", "TOOLKIT_PASSWORD": "ToolkitPasswordSecret"}


def gather(context: Context, run: Run, *, writes: bool = False) -> tuple[HostInputs, dict[str, Artifact]]:
    """The machine's desired state and the files it may have to be sent, by SHA-256.

    Certificates that are due are made anew; only with `writes` are they kept for the next time.
    """
    software, artifacts = pack(jenkins_files.obtain(context, run), EMULATOR)
    toolkit = _make_toolkit(context, artifacts, run)
    certificates = _read_certificates(context, run, writes=writes)
    data = context.outputs("data")
    secrets = {name: hash_password(context.secret(output), data[output]) for name, output in _PASSWORDS.items()}
    own = user_secrets.read(context) | agent_groups.read_client_keys(context)
    casc.require_final({**secrets, **own})
    hashes = _hash_passwords(context, writes=writes) | sign_in.make_way_back(context, secrets["ADMIN_PASSWORD"])
    inputs = HostInputs(
        settings=context.settings,
        instance_id=context.machine.instance_id,
        data_volume_id=data["DataVolumeId"],
        url=context.url,
        software=software,
        secrets=secrets,
        own_secrets=own,
        people_passwords=hashes,
        removed_secrets=user_secrets.find_removed(context),
        toolkit_password=context.secret("ToolkitPasswordSecret"),
        toolkit_token=context.secret("ToolkitTokenSecret"),
        certificate=certificates.chain_pem,
        certificate_key=certificates.key,
        authority=certificates.authority_pem,
        casc_files=context.first_casc_files,
        casc_variables=context.casc_values,
        aws_environment=context.world.make_machine_environment(context.outputs("network")["ControllerSubnetId"]),
        ca_certificates=_read_authorities(context),
        pip_configuration=operator_machine.make_pip_configuration(),
        toolkit=toolkit,
        login_user=context.machine.user,
        jobs_key=agent_groups.read_jobs_key(context),
        jobs_commands=agent_groups.list_jobs_commands(),
    )
    return inputs, artifacts


def _hash_passwords(context: Context, *, writes: bool) -> dict[str, Secret]:
    """The hashes of the passwords of people; nothing where people sign in with accounts of another user database."""
    with_accounts = context.settings.people if people.has_accounts(context.casc_files) else {}
    arn = context.outputs("data").get("PeopleSecret")
    if arn is None and not with_accounts:
        return {}
    if arn is None:
        raise StackMissing(
            f"looking for the secret with the passwords of the people of '{context.settings.name}'",
            "an older version of this toolkit launched it, which had no such secret",
            f"Run: {context.tool} launch",
        )
    passwords = people_passwords.ensure(context.world.aws("secretsmanager"), arn, with_accounts, writes=writes)
    return {name: hash_password(password, f"{arn}/{name}") for name, password in passwords.items()}


def _read_authorities(context: Context) -> dict[str, str]:
    """The certificates of authorities that the machine trusts beside those of its system, by file name."""
    of_mail = context.world.local_mail_authority
    own = operator_machine.read_certificates(context.settings.host.ca_certificates)
    return own | ({"local-cloud-mail.crt": of_mail} if of_mail else {})


def list_subjects(context: Context) -> Subjects:
    """What the server certificate is for: the URL's host, the names in the zones, and the machine's own address."""
    host = urlsplit(context.url).hostname or context.machine.address
    every = dict.fromkeys((host, *context.settings.names, context.machine.address))
    addresses = tuple(it for it in every if _is_address(it))
    return Subjects(tuple(it for it in every if it not in addresses), addresses, context.settings.network.cidr)


def _is_address(text: str) -> bool:
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def _read_certificates(context: Context, run: Run, *, writes: bool) -> Certificates:
    wanted, outputs = list_subjects(context), context.outputs("data")
    if writes and "AuthorityKeySecret" not in outputs:
        raise StackMissing(
            f"looking for the secret of the authority's key of '{context.settings.name}'",
            "an older version of this toolkit launched it, which had no such secret",
            f"Run: ./bootstrap.py --environment {context.settings.name} launch",
        )
    arns = SecretArns(outputs["CertificatesSecret"], outputs.get("AuthorityKeySecret", ""))
    issued = ensure_certificates(context.world.aws("secretsmanager"), arns, wanted, writes=writes)
    if issued.authority_change:
        run.change(Change("host", ChangeKind.ALTER, "certificate authority", issued.authority_change))
    if issued.is_new:
        named = ", ".join([*wanted.names, *wanted.addresses])
        run.change(Change("host", ChangeKind.ADD, "certificates", f"for {named}"))
    return issued.certificates


def take_snapshot(context: Context) -> toolkit_repository.Snapshot:
    """The commit that the machine gets: that of this checkout; of a project, with the toolkit in it."""
    own = toolkit_repository.take_snapshot(PROJECT, context.state)
    if not folders.is_apart():
        return own
    return toolkit_repository.compose(own, ROOT, folders.name_toolkit_path(""), context.state)


def _make_toolkit(context: Context, artifacts: dict[str, Artifact], run: Run) -> Toolkit | None:
    """The repository of the toolkit for the machine; None if the jobs use a repository of the operator."""
    if context.settings.repository.url is not None:
        return None
    repository = take_snapshot(context)
    if repository.notice:
        run.notice(repository.notice)
    own_file, project = context.environment_file.resolve(), PROJECT.resolve()
    if own_file.is_relative_to(project) and str(own_file.relative_to(project)) in repository.untracked:
        run.notice(
            f"the jobs on the machine will not find this environment: {own_file.name} is not sent there; add it to git first"
        )
    branch = context.settings.repository.branch
    path = toolkit_repository.write_bundle(repository, branch, context.state / toolkit_repository.BUNDLE)
    digest = hash_of(path)
    artifacts[digest] = path
    return Toolkit(branch, repository.commit, digest)
