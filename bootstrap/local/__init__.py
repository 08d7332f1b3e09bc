"""The cloud on this machine: AWS, machines, mail, and the emulator that stands in for Jenkins.

`cloud.py` starts and stops it for one environment. Only two packages import it: the command line, which starts it, and the
doctor, which asks whether this machine can run it. Everyone else meets an AWS endpoint. It imports the environment file's
settings and the values, never the acts.
"""
