"""The clients of AWS: sessions, instances, secrets, certificates, tags, and errors that AWS returns.

It decides how AWS is called and how an AWS error is shown to a person. It knows no template, no act and no command. It calls
the local cloud in the same way; only the endpoint differs.
Packages on higher floors may import it.
"""
