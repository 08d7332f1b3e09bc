"""Whether a local folder may be checked out on the controller, as the git plugin decides it."""

from __future__ import annotations

import os

from ..failures import StepFailed
from ..options import Arguments

PROPERTY = "hudson.plugins.git.GitSCM.ALLOW_LOCAL_CHECKOUT"


def check(arguments: Arguments, url: str) -> None:
    """Refuse a folder of the machine, unless the command line allows it."""
    is_local = url.lower().startswith("file://") or os.path.exists(url)  # noqa: PTH110 (Path.exists fails for odd texts)
    if is_local and not arguments.is_set(PROPERTY):
        raise StepFailed(
            f"Checkout of Git remote '{url}' aborted because it references a local directory, which may be insecure. "
            f"You can allow local checkouts anyway by setting the system property '{PROPERTY}' to true."
        )
