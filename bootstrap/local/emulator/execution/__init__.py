"""How builds run in the emulator: queue, Pipeline, freestyle, git, publishers, triggers.

It decides when a build starts, what its console says and how it ends, as Jenkins does. What builds use beside what is kept is
in `services`; it is handed to them. `engine` is what steps see of a Pipeline. The steps themselves are above, in `steps`, and
fill `registry`. What is kept of a build is in `model`. The controller, the steps and the web routes import it.
"""
