"""Preflight: what would stop a launch, found in seconds and before anything is made; each failing line with its remedy."""

from bootstrap.doctor.examine import examine
from bootstrap.doctor.findings import Finding

__all__ = ["Finding", "examine"]
