"""Read-only views of an environment: status, leftovers, inventory, drift, network, mail, packet filter.

It decides which facts about existing resources are shown. It changes nothing; the acts do.
Packages on higher floors may import it.
"""
