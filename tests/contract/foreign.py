"""The settings under which the contract tests run: those of the emulator that they start, and those of any other Jenkins.

`python -m tests.contract.foreign URL` prints the set-up file for a Jenkins at that URL, with a fresh home and the locked
plugins: one file of Configuration as Code, and in its first lines the variables with which the tests are then started.
"""

from __future__ import annotations

import sys

ADMIN, SECRET = "admin-password", "token-s3cr3t"
BASE = """
jenkins:
  systemMessage: "contract"
  numExecutors: 2
  quietPeriod: 0
  securityRealm:
    local:
      allowsSignup: false
      users:
        - {id: admin, name: Admin, password: "${ADMIN_PASSWORD}"}
        - {id: reader, name: Reader, password: "reader-password"}
        - {id: builder, name: Builder, password: "builder-password"}
  authorizationStrategy:
    globalMatrix:
      entries:
        - user: {name: admin, permissions: ["Overall/Administer"]}
        - group: {name: authenticated, permissions: ["Overall/Read", "Job/Read"]}
        - user: {name: builder, permissions: ["Job/Build"]}
"""
CREDENTIALS = """
credentials:
  system:
    domainCredentials:
      - credentials:
          - string: {scope: GLOBAL, id: token, secret: "${TOKEN_SECRET}"}
          - usernamePassword: {scope: GLOBAL, id: login, username: somebody, password: "pass-word-1"}
"""
HEAD = """\
# The settings for the contract tests against a Jenkins of yours. It needs a fresh home, the plugins of jenkins.lock.yaml, and
# this file as $JENKINS_HOME/jenkins.yaml. Its users have passwords that everybody knows: let it listen on loopback alone.
# CONTRACT_JENKINS_URL={url} CONTRACT_JENKINS_USER=admin CONTRACT_JENKINS_PASSWORD={password} ./bootstrap.py test -e contract
"""


def render(url: str) -> str:
    """The set-up file for a Jenkins at this URL."""
    settings = BASE.replace("${ADMIN_PASSWORD}", ADMIN) + CREDENTIALS.replace("${TOKEN_SECRET}", SECRET)
    location = f'unclassified:\n  location: {{url: "{url.rstrip("/")}/"}}\n'
    return HEAD.format(url=url.rstrip("/"), password=ADMIN) + settings + location


if __name__ == "__main__":
    print(render(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"), end="")
