"""Makes `in_process` importable: with importlib as import mode, pytest puts no folder of tests on the path."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
