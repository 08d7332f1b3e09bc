"""What the emulator stores: items, builds, views, credentials, accounts, settings, in Jenkins' own file layout.

It decides what is on disk below JENKINS_HOME and who may see it. It runs no build and answers no request; `home` holds all its
parts.
Imported by: command_line, casc, controller, execution, steps, web.
"""
