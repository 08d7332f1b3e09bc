"""How builds run in the emulator: queue, Pipeline, freestyle, git, publishers, triggers.

It decides when a build starts, what its console shows and how it ends, as Jenkins does. `services` holds the objects that every
build is given (accounts, mail, settings); `engine` is the part of a Pipeline that steps may use. It does not know the steps:
each module of `steps` registers its own in `registry`. Records of builds are in `model`.
Imported by: command_line, controller, __main__, steps, web.
"""
