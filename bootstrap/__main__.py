"""`python -m bootstrap`: the command line."""

import sys

from bootstrap.cli.parser import main

sys.exit(main(sys.argv[1:]))
