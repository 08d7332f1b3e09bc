"""Environment files of a few lines."""

from pathlib import Path

from bootstrap.environment import models, settings

WHOLE = """\
environment: trial
cloud: local
owner: someone
cost_center: lab
"""


def load(folder: Path, text: str, name: str = "trial") -> models.Settings:
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return settings.load(path)
