"""The local cloud: AWS' APIs, machines and mail on this machine, and the emulator, which can replace Jenkins.

`cloud.py` starts and stops it for one environment. Only two packages import it: the command line, which starts it, and the
doctor, which checks whether this machine can run it. All other packages only see an endpoint of AWS. It imports the settings of
the environment file and the values, never the acts.
"""
