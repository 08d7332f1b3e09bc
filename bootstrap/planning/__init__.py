"""Two answers before a change is made: a plan, which can be saved in a file and applied later, and an environment's cost.

It decides whether a saved plan still fits the code and the cloud, and how prices add up. It changes nothing. Only the command
line imports it.
"""
