"""Configuration as Code in the emulator: sources, variables, schema, check, apply, export.

It decides what is refused, in Jenkins' words, and what an export shows. It changes what the emulator keeps (`model`),
and knows of nothing that runs. The controller and the web routes import it.
"""
