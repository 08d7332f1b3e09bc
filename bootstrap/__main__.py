"""`python -m bootstrap`: the command line."""

import sys

from bootstrap.cli.parser import main
from bootstrap.runs.terminal import print_bug

sys.excepthook = print_bug
sys.exit(main(sys.argv[1:]))
