"""What the emulator keeps: items, builds, views, credentials, accounts, settings, in Jenkins' own file layout.

It decides what is on disk below JENKINS_HOME and who may see it. It runs no build and answers no request; `home` holds its
parts together. The rooms above import it: execution, steps, settings, controller and web routes.
"""
