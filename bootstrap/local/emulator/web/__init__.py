"""The emulator's HTTP side: routes, sessions, the remote API's trees, pages, and refusals in Jenkins' forms.

It decides how a request is read and an answer written. What is kept and what runs is asked of the controller. The emulator's
`__main__` imports it.
"""
