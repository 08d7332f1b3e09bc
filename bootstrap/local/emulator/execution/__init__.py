"""How builds run in the emulator: queue, Pipeline, freestyle, git, publishers, triggers.

It decides when a build starts, what its console shows and how it ends, as Jenkins does. `services` holds the objects that every
build is given (accounts, mail, settings); `engine` is the part of a Pipeline that steps may use. The steps are in the package
`steps`, above this one. Each module of `steps` registers its steps in `registry`. Records of builds are in `model`. The
controller, the steps, the web routes and `__main__` import it.
"""
