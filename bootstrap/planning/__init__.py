"""Answers two questions before a change: what would change (a plan, which can be saved and applied later), and its cost.

It decides whether a saved plan still fits the code and the cloud, and how prices add up. It changes nothing.
Packages on higher floors may import it.
"""
