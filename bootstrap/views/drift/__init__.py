"""Differences between an environment and the code, made by other hands: stacks, groups, machine, settings, jobs, plugins.

It decides, place by place, what counts as drift, and names the command that removes it. It changes nothing. Only the command
`drift` imports it.
"""

from bootstrap.views.drift.places import Drift, Drifted, look

__all__ = ["Drift", "Drifted", "look"]
