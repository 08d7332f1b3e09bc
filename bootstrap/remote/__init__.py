"""A machine over one connection: its desired state as data, and the program that compares and changes.

`shell` is the only importer of fabric. `desired` says what a machine must have; `converge` runs on the machine itself. It knows
nothing of AWS beyond an address. The acts, the cloud and what stands above import it.
"""
