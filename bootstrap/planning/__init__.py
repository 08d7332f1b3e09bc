"""What can be said of a change before it is made: a plan that is kept in a file, and what an environment costs.

It decides whether a saved plan still fits the code and the cloud, and how prices add up. It changes nothing. Only the command
line imports it.
"""
