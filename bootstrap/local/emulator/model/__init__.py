"""What the emulator keeps: items, builds, views, credentials, accounts, settings, in Jenkins' own file layout.

It decides what is on disk below JENKINS_HOME and who may see it. It runs no build and answers no request. The execution,
the web routes and the settings import it.
"""
