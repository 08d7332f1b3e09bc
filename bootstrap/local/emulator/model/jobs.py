"""A freestyle or Pipeline job: its configuration together with its history."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import xmlfile
from .builds import Build, History
from .items import Folder
from .job_configuration import JobConfiguration


class Job(JobConfiguration):
    """A job of the tree, with its builds."""

    def __init__(self, parent: Folder, name: str, directory: Path, root: Any) -> None:
        super().__init__(parent, name, directory, root)
        self.history = History(directory)
        self.is_held = False  # a copied job cannot be built before it is saved once

    def disable(self, is_disabled: bool) -> None:
        """Disable or enable the job and save it; a copied job can be built afterwards, as after every save."""
        node = self.root.find("disabled")
        if node is None:
            node = xmlfile.put(self.root, "disabled")
        node.text = "true" if is_disabled else "false"
        self.is_held = False
        self.save()

    def find_build(self, reference: str) -> Build | None:
        """Find a build by its number or a permalink such as 'lastSuccessfulBuild'; None if there is none."""
        return self.history.find(reference)
