"""The cloud on this machine: AWS, machines, mail, and the emulator that stands in for Jenkins.

`cloud.py` starts and stops it for one environment. Nothing above knows its inside: the command line starts it, the doctor asks
whether this machine can carry it, and everyone else meets an AWS endpoint. It imports the environment file's settings and the
values, never the acts.
"""
