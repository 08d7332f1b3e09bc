"""Configuration as Code in the emulator: sources, variables, schema, check, apply, export.

It decides which settings are refused, in Jenkins' words, and what an export shows. It changes the stored settings (`model`) and
knows nothing of builds.
Imported by: command_line, controller, execution, web.
"""
