"""Configuration as Code in the emulator: sources, variables, schema, check, apply, export.

It decides what is refused, in Jenkins' words, and what an export shows. It reaches the rest of the emulator through the
controller that it is given. The web routes import it.
"""
