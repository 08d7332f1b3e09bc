"""How an Auto Scaling group keeps its size: members and their states, health, launches, terminations, activities, hooks.

It decides what EC2 Auto Scaling decides. moto keeps the groups, and the patches call this package where moto decides otherwise.
Everything that it decides follows from requests and events of the journal, never from the state of a machine, so that a
replay decides the same. It does not know containers, nor how requests arrive.
Imported by: compute, patches, server.
"""
