"""The emulator's HTTP side: routes, sessions, the remote API's trees, pages, and refusals in Jenkins' forms.

It decides how a request is read and an answer written. It asks the controller for stored items and for running builds. The
emulator's `__main__` imports it.
"""
