"""A machine behind one SSH connection: its desired state as data, and the program that brings the machine to it.

`shell` is the only importer of fabric. `desired` decides what a machine must have; `converge` runs on the machine itself. Of
AWS it knows only the address of the machine.
Packages on higher floors may import it.
"""
