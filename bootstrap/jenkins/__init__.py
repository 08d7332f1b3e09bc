"""What the toolkit knows about Jenkins: its API, its definitions as people write them, and its distribution.

`controller` sends requests to a running Jenkins. `definitions` checks CasC files, jobs and Jenkinsfiles without a Jenkins.
`distribution` reads the lock and downloads the files. Only `controller.settings_record` and `controller.journal` read the
machine, through a shell that the caller passes; no module calls AWS.
Packages on higher floors may import it.
"""
