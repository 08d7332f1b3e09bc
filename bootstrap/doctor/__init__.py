"""What would stop a launch, found in seconds and before anything is made; each finding with its remedy.

It looks at the identity and its permissions, quotas, names, keys, this machine and the sources of Jenkins, and prints the
launcher's IAM policy. It changes nothing and knows nothing of the console. Only the command line imports it.
"""

from bootstrap.doctor.examine import examine
from bootstrap.doctor.findings import Finding

__all__ = ["Finding", "examine"]
