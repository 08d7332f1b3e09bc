"""How builds run in the emulator: queue, Pipeline, freestyle, git, publishers, triggers.

It decides when a build starts, what its console says and how it ends, as Jenkins does. Steps of Pipelines are in `steps`, what
is kept of a build in `model`. The controller and the steps import it.
"""
