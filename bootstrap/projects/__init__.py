"""A project of one's own: a repository with environments, jobs, settings and templates, apart from the toolkit's repository.

`folders` says which files a command works with: those of the project, and those of the toolkit below them. `pin` chooses the
version of the toolkit that a project uses, `creation` makes a project, and `upgrade` tells what another version brings.
`files/start.py` is the program that each project has a copy of. This package knows environment files, and nothing of AWS,
machines or Jenkins.
Packages on higher floors may import it.
"""
