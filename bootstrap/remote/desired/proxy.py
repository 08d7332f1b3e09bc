"""nginx in front of Jenkins: TLS on 443 and nothing on 80."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from bootstrap.remote.desired.base import JENKINS_PORT, Resources, make_directory, make_file, make_unit
from bootstrap.remote.templates import read_text, render
from bootstrap.values import Secret

_TLS = "/etc/nginx/tls"


def list_proxy_resources(url: str, certificate: str, key: Secret) -> Resources:
    """The certificate, its key and the site; Debian's default site is removed."""
    site = render("nginx-site.conf", server_name=urlsplit(url).hostname or "_", jenkins_port=JENKINS_PORT)
    return [
        make_directory(_TLS, mode="0700"),
        make_file("tls certificate", f"{_TLS}/server.crt", certificate),
        make_file("tls key", f"{_TLS}/server.key", key.reveal(), mode="0600", secret=True),
        make_file(
            "nginx limits", "/etc/systemd/system/nginx.service.d/10-bootstrap.conf", read_text("nginx-limits.conf")
        ),
        {"id": "nginx default site", "kind": "absent", "path": "/etc/nginx/sites-enabled/default"},
        # Straight into the folder that nginx reads, so that nginx can test it before it stays.
        {
            **make_file("nginx site", "/etc/nginx/conf.d/jenkins.conf", site),
            "validate": ["/usr/sbin/nginx", "-q", "-t"],
        },
    ]


def make_service() -> dict[str, Any]:
    """nginx.service; a new certificate or site needs no restart."""
    causes = ["tls certificate", "tls key", "nginx default site", "nginx site"]
    return make_unit("nginx.service", restart_on=causes, reload=True, runs_on=["nginx"])
