"""Jenkins, seen from the toolkit: its API, its definitions as people write them, and its distribution.

`controller` talks to a running Jenkins, `definitions` judges CasC files, jobs and Jenkinsfiles without one, `distribution`
has the lock and the downloads. Only `controller.settings_record` and `controller.journal` read the machine, through a shell
that they are given; no module calls AWS. The acts and what stands above them import it.
"""
