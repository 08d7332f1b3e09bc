"""Inputs of a desired state, for the tests."""

from dataclasses import replace
from typing import Any

from bootstrap.environment.models import Settings
from bootstrap.remote.desired.inputs import Bundle, HostInputs, Software, Toolkit
from bootstrap.values import Secret

SETTINGS = {"environment": "local", "cloud": "local", "owner": "me", "cost_center": "none"}
SECRETS = {name: f"{name.lower()}-is-precious" for name in ("ADMIN_PASSWORD", "TOOLKIT_PASSWORD")}
KEY = "-----BEGIN PRIVATE KEY-----\nprecious\n-----END PRIVATE KEY-----\n"
EMULATOR = Software(
    "emulator", "2.1", {"git": "5"}, emulator=Bundle("e" * 64, {"jenkins_emulator/__init__.py": "a" * 64})
)
WAR = Software("war", "2.1", {"git": "5"}, war="b" * 64, plugin_files={"git": "c" * 64})


def inputs(**changes: Any) -> HostInputs:
    whole = HostInputs(
        settings=Settings.model_validate(SETTINGS),
        instance_id="i-1",
        data_volume_id="vol-0abc",
        url="https://jenkins.example/",
        software=EMULATOR,
        secrets={name: Secret(text) for name, text in SECRETS.items()},
        toolkit_password=Secret("toolkit-password-is-precious"),
        toolkit_token=Secret("toolkit-token-is-precious"),
        certificate="the certificate",
        certificate_key=Secret(KEY),
        authority="the authority",
        casc_files={"a.yaml": "jenkins: {}\n"},
        casc_variables={"JENKINS_ADMIN_ADDRESS": 'a "quoted" $name'},
        aws_environment={"AWS_REGION": "eu-central-1"},
        ca_certificates={"company.crt": "the company"},
        pip_configuration="[global]\nindex-url = https://user:precious@mirror.example/\n",
        toolkit=Toolkit("main", "d" * 40, "f" * 64),
    )
    return replace(whole, **changes)
