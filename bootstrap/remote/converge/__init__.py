"""Standard-library program that runs ON the machine, as root, and brings it to a desired state given as data.

It arrives with its document through one exec (see `bootstrap.remote.program`), so it imports nothing but itself and Python
3.11's standard library. `main` walks the resources in order; every other module knows how a few kinds of resource look and
how they are mended. A kind is a function that only looks: what it answers says how to act, so checking can never change.
"""
