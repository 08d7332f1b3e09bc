"""Checks what people write for Jenkins before it is sent: CasC files, job definitions, Jenkinsfiles.

It decides which faults can be found without a Jenkins, each with file, line and column. It also renders the jobs with Job
Builder. It needs no network and no machine.
Imported by: acts, context, importing, jenkins.controller, preconditions, views.people.
"""
