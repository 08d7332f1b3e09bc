"""An export of Jenkins' settings, and the code that it is compared with."""

from bootstrap.jenkins.controller import edits
from bootstrap.jenkins.controller.edits import Edit

CODE = {
    "controller.yaml": """\
x-anchors: {a: b}
jenkins:
  systemMessage: "Kept as code, at ${URL}"
  numExecutors: "${EXECUTORS}"
  crumbIssuer: standard
  securityRealm:
    local:
      allowsSignup: false
      users:
        - {id: admin, password: "${ADMIN_PASSWORD}"}
  authorizationStrategy:
    globalMatrix:
      entries:
        - user: {name: admin, permissions: [Overall/Administer]}
""",
    "views.yaml": """\
jenkins:
  views:
    - all: {name: all}
    - list: {name: team, includeRegex: "team-.*", columns: [status, weather]}
unclassified:
  mailer: {smtpHost: "${SMTP}"}
  buildDiscarders:
    configuredBuildDiscarders:
      - jobBuildDiscarder
      - simpleBuildDiscarder: {discarder: {logRotator: {numToKeepStr: "200"}}}
""",
}
VALUES = {"URL": "https://ci/", "EXECUTORS": "2", "SMTP": "mail.internal"}
EXPORT = """\
jenkins:
  authorizationStrategy:
    globalMatrix:
      entries:
      - user:
          name: admin
          permissions:
          - Overall/Administer
  crumbIssuer:
    standard: {}
  mode: NORMAL
  numExecutors: 2
  quietPeriod: 5
  securityRealm:
    local:
      allowsSignup: false
      enableCaptcha: false
  systemMessage: Kept as code, at https://ci/
  views:
  - all:
      name: all
  - list:
      name: team
      columns:
      - status
      - weather
      includeRegex: team-.*
unclassified:
  buildDiscarders:
    configuredBuildDiscarders:
    - jobBuildDiscarder
    - simpleBuildDiscarder:
        discarder:
          logRotator:
            numToKeepStr: '200'
  location:
    adminAddress: a@b
  mailer:
    charset: UTF-8
    smtpHost: mail.internal
    smtpPassword: '{AQAABAAA}'
"""


def find(before: str, now: str) -> tuple[Edit, ...]:
    return edits.find_edits(before, now, edits.merge_files(CODE.values(), VALUES))
