"""`python -m bootstrap`: the command line."""

import sys

from bootstrap.cli.parser import main
from bootstrap.runs.terminal import tell_bug

sys.excepthook = tell_bug
sys.exit(main(sys.argv[1:]))
