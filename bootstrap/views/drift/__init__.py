"""What is not as the code says and was not put there by it: stacks, groups, machine, settings, jobs, plugins.

It decides what counts as drift, place by place, and names the command that mends it. It changes nothing. Only the command
`drift` imports it.
"""

from bootstrap.views.drift.places import Drift, Drifted, look

__all__ = ["Drift", "Drifted", "look"]
