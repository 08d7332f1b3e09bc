"""The local cloud: AWS' APIs, machines and mail on this machine, and the emulator, which can replace Jenkins.

`cloud.py` starts and stops it for one environment. It decides how this machine takes the place of AWS. The other packages see
only an endpoint of AWS: they do not know what is behind it. It knows the settings of the environment file and the values, never
the acts.
Imported by: cli, doctor.
"""
