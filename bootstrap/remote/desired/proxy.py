"""nginx in front of Jenkins: TLS on 443 and nothing on 80."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from bootstrap.remote.desired.base import JENKINS_PORT, Resources, directory, file, unit
from bootstrap.remote.templates import render, text
from bootstrap.values import Secret

_TLS = "/etc/nginx/tls"


def proxy(url: str, certificate: str, key: Secret) -> Resources:
    """The certificate, its key and the site; Debian's default site is removed."""
    site = render("nginx-site.conf", server_name=urlsplit(url).hostname or "_", jenkins_port=JENKINS_PORT)
    return [
        directory(_TLS, mode="0700"),
        file("tls certificate", f"{_TLS}/server.crt", certificate),
        file("tls key", f"{_TLS}/server.key", key.reveal(), mode="0600", secret=True),
        file("nginx limits", "/etc/systemd/system/nginx.service.d/10-bootstrap.conf", text("nginx-limits.conf")),
        {"id": "nginx default site", "kind": "absent", "path": "/etc/nginx/sites-enabled/default"},
        # Straight into the folder that nginx reads, so that nginx can test it before it stays.
        {**file("nginx site", "/etc/nginx/conf.d/jenkins.conf", site), "validate": ["/usr/sbin/nginx", "-q", "-t"]},
    ]


def service() -> dict[str, Any]:
    """nginx.service; a new certificate or site needs no restart."""
    causes = ["tls certificate", "tls key", "nginx default site", "nginx site"]
    return unit("nginx.service", restart_on=causes, reload=True, runs_on=["nginx"])
