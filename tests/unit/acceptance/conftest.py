"""Finds the acceptance suite's own modules: it is no package, for it runs by itself as well."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "acceptance"))
