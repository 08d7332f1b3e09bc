"""The checks of `doctor`: what would stop a launch, found in seconds and before anything is made.

It checks the caller's identity and permissions, quotas, names, keys, this machine and the sources of Jenkins; each finding has
its remedy. It also prints the launcher's IAM policy. It changes nothing and does not print to the console itself.
Packages on higher floors may import it.
"""

from bootstrap.doctor.examine import examine
from bootstrap.doctor.findings import Finding

__all__ = ["Finding", "examine"]
