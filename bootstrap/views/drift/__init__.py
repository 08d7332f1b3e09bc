"""Drift: differences between an environment and the code that the code did not make.

It looks at stacks, security groups, the machine, settings, people, jobs and plugins. It decides what counts as drift, and names
the command that removes it. It changes nothing.
Imported by: cli.commands.drift.
"""

from bootstrap.views.drift.detection import Drift, Drifted, find_drift

__all__ = ["Drift", "Drifted", "find_drift"]
