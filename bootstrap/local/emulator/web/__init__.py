"""The HTTP interface of the emulator: routes, the remote API, pages, and refusals in Jenkins' forms.

It decides how a request is read and an answer written. It asks the controller for stored items and for running builds.
Imported by: __main__.
"""
